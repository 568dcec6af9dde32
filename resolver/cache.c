/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/cache.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "resolver/random.h"

#define UNIT           8   /* the ring's: entries begin at multiples of it */
#define BYTES_A_BUCKET 256 /* about what an answer takes */
#define CHAIN_MAX      32
#define SECOND_CHANCES 16

enum { BIT_DO = 1, BIT_CD = 2, BIT_AD = 4, BIT_TTL = 8, BITS_KEY = BIT_DO | BIT_CD };

struct cache {
	size_t mapped; /* of this struct and all that is behind it */
	struct stats_sheets sheets;
	uint32_t seed;
	uint32_t mask;     /* of buckets */
	uint32_t *buckets; /* 1 and the unit of the first in the chain; 0: none */
	uint8_t *ring;
	/* Units. Entries are from `tail` to `head`; if `wrapped`, to `wrap` and from 0 to `head`.
	 */
	uint32_t size, head, tail, wrap;
	bool wrapped;
};

struct cache *cache_new(uint64_t size, const struct stats_sheets *sheets)
{
	uint32_t buckets = 1;
	struct random random = {.left = 0};
	struct cache *c;
	size_t ahead;
	void *mapping;

	while ((uint64_t)buckets * 2 * BYTES_A_BUCKET <= size)
		buckets *= 2;
	mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED)
		return NULL;
	c = mapping;
	ahead = (sizeof(*c) + buckets * sizeof(*c->buckets) + UNIT - 1) / UNIT * UNIT;
	*c = (struct cache){
		.mapped = size,
		.sheets = *sheets,
		.seed = (uint32_t)random_u16(&random) << 16 | random_u16(&random),
		.mask = buckets - 1,
		.buckets = (void *)(c + 1),
		.ring = (uint8_t *)mapping + ahead,
		.size = (uint32_t)((size - ahead) / UNIT),
	};
	return c;
}

void cache_free(struct cache *cache)
{
	if (cache)
		munmap(cache, cache->mapped);
}

/* --- chains ----------------------------------------------------------------------------------- */

static struct cache_entry *at(const struct cache *c, uint32_t unit)
{
	return (struct cache_entry *)(void *)(c->ring + (size_t)unit * UNIT);
}

static uint32_t unit_of(const struct cache *c, const struct cache_entry *e)
{
	return (uint32_t)((size_t)((const uint8_t *)e - c->ring) / UNIT);
}

static uint32_t hash_of(const struct cache *c, const uint8_t *name, size_t len)
{
	uint32_t hash = (wire_name_hash(name, len) ^ c->seed) * 0x9e3779b1u;

	return hash ^ hash >> 15;
}

static uint32_t *bucket_of(struct cache *c, uint32_t hash)
{
	return &c->buckets[hash & c->mask];
}

static bool is_denial(const struct cache_entry *e)
{
	return e->kind != KEEP_ANSWER;
}

static struct stats_cache *counters(const struct cache *c, uint16_t page)
{
	return &stats_sheet(&c->sheets, page)->tally.cache;
}

/* The link that points to it. */
static uint32_t *link_to(struct cache *c, const struct cache_entry *e)
{
	uint32_t *link = bucket_of(c, e->hash), unit = unit_of(c, e) + 1;

	while (*link != unit)
		link = &at(c, *link - 1)->next;
	return link;
}

/* Its room is the ring's again when the head gets there. */
static void drop(struct cache *c, struct cache_entry *e)
{
	*link_to(c, e) = e->next;
	stats_add(&counters(c, e->page)->entries[is_denial(e)], (uint64_t)-1);
	e->kind = KEEP_NOT;
}

static void evict(struct cache *c, struct cache_entry *e)
{
	stats_add(&counters(c, e->page)->evictions[is_denial(e)], 1);
	drop(c, e);
}

static bool is_of(const struct cache_entry *e, uint32_t hash, const uint8_t *name, size_t len)
{
	return e->hash == hash && e->name_len == len &&
	       wire_name_equal(e->message + DNS_HEADER_LEN, name, len);
}

/* --- the ring ----------------------------------------------------------------------------------
 */

/* No use at all, not even as something stale. */
static bool is_over(const struct cache_entry *e, int64_t now_ms)
{
	return now_ms >= e->stored_ms + ((int64_t)e->ttl_s + e->stale_s) * 1000;
}

/* Passes the oldest entry: it is gone, or at the head again. */
static void pass(struct cache *c, int64_t now_ms, int *chances)
{
	struct cache_entry *e = at(c, c->tail);
	uint32_t size = e->size;

	if (e->kind != KEEP_NOT && e->visited && !is_over(e, now_ms) && *chances > 0) {
		--*chances;
		e->visited = false;
		*link_to(c, e) = c->head + 1;
		memmove(at(c, c->head), e, (size_t)size * UNIT);
		c->head += size;
	} else if (e->kind != KEEP_NOT) {
		evict(c, e);
	}
	c->tail += size;
	if (c->tail == c->wrap) {
		c->tail = 0;
		c->wrapped = false;
	}
}

