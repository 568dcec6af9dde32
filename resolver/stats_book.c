/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/stats_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

int stats_book_init(struct stats_book *book, unsigned int n_workers, struct err *err)
{
	book->n_workers = n_workers;
	book->n_pages = 0;
	stats_book_find(book, &(struct stats_labels){0}, false);
	return book->n_pages ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void free_page(struct stats_page *page)
{
	for (int i = 0; page && i < STATS_SUBJECTS; i++)
		free((char *)page->labels.of[i]);
	free(page);
}

void stats_book_free(struct stats_book *book)
{
	for (size_t i = 0; i < book->n_pages; i++)
		free_page(book->page[i]);
	book->n_pages = 0;
}

void stats_write_label(const char *name, const char *value, FILE *out)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			fputc('\\', out);
		fputc(*value == '\n' ? 'n' : *value, out);
	}
	fputc('"', out);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool has_labels(const struct stats_page *page, const struct stats_labels *labels)
{
	for (int i = 0; i < STATS_SUBJECTS; i++) {
		if (!is_same(page->labels.of[i], labels->of[i]))
			return false;
	}
	return true;
}

static struct stats_page *new_page(const struct stats_book *book, const struct stats_labels *labels)
{
	size_t size = sizeof(struct stats_page) + book->n_workers * sizeof(struct stats_sheet);
	struct stats_page *page = aligned_alloc(alignof(struct stats_page), size);

	if (!page)
		return NULL;
	memset(page, 0, size);
	for (int i = 0; i < STATS_SUBJECTS; i++) {
		if (labels->of[i] && !(page->labels.of[i] = strdup(labels->of[i]))) {
			free_page(page);
			return NULL;
		}
	}
	return page;
}

uint16_t stats_book_find(struct stats_book *book, const struct stats_labels *labels, bool once_used)
{
	size_t n = book->n_pages;

	for (size_t i = 0; i < n; i++) {
		if (has_labels(book->page[i], labels))
			return (uint16_t)i;
	}
	if (n == STATS_PAGES_MAX || !(book->page[n] = new_page(book, labels))) {
		log_warning("no room to count what a block answers", "pages=%zu", n);
		return STATS_PAGE_UNTOLD;
	}
	book->page[n]->once_used = once_used;
	book->n_pages = n + 1;
	return (uint16_t)n;
}

static void add_page(const struct stats_book *book, const struct stats_page *page,
		     struct stats_tally *sum)
{
	for (unsigned int i = 0; i < book->n_workers; i++)
		stats_sum_tally(sum, &page->sheet[i].tally);
}

static bool is_used(const struct stats_tally *tally)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		for (int i = 0; i < STATS_SIZES; i++) {
			if (stats_get(&tally->request_size[tcp].bucket[i]))
				return true;
		}
	}
	return false;
}

bool stats_book_tell(const struct stats_book *book, enum stats_subject subject, size_t page,
		     struct stats_tally *ret_sum)
{
	const char *labels = book->page[page]->labels.of[subject];

	if (!labels)
		return false;
	for (size_t i = 0; i < page; i++) {
		if (is_same(book->page[i]->labels.of[subject], labels))
			return false;
	}
	*ret_sum = (struct stats_tally){0};
	for (size_t i = page; i < book->n_pages; i++) {
		if (is_same(book->page[i]->labels.of[subject], labels))
			add_page(book, book->page[i], ret_sum);
	}
	return !book->page[page]->once_used || is_used(ret_sum);
}

void stats_book_sum(const struct stats_book *book, struct stats_tally *ret_sum)
{
	*ret_sum = (struct stats_tally){0};
	for (size_t i = 0; i < book->n_pages; i++)
		add_page(book, book->page[i], ret_sum);
}
