/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "version.h"

static const char *const protos[] = {"udp", "tcp"}; /* by is_tcp */
static const char *const writers[STATS_WRITERS] = {"", "mesh", "forward", "cache"};
static const char *const drops[STATS_DROPS] = {"malformed", "access", "rate"};

/* IANA's, but for 16, which CoreDNS calls BADSIG whether or not it means BADVERS. */
static const char *const rcodes[STATS_RCODES] = {
	"NOERROR", "FORMERR",  "SERVFAIL",  "NXDOMAIN", "NOTIMP",    "REFUSED", "YXDOMAIN",
	"YXRRSET", "NXRRSET",  "NOTAUTH",   "NOTZONE",  "DSOTYPENI", "RCODE12", "RCODE13",
	"RCODE14", "RCODE15",  "BADSIG",    "BADKEY",   "BADTIME",   "BADMODE", "BADNAME",
	"BADALG",  "BADTRUNC", "BADCOOKIE", "other",
};

const char *metrics_rcode_name(unsigned int rcode)
{
	return rcodes[rcode < STATS_RCODES ? rcode : STATS_RCODES - 1];
}

/* The family in hand. */
struct family {
	const char *name;
	enum family_kind { COUNTER, GAUGE, HISTOGRAM } kind;
	const char *help;
	/* One of these: writes all samples. */
	void (*print)(const struct family *family, const struct metrics *m, FILE *out);
	/* A number with no label. */
	uint64_t (*value)(const struct metrics *m);
	/* Neither: a counter of the workers, with the labels of a server. */
	size_t offset;
};

static const stats_counter *counter_of(const struct family *family, const struct metrics *m)
{
	return (const stats_counter *)(const void *)((const char *)&m->total + family->offset);
}

/* The labels that every coredns_dns_… sample begins with. */
#define SERVER "server=\"dns://:%u\",zone=\".\",view=\"\""

static void print_requests(const struct family *family, const struct metrics *m, FILE *out)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		for (int ipv6 = 0; ipv6 < 2; ipv6++) {
			for (int type = 0; type < STATS_TYPES; type++) {
				uint64_t n = stats_get(&m->total.requests[tcp][ipv6][type]);

				if (n)
					fprintf(out,
						"%s{" SERVER
						",proto=\"%s\",family=\"%d\",type=\"%s\"} %" PRIu64
						"\n",
						family->name, m->port, protos[tcp], ipv6 + 1,
						stats_type_names[type], n);
			}
		}
	}
}

static void print_responses(const struct family *family, const struct metrics *m, FILE *out)
{
	for (int writer = 0; writer < STATS_WRITERS; writer++) {
		for (unsigned int rcode = 0; rcode < STATS_RCODES; rcode++) {
			uint64_t n = stats_get(&m->total.responses[writer][rcode]);

			if (n)
				fprintf(out,
					"%s{" SERVER ",rcode=\"%s\",plugin=\"%s\"} %" PRIu64 "\n",
					family->name, m->port, metrics_rcode_name(rcode),
					writers[writer], n);
		}
	}
}

void metrics_print_histogram(FILE *out, const char *name, const char *labels,
			     const stats_counter *buckets, size_t n, const double *limits,
			     double sum)
{
	const char *comma = *labels ? "," : "";
	uint64_t count = 0;

	for (size_t i = 0; i + 1 < n; i++) {
		count += stats_get(&buckets[i]);
		fprintf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma,
			limits[i], count);
	}
	count += stats_get(&buckets[n - 1]);
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, count);
	fprintf(out, "%s_sum{%s} %.17g\n%s_count{%s} %" PRIu64 "\n", name, labels, sum, name,
		labels, count);
}

void metrics_print_durations(FILE *out, const char *name, const char *labels,
			     const struct stats_durations *durations)
{
	double limits[STATS_DURATIONS - 1];

	for (size_t i = 0; i < STATS_DURATIONS - 1; i++)
		limits[i] = 0.00025 * (double)(1u << i);
	metrics_print_histogram(out, name, labels, durations->bucket, STATS_DURATIONS, limits,
				(double)stats_get(&durations->sum_us) / 1e6);
}

