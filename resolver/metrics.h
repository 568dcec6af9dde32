/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics: the counters as Prometheus text (exposition format 0.0.4).
 *
 * Where CoreDNS counts the same thing it has CoreDNS' name and labels, so that its dashboards and
 * alerts work: server "dns://:PORT", zone ".", view "". `plugin` is "mesh" for what the mesh table
 * answered, "forward" for what an upstream did, "" for errors of our own. What CoreDNS does not
 * know is called meshdns_… . A family is one row of the table in metrics.c.
 */
#ifndef MESHDNS_RESOLVER_METRICS_H
#define MESHDNS_RESOLVER_METRICS_H

#include <stdio.h>

#include "resolver/stats.h"

/* Everything there is to tell, gathered by the caller. */
struct metrics {
	struct stats total; /* of all workers */
	uint16_t port;      /* of the first listener: the server's name */
	uint64_t workers;
	uint64_t names, names_bytes;
	double names_age_s;
	uint64_t reloads_ok, reloads_failed;
	uint64_t rss_bytes;
	uint64_t tap_lost;
};

void metrics_print(const struct metrics *metrics, FILE *out);

/* Resident memory of this process; 0 when it cannot be told. */
uint64_t metrics_rss(void);

/* "NOERROR", "SERVFAIL", … as CoreDNS spells them. */
const char *metrics_rcode_name(unsigned int rcode);

#endif
