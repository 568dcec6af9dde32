/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one client may have of a worker: questions a second over UDP, questions in flight over UDP,
 * TCP connections. A client is an IPv4 address or an IPv6 /64.
 *
 * Memory is bounded whatever comes: a count-min sketch of LIMITS_ROWS tables, in each of which a
 * client has one cell by a keyed hash, so that nobody can aim at another's. Clients may share a
 * cell; a limit is reached when it is in every row, so that an innocent one would have to share all
 * its cells with busy ones. The rate is that of RRL: of what exceeds it every other question is
 * answered with TC, so that who is real can come by TCP, and the rest by nothing.
 */
#ifndef MESHDNS_RESOLVER_LIMITS_H
#define MESHDNS_RESOLVER_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct limits;

#define LIMITS_ROWS  2
#define LIMITS_CELLS 4096 /* a row */

/* 0: no limit. */
struct limits_config {
	uint32_t rate; /* questions a second, in bursts of a second's worth */
	uint32_t max_inflight, max_tcp;
};

enum limits_kind { LIMITS_INFLIGHT, LIMITS_TCP, LIMITS_KINDS };
enum limits_verdict { LIMITS_PASS, LIMITS_TRUNCATE, LIMITS_DROP };

/* *ret_limits is NULL when nothing is limited; false when out of memory. */
bool limits_new(const struct limits_config *config, struct limits **ret_limits);
void limits_free(struct limits *limits);

/* One question over UDP. `limits` may be NULL here and below: then everything passes. */
enum limits_verdict limits_question(struct limits *limits, const struct sockaddr_in6 *peer,
				    int64_t now_us);

/* Takes one of what there is a maximum of; false: none is left. What was taken is to be released.
 */
bool limits_take(struct limits *limits, enum limits_kind kind, const struct sockaddr_in6 *peer);
void limits_release(struct limits *limits, enum limits_kind kind, const struct sockaddr_in6 *peer);

#endif
