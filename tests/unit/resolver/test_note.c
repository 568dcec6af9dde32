/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/note.h"

static struct stats_book pages;
static struct tap_wish wish;
static struct worker worker = {.sheets = {&pages, 0}, .tap.wish = &wish};

static void setup(void)
{
	cr_assert_eq(stats_book_init(&pages, 1, NULL), 0);
	cr_assert_eq(stats_book_find(&pages, &(struct stats_labels){{"a"}}, false), 1);
	cr_assert_eq(stats_book_find(&pages, &(struct stats_labels){{"b"}}, false), 2);
}

static void teardown(void)
{
	stats_book_free(&pages);
}

TestSuite(note, .init = setup, .fini = teardown);

static const struct stats_tally *tally(uint16_t page)
{
	return &stats_sheet(&worker.sheets, page)->tally;
}

/* A batch of answers of different pages takes one time, and each page has its own share. */
Test(note, what_is_measured_together)
{
	static const uint16_t batch[] = {1, 2, 1, 1};

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(batch) / sizeof(batch[0]); i++)
			note_to_measure(&worker, &(struct query){.page = batch[i]});
		note_measured(&worker, 300);
		note_measured(&worker, 300); /* of nothing */
	}
	cr_expect_eq(stats_get(&tally(1)->duration.bucket[1]), 6);
	cr_expect_eq(stats_get(&tally(2)->duration.bucket[1]), 2);
	cr_expect_eq(stats_get(&tally(2)->duration.sum_us), 600);
	cr_expect_eq(stats_get(&worker.stats.duration.bucket[0]), 8);
}

Test(note, who_answered)
{
	static const struct {
		int upstream;
		enum stats_writer by, writer;
		uint8_t rcode;
	} rows[] = {
		{-1, STATS_SERVER, STATS_MESH, DNS_RCODE_NXDOMAIN},
		{-1, STATS_SERVER, STATS_SERVER, DNS_RCODE_REFUSED},
		{-1, STATS_TEMPLATE, STATS_TEMPLATE, DNS_RCODE_REFUSED},
		{WORKER_CACHED, STATS_SERVER, STATS_CACHE, DNS_RCODE_NOERROR},
		{3, STATS_SERVER, STATS_FORWARD, DNS_RCODE_SERVFAIL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t packet[DNS_HEADER_LEN] = {[3] = rows[i].rcode};
		const struct client client = {.is_tcp = true};
		const struct query query = {.page = 1};

		worker.chain.answered_by = rows[i].by;
		note_answer(&worker, &client, &query, rows[i].upstream, packet, sizeof(packet));
		cr_expect_eq(stats_get(&tally(1)->responses[rows[i].writer][rows[i].rcode]), 1,
			     "row %zu", i);
	}
	cr_expect_eq(stats_get(&tally(2)->response_size[1].sum), 0);
}