static void print_duration(const struct family *family, const struct metrics *m, FILE *out)
{
	char labels[64];

	snprintf(labels, sizeof(labels), SERVER, m->port);
	metrics_print_durations(out, family->name, labels, &m->total.duration);
}

/* Sizes by transport; one that was never used is left out. */
static void print_sizes(const struct family *family, const struct metrics *m, FILE *out)
{
	const struct stats_sizes *sizes =
		(const struct stats_sizes *)(const void *)((const char *)&m->total +
							   family->offset);
	double limits[STATS_SIZES - 1];
	char labels[96];

	for (size_t i = 0; i < STATS_SIZES - 1; i++)
		limits[i] = stats_size_limits[i];
	for (int tcp = 0; tcp < 2; tcp++) {
		uint64_t n = 0;

		for (size_t i = 0; i < STATS_SIZES; i++)
			n += stats_get(&sizes[tcp].bucket[i]);
		if (!n)
			continue;
		snprintf(labels, sizeof(labels), SERVER ",proto=\"%s\"", m->port, protos[tcp]);
		metrics_print_histogram(out, family->name, labels, sizes[tcp].bucket, STATS_SIZES,
					limits, (double)stats_get(&sizes[tcp].sum));
	}
}

static void print_drops(const struct family *family, const struct metrics *m, FILE *out)
{
	for (int i = 0; i < STATS_DROPS; i++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", family->name, drops[i],
			stats_get(&m->total.drops[i]));
}

/* By whether it is a denial; CoreDNS' labels. */
static void print_cache(const struct family *family, const struct metrics *m, FILE *out)
{
	static const char *const types[] = {"success", "denial"};
	const stats_counter *counter = counter_of(family, m);

	for (int denial = 0; denial < 2; denial++)
		fprintf(out,
			"%s{server=\"dns://:%u\",type=\"%s\",zones=\".\",view=\"\"} %" PRIu64 "\n",
			family->name, m->port, types[denial], stats_get(&counter[denial]));
}

/* Likewise one number. */
static void print_cache_sum(const struct family *family, const struct metrics *m, FILE *out)
{
	const stats_counter *counter = counter_of(family, m);

	fprintf(out, "%s{server=\"dns://:%u\",zones=\".\",view=\"\"} %" PRIu64 "\n", family->name,
		m->port, stats_get(counter));
}

static void print_cache_requests(const struct family *family, const struct metrics *m, FILE *out)
{
	const struct stats_cache *c = &m->total.cache;

	fprintf(out, "%s{server=\"dns://:%u\",zones=\".\",view=\"\"} %" PRIu64 "\n", family->name,
		m->port, stats_get(&c->hits[0]) + stats_get(&c->hits[1]) + stats_get(&c->misses));
}

static void print_bare(const struct family *family, const struct metrics *m, FILE *out)
{
	fprintf(out, "%s %" PRIu64 "\n", family->name, stats_get(counter_of(family, m)));
}

static void print_build(const struct family *family, const struct metrics *m, FILE *out)
{
	(void)m;
	/* CoreDNS' labels; what is not Go has no goversion. */
	fprintf(out, "%s{version=\"%s\",revision=\"\",goversion=\"\"} 1\n", family->name,
		MESHDNS_VERSION);
}

static void print_templates(const struct family *family, const struct metrics *m, FILE *out)
{
	const stats_counter *counters = counter_of(family, m);

	for (size_t type = 0; type < STATS_TYPES; type++) {
		if (stats_get(&counters[type]))
			fprintf(out, "%s{" SERVER ",class=\"IN\",type=\"%s\"} %" PRIu64 "\n",
				family->name, m->port, stats_type_names[type],
				stats_get(&counters[type]));
	}
}

