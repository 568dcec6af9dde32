/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "resolver/answer.h"
#include "resolver/corefile/rewrite_apply.h"
#include "resolver/follow.h"
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
	if (waiter)
		waiter->first = NULL;
	return waiter;
}

void waiter_release(struct forward *f, struct waiter *waiter)
{
	free(waiter->first);
	waiter->first = NULL;
	waiter->next = f->free_waiters;
	f->free_waiters = waiter;
}

bool waiter_keep_first(struct worker *worker, struct waiter *waiter, const struct block *block)
{
	const struct chain *chain = &worker->chain;

	if (!block->has_steps || !chain->is_followed)
		return true;
	if (!(waiter->first = malloc(chain->first_len)))
		return false;
	memcpy(waiter->first, chain->first, chain->first_len);
	waiter->first_len = chain->first_len;
	return true;
}

/* The question that the client asked, before anything became of it. */
static void keep_question(struct waiter *waiter, const struct chain *chain, const uint8_t *packet,
			  const struct query *query)
{
	const uint8_t *question = packet + DNS_HEADER_LEN;
	size_t len = query->question_len;

	if (waiter->rewritten) {
		question = chain->question;
		len = chain->asked.question_len;
	} else if (waiter->first) {
		struct wire w = wire_over(waiter->first, waiter->first_len);

		question = waiter->first + DNS_HEADER_LEN;
		w.pos = DNS_HEADER_LEN;
		wire_skip_name(&w);
		len = w.pos + 4 - DNS_HEADER_LEN;
	}
	waiter->question_len = (uint16_t)len;
	memcpy(waiter->question, question, len);
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
	waiter->page = query->page;
	waiter->rewritten = txn->block->has_steps && chain->is_rewritten;
	keep_question(waiter, chain, packet, query);
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
		.page = waiter->page,
		.edns = {.present = waiter->has_edns,
			 .dnssec_ok = waiter->dnssec_ok,
			 .udp_size = waiter->udp_size,
			 .keepalive_ds = waiter->keepalive_ds},
	};
}

/* What was asked upstream is not what the client asked. */
static bool is_changed(const struct waiter *waiter)
{
	return waiter->rewritten || waiter->first;
}

/* What the client said it takes over UDP, which may be more than we would send of our own. */
static size_t client_limit(const struct waiter *waiter, const struct query *query)
{
	size_t size = query->edns.present ? query->edns.udp_size : 0;

	if (waiter->client.is_tcp || query->question_len == 0)
		return DNS_MESSAGE_MAX;
	return size < DNS_UDP_MIN_SIZE ? DNS_UDP_MIN_SIZE : size;
}

/*
 * Makes an answer to what was asked upstream, of *len octets, one to what the client asked before
 * that was changed. NULL: it can't be.
 */
static uint8_t *change_back(struct worker *worker, const struct txn *txn,
			    const struct waiter *waiter, uint8_t *answer, size_t *len)
{
	const struct rewrite_context context = {txn->block->corefile ? txn->block->corefile->rewrite
								     : NULL,
						&worker->chain.scratch};
	struct query asked = query_of(&txn->query, waiter);
	struct wire w = wire_over((uint8_t *)waiter->question, waiter->question_len);
	size_t limit = client_limit(waiter, &asked);
	struct err err;

	if (waiter->first) {
		*len = follow_append(waiter->first, waiter->first_len, answer, *len, &asked.edns,
				     worker->forward->scratch, limit);
		answer = worker->forward->scratch;
	}
	if (!*len || !waiter->rewritten)
		return *len ? answer : NULL;
	asked.qname_len = (uint8_t)wire_get_name(&w, asked.qname);
	wire_name_fold(asked.qname, asked.qname_len);
	asked.qtype = wire_get_u16(&w);
	asked.qclass = wire_get_u16(&w);
	*len = rewrite_answer(&context, &asked, waiter->question, answer, *len,
			      worker->chain.answer, limit, &err);
	return *len ? worker->chain.answer : NULL;
}

/* With what there is of the answer, if any is. */
static bool answer_first(struct worker *worker, const struct txn *txn, const struct waiter *waiter,
			 const struct query *query)
{
	uint8_t nothing[DNS_HEADER_LEN] = {0};
	size_t len = sizeof(nothing);
	const uint8_t *answer =
		waiter->first ? change_back(worker, txn, waiter, nothing, &len) : NULL;

	if (answer)
		worker_reply(worker, &waiter->client, query, -1, answer, len);
	return answer;
}

/* Gives a client an answer without records. */
static void answer_empty(struct worker *worker, const struct txn *txn, const struct waiter *waiter,
			 int upstream, bool truncated, enum dns_rcode rcode)
{
	struct query query = query_of(&txn->query, waiter);
	uint8_t packet[DNS_UDP_MIN_SIZE];
	struct wire w = wire_over(packet, sizeof(packet));
	size_t len = 0;

	if (answer_first(worker, txn, waiter, &query))
		return;
	wire_take(&w, DNS_HEADER_LEN);
	wire_put_bytes(&w, waiter->question, query.question_len);
	/* Over TCP that would be an answer without records: nobody can come again by it. */
	len = truncated && !waiter->client.is_tcp
		      ? answer_truncated(&query, packet, sizeof(packet))
		      : answer_error(&query, packet, sizeof(packet), rcode);
	worker_reply(worker, &waiter->client, &query, upstream, packet, len);
}

void waiters_error(struct worker *worker, struct txn *txn, bool truncated, enum dns_rcode rcode)
{
	struct waiter *waiter;

	while ((waiter = txn->waiters)) {
		answer_empty(worker, txn, waiter, txn->answered_by, truncated, rcode);
		txn->waiters = waiter->next;
		waiter_release(worker->forward, waiter);
	}
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
	return is_changed(waiter) ? txn->out.packet + DNS_HEADER_LEN : waiter->question;
}

/* The reply in hand as the client's own. NULL: there is none. */
static uint8_t *own_answer(struct worker *worker, const struct txn *txn,
			   const struct waiter *waiter, size_t *len)
{
	struct forward *f = worker->forward;
	struct query query = forwarded_of(txn, waiter);
	size_t limit = client_limit(waiter, &query);
	uint8_t *own = f->reply;

	if (waiter->first)
		query.edns.keepalive_ds = 0; /* follow_append() tells it, in an OPT of its own */
	/* What the reply is made to say here the others who wait must not be told. */
	if (query.edns.keepalive_ds || (*len > limit && !is_changed(waiter)))
		own = memcpy(f->scratch, f->reply, *len);
	if (*len > limit && !is_changed(waiter))
		*len = reply_truncate(&query, own, *len, limit);
	*len = reply_restore(&query, question_of(txn, waiter), waiter->shadowed, own, *len);
	if (txn->block->rotates)
		reply_rotate(&query, own, *len, resolve_turn(&worker->context));
	return is_changed(waiter) ? change_back(worker, txn, waiter, own, len) : own;
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
			answer_empty(worker, txn, waiter, -1, false, DNS_RCODE_SERVFAIL);
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
			is_changed(waiter) ? DNS_MESSAGE_MAX : client_limit(waiter, &own), &len);

		if (answer && is_changed(waiter))
			answer = change_back(worker, txn, waiter, answer, &len);
		next = waiter->next;
		if (answer)
			worker_reply(worker, &waiter->client, &own, WORKER_CACHED, answer, len);
		else
			answer_empty(worker, txn, waiter, -1, false, DNS_RCODE_SERVFAIL);
		waiter_release(worker->forward, waiter);
	}
}
