/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/answer.h"
#include "resolver/corefile/rewrite_apply.h"
#include "resolver/forward_parts.h"
#include "resolver/recall.h"

struct waiter *waiter_new(struct worker *worker)
{
	struct forward *f = worker->forward;
	struct waiter *waiter = f->free_waiters;

	if (waiter)
		f->free_waiters = waiter->next;
	else if (f->n_waiters < worker->config->max_concurrent)
		waiter = &f->waiters[f->n_waiters++];
	return waiter;
}

void waiter_release(struct forward *f, struct waiter *waiter)
{
	waiter->next = f->free_waiters;
	f->free_waiters = waiter;
}

void waiter_add(struct worker *worker, struct txn *txn, struct waiter *waiter,
		const struct client *client, const uint8_t *packet, const struct query *query,
		bool shadowed)
{
	const struct chain *chain = &worker->chain;

	waiter->client = *client;
	waiter->shadowed = shadowed;
	waiter->has_edns = query->edns.present;
	waiter->dnssec_ok = query->edns.dnssec_ok;
	waiter->udp_size = query->edns.udp_size;
	waiter->keepalive_ds = query->edns.keepalive_ds;
	waiter->id = query->id;
	waiter->flags = query->flags;
	waiter->rewritten = txn->block->has_steps && chain->is_rewritten;
	waiter->question_len = waiter->rewritten ? chain->asked.question_len : query->question_len;
	memcpy(waiter->question, waiter->rewritten ? chain->question : packet + DNS_HEADER_LEN,
	       waiter->question_len);
	waiter->next = txn->waiters;
	txn->waiters = waiter;
}

/* The question as this client asked it. */
static struct query query_of(const struct query *asked, const struct waiter *waiter)
{
	return (struct query){
		.id = waiter->id,
		.flags = waiter->flags,
		.qtype = asked->qtype,
		.question_len = waiter->question_len,
		.verbatim = asked->verbatim,
		.block = asked->block,
		.edns = {.present = waiter->has_edns,
			 .dnssec_ok = waiter->dnssec_ok,
			 .udp_size = waiter->udp_size,
			 .keepalive_ds = waiter->keepalive_ds},
	};
}

/* What the client said it takes over UDP, which may be more than we would send of our own. */
static size_t client_limit(const struct waiter *waiter, const struct query *query)
{
	size_t size = query->edns.present ? query->edns.udp_size : 0;

	if (waiter->client.is_tcp || query->question_len == 0)
		return DNS_MESSAGE_MAX;
	return size < DNS_UDP_MIN_SIZE ? DNS_UDP_MIN_SIZE : size;
}

/* Gives a client an answer without records. */
static void answer_empty(struct worker *worker, const struct waiter *waiter,
			 const struct query *asked, int upstream, bool truncated,
			 enum dns_rcode rcode)
{
	struct query query = query_of(asked, waiter);
	uint8_t packet[DNS_UDP_MIN_SIZE];
	struct wire w = wire_over(packet, sizeof(packet));
	size_t len;

	wire_take(&w, DNS_HEADER_LEN);
	wire_put_bytes(&w, waiter->question, query.question_len);
	len = truncated ? answer_truncated(&query, packet, sizeof(packet))
			: answer_error(&query, packet, sizeof(packet), rcode);
	worker_reply(worker, &waiter->client, &query, upstream, packet, len);
}

void waiters_error(struct worker *worker, struct txn *txn, bool truncated, enum dns_rcode rcode)
{
	struct waiter *waiter;

	while ((waiter = txn->waiters)) {
		answer_empty(worker, waiter, &txn->query, txn->answered_by, truncated, rcode);
		txn->waiters = waiter->next;
		waiter_release(worker->forward, waiter);
	}
}

/*
 * Makes an answer to what was asked upstream, of *len octets, one to what the client asked before
 * that was rewritten. NULL: it can't be.
 */
