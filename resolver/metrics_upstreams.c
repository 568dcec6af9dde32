/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics of each server: what CoreDNS' proxies count, once under the names of today
 * (coredns_proxy_…) and once under those of before 1.11, which dashboards still use.
 */
#include <inttypes.h>

#include "common/cleanup.h"
#include "resolver/metrics.h"
#include "resolver/upstream_health.h"

_Static_assert(UPSTREAM_BUCKETS + 1 == STATS_DURATIONS, "the same buckets");

static const char *const rcodes[UPSTREAM_RCODES] = {
	"NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "other",
};

static const char *const states[] = {
	[HEALTH_UP] = "up",
	[HEALTH_SUSPECT] = "suspect",
	[HEALTH_DOWN] = "down",
};

const char *metrics_state_name(unsigned int state)
{
	return states[state];
}

/* A server's page, and the book's number of workers. */
struct page {
	const struct upstream_page *page;
	unsigned int n;
	char to[ENDPOINT_TEXT_MAX];
};

struct family {
	const char *name, *type, *help;
	/* Writes the samples of one server; NULL: `counter`, with no label but the server. */
	void (*print)(const struct family *family, const struct page *page, FILE *out);
	bool is_proxys; /* it has the name of the plugin as a label */
	enum upstream_counter counter, tcp;
};

static uint64_t sum(const struct page *page, enum upstream_counter counter)
{
	return upstream_book_sum(page->page, page->n, counter);
}

static const char *proxy_of(const struct family *family, const struct page *page)
{
	if (!family->is_proxys)
		return "";
	return page->page->is_alternate ? "proxy_name=\"alternate\"," : "proxy_name=\"forward\",";
}

static void print_counter(const struct family *family, const struct page *page, FILE *out)
{
	fprintf(out, "%s{%sto=\"%s\"} %" PRIu64 "\n", family->name, proxy_of(family, page),
		page->to, sum(page, family->counter));
}

static void print_by_proto(const struct family *family, const struct page *page, FILE *out)
{
	fprintf(out, "%s{%sto=\"%s\",proto=\"udp\"} %" PRIu64 "\n", family->name,
		proxy_of(family, page), page->to, sum(page, family->counter));
	fprintf(out, "%s{%sto=\"%s\",proto=\"tcp\"} %" PRIu64 "\n", family->name,
		proxy_of(family, page), page->to, sum(page, family->tcp));
}

static void print_by_rcode(const struct family *family, const struct page *page, FILE *out)
{
	for (unsigned int i = 0; i < UPSTREAM_RCODES; i++) {
		uint64_t n = sum(page, UPSTREAM_NOERROR + i);

		if (n)
			fprintf(out, "%s{%sto=\"%s\",rcode=\"%s\"} %" PRIu64 "\n", family->name,
				proxy_of(family, page), page->to, rcodes[i], n);
	}
}

static void add_latency(struct stats_durations *total, const struct page *page, unsigned int rcode)
{
	for (unsigned int worker = 0; worker < page->n; worker++) {
		const struct upstream_stats *stats = &page->page->stats[worker];

		for (size_t i = 0; i < STATS_DURATIONS; i++)
			stats_add(&total->bucket[i], stats_get(&stats->latency[rcode][i]));
		stats_add(&total->sum_us, stats_get(&stats->latency_us[rcode]));
	}
}

void metrics_upstream_durations(const struct metrics *m, struct stats_long_durations *ret_total)
{
	*ret_total = (struct stats_long_durations){0};
	for (size_t i = 0; m->book && i < m->book->n_pages; i++) {
		for (unsigned int worker = 0; worker < m->workers; worker++)
			stats_sum_long(ret_total, &m->book->page[i].stats[worker].all);
	}
}

static void print_latency(const struct family *family, const struct page *page, FILE *out)
{
	for (unsigned int i = 0; i < UPSTREAM_RCODES; i++) {
		struct stats_durations total = {0};
		char labels[ENDPOINT_TEXT_MAX + 64];

		if (!sum(page, UPSTREAM_NOERROR + i))
			continue;
		add_latency(&total, page, i);
		snprintf(labels, sizeof(labels), "%sto=\"%s\",rcode=\"%s\"", proxy_of(family, page),
			 page->to, rcodes[i]);
		metrics_print_durations(out, family->name, labels, &total);
	}
}

static void print_srtt(const struct family *family, const struct page *page, FILE *out)
{
	fprintf(out, "%s{to=\"%s\"} %.6f\n", family->name, page->to,
		(double)upstream_book_srtt_us(page->page, page->n) / 1e6);
}

