/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/answer.h"
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

void waiter_add(struct txn *txn, struct waiter *waiter, const struct client *client,
		const uint8_t *packet, const struct query *query, bool shadowed)
{
	waiter->client = *client;
	waiter->shadowed = shadowed;
	waiter->has_edns = query->edns.present;
	waiter->dnssec_ok = query->edns.dnssec_ok;
	waiter->udp_size = query->edns.udp_size;
	waiter->keepalive_ds = query->edns.keepalive_ds;
	waiter->id = query->id;
	waiter->flags = query->flags;
	memcpy(waiter->question, packet + DNS_HEADER_LEN, query->question_len);
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
		.question_len = asked->question_len,
		.verbatim = asked->verbatim,
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

void waiters_answer(struct worker *worker, struct txn *txn, size_t len)
{
	struct forward *f = worker->forward;
	struct waiter *waiter;

	while ((waiter = txn->waiters)) {
		struct query query = query_of(&txn->query, waiter);
		size_t limit = client_limit(waiter, &query), own_len = len;
		uint8_t *own = f->reply;

		if (len > limit || query.edns.keepalive_ds)
			own = memcpy(f->scratch, f->reply, len);
		if (len > limit)
			own_len = reply_truncate(&query, own, len, limit);
		own_len = reply_restore(&query, waiter->question, waiter->shadowed, own, own_len);
		worker_reply(worker, &waiter->client, &query, txn->answered_by, own, own_len);
		txn->waiters = waiter->next;
		waiter_release(f, waiter);
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
		struct query own = query_of(&query, waiter);
		size_t len;
		const uint8_t *answer =
			recall_stale(worker, &query, &own, waiter->question, waiter->shadowed,
				     client_limit(waiter, &own), &len);

		next = waiter->next;
		if (answer)
			worker_reply(worker, &waiter->client, &own, WORKER_CACHED, answer, len);
		else
			answer_empty(worker, waiter, &query, -1, false, DNS_RCODE_SERVFAIL);
		waiter_release(worker->forward, waiter);
	}
}