static uint8_t *rewrite_back(struct worker *worker, const struct txn *txn,
			     const struct waiter *waiter, uint8_t *answer, size_t *len)
{
	const struct rewrite_context context = {txn->block->corefile->rewrite,
						&worker->chain.scratch};
	struct query asked = query_of(&txn->query, waiter);
	struct wire w = wire_over((uint8_t *)waiter->question, waiter->question_len);
	uint8_t *out = worker->forward->scratch;
	struct err err;

	asked.qname_len = (uint8_t)wire_get_name(&w, asked.qname);
	wire_name_fold(asked.qname, asked.qname_len);
	asked.qtype = wire_get_u16(&w);
	asked.qclass = wire_get_u16(&w);
	*len = rewrite_answer(&context, &asked, waiter->question, answer, *len, out,
			      client_limit(waiter, &asked), &err);
	return *len ? out : NULL;
}

/* The question as it was asked upstream, as far as the client's answer depends on that. */
static struct query forwarded_of(const struct txn *txn, const struct waiter *waiter)
{
	struct query query = query_of(&txn->query, waiter);

	query.question_len = txn->query.question_len;
	return query;
}

/* What stands in the question of the answer before it is the client's. */
static const uint8_t *question_of(const struct txn *txn, const struct waiter *waiter)
{
	return waiter->rewritten ? txn->out.packet + DNS_HEADER_LEN : waiter->question;
}

/* The reply in hand as the client's own. NULL: there is none. */
static uint8_t *own_answer(struct worker *worker, const struct txn *txn,
			   const struct waiter *waiter, size_t *len)
{
	struct forward *f = worker->forward;
	struct query query = forwarded_of(txn, waiter);
	size_t limit = client_limit(waiter, &query);
	uint8_t *own = f->reply;

	if (*len > limit && !waiter->rewritten) {
		own = memcpy(f->scratch, f->reply, *len);
		*len = reply_truncate(&query, own, *len, limit);
	}
	reply_restore(&query, question_of(txn, waiter), waiter->shadowed, own, *len);
	if (txn->block->rotates)
		reply_rotate(&query, own, *len, resolve_turn(&worker->context));
	return waiter->rewritten ? rewrite_back(worker, txn, waiter, own, len) : own;
}

void waiters_answer(struct worker *worker, struct txn *txn, size_t len)
{
	struct waiter *waiter;

	while ((waiter = txn->waiters)) {
		struct query query = query_of(&txn->query, waiter);
		size_t own_len = len;
		const uint8_t *own = own_answer(worker, txn, waiter, &own_len);

		if (own)
			worker_reply(worker, &waiter->client, &query, txn->answered_by, own,
				     own_len);
		else
			answer_empty(worker, waiter, &txn->query, -1, false, DNS_RCODE_SERVFAIL);
		txn->waiters = waiter->next;
		waiter_release(worker->forward, waiter);
	}
}

void waiters_stale(struct worker *worker, struct txn *txn)
{
	struct waiter *waiter = txn->waiters, *next;
	struct query query = txn->query;

	if (!txn->for_cache || !recall_has_stale(worker, &query))
		return;
	txn->waiters = NULL;
	for (; waiter; waiter = next) {
		struct query own = query_of(&query, waiter), asked = forwarded_of(txn, waiter);
		size_t len;
		uint8_t *answer = (uint8_t *)recall_stale(
			worker, &query, &asked, question_of(txn, waiter), waiter->shadowed,
			waiter->rewritten ? DNS_MESSAGE_MAX : client_limit(waiter, &own), &len);

		if (answer && waiter->rewritten)
			answer = rewrite_back(worker, txn, waiter, answer, &len);
		next = waiter->next;
		if (answer)
			worker_reply(worker, &waiter->client, &own, WORKER_CACHED, answer, len);
		else
			answer_empty(worker, waiter, &query, -1, false, DNS_RCODE_SERVFAIL);
		waiter_release(worker->forward, waiter);
	}
}
