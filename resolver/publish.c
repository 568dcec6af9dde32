/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/publish.h"

#include <time.h>

void publish_init(struct publish *publish, void *first, struct publish_reader *readers,
		  size_t n_readers)
{
	atomic_store(&publish->current, first);
	atomic_store(&publish->epoch, 1);
	publish->readers = readers;
	publish->n_readers = n_readers;
}

void *publish_exchange(struct publish *publish, void *next)
{
	static const struct timespec pause = {.tv_nsec = 200000};
	void *old = atomic_exchange(&publish->current, next);
	uint64_t epoch = atomic_fetch_add(&publish->epoch, 1) + 1;

	for (size_t i = 0; i < publish->n_readers; i++) {
		uint64_t seen;

		while ((seen = atomic_load(&publish->readers[i].seen)) != 0 && seen < epoch)
			nanosleep(&pause, NULL);
	}
	return old;
}