/* Room for so many units at the head. */
static struct cache_entry *make_room(struct cache *c, uint32_t size, int64_t now_ms)
{
	int chances = SECOND_CHANCES;
	struct cache_entry *e;

	while (c->wrapped ? c->tail - c->head < size : c->size - c->head < size) {
		if (c->wrapped) {
			pass(c, now_ms, &chances);
			continue;
		}
		c->wrap = c->head;
		c->head = 0;
		c->wrapped = true;
	}
	e = at(c, c->head);
	c->head += size;
	return e;
}

/* --- what is known -----------------------------------------------------------------------------
 */

static uint8_t bits_of(const struct query *q)
{
	return (uint8_t)((q->edns.dnssec_ok ? BIT_DO : 0) | (q->flags & DNS_FLAG_CD ? BIT_CD : 0) |
			 (q->flags & DNS_FLAG_AD || q->edns.dnssec_ok ? BIT_AD : 0));
}

/* Whether it is an answer to this question, if only a stale one. */
static bool answers(const struct cache_entry *e, uint8_t bits, uint16_t qtype)
{
	return !((e->bits ^ bits) & BITS_KEY) && (e->qtype == qtype || e->kind == KEEP_NXNAME) &&
	       (e->bits & BIT_AD || !(bits & BIT_AD));
}

/* The newest that answers. */
static struct cache_entry *find(struct cache *c, const struct query *q, int64_t now_ms)
{
	uint32_t hash = hash_of(c, q->qname, q->qname_len);
	struct cache_entry *e, *best = NULL;
	uint8_t bits = bits_of(q);

	for (uint32_t unit = *bucket_of(c, hash); unit; unit = e->next) {
		e = at(c, unit - 1);
		if (is_of(e, hash, q->qname, q->qname_len) && e->block == q->block &&
		    answers(e, bits, q->qtype) && !is_over(e, now_ms) &&
		    (!best || e->stored_ms > best->stored_ms))
			best = e;
	}
	return best;
}

static enum cache_result hit(struct cache_entry *e, const struct keep_bounds *bounds,
			     int64_t now_ms)
{
	int64_t ttl_ms = (int64_t)e->ttl_s * 1000, left_ms = e->stored_ms + ttl_ms - now_ms;
	bool hot;

	if (now_ms - e->hit_ms > bounds->hot_gap_ms && bounds->hot_gap_ms != KEEP_FOR_EVER)
		e->hits = 0;
	e->hit_ms = now_ms;
	e->hits += e->hits < UINT32_MAX;
	e->visited = true;
	hot = bounds->hot && e->hits >= bounds->hot &&
	      left_ms <= ttl_ms * bounds->hot_percent / 100 && e->kind != KEEP_FAILURE;
	if (!hot || (e->fetched_ms && now_ms - e->fetched_ms < CACHE_PREFETCH_MS))
		return CACHE_HIT;
	e->fetched_ms = now_ms;
	return CACHE_HIT_HOT;
}

enum cache_result cache_find(struct cache *cache, const struct query *query,
			     const struct keep_bounds *bounds, int64_t now_ms,
			     struct cache_entry **ret_entry)
{
	struct cache_entry *e = *ret_entry = find(cache, query, now_ms);
	struct stats_cache *count = counters(cache, query->page);

	if (e && now_ms < e->stored_ms + (int64_t)e->ttl_s * 1000) {
		stats_add(&count->hits[is_denial(e)], 1);
		return hit(e, bounds, now_ms);
	}
	stats_add(&count->misses, 1);
	if (!e || e->kind == KEEP_FAILURE)
		return CACHE_MISS;
	e->visited = true;
	if (e->failed_ms && now_ms - e->failed_ms < CACHE_RECHECK_MS)
		return CACHE_STALE_NOW;
	return CACHE_STALE;
}

struct cache_entry *cache_find_stale(struct cache *cache, const struct query *query, int64_t now_ms)
{
	struct cache_entry *e = find(cache, query, now_ms);

	return e && e->stale_s && e->kind != KEEP_FAILURE ? e : NULL;
}

/* It fails again, and has not done otherwise for longer than it was not asked. */
static bool still_fails(const struct cache_entry *old, const struct cache_entry *fresh)
{
	return old->kind == KEEP_FAILURE && fresh->kind == KEEP_FAILURE &&
	       old->qtype == fresh->qtype &&
	       fresh->stored_ms < old->stored_ms + (int64_t)old->ttl_s * 2000;
}

/* How long a failure that lasts is kept: twice as long as before, within bounds. */
static uint32_t longer_than(const struct cache_entry *old)
{
	return old->ttl_s < KEEP_FAILURE_MAX_S / 2 ? old->ttl_s * 2 : KEEP_FAILURE_MAX_S;
}

