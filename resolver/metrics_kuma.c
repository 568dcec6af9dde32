/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics under the names of Kuma's embedded DNS proxy and of what fetches its map, with the
 * labels that the map brings.
 */
#include <inttypes.h>

#include "resolver/dns.h"
#include "resolver/metrics.h"

struct family {
	const char *name, *type, *help;
	void (*print)(const struct family *family, const struct metrics *m, FILE *out);
};

/* One sample, with a comma where there are other labels. */
static void print_sample(const struct family *family, const struct metrics *m, const char *labels,
			 uint64_t value, FILE *out)
{
	const char *extra = m->kuma->labels;

	fprintf(out, "%s{%s%s%s} %" PRIu64 "\n", family->name, extra, *extra && *labels ? "," : "",
		labels, value);
}

static void print_long(const struct family *family, const struct metrics *m,
		       const struct stats_long_durations *durations, FILE *out)
{
	metrics_print_histogram(out, family->name, m->kuma->labels, durations->bucket,
				STATS_LONG_DURATIONS, stats_long_limits,
				(double)stats_get(&durations->sum_us) / 1e6);
}

static void print_durations(const struct family *family, const struct metrics *m, FILE *out)
{
	print_long(family, m, &m->total.duration, out);
}

static void print_upstream_durations(const struct family *family, const struct metrics *m,
				     FILE *out)
{
	struct stats_long_durations total;

	metrics_upstream_durations(m, &total);
	print_long(family, m, &total, out);
}

static uint64_t responses(const struct metrics *m, unsigned int rcode)
{
	uint64_t n = 0;

	for (int writer = 0; writer < STATS_WRITERS; writer++)
		n += stats_get(&m->questions.responses[writer][rcode]);
	return n;
}

/* What we say when no upstream does. */
static void print_failures(const struct family *family, const struct metrics *m, FILE *out)
{
	print_sample(family, m, "",
		     stats_get(&m->questions.responses[STATS_SERVER][DNS_RCODE_SERVFAIL]), out);
}

static void print_queries(const struct family *family, const struct metrics *m, FILE *out)
{
	static const char *const labels[2][3] = {
		{"qtype=\"A\",source=\"local\"", "qtype=\"AAAA\",source=\"local\"",
		 "qtype=\"other\",source=\"local\""},
		{"qtype=\"A\",source=\"upstream\"", "qtype=\"AAAA\",source=\"upstream\"",
		 "qtype=\"other\",source=\"upstream\""},
	};

	for (int upstream = 0; upstream < 2; upstream++) {
		for (int type = 0; type < 3; type++)
			print_sample(family, m, labels[upstream][type],
				     stats_get(&m->questions.by_source[upstream][type]), out);
	}
}

static void print_rcodes(const struct family *family, const struct metrics *m, FILE *out)
{
	uint64_t noerror = responses(m, DNS_RCODE_NOERROR),
		 nxdomain = responses(m, DNS_RCODE_NXDOMAIN),
		 servfail = responses(m, DNS_RCODE_SERVFAIL), all = 0;

	for (unsigned int rcode = 0; rcode < STATS_RCODES; rcode++)
		all += responses(m, rcode);
	print_sample(family, m, "rcode=\"noerror\"", noerror, out);
	print_sample(family, m, "rcode=\"nxdomain\"", nxdomain, out);
	print_sample(family, m, "rcode=\"servfail\"", servfail, out);
	print_sample(family, m, "rcode=\"other\"", all - noerror - nxdomain - servfail, out);
}

static void print_entries(const struct family *family, const struct metrics *m, FILE *out)
{
	print_sample(family, m, "", m->names, out);
}

/* A histogram of one value, once there is one. */
static void print_wait(const struct family *family, const struct metrics *m, FILE *out)
{
	static const double limits[] = {0.1, 0.5, 1, 2, 5, 10, 30};
	stats_counter buckets[sizeof(limits) / sizeof(limits[0]) + 1] = {0};
	double waited = m->kuma->waited_s;
	size_t i = 0;

	if (waited >= 0) {
		while (i < sizeof(limits) / sizeof(limits[0]) && waited > limits[i])
			i++;
		stats_add(&buckets[i], 1);
	}
	metrics_print_histogram(out, family->name, m->kuma->labels, buckets,
				sizeof(buckets) / sizeof(buckets[0]), limits,
				waited >= 0 ? waited : 0);
}

static void print_bypassed(const struct family *family, const struct metrics *m, FILE *out)
{
	print_sample(family, m, "", m->kuma_is_late, out);
}

static void print_polls(const struct family *family, const struct metrics *m, FILE *out)
{
	fprintf(out, "%s{path=\"/dns\"} %" PRIu64 "\n", family->name, m->kuma->polls);
}

static void print_errors(const struct family *family, const struct metrics *m, FILE *out)
{
	fprintf(out, "%s{path=\"/dns\"} %" PRIu64 "\n", family->name, m->kuma->errors);
}

static const struct family families[] = {
	{"kuma_dp_dns_request_duration_seconds", "histogram",
	 "From reading a query to sending its answer.", print_durations},
	{"kuma_dp_dns_upstream_request_duration_seconds", "histogram",
	 "From sending a question upstream to its response.", print_upstream_durations},
	{"kuma_dp_dns_upstream_request_failure_count", "counter",
	 "Questions that no upstream answered.", print_failures},
	{"kuma_dp_dns_queries_total", "counter",
	 "Queries answered, by type and by whether an upstream was asked.", print_queries},
	{"kuma_dp_dns_response_codes_total", "counter", "Answers, by rcode.", print_rcodes},
	{"kuma_dp_dns_entries_total", "gauge", "Mesh names that are loaded.", print_entries},
	{"kuma_dp_dns_config_ready_wait_seconds", "histogram",
	 "From the start to the first names from Kuma's data plane.", print_wait},
	{"kuma_dp_dns_config_ready_gate_bypassed_total", "counter",
	 "Whether it was called ready without them, for they did not come.", print_bypassed},
	{"kuma_dp_envoyconfigfetcher_handler_call_count", "counter",
	 "How often Kuma's data plane was asked for its names.", print_polls},
	{"kuma_dp_envoyconfigfetcher_handler_error_count", "counter",
	 "How often that led to an error.", print_errors},
};

void metrics_print_kuma(const struct metrics *m, FILE *out)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *f = &families[i];

		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		f->print(f, m, out);
	}
}
