/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which servers there are and which of them a name goes to, as settings and resolv.conf say; and
 * the book in which the workers count (upstream_stats.h).
 *
 * `struct upstreams` is built by the control thread and never changes then; a new one is published
 * (publish.h) and each worker takes a copy of it at the beginning of a round. `struct
 * upstream_book` lives as long as the process: a server keeps its page when the list is read again,
 * also when it was away meanwhile.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAMS_H
#define MESHDNS_RESOLVER_UPSTREAMS_H

#include "common/addr.h"
#include "common/err.h"
#include "resolver/route.h"
#include "resolver/upstream_stats.h"

#define UPSTREAMS_MAX 64 /* different servers at a time */
#define GROUP_MAX     16 /* servers that a name can go to */
#define BOOK_MAX      256

enum upstream_policy { POLICY_SEQUENTIAL, POLICY_RANDOM, POLICY_ROUND_ROBIN };

struct upstream_group {
	uint8_t n;
	uint8_t server[GROUP_MAX]; /* numbers in upstreams.server, in the order they were named */
};

struct upstreams {
	uint32_t version; /* above 0, another one for each list */
	size_t n_servers;
	struct {
		struct endpoint ep;
		uint16_t page; /* in the book */
	} server[UPSTREAMS_MAX];
	size_t n_groups;
	struct upstream_group group[ROUTES_MAX];
	struct routes routes;
	enum upstream_policy policy;
	uint32_t try_max_ms; /* resolv.conf's `timeout`; 0: not said */
	uint32_t tries;      /* its `attempts`: how often a server is asked; 0: not said */
};

/* One server's page. `stats` has one entry a worker. */
struct upstream_page {
	struct endpoint ep;
	_Atomic uint32_t loops; /* how often a probe of ours (loop.h) came back through it */
	_Atomic bool is_loop;   /* what goes there comes back: it is not asked */
	_Atomic bool in_use;    /* among the upstreams now */
	struct upstream_stats *stats;
};

struct upstream_book {
	unsigned int n_workers;
	uint64_t nonce; /* this process's, for loop.h */
	_Atomic size_t n_pages;
	struct upstream_page page[BOOK_MAX];
};

int upstream_book_init(struct upstream_book *book, unsigned int n_workers, struct err *err);
void upstream_book_free(struct upstream_book *book);

/* The page of a server, a new one if need be; -ENOSPC when the book is full. */
int upstream_book_find(struct upstream_book *book, const struct endpoint *ep, struct err *err);

/* A counter of all workers together. For any thread; so are n_pages, and ep of the pages in it. */
uint64_t upstream_book_sum(const struct upstream_page *page, unsigned int n_workers,
			   enum upstream_counter counter);

/* The least healthy state that a worker sees (enum health_state); the mean of what they measured, 0
 * if none has. */
unsigned int upstream_book_state(const struct upstream_page *page, unsigned int n_workers);
uint32_t upstream_book_srtt_us(const struct upstream_page *page, unsigned int n_workers);

/* Whether there is anything to say of it. */
bool upstream_book_is_told(const struct upstream_page *page, unsigned int n_workers);

/*
 * Adds a server to the names below `suffix` (wire form, lower-cased); the same one twice is once.
 * -E2BIG when there are too many.
 */
int upstreams_add(struct upstreams *upstreams, struct upstream_book *book, const uint8_t *suffix,
		  size_t suffix_len, const struct endpoint *ep, struct err *err);

#endif
