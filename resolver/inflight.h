/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions under way upstream, of all workers: for each message ID the port it was sent from
 * and the slot of whoever sent it.
 *
 * It keeps IDs unique, finds the question that an answer is to, and recognises our own questions
 * when they come back, to whichever worker: they carry an ID that is under way and come from its
 * port. An entry is claimed before the question is sent. Relaxed atomics do: an entry that one
 * worker makes and another should see travels with the question, through the kernel.
 */
#ifndef MESHDNS_RESOLVER_INFLIGHT_H
#define MESHDNS_RESOLVER_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts zeroed. */
struct inflight {
	/* By ID: the port, host order, above the slot; 0: the ID is free, for no port is 0. */
	_Atomic uint32_t entry[65536];
};

/* False when the ID is taken. */
static inline bool inflight_claim(struct inflight *inflight, uint16_t id, uint16_t port,
				  uint16_t slot)
{
	uint32_t unused = 0;

	return atomic_compare_exchange_strong_explicit(&inflight->entry[id], &unused,
						       (uint32_t)port << 16 | slot,
						       memory_order_relaxed, memory_order_relaxed);
}

static inline void inflight_release(struct inflight *inflight, uint16_t id)
{
	atomic_store_explicit(&inflight->entry[id], 0, memory_order_relaxed);
}

/* Whether this ID is under way from this port; *ret_slot is then what it was claimed with. */
static inline bool inflight_find(const struct inflight *inflight, uint16_t id, uint16_t port,
				 uint16_t *ret_slot)
{
	uint32_t entry = atomic_load_explicit(&inflight->entry[id], memory_order_relaxed);

	*ret_slot = (uint16_t)entry;
	return port && entry >> 16 == port;
}

#endif
