/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/dns.h"
#include "resolver/stats.h"

static int duration_bucket(int64_t us)
{
	struct stats_durations durations = {0};

	stats_duration(&durations, us, 3);
	for (int i = 0; i < STATS_DURATIONS; i++) {
		if (stats_get(&durations.bucket[i]) == 3)
			return i;
	}
	return -1;
}

Test(stats, durations_fall_into_coredns_buckets)
{
	cr_expect_eq(duration_bucket(-5), 0); /* a clock is nobody's proof */
	cr_expect_eq(duration_bucket(0), 0);
	cr_expect_eq(duration_bucket(250), 0);
	cr_expect_eq(duration_bucket(251), 1);
	cr_expect_eq(duration_bucket(500), 1);
	cr_expect_eq(duration_bucket(501), 2);
	cr_expect_eq(duration_bucket(8192000), 15);
	cr_expect_eq(duration_bucket(8192001), 16);
	cr_expect_eq(duration_bucket(INT64_MAX), 16);
}

Test(stats, sizes_fall_into_coredns_buckets)
{
	static const struct {
		size_t len;
		int bucket;
	} cases[] = {{0, 0},     {1, 1},      {100, 1},    {101, 2},   {400, 4},
		     {401, 5},   {511, 5},    {512, 6},    {4096, 9},  {8291, 9},
		     {8292, 10}, {64000, 13}, {64001, 14}, {65535, 14}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stats_tally stats = {0};

		stats_response(&stats, true, DNS_TYPE_A, STATS_MESH, 0, cases[i].len);
		cr_expect_eq(stats_get(&stats.response_size[1].bucket[cases[i].bucket]), 1, "%zu",
			     cases[i].len);
		cr_expect_eq(stats_get(&stats.response_size[1].sum), cases[i].len);
	}
}

Test(stats, types_have_their_names)
{
	static const struct {
		uint16_t type;
		const char *name;
	} cases[] = {{DNS_TYPE_A, "A"},
		     {DNS_TYPE_AAAA, "AAAA"},
		     {DNS_TYPE_SVCB, "SVCB"},
		     {DNS_TYPE_ANY, "ANY"},
		     {DNS_TYPE_AXFR, "AXFR"},
		     {DNS_TYPE_IXFR, "IXFR"},
		     {DNS_TYPE_HTTPS, "HTTPS"},
		     {DNS_TYPE_TXT, "TXT"},
		     {DNS_TYPE_SRV, "SRV"},
		     {DNS_TYPE_SOA, "SOA"},
		     {DNS_TYPE_PTR, "PTR"},
		     {DNS_TYPE_CNAME, "CNAME"},
		     {15, "MX"},
		     {43, "DS"},
		     {48, "DNSKEY"},
		     {46, "RRSIG"},
		     {47, "NSEC"},
		     {50, "NSEC3"},
		     {2, "NS"},
		     {0, "other"},
		     {99, "other"},
		     {65535, "other"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stats_tally stats = {0};

		stats_request(&stats, false, true, cases[i].type, false, 40);
		for (int type = 0; type < STATS_TYPES; type++)
			cr_expect_eq(stats_get(&stats.requests[0][1][type]),
				     !strcmp(stats_type_names[type], cases[i].name), "%s",
				     cases[i].name);
	}
}

Test(stats, workers_are_added_up)
{
	struct stats_tally a = {0}, b = {0};
	struct stats worker = {0}, all = {0};

	stats_request(&a, false, false, DNS_TYPE_A, true, 40);
	stats_request(&b, false, false, DNS_TYPE_A, true, 60);
	stats_response(&b, false, 65280, STATS_SERVER, 4095, 40);
	stats_add(&worker.loops, 7);
	stats_sum_tally(&a, &b);
	stats_sum(&all, &worker);
	stats_sum(&all, &worker);
	cr_expect_eq(stats_get(&a.requests[0][0][1]), 2);
	cr_expect_eq(stats_get(&a.do_requests), 2);
	cr_expect_eq(stats_get(&a.request_size[0].sum), 100);
	cr_expect_eq(stats_get(&a.responses[STATS_SERVER][STATS_RCODES - 1]), 1);
	cr_expect_eq(stats_get(&all.loops), 14);
}
