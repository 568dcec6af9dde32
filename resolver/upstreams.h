/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of servers that stand in for each other, and the book in which the workers count what they
 * see of the servers (upstream_stats.h). The book lives as long as the process: a server keeps its
 * page when the list of servers is another, also when it was away meanwhile.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAMS_H
#define MESHDNS_RESOLVER_UPSTREAMS_H

#include "common/addr.h"
#include "common/err.h"
#include "resolver/upstream_stats.h"

#define UPSTREAMS_MAX 64 /* different servers at a time */
#define GROUP_MAX     16 /* servers of a group */
#define BOOK_MAX      256

enum upstream_policy { POLICY_SEQUENTIAL, POLICY_RANDOM, POLICY_ROUND_ROBIN };

#define GROUPS_MAX 255

/* Constant, and its service's (service.h). */
struct upstream_group {
	uint8_t n, number;        /* of servers; its own among the service's groups */
	uint16_t page[GROUP_MAX]; /* of each server, in the book, in the order they were named */
	enum upstream_policy policy;
	bool force_tcp, prefer_udp; /* else the transport is the client's */
	bool failfast;              /* when all are down none is asked */
	uint32_t try_max_ms;        /* how long a try may take; 0: not said */
	uint32_t tries;             /* how often a server is asked; 0: not said */
	uint32_t max_attempts;      /* messages for a question; 0: not said */
	uint32_t max_concurrent;    /* questions under way; 0: any number */
	uint32_t max_busy;          /* a worker's share of them */
	uint32_t failover;          /* rcodes, a bit each, after which the next server is asked */
};

/* One server's page. `stats` has one entry a worker. */
struct upstream_page {
	struct endpoint ep;
	_Atomic uint32_t loops;    /* how often a probe of ours (loop.h) came back through it */
	_Atomic bool is_loop;      /* what goes there comes back: it is not asked */
	_Atomic bool in_use;       /* among the upstreams now */
	_Atomic bool is_alternate; /* no `forward` names it, or did when it was last in use */
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

/* Adds a server and returns its page; the same one twice is once. -E2BIG when there are too many.
 */
int upstream_group_add(struct upstream_group *group, struct upstream_book *book,
		       const struct endpoint *ep, struct err *err);

#endif
