/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /metrics of each server and zone: what CoreDNS counts of questions, its cache and templates. */
#include <inttypes.h>

#include "common/cleanup.h"
#include "resolver/metrics.h"
#include "resolver/service.h"

static const char *const protos[] = {"udp", "tcp"}; /* by is_tcp */
static const char *const writers[STATS_WRITERS] = {
	"", "mesh", "forward", "cache", "any", "template", "hosts",
};

struct family {
	const char *name, *type, *help;
	enum stats_subject subject;
	size_t offset; /* of the counter, or of the first of them */
	/* Writes the samples of one page; NULL: a counter with no label but the page's. */
	void (*print)(const struct family *family, const char *labels,
		      const struct stats_tally *tally, FILE *out);
};

static const stats_counter *counter_of(const struct family *family, const struct stats_tally *tally)
{
	return (const stats_counter *)(const void *)((const char *)tally + family->offset);
}

static void print_counter(const struct family *family, const char *labels,
			  const struct stats_tally *tally, FILE *out)
{
	fprintf(out, "%s{%s} %" PRIu64 "\n", family->name, labels,
		stats_get(counter_of(family, tally)));
}

static void print_requests(const struct family *family, const char *labels,
			   const struct stats_tally *tally, FILE *out)
{
	const stats_counter *counters = counter_of(family, tally);

	for (size_t i = 0; i < (size_t)2 * 2 * STATS_TYPES; i++) {
		size_t type = i % STATS_TYPES, ipv6 = i / STATS_TYPES % 2,
		       tcp = i / STATS_TYPES / 2;

		if (stats_get(&counters[i]))
			fprintf(out, "%s{%s,proto=\"%s\",family=\"%zu\",type=\"%s\"} %" PRIu64 "\n",
				family->name, labels, protos[tcp], ipv6 + 1, stats_type_names[type],
				stats_get(&counters[i]));
	}
}

static void print_responses(const struct family *family, const char *labels,
			    const struct stats_tally *tally, FILE *out)
{
	for (int writer = 0; writer < STATS_WRITERS; writer++) {
		for (unsigned int rcode = 0; rcode < STATS_RCODES; rcode++) {
			uint64_t n = stats_get(&tally->responses[writer][rcode]);

			if (n)
				fprintf(out, "%s{%s,rcode=\"%s\",plugin=\"%s\"} %" PRIu64 "\n",
					family->name, labels, metrics_rcode_name(rcode),
					writers[writer], n);
		}
	}
}

static void print_duration(const struct family *family, const char *labels,
			   const struct stats_tally *tally, FILE *out)
{
	metrics_print_durations(out, family->name, labels, &tally->duration);
}

/* Sizes by transport; one that was never used is left out. */
static void print_sizes(const struct family *family, const char *labels,
			const struct stats_tally *tally, FILE *out)
{
	const struct stats_sizes *sizes =
		(const struct stats_sizes *)(const void *)counter_of(family, tally);
	double limits[STATS_SIZES - 1];

	for (size_t i = 0; i < STATS_SIZES - 1; i++)
		limits[i] = stats_size_limits[i];
	for (int tcp = 0; tcp < 2; tcp++) {
		cleanup_free char *all = NULL;
		uint64_t n = 0;

		for (size_t i = 0; i < STATS_SIZES; i++)
			n += stats_get(&sizes[tcp].bucket[i]);
		if (n && asprintf(&all, "%s,proto=\"%s\"", labels, protos[tcp]) > 0)
			metrics_print_histogram(out, family->name, all, sizes[tcp].bucket,
						STATS_SIZES, limits,
						(double)stats_get(&sizes[tcp].sum));
	}
}

/* By whether it is a denial. */
static void print_cache(const struct family *family, const char *labels,
			const struct stats_tally *tally, FILE *out)
{
	static const char *const types[] = {"success", "denial"};
	const stats_counter *counter = counter_of(family, tally);

	for (int denial = 0; denial < 2; denial++)
		fprintf(out, "%s{%s,type=\"%s\"} %" PRIu64 "\n", family->name, labels,
			types[denial], stats_get(&counter[denial]));
}

static void print_cache_requests(const struct family *family, const char *labels,
				 const struct stats_tally *tally, FILE *out)
{
	const struct stats_cache *c = &tally->cache;

	fprintf(out, "%s{%s} %" PRIu64 "\n", family->name, labels,
		stats_get(&c->hits[0]) + stats_get(&c->hits[1]) + stats_get(&c->misses));
}

