/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/metrics.h"

#define XXH_INLINE_ALL
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/cleanup.h"
#include "resolver/corefile/hosts_table.h"
#include "version.h"

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
	enum family_kind { COUNTER, GAUGE } kind;
	const char *help;
	/* Writes all samples. */
	void (*print)(const struct family *family, const struct metrics *m, FILE *out);
	/* Or: a number with no label. */
	uint64_t (*value)(const struct metrics *m);
	/* Neither: a counter of the workers. */
	size_t offset;
};

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

static void print_drops(const struct family *family, const struct metrics *m, FILE *out)
{
	for (int i = 0; i < STATS_DROPS; i++)
		fprintf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", family->name, drops[i],
			stats_get(&m->total.drops[i]));
}

static void print_build(const struct family *family, const struct metrics *m, FILE *out)
{
	(void)m;
	/* CoreDNS' labels; what is not Go has no goversion. */
	fprintf(out, "%s{version=\"%s\",revision=\"\",goversion=\"\"} 1\n", family->name,
		MESHDNS_VERSION);
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

/* Of a file that several blocks have, once. */
static void print_hosts(const struct family *family, const struct metrics *m, FILE *out)
{
	for (size_t i = 0; i < m->service->n_hosts; i++) {
		const struct hosts_table *table = m->service->hosts[i];
		bool is_first = true;

		for (size_t k = 0; k < i; k++)
			is_first &=
				strcmp(hosts_file(m->service->hosts[k]), hosts_file(table)) != 0;
		if (!is_first)
			continue;
		fprintf(out, "%s{", family->name);
		stats_write_label("hostsfile", hosts_file(table), out);
		fprintf(out, "} %zu\n", hosts_count(table, NULL));
	}
}

/* Of the file that changed last. */
static void print_hosts_time(const struct family *family, const struct metrics *m, FILE *out)
{
	double last_s = 0;

	for (size_t i = 0; i < m->service->n_hosts; i++) {
		double s = hosts_changed_s(m->service->hosts[i]);

		last_s = s > last_s ? s : last_s;
	}
	if (last_s > 0)
		fprintf(out, "%s %.9f\n", family->name, last_s);
}

static void print_version(const struct family *family, const struct metrics *m, FILE *out)
{
	fprintf(out, "%s{hash=\"xxh3\",value=\"%016" PRIx64 "\"} 1\n", family->name,
		(uint64_t)XXH3_64bits(m->corefile, strlen(m->corefile)));
}

static uint64_t value_failures(const struct metrics *m)
{
	return m->corefile_failures;
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

static const struct family families[] = {
	{"coredns_build_info", GAUGE, "What was built.", .print = print_build},
	{"coredns_panics_total", COUNTER, "Always 0: what panics here ends the process.",
	 .value = value_zero},
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
	 "Questions for which no server was up.", STAT(all_down)},
	{"coredns_forward_max_concurrent_rejects_total", COUNTER,
	 "Questions answered SERVFAIL, too many being in flight.", STAT(rejects)},
	{"meshdns_loops_total", COUNTER, "Own questions that came back: the rules are wrong.",
	 STAT(loops)},
	{"meshdns_in_flight", GAUGE, "Questions that wait for an upstream.", STAT(in_flight)},
	{"meshdns_tcp_clients", GAUGE, "Connections of clients.", STAT(tcp_clients)},
	{"meshdns_tap_lost_total", COUNTER, "Messages that the query log and dnstap missed.",
	 .value = value_lost},
	{"meshdns_workers", GAUGE, "Threads that answer.", .value = value_workers},
	{"meshdns_resident_memory_bytes", GAUGE, "Resident memory of the process.",
	 .value = value_rss},
};

static uint64_t value_of(const struct family *family, const struct metrics *m)
{
	const void *counter = (const char *)&m->total + family->offset;

	return family->value ? family->value(m) : stats_get(counter);
}

/* Only where there is a Corefile. */
static const struct family corefile_families[] = {
	{"coredns_hosts_entries", GAUGE, "Names and addresses of `hosts`.", .print = print_hosts},
	{"coredns_hosts_reload_timestamp_seconds", GAUGE, "When a file of them was last changed.",
	 .print = print_hosts_time},
	{"coredns_reload_failed_total", COUNTER, "Corefiles that could not be taken up.",
	 .value = value_failures},
	{"coredns_reload_version_info", GAUGE, "The Corefile that is served.",
	 .print = print_version},
};

static void print_families(const struct family *f, size_t n, const struct metrics *m, FILE *out)
{
	static const char *const kinds[] = {"counter", "gauge"};

	for (; n > 0; f++, n--) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
			kinds[f->kind]);
		if (f->print)
			f->print(f, m, out);
		else
			fprintf(out, "%s %" PRIu64 "\n", f->name, value_of(f, m));
	}
}

void metrics_print(const struct metrics *m, FILE *out)
{
	print_families(families, ARRAY_SIZE(families), m, out);
	if (m->corefile)
		print_families(corefile_families, ARRAY_SIZE(corefile_families), m, out);
	metrics_print_pages(m, out);
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
