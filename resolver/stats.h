/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker counts, in the shape that metrics.c prints: of questions on the pages of a book
 * (stats_book.h), of everything else in a struct stats.
 *
 * A worker is the only writer of its counters, so that counting is a plain load, add and store on
 * cache lines nobody else writes: no locked instruction, no sharing. The control thread reads while
 * they are written; a counter is never torn, but two of them may be a query apart. All are of one
 * type, so that the workers' are added up by one loop.
 *
 * The clock is not read for a query: durations of local answers are taken for a round of them
 * (worker.c), those of forwarded ones from the wake-ups that brought question and answer.
 */
#ifndef MESHDNS_RESOLVER_STATS_H
#define MESHDNS_RESOLVER_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who wrote an answer: what CoreDNS calls the plugin. */
enum stats_writer {
	STATS_SERVER,  /* "": an error of our own making */
	STATS_MESH,    /* the mesh table, or what is known about this server */
	STATS_FORWARD, /* an upstream */
	STATS_CACHE,   /* an upstream, earlier */
	STATS_ANY,     /* and the directives of a Corefile that answer by themselves */
	STATS_TEMPLATE,
	STATS_HOSTS,
	STATS_WRITERS,
};

enum stats_drop {
	STATS_DROP_MALFORMED, /* shorter than a header, or a response */
	STATS_DROP_ACCESS,    /* who may not ask, and was told so often enough */
	STATS_DROP_RATE,      /* who asks too much */
	STATS_DROPS,
};

enum {
	STATS_TYPES = 20,  /* stats_type_names[]; 0 is "other" */
	STATS_RCODES = 25, /* 0 to 23, and one for the rest */
	STATS_DURATIONS = 17,
	STATS_LONG_DURATIONS = 12,
	STATS_SIZES = 15,
};

typedef _Atomic uint64_t stats_counter;

/* How often each value was in which bucket (not cumulative), and their sum. */
struct stats_durations {
	stats_counter bucket[STATS_DURATIONS]; /* up to 250 us << index, the last for the rest */
	stats_counter sum_us;
};

/* Likewise in the buckets that Prometheus' libraries have unless told otherwise. */
struct stats_long_durations {
	stats_counter bucket[STATS_LONG_DURATIONS]; /* up to stats_long_limits[index] seconds */
	stats_counter sum_us;
};

struct stats_sizes {
	stats_counter bucket[STATS_SIZES]; /* up to stats_size_limits[index], then the rest */
	stats_counter sum;
};

/* The answer cache; indices: is_denial. */
struct stats_cache {
	stats_counter entries[2]; /* now */
	stats_counter hits[2], evictions[2];
	stats_counter misses, stale, prefetches;
	stats_counter drops; /* answers that may not be kept */
};

/* What `template` did, by the type asked for. */
struct stats_templates {
	stats_counter matches[STATS_TYPES];
	/* On the page of a record: */
	stats_counter unrendered[STATS_TYPES]; /* its template could not be run */
	stats_counter malformed[STATS_TYPES];  /* what that gave is no record */
};

/* Of questions. Indices: is_tcp; is_ipv6. */
struct stats_tally {
	stats_counter requests[2][2][STATS_TYPES];
	stats_counter responses[STATS_WRITERS][STATS_RCODES];
	struct stats_sizes request_size[2], response_size[2];
	struct stats_durations duration;
	/* Answers as Kuma counts them: [from upstream], and for A, AAAA or another type. */
	stats_counter by_source[2][3];
	stats_counter do_requests;
	struct stats_cache cache;
	struct stats_templates templates;
};

/* Of a worker. */
struct stats {
	stats_counter drops[STATS_DROPS];
	stats_counter in_flight; /* now: questions that wait for an upstream */
	stats_counter loops;     /* own questions that came back */
	stats_counter rejects;   /* more at a time than --max-concurrent: SERVFAIL */
	stats_counter all_down; /* questions for which no server was up, and one was asked anyway */
	stats_counter tcp_clients;            /* now */
	struct stats_long_durations duration; /* of all questions, for Kuma */
};

extern const char *const stats_type_names[STATS_TYPES];
/* "AAAA", "TYPE65280". */
void stats_type_text(uint16_t qtype, char ret_text[16]);

/* The number of "A", "TYPE65280" or any case of them; -1 for none. */
int stats_type_number(const char *text);

extern const uint16_t stats_size_limits[STATS_SIZES - 1];
extern const double stats_long_limits[STATS_LONG_DURATIONS - 1];

static inline void stats_add(stats_counter *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void stats_set(stats_counter *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint64_t stats_get(const stats_counter *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* A query of `len` octets came in. */
void stats_request(struct stats_tally *tally, bool is_tcp, bool is_ipv6, uint16_t qtype,
		   bool dnssec_ok, size_t len);

/* It, for `qtype`, was answered, in `len` octets. */
void stats_response(struct stats_tally *tally, bool is_tcp, uint16_t qtype,
		    enum stats_writer writer, unsigned int rcode, size_t len);

/* The index of a type. */
size_t stats_type_index(uint16_t qtype);

/* `n` of them took so long. */
void stats_duration(struct stats_durations *durations, int64_t us, uint64_t n);
void stats_long_duration(struct stats_long_durations *durations, int64_t us, uint64_t n);

/* Adds `more` to `sum`. */
void stats_sum(struct stats *sum, const struct stats *more);
void stats_sum_tally(struct stats_tally *sum, const struct stats_tally *more);
void stats_sum_long(struct stats_long_durations *sum, const struct stats_long_durations *more);

#endif
