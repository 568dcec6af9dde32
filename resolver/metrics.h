/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics: the counters as Prometheus text (exposition format 0.0.4).
 *
 * Where CoreDNS counts the same thing it has CoreDNS' name and labels, so that its dashboards and
 * alerts work: server, zone and view of the block of the Corefile; without one "dns://:PORT", "."
 * and "". `plugin` is "mesh" for what the mesh table answered, "forward" for what an upstream did,
 * "" for errors of our own. What CoreDNS does not know is called meshdns_… . A family is one row of
 * the table in metrics.c; in metrics_pages.c when it has samples for each server and zone; or in
 * metrics_upstreams.c, for each upstream. Where names come from Kuma there are those of its proxy
 * too, kuma_dp_dns_…, which metrics_kuma.c prints.
 */
#ifndef MESHDNS_RESOLVER_METRICS_H
#define MESHDNS_RESOLVER_METRICS_H

#include <stdio.h>

#include "resolver/kuma.h"
#include "resolver/service.h"
#include "resolver/stats_book.h"
#include "resolver/upstreams.h"

/* Everything there is to tell, gathered by the caller. */
struct metrics {
	struct stats total;             /* of all workers */
	const struct stats_book *pages; /* what is told by server and zone; NULL: nothing */
	struct stats_tally questions;   /* all of them together */
	unsigned int workers;
	const struct upstream_book *book; /* NULL: no upstreams */
	uint64_t names, names_bytes;
	double names_age_s;
	bool names_restored;
	uint64_t reloads_ok, reloads_failed;
	uint64_t saved, saves_failed; /* the names, to disk */
	uint64_t rss_bytes;
	uint64_t tap_lost;
	/* Of a Corefile: its text, what is made of it, how often another could not be taken up. */
	const char *corefile; /* NULL: there is none */
	const struct service *service;
	uint64_t corefile_failures;
	const struct kuma *kuma; /* NULL: nothing comes from there */
	bool kuma_is_late;       /* it was, or is, ready without the first map */
};

void metrics_print(const struct metrics *metrics, FILE *out);

/* --- for the other files ---------------------------------------------------------------------- */

void metrics_print_pages(const struct metrics *metrics, FILE *out);
void metrics_print_upstreams(const struct metrics *metrics, FILE *out);
void metrics_print_kuma(const struct metrics *metrics, FILE *out);

/* Of all servers together: from sending a question to its response. */
void metrics_upstream_durations(const struct metrics *metrics,
				struct stats_long_durations *ret_total);

/*
 * A histogram's samples, each with `labels`, which may be none: buckets are cumulative here, the
 * last one, for all, is the count. limits[i] is the upper bound of bucket i.
 */
void metrics_print_histogram(FILE *out, const char *name, const char *labels,
			     const stats_counter *buckets, size_t n, const double *limits,
			     double sum);
/* That of STATS_DURATIONS buckets. */
void metrics_print_durations(FILE *out, const char *name, const char *labels,
			     const struct stats_durations *durations);

/* --------------------------------------------------------------------------------------------- */

/* Resident memory of this process; 0 when it cannot be told. */
uint64_t metrics_rss(void);

/* "up", "suspect", "down": of enum health_state. */
const char *metrics_state_name(unsigned int state);

/* "NOERROR", "SERVFAIL", … as CoreDNS spells them. */
const char *metrics_rcode_name(unsigned int rcode);

#endif
