/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted of each server, by each worker on its own, for others to read at any time.
 *
 * Only the worker writes, so that counting is a load and a store; whoever reads sees each number
 * whole, and numbers that belong together perhaps a moment apart. They only grow, but for the
 * gauges. Where they are and how they are added up is upstreams.h's.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_STATS_H
#define MESHDNS_RESOLVER_UPSTREAM_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "resolver/stats.h"

enum upstream_counter {
	UPSTREAM_QUERIES,         /* messages sent, each try counted, probes too */
	UPSTREAM_RETRANSMISSIONS, /* of them: not the first of their question */
	UPSTREAM_COALESCED,       /* questions that went along with one under way */
	/* Responses by their rcode; UPSTREAM_RCODES of them. */
	UPSTREAM_NOERROR,
	UPSTREAM_NXDOMAIN,
	UPSTREAM_SERVFAIL,
	UPSTREAM_REFUSED,
	UPSTREAM_FORMERR,
	UPSTREAM_NOTIMP,
	UPSTREAM_OTHER_RCODE,
	UPSTREAM_TRUNCATED,       /* of them: cut short, over UDP */
	UPSTREAM_TIMEOUTS,        /* no response in the time given to a try */
	UPSTREAM_FAILURES,        /* refused, unreachable, closed */
	UPSTREAM_MISMATCHES,      /* responses to nothing that was asked, or to something else */
	UPSTREAM_LATE,            /* responses to what had been answered or given up already */
	UPSTREAM_SOCKETS,         /* UDP, opened for a message */
	UPSTREAM_SOCKETS_REUSED,  /* UDP, that were there for it */
	UPSTREAM_TCP_CONNECTIONS, /* opened for a message */
	UPSTREAM_TCP_REUSED,      /* that were there for it */
	UPSTREAM_PROBES,          /* `. NS`, of a server that is not up */
	UPSTREAM_PROBES_FAILED,
	UPSTREAM_COUNTERS,
};

#define UPSTREAM_RCODES (UPSTREAM_OTHER_RCODE - UPSTREAM_NOERROR + 1)

/* Upper bounds of the histogram: 0.25 ms times 2^i, as CoreDNS has them; one more for the rest. */
#define UPSTREAM_BUCKETS   16
#define UPSTREAM_BUCKET_US 250

struct upstream_stats {
	_Atomic uint64_t counter[UPSTREAM_COUNTERS];
	/* Time from sending to the response, by rcode: how many in each bucket (not cumulative). */
	_Atomic uint64_t latency[UPSTREAM_RCODES][UPSTREAM_BUCKETS + 1];
	_Atomic uint64_t latency_us[UPSTREAM_RCODES]; /* their sums */
	struct stats_long_durations all;              /* whatever the rcode, for Kuma */
	/* Gauges. */
	_Atomic uint32_t srtt_us; /* smoothed round-trip time; 0: unknown */
	_Atomic uint32_t state;   /* enum health_state */
};

static inline void upstream_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static inline void upstream_count(struct upstream_stats *stats, enum upstream_counter counter)
{
	upstream_add(&stats->counter[counter], 1);
}

/* A response, which took so long; `rcode` is one of the counters that are rcodes. */
static inline void upstream_count_response(struct upstream_stats *stats,
					   enum upstream_counter rcode, uint64_t us)
{
	unsigned int bucket = 0, i = rcode - UPSTREAM_NOERROR;

	while (bucket < UPSTREAM_BUCKETS && us > (uint64_t)UPSTREAM_BUCKET_US << bucket)
		bucket++;
	upstream_count(stats, rcode);
	upstream_add(&stats->latency[i][bucket], 1);
	upstream_add(&stats->latency_us[i], us);
	stats_long_duration(&stats->all, (int64_t)us, 1);
}

#endif
