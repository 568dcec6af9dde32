/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/metrics.h"
#include "resolver/upstream_health.h"

static struct upstream_book book;

static char *print(void)
{
	struct metrics m = {.workers = 2, .book = &book};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	metrics_print(&m, out);
	fclose(out);
	return text;
}

static void expect_line(const char *text, const char *line)
{
	cr_expect(strstr(text, line), "%s", line);
}

static void begin(void)
{
	struct endpoint ep;
	struct err err;

	cr_assert_eq(upstream_book_init(&book, 2, &err), 0);
	endpoint_parse("[2001:db8::53]", 53, &ep);
	cr_assert_eq(upstream_book_find(&book, &ep, &err), 0);
	endpoint_parse("10.0.0.1:5353", 53, &ep);
	cr_assert_eq(upstream_book_find(&book, &ep, &err), 1);
}

static void end(void)
{
	upstream_book_free(&book);
}

Test(metrics, servers_are_added_up_over_workers, .init = begin, .fini = end)
{
	struct upstream_stats *stats = book.page[0].stats;
	char *text;

	book.page[0].in_use = true;
	upstream_count_response(&stats[0], UPSTREAM_NOERROR, 200);
	upstream_count_response(&stats[1], UPSTREAM_NOERROR, 300);
	upstream_count_response(&stats[1], UPSTREAM_OTHER_RCODE, 9000000);
	upstream_count(&stats[0], UPSTREAM_LATE);
	upstream_count(&stats[1], UPSTREAM_TCP_REUSED);
	atomic_store(&stats[0].srtt_us, 1000);
	atomic_store(&stats[1].state, HEALTH_SUSPECT);
	text = print();
#define TO "to=\"[2001:db8::53]:53\""
#define P  "proxy_name=\"forward\"," TO
	expect_line(text, "\ncoredns_forward_responses_total{" TO ",rcode=\"NOERROR\"} 2\n");
	expect_line(text, "\ncoredns_forward_responses_total{" TO ",rcode=\"other\"} 1\n");
	expect_line(text, "\ncoredns_proxy_request_duration_seconds_bucket{" P
			  ",rcode=\"NOERROR\",le=\"0.00025\"} 1\n");
	expect_line(text, "\ncoredns_proxy_request_duration_seconds_bucket{" P
			  ",rcode=\"NOERROR\",le=\"0.0005\"} 2\n");
	expect_line(text,
		    "\ncoredns_proxy_request_duration_seconds_count{" P ",rcode=\"other\"} 1\n");
	expect_line(text, "\ncoredns_forward_request_duration_seconds_count{" TO "} 3\n");
	expect_line(text,
		    "\ncoredns_forward_request_duration_seconds_bucket{" TO ",le=\"8.192\"} 2\n");
	expect_line(text, "\ncoredns_proxy_conn_cache_hits_total{" P ",proto=\"tcp\"} 1\n");
	expect_line(text, "\nmeshdns_upstream_late_total{" TO "} 1\n");
	expect_line(text, "\nmeshdns_upstream_srtt_seconds{" TO "} 0.001000\n");
	expect_line(text, "\nmeshdns_upstream_state{" TO ",state=\"suspect\"} 1\n");
	expect_line(text, "\nmeshdns_upstream_state{" TO ",state=\"up\"} 0\n");
	free(text);
}

Test(metrics, a_server_that_is_no_longer_asked_keeps_its_numbers, .init = begin, .fini = end)
{
	char *text = print();

	cr_expect(!strstr(text, "to=\""));
	free(text);
	upstream_count(&book.page[1].stats[0], UPSTREAM_QUERIES);
	text = print();
	expect_line(text, "\ncoredns_forward_requests_total{to=\"10.0.0.1:5353\"} 1\n");
	free(text);
}

Test(metrics, templates_by_type_and_section, .init = begin, .fini = end)
{
	struct metrics m = {.port = 15053, .book = &book};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	stats_add(&m.total.templates.matches[stats_type_index(28)], 3);
	stats_add(&m.total.templates.unrendered[0][stats_type_index(1)], 1);
	stats_add(&m.total.templates.malformed[2][0], 2);
	metrics_print(&m, out);
	fclose(out);
#define LABELS "{server=\"dns://:15053\",zone=\".\",view=\"\",class=\"IN\",type=\""
	expect_line(text, "\ncoredns_template_matches_total" LABELS "AAAA\"} 3\n");
	expect_line(text, "\ncoredns_template_template_failures_total" LABELS
			  "A\",section=\"answer\"} 1\n");
	expect_line(text, "\ncoredns_template_rr_failures_total" LABELS
			  "other\",section=\"additional\"} 2\n");
	free(text);
}
