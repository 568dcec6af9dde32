/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/metrics.h"

static void expect_labels(const char *text, const char *labels, size_t skipped)
{
	char found[KUMA_LABELS_MAX];
	size_t n;

	kuma_labels(text, strlen(text), found, &n);
	cr_expect_str_eq(found, labels, "%s", text);
	cr_expect_eq(n, skipped, "%s: %zu skipped", text, n);
}

Test(kuma, labels_of_a_map)
{
	expect_labels("{\"records\":[{\"extraLabels\":{\"no\":\"1\"}}],\"ttl\":30,"
		      "\"extraLabels\":{\"mesh\":\"default\",\"kuma_io_zone\":\"east\"}}",
		      "mesh=\"default\",kuma_io_zone=\"east\"", 0);
	expect_labels("{\"extraLabels\":{\"mesh\":\"a\\\"b\\\\c\\nd\"}}",
		      "mesh=\"a\\\"b\\\\c\\nd\"", 0);
	expect_labels("{\"records\":[],\"ttl\":30}", "", 0);
	expect_labels("{\"extraLabels\":null}", "", 0);
}

Test(kuma, what_is_no_label_is_skipped)
{
	expect_labels("{\"extraLabels\":{\"le\":\"1\",\"rcode\":\"x\",\"a-b\":\"1\",\"0a\":\"1\","
		      "\"\":\"1\",\"n\":1,\"good\":\"yes\",\"good\":\"twice\"}}",
		      "good=\"yes\"", 7);
	expect_labels("{\"extraLabels\":{\"a\":\"\\u0000\",\"b\":\"x\"}}", "b=\"x\"", 1);
	expect_labels("", "", 0);
}

Test(kuma, labels_that_do_not_fit_are_skipped)
{
	char text[8192] = "{\"extraLabels\":{\"first\":\"1\"", value[300], found[KUMA_LABELS_MAX];
	size_t skipped;

	memset(value, '\n', sizeof(value));
	for (int i = 0; i < 20; i++) {
		char *at = text + strlen(text);

		at += sprintf(at, ",\"a%d\":\"", i);
		memset(at, 'v', 250);
		strcpy(at + 250, "\"");
	}
	strcat(text, "}}");
	kuma_labels(text, strlen(text), found, &skipped);
	cr_expect(skipped > 10 && skipped < 20, "%zu", skipped);
	cr_expect(strlen(found) < sizeof(found));
	cr_expect_eq(found[strlen(found) - 1], '"');
}

static char *print(const struct kuma *kuma)
{
	struct metrics m = {.workers = 1, .names = 3, .kuma = kuma, .kuma_is_late = true};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	stats_response(&m.questions, false, 1, STATS_MESH, 0, 40);
	stats_response(&m.questions, false, 28, STATS_FORWARD, 3, 40);
	stats_response(&m.questions, false, 16, STATS_CACHE, 0, 40);
	stats_response(&m.questions, false, 1, STATS_SERVER, 2, 40);
	stats_response(&m.questions, false, 1, STATS_SERVER, 5, 40);
	stats_long_duration(&m.total.duration, 5000, 2);
	stats_long_duration(&m.total.duration, 5001, 1);
	stats_long_duration(&m.total.duration, 11000000, 1);
	metrics_print(&m, out);
	fclose(out);
	return text;
}

static void expect_line(const char *text, const char *line)
{
	cr_expect(strstr(text, line), "%s", line);
}

Test(kuma, metrics)
{
	struct kuma kuma = {.labels = "mesh=\"default\"", .waited_s = 0.7, .polls = 9};
	char *text = print(&kuma);

#define M "mesh=\"default\""
	expect_line(text, "\nkuma_dp_dns_queries_total{" M ",qtype=\"A\",source=\"local\"} 1\n");
	expect_line(text, "\nkuma_dp_dns_queries_total{" M ",qtype=\"A\",source=\"upstream\"} 2\n");
	expect_line(text,
		    "\nkuma_dp_dns_queries_total{" M ",qtype=\"AAAA\",source=\"upstream\"} 1\n");
	expect_line(text,
		    "\nkuma_dp_dns_queries_total{" M ",qtype=\"other\",source=\"upstream\"} 1\n");
	expect_line(text, "\nkuma_dp_dns_response_codes_total{" M ",rcode=\"noerror\"} 2\n");
	expect_line(text, "\nkuma_dp_dns_response_codes_total{" M ",rcode=\"other\"} 1\n");
	expect_line(text, "\nkuma_dp_dns_upstream_request_failure_count{" M "} 1\n");
	expect_line(text, "\nkuma_dp_dns_entries_total{" M "} 3\n");
	expect_line(text, "\nkuma_dp_dns_config_ready_wait_seconds_bucket{" M ",le=\"0.5\"} 0\n");
	expect_line(text, "\nkuma_dp_dns_config_ready_wait_seconds_bucket{" M ",le=\"1\"} 1\n");
	expect_line(text, "\nkuma_dp_dns_config_ready_wait_seconds_count{" M "} 1\n");
	/* The buckets of Prometheus' libraries, which is what Kuma has. */
	expect_line(text, "\nkuma_dp_dns_request_duration_seconds_bucket{" M ",le=\"0.005\"} 2\n"
			  "kuma_dp_dns_request_duration_seconds_bucket{" M ",le=\"0.01\"} 3\n"
			  "kuma_dp_dns_request_duration_seconds_bucket{" M ",le=\"0.025\"} 3\n");
	expect_line(text, "\nkuma_dp_dns_request_duration_seconds_bucket{" M ",le=\"10\"} 3\n"
			  "kuma_dp_dns_request_duration_seconds_bucket{" M ",le=\"+Inf\"} 4\n"
			  "kuma_dp_dns_request_duration_seconds_sum{" M "} 11.015");
	expect_line(text, "\nkuma_dp_dns_config_ready_gate_bypassed_total{" M "} 1\n");
	expect_line(text, "\nkuma_dp_envoyconfigfetcher_handler_call_count{path=\"/dns\"} 9\n");
	free(text);
}

Test(kuma, metrics_before_the_first_map)
{
	struct kuma kuma = {.waited_s = -1};
	char *text = print(&kuma);

	expect_line(text, "\nkuma_dp_dns_queries_total{qtype=\"A\",source=\"local\"} 1\n");
	expect_line(text, "\nkuma_dp_dns_entries_total{} 3\n");
	expect_line(text, "\nkuma_dp_dns_config_ready_wait_seconds_bucket{le=\"+Inf\"} 0\n");
	free(text);
}

Test(kuma, metrics_only_where_kuma_is)
{
	char *text = print(NULL);

	cr_expect_null(strstr(text, "kuma_"));
	free(text);
}
