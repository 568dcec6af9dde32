/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache between the clients and the upstream engine: a client's question answered from it
 * (recall_answer(), before forward_start() is called), what upstreams answer put into it
 * (recall_keep()), and what is out of date given when they fail or are slow (recall_stale()).
 *
 * An answer from the cache is made by what a forwarded one is made by, reply.h, so that a client
 * can tell them apart by nothing but the TTLs and AA. Only it is never longer over UDP than what is
 * answered here otherwise (query_udp_limit()).
 */
#ifndef MESHDNS_RESOLVER_RECALL_H
#define MESHDNS_RESOLVER_RECALL_H

#include "resolver/worker.h"

/*
 * What is to be forgotten, from the control thread to all workers. Each looks at the beginning of a
 * round, before it answers anything. The name of the last order but one may be overwritten by
 * then: who missed an order forgets all. Starts zeroed.
 */
struct recall_flush {
	_Atomic uint32_t generation; /* odd: being written */
	_Atomic uint32_t name_len;   /* 0: all */
	_Atomic uint64_t name[(DNS_NAME_MAX + 1) / sizeof(uint64_t)];
};

/* `len` 0: all; else all types of this name, in lower-cased wire form. */
void recall_order_flush(struct recall_flush *flush, const uint8_t *name, size_t len);

struct recall;

/* False: out of memory. *ret_recall is NULL when config has no cache. */
bool recall_new(const struct worker_config *config, const struct stats_sheets *sheets,
		struct recall **ret_recall);
void recall_free(struct recall *recall);

/* Does what recall_order_flush() said. */
void recall_round(struct recall *recall);

/*
 * True: the packet is the answer now, and *ret_len its length. If the name is wanted often and its
 * time is almost over, upstream is asked.
 */
bool recall_answer(struct worker *worker, const struct block *block, const struct query *query,
		   uint8_t *packet, enum resolve_transport transport, bool shadowed,
		   size_t *ret_len);

/* Likewise when it could not even be sent upstream: something stale, if there is any. */
bool recall_rescue(struct worker *worker, const struct query *query, uint8_t *packet,
		   enum resolve_transport transport, bool shadowed, size_t *ret_len);

/* Whether the question's answer is for the cache; `query`'s packet must be there. Of a question for
 * which it is not nothing else may be called. */
bool recall_takes(const struct worker *worker, const struct block *block,
		  const struct query *query);

/* Counts the times that anything was forgotten. */
uint32_t recall_epoch(const struct recall *recall);

/* Keeps a reply as it came, if it may be kept. */
void recall_keep(struct worker *worker, const struct block *block, const struct query *query,
		 const uint8_t *reply, size_t len);

/* Something stale is there, to be given when the upstreams take too long. */
bool recall_has_stale(struct worker *worker, const struct query *query);

/* Upstreams did not do better: for a while they need not be asked before it is given. */
void recall_failed(struct worker *worker, const struct query *query);

/*
 * The stale answer to `query` as `own` is to get it, which asked the same in its own way; NULL:
 * there is none any more. Valid until the next call.
 */
const uint8_t *recall_stale(struct worker *worker, const struct query *query,
			    const struct query *own, const uint8_t *question, bool shadowed,
			    size_t limit, size_t *ret_len);

#endif
