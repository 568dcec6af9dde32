/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a server by watching it: how long it takes and whether it answers. Pure: times
 * come from the caller, in milliseconds of the monotonic clock where nothing else is said.
 *
 * The round-trip time is smoothed as RFC 6298 section 2 has it. Every attempt has its own ID and
 * socket, so that an answer always says which attempt it is to (no need for Karn's rule) and every
 * one is a sample, late ones too.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_HEALTH_H
#define MESHDNS_RESOLVER_UPSTREAM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long to wait before asking on. Not less than the first: a server that answers from its cache
 * in a millisecond takes tens of them for what it has to ask for itself, and would be asked twice.
 */
#define HEALTH_RTO_MIN_MS   100
#define HEALTH_RTO_FIRST_MS 400 /* of a server that has not answered yet */
#define HEALTH_RTO_MAX_MS   1000
#define HEALTH_FAILS_MAX    2 /* in a row, unless said otherwise; with one more it is down */
#define HEALTH_NEVER_DOWN   UINT32_MAX /* for who is always up, and not probed */
#define HEALTH_PROBE_MS     500        /* between probes of a server that is not up, likewise */

enum health_state {
	HEALTH_UP,
	/* It failed since it last answered. Asked after those that are up, and probed. */
	HEALTH_SUSPECT,
	/* More often in a row than it may. Asked only when all are, and probed. */
	HEALTH_DOWN,
};

/* Starts zeroed. */
struct health {
	enum health_state state;
	unsigned int fails;          /* in a row */
	int64_t failed_ms;           /* when the last failure was noticed */
	uint32_t srtt_us, rttvar_us; /* srtt_us 0: no sample yet */
};

/* It answered, whatever it said, after so long. */
void health_answered(struct health *health, uint32_t rtt_us);

/*
 * An attempt of `sent_ms` failed: no answer in time, refused, closed. Of attempts that were under
 * way together only the first to fail counts, or a hiccup under load would be taken for a death.
 */
void health_failed(struct health *health, int64_t sent_ms, int64_t now_ms, uint32_t max_fails);

/* How long to wait for an answer before asking on. */
uint32_t health_rto_ms(const struct health *health);

#endif
