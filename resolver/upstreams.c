/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstreams.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

int upstream_book_init(struct upstream_book *book, unsigned int n_workers, struct err *err)
{
	struct upstream_stats *stats = calloc((size_t)n_workers * BOOK_MAX, sizeof(*stats));

	if (!stats)
		return err_set(err, ENOMEM, "out of memory");
	if (getrandom(&book->nonce, sizeof(book->nonce), 0) != sizeof(book->nonce))
		abort(); /* see random.c */
	book->n_workers = n_workers;
	for (size_t i = 0; i < BOOK_MAX; i++)
		book->page[i].stats = stats + i * n_workers;
	return 0;
}

void upstream_book_free(struct upstream_book *book)
{
	free(book->page[0].stats);
	book->page[0].stats = NULL;
}

int upstream_book_find(struct upstream_book *book, const struct endpoint *ep, struct err *err)
{
	size_t n = book->n_pages;

	for (size_t i = 0; i < n; i++) {
		if (is_same(&book->page[i].ep, ep))
			return (int)i;
	}
	if (n == BOOK_MAX)
		return err_set(err, ENOSPC,
			       "more than %d different servers since the start: restart me",
			       BOOK_MAX);
	book->page[n].ep = *ep;
	book->n_pages = n + 1;
	return (int)n;
}

uint64_t upstream_book_sum(const struct upstream_page *page, unsigned int n_workers,
			   enum upstream_counter counter)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n_workers; i++)
		sum += atomic_load_explicit(&page->stats[i].counter[counter], memory_order_relaxed);
	return sum;
}

unsigned int upstream_book_state(const struct upstream_page *page, unsigned int n_workers)
{
	unsigned int worst = 0;

	for (unsigned int i = 0; i < n_workers; i++) {
		unsigned int state =
			atomic_load_explicit(&page->stats[i].state, memory_order_relaxed);

		worst = state > worst ? state : worst;
	}
	return worst;
}

uint32_t upstream_book_srtt_us(const struct upstream_page *page, unsigned int n_workers)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	for (unsigned int i = 0; i < n_workers; i++) {
		uint32_t us = atomic_load_explicit(&page->stats[i].srtt_us, memory_order_relaxed);

		sum += us;
		n += us > 0;
	}
	return n ? (uint32_t)(sum / n) : 0;
}

bool upstream_book_is_told(const struct upstream_page *page, unsigned int n_workers)
{
	return page->in_use || upstream_book_sum(page, n_workers, UPSTREAM_QUERIES) > 0;
}

int upstream_group_add(struct upstream_group *group, struct upstream_book *book,
		       const struct endpoint *ep, struct err *err)
{
	int page = upstream_book_find(book, ep, err);

	if (page < 0)
		return page;
	for (uint8_t i = 0; i < group->n; i++) {
		if (group->page[i] == page)
			return page;
	}
	if (group->n == GROUP_MAX)
		return err_set(err, E2BIG, "more than %d servers in one group", GROUP_MAX);
	group->page[group->n++] = (uint16_t)page;
	return page;
}