/* What the new one is to be in the place of; the oldest too if the chain has grown too long. */
static void make_way(struct cache *c, struct cache_entry *new, const uint8_t *name)
{
	struct cache_entry *e, *last = NULL;
	uint32_t next;
	int n = 0;

	for (uint32_t unit = *bucket_of(c, new->hash); unit; unit = next) {
		e = at(c, unit - 1);
		next = e->next;
		if (is_of(e, new->hash, name, new->name_len) && e->block == new->block &&
		    !((e->bits ^ new->bits) & BITS_KEY) &&
		    (e->qtype == new->qtype || e->kind == KEEP_NXNAME ||
		     new->kind == KEEP_NXNAME)) {
			if (still_fails(e, new) && new->ttl_s < longer_than(e))
				new->ttl_s = longer_than(e);
			drop(c, e);
			continue;
		}
		last = e;
		n++;
	}
	if (n >= CHAIN_MAX)
		evict(c, last); /* new ones come first */
}

/* How long it may be kept; 0: not at all. */
static uint32_t bounded(const struct keep_bounds *bounds, enum keep_kind kind, uint32_t ttl_s)
{
	bool is_denial = kind != KEEP_ANSWER;

	if (kind == KEEP_FAILURE)
		return bounds->failure_s;
	if (kind == KEEP_NOT || bounds->off[is_denial])
		return 0;
	if (ttl_s < bounds->min_s[is_denial])
		return bounds->min_s[is_denial];
	return ttl_s > bounds->max_s[is_denial] ? bounds->max_s[is_denial] : ttl_s;
}

void cache_store(struct cache *cache, const struct query *query, const struct keep_bounds *bounds,
		 const uint8_t *reply, size_t len, int64_t now_ms)
{
	uint32_t size = (uint32_t)((sizeof(struct cache_entry) + len + UNIT - 1) / UNIT), ttl_s = 0;
	enum keep_kind kind = keep_judge(query, (uint8_t *)reply, len, &ttl_s);
	struct cache_entry new = {
		.hash = hash_of(cache, query->qname, query->qname_len),
		.size = size,
		.ttl_s = ttl_s = bounded(bounds, kind, ttl_s),
		.stored_ms = now_ms,
		.stale_s = kind == KEEP_FAILURE ? 0 : bounds->stale_s,
		.qtype = query->qtype,
		.len = (uint16_t)len,
		.name_len = query->qname_len,
		.kind = (uint8_t)kind,
		.bits = (uint8_t)(bits_of(query) | (bounds->keep_ttl ? BIT_TTL : 0)),
		.block = query->block,
		.page = query->page,
	};
	struct cache_entry *e;

	if (!ttl_s || len > DNS_MESSAGE_MAX || size > cache->size / 8) {
		stats_add(&counters(cache, query->page)->drops, 1);
		return;
	}
	/* A failure is no reason to forget what may yet be of use. */
	if (kind == KEEP_FAILURE && cache_find_stale(cache, query, now_ms))
		return;
	make_way(cache, &new, query->qname);
	e = make_room(cache, size, now_ms);
	new.next = *bucket_of(cache, new.hash);
	*e = new;
	*bucket_of(cache, new.hash) = unit_of(cache, e) + 1;
	memcpy(e->message, reply, len);
	e->message[2] &= (uint8_t) ~(DNS_FLAG_AA >> 8);
	keep_age(query, e->message, len, 0, bounds->min_s[is_denial(e)],
		 is_denial(e) ? ttl_s : bounds->max_s[0]);
	stats_add(&counters(cache, e->page)->entries[is_denial(e)], 1);
}

size_t cache_copy(const struct cache_entry *entry, const struct query *query, int64_t now_ms,
		  bool stale, uint8_t *ret_message)
{
	int64_t age_ms = entry->bits & BIT_TTL ? 0 : now_ms - entry->stored_ms;

	memcpy(ret_message, entry->message, entry->len);
	if (stale)
		keep_age(query, ret_message, entry->len, 0, CACHE_STALE_TTL_S, CACHE_STALE_TTL_S);
	else
		keep_age(query, ret_message, entry->len, (uint32_t)(age_ms / 1000), 0, KEEP_MAX_S);
	return entry->len;
}

void cache_flush(struct cache *cache)
{
	memset(cache->buckets, 0, (cache->mask + (size_t)1) * sizeof(*cache->buckets));
	cache->head = cache->tail = cache->wrap = 0;
	cache->wrapped = false;
	for (size_t page = 0; page < cache->sheets.book->n_pages; page++) {
		stats_set(&counters(cache, (uint16_t)page)->entries[0], 0);
		stats_set(&counters(cache, (uint16_t)page)->entries[1], 0);
	}
}

void cache_flush_name(struct cache *cache, const uint8_t *name, size_t len)
{
	uint32_t hash = hash_of(cache, name, len), next;

	for (uint32_t unit = *bucket_of(cache, hash); unit; unit = next) {
		struct cache_entry *e = at(cache, unit - 1);

		next = e->next;
		if (is_of(e, hash, name, len))
			drop(cache, e);
	}
}
