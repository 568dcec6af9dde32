/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The book in which questions are counted. It has a page for each server and zone, as CoreDNS calls
 * an address and a key of its Corefile, and others for what templates do; on a page there is a
 * sheet for each worker. A service says which page a question is for; the labels of the metrics are
 * the page's.
 *
 * The book lives as long as the process, and so does each page: counters go on when the Corefile is
 * another, also when their block was away meanwhile. Pages are made by the control thread before
 * the service that needs them is published.
 */
#ifndef MESHDNS_RESOLVER_STATS_BOOK_H
#define MESHDNS_RESOLVER_STATS_BOOK_H

#include <stdalign.h>
#include <stdio.h>

#include "common/err.h"
#include "resolver/stats.h"

#define STATS_PAGES_MAX 4096

/* The page that nothing is told of, but for sums over all pages. */
#define STATS_PAGE_UNTOLD 0

/* What a page has labels for. */
enum stats_subject {
	STATS_OF_DNS,
	STATS_OF_CACHE,
	STATS_OF_TEMPLATES,
	STATS_OF_RECORDS, /* of templates */
	STATS_SUBJECTS,
};

/* As they are printed: name="value",... with values escaped. NULL: nothing is told of it. */
struct stats_labels {
	const char *of[STATS_SUBJECTS];
};

struct stats_sheet {
	alignas(64) struct stats_tally tally; /* written by its worker alone */
	/* The worker's own: how many answers' time is not counted yet, and where else. */
	uint32_t unmeasured;
	struct stats_sheet *next_unmeasured;
};

struct block; /* service.h */

struct stats_page {
	struct stats_labels labels;
	bool once_used;             /* it is not told before something is on it */
	const struct block *block;  /* the control thread's: that it is for now; NULL: none */
	struct stats_sheet sheet[]; /* by worker */
};

struct stats_book {
	unsigned int n_workers;
	_Atomic size_t n_pages;
	struct stats_page *page[STATS_PAGES_MAX];
};

/* One worker's sheets. */
struct stats_sheets {
	const struct stats_book *book;
	unsigned int worker;
};

int stats_book_init(struct stats_book *book, unsigned int n_workers, struct err *err);
void stats_book_free(struct stats_book *book);

/* The number of the page with these labels, a new one if need be; the untold one's for no room. */
uint16_t stats_book_find(struct stats_book *book, const struct stats_labels *labels,
			 bool once_used);

static inline struct stats_sheet *stats_sheet(const struct stats_sheets *sheets, uint16_t page)
{
	return &sheets->book->page[page]->sheet[sheets->worker];
}

/*
 * Of the pages that have the same labels for the subject as this one: all of them together. False:
 * it has none, or is not the first of them, or there is nothing to be told.
 */
bool stats_book_tell(const struct stats_book *book, enum stats_subject subject, size_t page,
		     struct stats_tally *ret_sum);

/* name="value", the value escaped. */
void stats_write_label(const char *name, const char *value, FILE *out);

/* All there is. */
void stats_book_sum(const struct stats_book *book, struct stats_tally *ret_sum);

#endif
