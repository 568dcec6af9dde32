/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/stats_book.h"

static struct stats_book book;

static void setup(void)
{
	cr_assert_eq(stats_book_init(&book, 2, NULL), 0);
}

static void teardown(void)
{
	stats_book_free(&book);
}

TestSuite(stats_book, .init = setup, .fini = teardown);

static uint16_t find(const char *dns, const char *cache, bool once_used)
{
	return stats_book_find(&book, &(struct stats_labels){{dns, cache}}, once_used);
}

/* A question on a worker's sheet. */
static void count(uint16_t page, unsigned int worker)
{
	const struct stats_sheets sheets = {&book, worker};

	stats_request(&stats_sheet(&sheets, page)->tally, false, false, 1, true, 40);
}

/* How many there are; -1: nothing is told. */
static int told(enum stats_subject subject, uint16_t page)
{
	struct stats_tally sum;

	return stats_book_tell(&book, subject, page, &sum) ? (int)stats_get(&sum.do_requests) : -1;
}

Test(stats_book, who_comes_back_finds_the_same_page)
{
	uint16_t page = find("a", NULL, false);

	cr_expect_neq(page, STATS_PAGE_UNTOLD);
	cr_expect_neq(find("b", NULL, false), page);
	cr_expect_neq(find("a", "b", false), page);
	cr_expect_eq(find("a", NULL, false), page);
	cr_expect_eq(find(NULL, NULL, false), STATS_PAGE_UNTOLD);
	cr_expect_eq(book.n_pages, 4);
}

Test(stats_book, pages_with_the_same_labels_are_told_as_one)
{
	uint16_t one = find("a", NULL, false), two = find("a", "cached", false);

	count(one, 0);
	count(two, 0);
	count(two, 1);
	cr_expect_eq(told(STATS_OF_DNS, one), 3);
	cr_expect_eq(told(STATS_OF_DNS, two), -1, "it was told already");
	cr_expect_eq(told(STATS_OF_CACHE, one), -1);
	cr_expect_eq(told(STATS_OF_CACHE, two), 2);
}

Test(stats_book, what_is_not_told_is_part_of_the_sum)
{
	struct stats_tally sum;

	count(STATS_PAGE_UNTOLD, 1);
	count(find("a", NULL, false), 0);
	for (int i = 0; i < STATS_SUBJECTS; i++)
		cr_expect_eq(told((enum stats_subject)i, STATS_PAGE_UNTOLD), -1);
	stats_book_sum(&book, &sum);
	cr_expect_eq(stats_get(&sum.do_requests), 2);
}

Test(stats_book, values_of_labels_are_escaped)
{
	char text[64];
	FILE *out = fmemopen(text, sizeof(text), "w");

	stats_write_label("zone", "a\\.b\"\n.", out);
	fclose(out);
	cr_expect_str_eq(text, "zone=\"a\\\\.b\\\"\\n.\"");
}

Test(stats_book, a_page_may_wait_until_it_is_used)
{
	uint16_t dropped = find("dropped", NULL, true);

	cr_expect_eq(told(STATS_OF_DNS, dropped), -1);
	count(dropped, 1);
	cr_expect_eq(told(STATS_OF_DNS, dropped), 1);
}