static void print_templates(const struct family *family, const char *labels,
			    const struct stats_tally *tally, FILE *out)
{
	const stats_counter *counters = counter_of(family, tally);

	for (size_t type = 0; type < STATS_TYPES; type++) {
		if (stats_get(&counters[type]))
			fprintf(out, "%s{%s,class=\"IN\",type=\"%s\"} %" PRIu64 "\n", family->name,
				labels, stats_type_names[type], stats_get(&counters[type]));
	}
}

#define DNS(member)       STATS_OF_DNS, offsetof(struct stats_tally, member)
#define CACHE(member)     STATS_OF_CACHE, offsetof(struct stats_tally, cache.member)
#define TEMPLATES(member) STATS_OF_TEMPLATES, offsetof(struct stats_tally, templates.member)
#define RECORDS(member)   STATS_OF_RECORDS, offsetof(struct stats_tally, templates.member)

static const struct family families[] = {
	{"coredns_dns_requests_total", "counter", "Queries received.", DNS(requests),
	 print_requests},
	{"coredns_dns_request_duration_seconds", "histogram",
	 "From reading a query to sending its answer.", DNS(duration), print_duration},
	{"coredns_dns_request_size_bytes", "histogram", "Sizes of queries.", DNS(request_size),
	 print_sizes},
	{"coredns_dns_response_size_bytes", "histogram", "Sizes of answers.", DNS(response_size),
	 print_sizes},
	{"coredns_dns_do_requests_total", "counter", "Queries with the DO bit set.",
	 DNS(do_requests), NULL},
	{"coredns_dns_responses_total", "counter", "Answers, by rcode and by who gave them.",
	 DNS(responses), print_responses},
	{"coredns_cache_entries", "gauge", "Answers in the cache.", CACHE(entries), print_cache},
	{"coredns_cache_requests_total", "counter", "Questions that the cache was asked.",
	 CACHE(hits), print_cache_requests},
	{"coredns_cache_hits_total", "counter", "Of them answered by it.", CACHE(hits),
	 print_cache},
	{"coredns_cache_misses_total", "counter", "Of them not answered.", CACHE(misses), NULL},
	{"coredns_cache_prefetch_total", "counter", "Answers renewed before their time was over.",
	 CACHE(prefetches), NULL},
	{"coredns_cache_drops_total", "counter", "Answers that may not be kept.", CACHE(drops),
	 NULL},
	{"coredns_cache_served_stale_total", "counter", "Answers given after their time.",
	 CACHE(stale), NULL},
	{"coredns_cache_evictions_total", "counter", "Answers that made room.", CACHE(evictions),
	 print_cache},
	{"coredns_template_matches_total", "counter", "Questions that a template took.",
	 TEMPLATES(matches), print_templates},
	{"coredns_template_template_failures_total", "counter",
	 "Templates of records that could not be run.", RECORDS(unrendered), print_templates},
	{"coredns_template_rr_failures_total", "counter",
	 "What such a template gave was no record.", RECORDS(malformed), print_templates},
};

/* The directives of the block that the page is for now; without a Corefile what is always there. */
static void print_plugins(const struct stats_page *page, FILE *out)
{
	static const char *const usual[] = {"mesh", "forward", "prometheus", NULL};
	const char *labels = page->labels.of[STATS_OF_DNS], *name;
	const struct block *block = page->block;

	for (size_t i = 0; labels && block; i++) {
		name = block->corefile ? corefile_plugin(block->corefile, i) : usual[i];
		if (!name)
			return;
		fprintf(out, "coredns_plugin_enabled{%s,name=\"%s\"} 1\n", labels, name);
	}
}

void metrics_print_pages(const struct metrics *m, FILE *out)
{
	size_t n = m->pages ? m->pages->n_pages : 0;
	struct stats_tally tally;

	fputs("# HELP coredns_plugin_enabled What is at work.\n"
	      "# TYPE coredns_plugin_enabled gauge\n",
	      out);
	for (size_t i = 0; i < n; i++)
		print_plugins(m->pages->page[i], out);
	for (const struct family *f = families; f < families + ARRAY_SIZE(families); f++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		for (size_t i = 0; i < n; i++) {
			const char *labels = m->pages->page[i]->labels.of[f->subject];

			if (stats_book_tell(m->pages, f->subject, i, &tally))
				(f->print ? f->print : print_counter)(f, labels, &tally, out);
		}
	}
}