static void print_template_failures(const struct family *family, const struct metrics *m, FILE *out)
{
	static const char *const sections[STATS_SECTIONS] = {"answer", "authority", "additional"};
	const stats_counter *counters = counter_of(family, m);

	for (size_t i = 0; i < (size_t)STATS_SECTIONS * STATS_TYPES; i++) {
		if (stats_get(&counters[i]))
			fprintf(out,
				"%s{" SERVER ",class=\"IN\",type=\"%s\",section=\"%s\"} %" PRIu64
				"\n",
				family->name, m->port, stats_type_names[i % STATS_TYPES],
				sections[i / STATS_TYPES], stats_get(&counters[i]));
	}
}

static void print_plugins(const struct family *family, const struct metrics *m, FILE *out)
{
	static const char *const plugins[] = {"mesh", "forward", "prometheus"};

	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		fprintf(out, "%s{" SERVER ",name=\"%s\"} 1\n", family->name, m->port, plugins[i]);
}

static void print_age(const struct family *family, const struct metrics *m, FILE *out)
{
	fprintf(out, "%s %.3f\n", family->name, m->names_age_s);
}

static void print_results(const struct family *family, uint64_t ok, uint64_t failed, FILE *out)
{
	fprintf(out, "%s{result=\"ok\"} %" PRIu64 "\n%s{result=\"failed\"} %" PRIu64 "\n",
		family->name, ok, family->name, failed);
}

static void print_reloads(const struct family *family, const struct metrics *m, FILE *out)
{
	print_results(family, m->reloads_ok, m->reloads_failed, out);
}

static void print_saves(const struct family *family, const struct metrics *m, FILE *out)
{
	print_results(family, m->saved, m->saves_failed, out);
}

static uint64_t value_zero(const struct metrics *m)
{
	(void)m;
	return 0;
}

static uint64_t value_names(const struct metrics *m)
{
	return m->names;
}
static uint64_t value_names_bytes(const struct metrics *m)
{
	return m->names_bytes;
}
static uint64_t value_restored(const struct metrics *m)
{
	return m->names_restored;
}
static uint64_t value_rss(const struct metrics *m)
{
	return m->rss_bytes;
}
static uint64_t value_workers(const struct metrics *m)
{
	return m->workers;
}
static uint64_t value_lost(const struct metrics *m)
{
	return m->tap_lost;
}

#define STAT(member) .offset = offsetof(struct stats, member)
#define BARE(member) STAT(member), .print = print_bare

