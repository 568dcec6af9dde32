/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer cache: replies of upstreams, kept to be given again. One a worker, so nothing is
 * locked; what a worker does not know another one may. Off unless --cache says how large.
 *
 * What is kept. A reply as it came (keep.h says which, and for how long), but for AA, and with no
 * TTL above what it is kept for when negative, KEEP_MAX_S otherwise. By name without its case,
 * type, class, DO and CD; NXDOMAIN by name alone, for any type. An answer asked for without AD
 * can't say whether it is authentic: it is not given to who would like to know, and makes room for
 * the next that can (RFC 6840 section 5.7). recall.c makes an entry a client's answer, just as
 * forward.c does with a reply.
 *
 * Where. One mapping of fixed size holds all: the heads of the chains, and a ring that entries are
 * written into one behind the other, each in one piece. There is no allocator, so nothing
 * fragments, and --cache is what it says. What the head of the ring meets is the oldest entry: it
 * is evicted, unless it was hit since it was written or last passed: then it is moved to the head
 * and has to prove itself again. That is CLOCK with the ring for a clock. At most SECOND_CHANCES
 * are given for one new entry, so that none waits for the whole ring to be moved. Pages of the
 * mapping are used only when the head first gets there.
 *
 * Chains are by name, so all that is known of a name is found in one walk. A chain has CHAIN_MAX
 * entries at most: whoever makes names up that collide crowds out his own.
 *
 * Stale (RFC 8767). An entry stays for its stale_s beyond its time, and is CACHE_STALE then: to be
 * given only if upstreams fail or are slow. When they did, entry->failed_ms is set, and for
 * CACHE_RECHECK_MS it is CACHE_STALE_NOW: to be given without asking again.
 *
 * Prefetch. A hit that makes an entry hot (keep.h) in the last part of its time, or later, is told
 * apart: CACHE_HIT_HOT, once in CACHE_PREFETCH_MS. The caller asks upstream anew.
 *
 * The clock is the caller's, in ms. An entry pointer is valid until the next call that is not
 * cache_find().
 */
#ifndef MESHDNS_RESOLVER_CACHE_H
#define MESHDNS_RESOLVER_CACHE_H

#include "resolver/keep.h"
#include "resolver/stats_book.h"

#define CACHE_MIN         (256u << 10) /* bytes a worker */
#define CACHE_MAX         ((uint64_t)16 << 30)
#define CACHE_ENTRY_BYTES 256 /* about what an answer takes */
#define CACHE_PREFETCH_MS 5000
#define CACHE_STALE_TTL_S 30
#define CACHE_RECHECK_MS  30000

struct cache_entry {
	uint32_t next; /* in its chain */
	uint32_t hash; /* of the name */
	uint32_t size; /* in the ring, all of it, in CACHE_UNIT */
	uint32_t ttl_s;
	int64_t stored_ms;
	int64_t fetched_ms; /* when it was last told apart as hot; 0: never */
	int64_t failed_ms;  /* when upstreams last failed to better it; 0: never */
	int64_t hit_ms;     /* the last time */
	uint32_t stale_s;   /* for how long it may be given after its time */
	uint32_t hits;
	uint16_t qtype, len, block, page;
	uint8_t name_len;
	uint8_t kind;      /* enum keep_kind; KEEP_NOT: dead, room to be taken */
	uint8_t bits;      /* DO, CD; whether AD was asked for, and whether TTLs stay */
	bool visited;      /* hit since the head last passed */
	uint8_t message[]; /* its question is the name */
};

enum cache_result {
	CACHE_MISS,
	CACHE_HIT,
	CACHE_HIT_HOT,
	CACHE_STALE,
	CACHE_STALE_NOW,
};

struct cache;

/* `size` bytes, CACHE_MIN at least, all told; NULL when out of memory. It counts in the sheets. */
struct cache *cache_new(uint64_t size, const struct stats_sheets *sheets);
void cache_free(struct cache *cache);

/* What is known. Counts as a hit if it is one. */
enum cache_result cache_find(struct cache *cache, const struct query *query,
			     const struct keep_bounds *bounds, int64_t now_ms,
			     struct cache_entry **ret_entry);

/* Likewise only if stale may be served, however old within that. NULL: there is nothing. */
struct cache_entry *cache_find_stale(struct cache *cache, const struct query *query,
				     int64_t now_ms);

/* Keeps a whole reply if it may be kept; what was there of the same makes way. */
void cache_store(struct cache *cache, const struct query *query, const struct keep_bounds *bounds,
		 const uint8_t *reply, size_t len, int64_t now_ms);

/* The entry's message, its TTLs of now, to `ret_message` of DNS_MESSAGE_MAX; returns its length. */
size_t cache_copy(const struct cache_entry *entry, const struct query *query, int64_t now_ms,
		  bool stale, uint8_t *ret_message);

/* Forgets all; what is known of one name, in lower-cased wire form. */
void cache_flush(struct cache *cache);
void cache_flush_name(struct cache *cache, const uint8_t *name, size_t len);

#endif
