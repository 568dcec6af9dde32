/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/metrics.h"
#include "resolver/upstream_health.h"

static struct upstream_book book;
static struct stats_book pages;

static char *print(void)
{
	struct metrics m = {.workers = 2, .book = &book, .pages = &pages};
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
	cr_assert_eq(stats_book_init(&pages, 2, &err), 0);
	endpoint_parse("[2001:db8::53]", 53, &ep);
	cr_assert_eq(upstream_book_find(&book, &ep, &err), 0);
	endpoint_parse("10.0.0.1:5353", 53, &ep);
	cr_assert_eq(upstream_book_find(&book, &ep, &err), 1);
}

static void end(void)
{
	upstream_book_free(&book);
	stats_book_free(&pages);
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
	expect_line(text, "\ncoredns_forward_request_duration_seconds_count{" TO
			  ",rcode=\"NOERROR\"} 2\n");
	expect_line(text, "\ncoredns_forward_request_duration_seconds_bucket{" TO
			  ",rcode=\"other\",le=\"8.192\"} 0\n");
	expect_line(text, "\ncoredns_proxy_conn_cache_hits_total{" P ",proto=\"tcp\"} 1\n");
	expect_line(text, "\ncoredns_forward_conn_cache_hits_total{" TO ",proto=\"tcp\"} 1\n");
	expect_line(text, "\nmeshdns_upstream_late_total{" TO "} 1\n");
	expect_line(text, "\nmeshdns_upstream_srtt_seconds{" TO "} 0.001000\n");
	expect_line(text, "\nmeshdns_upstream_state{" TO ",state=\"suspect\"} 1\n");
	expect_line(text, "\nmeshdns_upstream_state{" TO ",state=\"up\"} 0\n");
	free(text);
}

Test(metrics, responses_of_all_servers_for_kuma, .init = begin, .fini = end)
{
	const struct metrics m = {.workers = 2, .book = &book};
	struct stats_long_durations all;

	upstream_count_response(&book.page[0].stats[0], UPSTREAM_NOERROR, 5000);
	upstream_count_response(&book.page[0].stats[1], UPSTREAM_SERVFAIL, 5001);
	upstream_count_response(&book.page[1].stats[1], UPSTREAM_NOERROR, 9000000);
	metrics_upstream_durations(&m, &all);
	cr_expect_eq(stats_get(&all.bucket[0]), 1);
	cr_expect_eq(stats_get(&all.bucket[1]), 1);
	cr_expect_eq(stats_get(&all.bucket[STATS_LONG_DURATIONS - 2]), 1);
	cr_expect_eq(stats_get(&all.sum_us), 9010001);
}

Test(metrics, a_server_that_is_no_longer_asked_keeps_its_numbers, .init = begin, .fini = end)
{
	char *text = print();

	cr_expect(!strstr(text, "to=\""));
	free(text);
	upstream_count(&book.page[1].stats[0], UPSTREAM_QUERIES);
	book.page[1].is_alternate = true;
	text = print();
	expect_line(text, "\ncoredns_forward_requests_total{to=\"10.0.0.1:5353\"} 1\n");
	expect_line(text, "\ncoredns_proxy_healthcheck_failures_total{proxy_name=\"alternate\","
			  "to=\"10.0.0.1:5353\"} 0\n");
	free(text);
}

/* A page of the second worker's. */
static struct stats_tally *page(struct stats_labels labels)
{
	const struct stats_sheets sheets = {&pages, 1};

	return &stats_sheet(&sheets, stats_book_find(&pages, &labels, false))->tally;
}

#define MESH      "server=\"dns://:53\",zone=\"mesh.\""
#define ROOT      "server=\"dns://:54\",zone=\".\""

#define PAGE(...) page((struct stats_labels){{__VA_ARGS__}})

Test(metrics, questions_have_the_labels_of_their_page, .init = begin, .fini = end)
{
	struct stats_tally *mesh = PAGE(MESH);
	struct stats_tally *root = PAGE(ROOT);
	char *text;

	stats_request(mesh, false, false, 1, true, 40);
	stats_response(mesh, false, 1, STATS_TEMPLATE, 3, 60);
	stats_request(root, true, true, 28, false, 40);
	stats_request(PAGE(NULL), false, false, 1, false, 40);
	text = print();
	expect_line(text, "\ncoredns_dns_requests_total{" MESH
			  ",proto=\"udp\",family=\"1\",type=\"A\"} 1\n"
			  "coredns_dns_requests_total{" ROOT
			  ",proto=\"tcp\",family=\"2\",type=\"AAAA\"} 1\n# ");
	expect_line(text, "\ncoredns_dns_do_requests_total{" MESH "} 1\n"
			  "coredns_dns_do_requests_total{" ROOT "} 0\n");
	expect_line(text, "\ncoredns_dns_responses_total{" MESH
			  ",rcode=\"NXDOMAIN\",plugin=\"template\"} 1\n# ");
	expect_line(text, "\ncoredns_dns_response_size_bytes_bucket{" MESH
			  ",proto=\"udp\",le=\"100\"} 1\n");
	expect_line(text, "\ncoredns_dns_request_duration_seconds_count{" ROOT "} 0\n");
	cr_expect_null(strstr(text, "coredns_cache_hits_total{"));
	free(text);
}

Test(metrics, caches_and_templates_have_labels_of_their_own, .init = begin, .fini = end)
{
#define CACHE     "server=\"dns://:53\",zones=\"a.,b.\""
#define TEMPLATES "server=\"dns://:53\",zone=\"c.\""
#define RECORD    TEMPLATES ",section=\"answer\",template=\"{{\""
	struct stats_tally *tally = PAGE(NULL, CACHE, TEMPLATES, RECORD);
	char *text;

	stats_add(&tally->cache.hits[1], 2);
	stats_add(&tally->templates.matches[stats_type_index(28)], 3);
	stats_add(&tally->templates.unrendered[stats_type_index(1)], 1);
	stats_add(&tally->templates.malformed[0], 2);
	text = print();
	expect_line(text, "\ncoredns_cache_hits_total{" CACHE ",type=\"denial\"} 2\n");
	expect_line(text, "\ncoredns_cache_requests_total{" CACHE "} 2\n");
	expect_line(text, "\ncoredns_template_matches_total{" TEMPLATES
			  ",class=\"IN\",type=\"AAAA\"} 3\n");
	expect_line(text, "\ncoredns_template_template_failures_total{" RECORD
			  ",class=\"IN\",type=\"A\"} 1\n");
	expect_line(text, "\ncoredns_template_rr_failures_total{" RECORD
			  ",class=\"IN\",type=\"other\"} 2\n");
	cr_expect_null(strstr(text, "coredns_dns_requests_total{"));
	free(text);
}