static const struct family families[] = {
	{"coredns_build_info", GAUGE, "What was built.", .print = print_build},
	{"coredns_plugin_enabled", GAUGE, "What is at work.", .print = print_plugins},
	{"coredns_panics_total", COUNTER, "Always 0: what panics here ends the process.",
	 .value = value_zero},
	{"coredns_dns_requests_total", COUNTER, "Queries received.", .print = print_requests},
	{"coredns_dns_request_duration_seconds", HISTOGRAM,
	 "From reading a query to sending its answer.", .print = print_duration},
	{"coredns_dns_request_size_bytes", HISTOGRAM, "Sizes of queries.", .print = print_sizes,
	 STAT(request_size)},
	{"coredns_dns_response_size_bytes", HISTOGRAM, "Sizes of answers.", .print = print_sizes,
	 STAT(response_size)},
	{"coredns_dns_do_requests_total", COUNTER, "Queries with the DO bit set.",
	 STAT(do_requests)},
	{"coredns_dns_responses_total", COUNTER, "Answers, by rcode and by who gave them.",
	 .print = print_responses},
	{"coredns_cache_entries", GAUGE, "Answers in the cache.", .print = print_cache,
	 STAT(cache.entries)},
	{"coredns_cache_requests_total", COUNTER, "Questions that the cache was asked.",
	 .print = print_cache_requests},
	{"coredns_cache_hits_total", COUNTER, "Of them answered by it.", .print = print_cache,
	 STAT(cache.hits)},
	{"coredns_cache_misses_total", COUNTER, "Of them not answered.", .print = print_cache_sum,
	 STAT(cache.misses)},
	{"coredns_cache_prefetch_total", COUNTER, "Answers renewed before their time was over.",
	 .print = print_cache_sum, STAT(cache.prefetches)},
	{"coredns_cache_drops_total", COUNTER, "Answers that may not be kept.",
	 .print = print_cache_sum, STAT(cache.drops)},
	{"coredns_cache_served_stale_total", COUNTER, "Answers given after their time.",
	 .print = print_cache_sum, STAT(cache.stale)},
	{"coredns_cache_evictions_total", COUNTER, "Answers that made room.", .print = print_cache,
	 STAT(cache.evictions)},
	{"coredns_template_matches_total", COUNTER, "Questions that a template took.",
	 .print = print_templates, STAT(templates.matches)},
	{"coredns_template_template_failures_total", COUNTER,
	 "Templates of records that could not be run.", .print = print_template_failures,
	 STAT(templates.unrendered)},
	{"coredns_template_rr_failures_total", COUNTER, "What such a template gave was no record.",
	 .print = print_template_failures, STAT(templates.malformed)},
	{"meshdns_names", GAUGE, "Mesh names that are loaded.", .value = value_names},
	{"meshdns_names_bytes", GAUGE, "Memory that the mesh table takes.",
	 .value = value_names_bytes},
	{"meshdns_names_age_seconds", GAUGE, "Since the mesh names were loaded.",
	 .print = print_age},
	{"meshdns_reloads_total", COUNTER, "Attempts to load the mesh names, the first included.",
	 .print = print_reloads},
	{"meshdns_names_restored", GAUGE,
	 "1: the names are those kept in --state-dir, for no source can be read.",
	 .value = value_restored},
	{"meshdns_state_saves_total", COUNTER, "Attempts to keep the mesh names on disk.",
	 .print = print_saves},
	{"meshdns_dropped_total", COUNTER, "Messages that were met with silence.",
	 .print = print_drops},
	{"coredns_forward_healthcheck_broken_total", COUNTER,
	 "Questions for which no server was up.", BARE(all_down)},
	{"coredns_forward_max_concurrent_rejects_total", COUNTER,
	 "Questions answered SERVFAIL, too many being in flight.", BARE(rejects)},
	{"meshdns_loops_total", COUNTER, "Own questions that came back: the rules are wrong.",
	 BARE(loops)},
	{"meshdns_in_flight", GAUGE, "Questions that wait for an upstream.", BARE(in_flight)},
	{"meshdns_tcp_clients", GAUGE, "Connections of clients.", BARE(tcp_clients)},
	{"meshdns_tap_lost_total", COUNTER, "Messages that the query log and dnstap missed.",
	 .value = value_lost},
	{"meshdns_workers", GAUGE, "Threads that answer.", .value = value_workers},
	{"meshdns_resident_memory_bytes", GAUGE, "Resident memory of the process.",
	 .value = value_rss},
};

void metrics_print(const struct metrics *m, FILE *out)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	for (const struct family *f = families; f < families + ARRAY_SIZE(families); f++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
			kinds[f->kind]);
		if (f->print)
			f->print(f, m, out);
		else if (f->value)
			fprintf(out, "%s %" PRIu64 "\n", f->name, f->value(m));
		else
			fprintf(out, "%s{" SERVER "} %" PRIu64 "\n", f->name, m->port,
				stats_get(counter_of(f, m)));
	}
	metrics_print_upstreams(m, out);
	if (m->kuma)
		metrics_print_kuma(m, out);
}

uint64_t metrics_rss(void)
{
	cleanup_file FILE *file = fopen("/proc/self/statm", "re");
	char line[128], *second;

	if (!file || !fgets(line, sizeof(line), file) || !(second = strchr(line, ' ')))
		return 0;
	return strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}
