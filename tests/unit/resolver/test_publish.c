/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "resolver/publish.h"

#define READERS   3
#define EXCHANGES 2000

static struct publish publish;
static struct publish_reader readers[READERS];
static _Atomic int stop;
static _Atomic int wrong;

/* A snapshot whose two halves say the same as long as it lives. */
struct pair {
	_Atomic int a, b;
};

static struct pair *pair_new(int value)
{
	struct pair *pair = malloc(sizeof(*pair));

	atomic_store(&pair->a, value);
	atomic_store(&pair->b, value);
	return pair;
}

static void *reader(void *arg)
{
	struct publish_reader *self = arg;

	while (!atomic_load(&stop)) {
		struct pair *pair = publish_enter(&publish, self);
		int a = atomic_load(&pair->a);

		for (volatile int i = 0; i < 50; i++)
			;
		if (a < 0 || atomic_load(&pair->b) != a)
			atomic_store(&wrong, 1);
		publish_leave(self);
	}
	return NULL;
}

Test(publish, nobody_reads_what_was_handed_back)
{
	pthread_t threads[READERS];

	publish_init(&publish, pair_new(0), readers, READERS);
	for (size_t i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, reader, &readers[i]);
	for (int i = 1; i <= EXCHANGES; i++) {
		struct pair *old = publish_exchange(&publish, pair_new(i));

		/* A reader that were still inside would see this, or ASan would see the reader. */
		atomic_store(&old->a, -1);
		atomic_store(&old->b, -2);
		free(old);
	}
	atomic_store(&stop, 1);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	free(atomic_load(&publish.current));
	cr_expect_eq(atomic_load(&wrong), 0);
}