static void print_state(const struct family *family, const struct page *page, FILE *out)
{
	unsigned int state = upstream_book_state(page->page, page->n);

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		fprintf(out, "%s{to=\"%s\",state=\"%s\"} %d\n", family->name, page->to, states[i],
			i == state);
}

static void print_loops(const struct family *family, const struct page *page, FILE *out)
{
	fprintf(out, "%s{to=\"%s\"} %" PRIu32 "\n", family->name, page->to,
		atomic_load_explicit(&page->page->loops, memory_order_relaxed));
}

static const struct family families[] = {
	{"coredns_proxy_request_duration_seconds", "histogram",
	 "From sending a question to its response.", .print = print_latency, .is_proxys = true},
	{"coredns_proxy_healthcheck_failures_total", "counter", "Probes without a response.",
	 .is_proxys = true, .counter = UPSTREAM_PROBES_FAILED},
	{"coredns_proxy_conn_cache_hits_total", "counter",
	 "Questions sent by a socket that was there.", .print = print_by_proto, .is_proxys = true,
	 .counter = UPSTREAM_SOCKETS_REUSED, .tcp = UPSTREAM_TCP_REUSED},
	{"coredns_proxy_conn_cache_misses_total", "counter",
	 "Questions for which a socket was opened.", .print = print_by_proto, .is_proxys = true,
	 .counter = UPSTREAM_SOCKETS, .tcp = UPSTREAM_TCP_CONNECTIONS},
	{"coredns_forward_requests_total", "counter", "Messages sent, each try counted.",
	 .counter = UPSTREAM_QUERIES},
	{"coredns_forward_responses_total", "counter", "Responses.", .print = print_by_rcode},
	{"coredns_forward_request_duration_seconds", "histogram",
	 "From sending a question to its response.", .print = print_latency},
	{"coredns_forward_conn_cache_hits_total", "counter",
	 "Questions sent by a socket that was there.", .print = print_by_proto,
	 .counter = UPSTREAM_SOCKETS_REUSED, .tcp = UPSTREAM_TCP_REUSED},
	{"coredns_forward_conn_cache_misses_total", "counter",
	 "Questions for which a socket was opened.", .print = print_by_proto,
	 .counter = UPSTREAM_SOCKETS, .tcp = UPSTREAM_TCP_CONNECTIONS},
	{"coredns_forward_healthcheck_failures_total", "counter", "Probes without a response.",
	 .counter = UPSTREAM_PROBES_FAILED},
	{"meshdns_upstream_state", "gauge", "1 for what the server is.", .print = print_state},
	{"meshdns_upstream_srtt_seconds", "gauge", "Smoothed round-trip time; 0: not known.",
	 .print = print_srtt},
	{"meshdns_upstream_retransmissions_total", "counter",
	 "Messages that were not the first of their question.",
	 .counter = UPSTREAM_RETRANSMISSIONS},
	{"meshdns_upstream_coalesced_total", "counter",
	 "Questions that went along with an equal one under way.", .counter = UPSTREAM_COALESCED},
	{"meshdns_upstream_timeouts_total", "counter", "Messages without a response in time.",
	 .counter = UPSTREAM_TIMEOUTS},
	{"meshdns_upstream_failures_total", "counter",
	 "Messages that were refused, or whose server was unreachable or closed the connection.",
	 .counter = UPSTREAM_FAILURES},
	{"meshdns_upstream_mismatches_total", "counter",
	 "Responses to nothing that was asked, or to something else: ignored.",
	 .counter = UPSTREAM_MISMATCHES},
	{"meshdns_upstream_late_total", "counter",
	 "Responses to what had been answered or given up: ignored.", .counter = UPSTREAM_LATE},
	{"meshdns_upstream_truncated_total", "counter", "Responses that UDP cut short.",
	 .counter = UPSTREAM_TRUNCATED},
	{"meshdns_upstream_probes_total", "counter", "Probes of a server that was not up.",
	 .counter = UPSTREAM_PROBES},
	{"meshdns_upstream_tcp_connections_total", "counter", "Connections opened.",
	 .counter = UPSTREAM_TCP_CONNECTIONS},
	{"meshdns_upstream_loops_total", "counter", "Probes that came back: it asks us.",
	 .print = print_loops},
};

void metrics_print_upstreams(const struct metrics *m, FILE *out)
{
	for (const struct family *f = families; f < families + ARRAY_SIZE(families); f++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
		for (size_t i = 0; m->book && i < m->book->n_pages; i++) {
			struct page page = {.page = &m->book->page[i], .n = m->workers};

			if (!upstream_book_is_told(page.page, page.n))
				continue;
			endpoint_format(&page.page->ep, page.to);
			(f->print ? f->print : print_counter)(f, &page, out);
		}
	}
}
