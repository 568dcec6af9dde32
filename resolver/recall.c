/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/recall.h"

#include <stdlib.h>

#include "resolver/cache.h"
#include "resolver/forward.h"
#include "resolver/reply.h"
#include "resolver/service.h"

struct recall {
	struct cache *cache;
	const struct recall_flush *flush;
	uint32_t flushed;                                /* the generation that was obeyed last */
	uint8_t message[DNS_MESSAGE_MAX + REPLY_GROWTH]; /* the answer in hand */
};

bool recall_new(const struct worker_config *config, const struct stats_sheets *sheets,
		struct recall **ret_recall)
{
	struct recall *r;

	*ret_recall = NULL;
	if (!config->cache_size)
		return true;
	if (!(r = calloc(1, sizeof(*r))))
		return false;
	/* What is not the cache's own is part of its size, too. */
	r->cache = cache_new(config->cache_size - sizeof(*r), sheets);
	r->flush = config->flush;
	*ret_recall = r;
	return r->cache;
}

void recall_free(struct recall *recall)
{
	if (recall)
		cache_free(recall->cache);
	free(recall);
}

/* --- flushing ----------------------------------------------------------------------------------
 */

void recall_order_flush(struct recall_flush *flush, const uint8_t *name, size_t len)
{
	uint64_t words[sizeof(flush->name) / sizeof(uint64_t)] = {0};
	uint32_t generation = atomic_load_explicit(&flush->generation, memory_order_relaxed);

	if (len)
		memcpy(words, name, len);
	atomic_store_explicit(&flush->generation, generation + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		atomic_store_explicit(&flush->name[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&flush->name_len, (uint32_t)len, memory_order_relaxed);
	atomic_store_explicit(&flush->generation, generation + 2, memory_order_release);
}

void recall_round(struct recall *recall)
{
	const struct recall_flush *flush = recall->flush;
	uint32_t generation = atomic_load_explicit(&flush->generation, memory_order_acquire);
	uint64_t words[sizeof(flush->name) / sizeof(uint64_t)];
	uint32_t len;
	bool is_whole;

	if (generation == recall->flushed || generation & 1)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = atomic_load_explicit(&flush->name[i], memory_order_relaxed);
	len = atomic_load_explicit(&flush->name_len, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	is_whole = generation == recall->flushed + 2 &&
		   generation == atomic_load_explicit(&flush->generation, memory_order_relaxed);
	recall->flushed = generation;
	if (is_whole && len)
		cache_flush_name(recall->cache, (const uint8_t *)words, len);
	else
		cache_flush(recall->cache);
}

uint32_t recall_epoch(const struct recall *recall)
{
	return recall->flushed;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static struct stats_cache *counters(const struct worker *worker, const struct query *query)
{
	return &stats_sheet(&worker->sheets, query->page)->tally.cache;
}

/* Makes the entry this client's answer, in recall->message. */
static size_t compose(const struct worker *worker, const struct cache_entry *entry, bool stale,
		      const struct query *own, const uint8_t *question, bool shadowed, size_t limit)
{
	uint8_t *message = worker->recall->message;
	size_t len = cache_copy(entry, own, worker->now_ms, stale, message);

	len = reply_cleanse(own, message, len);
	if (len > limit)
		len = reply_truncate(own, message, len, limit);
	return reply_restore(own, question, shadowed, message, len);
}

bool recall_takes(const struct worker *worker, const struct block *block, const struct query *query)
{
	return worker->recall && block->has_cache &&
	       service_caches(block, query->qname, query->qname_len) && keep_takes(query);
}

/* Likewise, over the question in `packet`. */
static size_t compose_over(const struct worker *worker, const struct cache_entry *entry, bool stale,
			   const struct query *query, uint8_t *packet,
			   enum resolve_transport transport, bool shadowed)
{
	size_t limit = transport == RESOLVE_TCP ? DNS_MESSAGE_MAX : query_udp_limit(query);
	size_t len = compose(worker, entry, stale, query, packet + DNS_HEADER_LEN, shadowed, limit);

	if (stale)
		stats_add(&counters(worker, query)->stale, 1);
	memcpy(packet, worker->recall->message, len);
	return len;
}

bool recall_answer(struct worker *worker, const struct block *block, const struct query *query,
		   uint8_t *packet, enum resolve_transport transport, bool shadowed,
		   size_t *ret_len)
{
	struct keep_bounds bounds = service_keep_bounds(block, query->qname, query->qname_len);
	struct recall *r = worker->recall;
	struct query refresh;
	struct cache_entry *entry;
	enum cache_result result;

	result = cache_find(r->cache, query, &bounds, worker->now_ms, &entry);
	if (result == CACHE_MISS || (result == CACHE_STALE && bounds.patience_ms))
		return false;
	*ret_len = compose_over(worker, entry, result == CACHE_STALE || result == CACHE_STALE_NOW,
				query, packet, transport, shadowed);
	if (result != CACHE_HIT_HOT && result != CACHE_STALE)
		return true;
	refresh = *query;
	refresh.edns.options_len = 0; /* they were in the packet; none of them goes upstream */
	if (forward_refresh(worker, packet, &refresh, block))
		stats_add(&counters(worker, query)->prefetches, 1);
	return true;
}

bool recall_rescue(struct worker *worker, const struct query *query, uint8_t *packet,
		   enum resolve_transport transport, bool shadowed, size_t *ret_len)
{
	struct cache_entry *entry;

	if (!(entry = cache_find_stale(worker->recall->cache, query, worker->now_ms)))
		return false;
	entry->failed_ms = worker->now_ms;
	*ret_len = compose_over(worker, entry, true, query, packet, transport, shadowed);
	return true;
}

void recall_keep(struct worker *worker, const struct block *block, const struct query *query,
		 const uint8_t *reply, size_t len)
{
	const struct keep_bounds bounds =
		service_keep_bounds(block, query->qname, query->qname_len);

	cache_store(worker->recall->cache, query, &bounds, reply, len, worker->now_ms);
}

bool recall_has_stale(struct worker *worker, const struct query *query)
{
	return cache_find_stale(worker->recall->cache, query, worker->now_ms);
}

void recall_failed(struct worker *worker, const struct query *query)
{
	struct cache_entry *entry = cache_find_stale(worker->recall->cache, query, worker->now_ms);

	if (entry)
		entry->failed_ms = worker->now_ms;
}

const uint8_t *recall_stale(struct worker *worker, const struct query *query,
			    const struct query *own, const uint8_t *question, bool shadowed,
			    size_t limit, size_t *ret_len)
{
	struct recall *r = worker->recall;
	struct cache_entry *entry = cache_find_stale(r->cache, query, worker->now_ms);

	if (!entry)
		return NULL;
	stats_add(&counters(worker, own)->stale, 1);
	*ret_len = compose(worker, entry, true, own, question, shadowed, limit);
	return r->message;
}
