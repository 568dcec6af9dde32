/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/dns.h"

/* The types that CoreDNS tells apart, and the index of each in its order here. */
const char *const stats_type_names[STATS_TYPES] = {
	"other", "A",     "AAAA", "CNAME", "DNSKEY", "DS",    "MX",   "NSEC", "NSEC3", "NS",
	"PTR",   "RRSIG", "SOA",  "SRV",   "TXT",    "HTTPS", "SVCB", "IXFR", "AXFR",  "ANY",
};

static const uint8_t type_index[256] = {
	[1] = 1,   [28] = 2,  [5] = 3,    [48] = 4,   [43] = 5,   [15] = 6,  [47] = 7,
	[50] = 8,  [2] = 9,   [12] = 10,  [46] = 11,  [6] = 12,   [33] = 13, [16] = 14,
	[65] = 15, [64] = 16, [251] = 17, [252] = 18, [255] = 19,
};

const uint16_t stats_size_limits[STATS_SIZES - 1] = {
	0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16000, 32000, 48000, 64000,
};

const double stats_long_limits[STATS_LONG_DURATIONS - 1] = {
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
};

void stats_type_text(uint16_t qtype, char ret_text[16])
{
	size_t index = qtype < sizeof(type_index) ? type_index[qtype] : 0;

	if (index)
		snprintf(ret_text, 16, "%s", stats_type_names[index]);
	else
		snprintf(ret_text, 16, "TYPE%u", qtype);
}

int stats_type_number(const char *text)
{
	char *end;
	unsigned long number;

	for (size_t i = 0; i < sizeof(type_index); i++) {
		if (type_index[i] && !strcasecmp(text, stats_type_names[type_index[i]]))
			return (int)i;
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || text[4] < '0' || text[4] > '9')
		return -1;
	number = strtoul(text + 4, &end, 10);
	return *end || number > UINT16_MAX ? -1 : (int)number;
}

size_t stats_type_index(uint16_t qtype)
{
	return qtype < sizeof(type_index) ? type_index[qtype] : 0;
}

static void count_size(struct stats_sizes *sizes, size_t len)
{
	size_t i = 0;

	while (i < STATS_SIZES - 1 && len > stats_size_limits[i])
		i++;
	stats_add(&sizes->bucket[i], 1);
	stats_add(&sizes->sum, len);
}

void stats_request(struct stats_tally *tally, bool is_tcp, bool is_ipv6, uint16_t qtype,
		   bool dnssec_ok, size_t len)
{
	stats_add(&tally->requests[is_tcp][is_ipv6][stats_type_index(qtype)], 1);
	if (dnssec_ok)
		stats_add(&tally->do_requests, 1);
	count_size(&tally->request_size[is_tcp], len);
}

void stats_response(struct stats_tally *tally, bool is_tcp, uint16_t qtype,
		    enum stats_writer writer, unsigned int rcode, size_t len)
{
	size_t type = qtype == DNS_TYPE_A ? 0 : qtype == DNS_TYPE_AAAA ? 1 : 2;
	bool is_ours = writer == STATS_MESH || writer >= STATS_ANY;

	if (rcode >= STATS_RCODES)
		rcode = STATS_RCODES - 1;
	stats_add(&tally->responses[writer][rcode], 1);
	stats_add(&tally->by_source[!is_ours][type], 1);
	count_size(&tally->response_size[is_tcp], len);
}

void stats_duration(struct stats_durations *durations, int64_t us, uint64_t n)
{
	uint64_t quarters = us > 0 ? (uint64_t)(us - 1) / 250 : 0;
	int bucket = quarters ? 64 - __builtin_clzll(quarters) : 0;

	if (bucket >= STATS_DURATIONS)
		bucket = STATS_DURATIONS - 1;
	stats_add(&durations->bucket[bucket], n);
	if (us > 0)
		stats_add(&durations->sum_us, (uint64_t)us * n);
}

void stats_long_duration(struct stats_long_durations *durations, int64_t us, uint64_t n)
{
	double s = (double)us / 1e6;
	size_t i = 0;

	while (i < STATS_LONG_DURATIONS - 1 && s > stats_long_limits[i])
		i++;
	stats_add(&durations->bucket[i], n);
	if (us > 0)
		stats_add(&durations->sum_us, (uint64_t)us * n);
}

/* Both are of nothing but counters. */
static void sum_up(void *sum, const void *more, size_t size)
{
	const stats_counter *from = more;
	stats_counter *to = sum;

	for (size_t i = 0; i < size / sizeof(*to); i++)
		stats_add(&to[i], stats_get(&from[i]));
}

void stats_sum(struct stats *sum, const struct stats *more)
{
	sum_up(sum, more, sizeof(*sum));
}

void stats_sum_tally(struct stats_tally *sum, const struct stats_tally *more)
{
	sum_up(sum, more, sizeof(*sum));
}

void stats_sum_long(struct stats_long_durations *sum, const struct stats_long_durations *more)
{
	sum_up(sum, more, sizeof(*sum));
}
