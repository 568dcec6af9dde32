/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pointer, many readers, one writer: how a new snapshot reaches the workers and when the old
 * one may be freed.
 *
 * A reader brackets its work by publish_enter() and publish_leave(); in between, and only there,
 * it may use what publish_enter() returned. That costs it two stores and two loads per wake-up, no
 * lock and no shared counter. The writer exchanges the pointer, advances the epoch, and waits until
 * every reader is outside or has entered since (quiescent-state reclamation): readers never wait,
 * and the writer waits at most for the longest bracket.
 *
 * Why it is safe: entering and exchanging are sequentially consistent. The writer exchanges the
 * pointer before it reads a reader's `seen`. If it reads 0, the reader's next store to `seen`, and
 * so its load of the pointer, comes later and yields the new pointer. If it reads the new epoch,
 * the reader took the epoch after the exchange, and the pointer after that. Leaving need only be a
 * release: what was read inside comes before it.
 */
#ifndef MESHDNS_RESOLVER_PUBLISH_H
#define MESHDNS_RESOLVER_PUBLISH_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct publish_reader {
	/* 0: outside; else the epoch at the time of entering. On a cache line of its own. */
	alignas(64) _Atomic uint64_t seen;
};

struct publish {
	_Atomic(void *) current;
	_Atomic uint64_t epoch; /* starts at 1 */
	struct publish_reader *readers;
	size_t n_readers;
};

/* `readers` are borrowed, zeroed, and outlive the publish. */
void publish_init(struct publish *publish, void *first, struct publish_reader *readers,
		  size_t n_readers);

static inline void *publish_enter(struct publish *publish, struct publish_reader *reader)
{
	atomic_store(&reader->seen, atomic_load(&publish->epoch));
	return atomic_load(&publish->current);
}

static inline void publish_leave(struct publish_reader *reader)
{
	atomic_store_explicit(&reader->seen, 0, memory_order_release);
}

/* Puts `next` in place, waits as above, and returns the old pointer, which nobody uses any more. */
void *publish_exchange(struct publish *publish, void *next);

#endif
