/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions under way upstream, of all workers: for each message ID the port it was sent from.
 *
 * It keeps IDs unique, and it recognises our own questions when they come back, to whichever
 * worker: they carry an ID that is under way and come from its port. An entry is claimed before the
 * question is sent. Relaxed atomics do: an entry that one worker makes and another should see
 * travels with the question, through the kernel.
 */
#ifndef MESHDNS_RESOLVER_INFLIGHT_H
#define MESHDNS_RESOLVER_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts zeroed. */
struct inflight {
	_Atomic uint16_t port[65536]; /* by ID, host order; 0: the ID is free */
};

/* False when the ID is taken. `port` is not 0. */
static inline bool inflight_claim(struct inflight *inflight, uint16_t id, uint16_t port)
{
	uint16_t unused = 0;

	return atomic_compare_exchange_strong_explicit(&inflight->port[id], &unused, port,
						       memory_order_relaxed, memory_order_relaxed);
}

static inline void inflight_release(struct inflight *inflight, uint16_t id)
{
	atomic_store_explicit(&inflight->port[id], 0, memory_order_relaxed);
}

static inline bool inflight_is_own(const struct inflight *inflight, uint16_t id, uint16_t port)
{
	return atomic_load_explicit(&inflight->port[id], memory_order_relaxed) == port;
}

#endif
