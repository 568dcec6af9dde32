/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "resolver/forward_parts.h"
#include "resolver/recall.h"
#include "resolver/upstream_tcp.h"
#include "resolver/upstream_udp.h"

#define PROBES_MAX ((uint32_t)SERVERS) /* slots that only probes may take */
#define PROBE_MS   1000

struct forward *forward_new(const struct worker_config *config)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->n_slots = config->max_concurrent + PROBES_MAX;
	f->txns = calloc(f->n_slots, sizeof(*f->txns));
	f->waiters = calloc(config->max_concurrent, sizeof(*f->waiters));
	f->udp = upstream_udp_new(config->upstream_sockets);
	if (!f->txns || !f->waiters || !f->udp) {
		upstream_udp_free(f->udp);
		free(f->waiters);
		free(f->txns);
		free(f);
		return NULL;
	}
	timers_init(&f->timers, 0);
	timer_init(&f->renew, TIMER_RENEW);
	return f;
}

/* --- slabs -------------------------------------------------------------------------------------
 */

static struct txn *txn_new(struct forward *f, enum txn_kind kind)
{
	struct txn *txn = f->free_txns;

	if (txn)
		f->free_txns = txn->next;
	else if (f->n_txns < f->n_slots)
		txn = &f->txns[f->n_txns++];
	else
		return NULL;
	txn->kind = (uint8_t)kind;
	txn->index = (uint16_t)(txn - f->txns);
	txn->hashed = txn->tcp = txn->cut = txn->for_cache = false;
	txn->n_attempts = txn->mismatches = 0;
	txn->turn = 0;
	txn->answered_by = -1;
	txn->next = NULL;
	txn->only = NULL;
	txn->block = NULL;
	txn->route = NULL;
	txn->group = NULL;
	txn->is_last = txn->is_counted = false;
	txn->waiters = NULL;
	txn->allocated = NULL;
	timer_init(&txn->timer, TIMER_TXN);
	return txn;
}

static void txn_release(struct forward *f, struct txn *txn)
{
	free(txn->allocated);
	txn->allocated = NULL;
	txn->next = f->free_txns;
	f->free_txns = txn;
}

/* --- equal questions ---------------------------------------------------------------------------
 */

static void unhash(struct forward *f, struct txn *txn)
{
	struct txn **at = &f->buckets[txn->hash % BUCKETS];

	if (!txn->hashed)
		return;
	while (*at != txn)
		at = &(*at)->next;
	*at = txn->next;
	txn->hashed = false;
}

/* One under way that asks the same by the same transport; else `txn` is there to be found now. */
static struct txn *find_equal(struct forward *f, struct txn *txn)
{
	const struct query *q = &txn->query;
	struct txn *other;

	txn->hash =
		wire_name_hash(q->qname, q->qname_len) ^ ((uint32_t)q->qtype << 1 | txn->asked_tcp);
	for (other = f->buckets[txn->hash % BUCKETS]; other; other = other->next) {
		if (other->hash == txn->hash && other->query.qname_len == q->qname_len &&
		    other->asked_tcp == txn->asked_tcp && other->block == txn->block &&
		    outbound_equal(&other->out, &txn->out, q->qname_len))
			return other;
	}
	txn->next = f->buckets[txn->hash % BUCKETS];
	f->buckets[txn->hash % BUCKETS] = txn;
	txn->hashed = true;
	return NULL;
}

/* --- the beginning -----------------------------------------------------------------------------
 */

/* Random case: whoever guesses an answer has to guess this too (draft-vixie-dnsext-dns0x20). */
static void shake_case(struct random *random, uint8_t *name, size_t len)
{
	uint16_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		if (i % 16 == 0)
			bits = random_u16(random);
		if ((uint8_t)((name[i] | 0x20) - 'a') < 26) /* a length never looks like that */
			name[i] ^= (uint8_t)((bits >> i % 16 & 1) << 5);
	}
}

/* Writes what goes upstream; false when out of memory. */
static bool write_outbound(struct worker *worker, struct txn *txn, const uint8_t *packet,
			   size_t len)
{
	const struct query *q = &txn->query;
	size_t room = len + EDNS_OPT_LEN;
	uint8_t *to = txn->packet;
	struct wire w;

	if (room > TXN_PACKET && !(to = txn->allocated = malloc(room)))
		return false;
	if (q->verbatim) {
		w = wire_over(to, room);
		wire_put_bytes(&w, packet, len);
		txn->out = (struct outbound){to, (uint16_t)len, (uint16_t)len};
		return true;
	}
	if (!outbound_write(q, packet, to, room, &txn->out))
		return false;
	if (worker->config->use_0x20)
		shake_case(&worker->forward->random, to + DNS_HEADER_LEN, q->qname_len);
	return true;
}

static enum dns_rcode is_full(struct worker *worker)
{
	uint32_t kept_back;

	stats_add(&worker->stats.rejects, 1);
	if (log_limit_pass(&worker->forward->full_limit, worker->now_ms, &kept_back))
		log_warning("too many questions in flight, answering SERVFAIL",
			    "limit=%u kept_back=%u", worker->config->max_concurrent, kept_back);
	return DNS_RCODE_SERVFAIL;
}

/* Lets go of all that it holds, but for those who wait. */
static void txn_end(struct worker *worker, struct txn *txn)
{
	unhash(worker->forward, txn);
	timer_cancel(&txn->timer);
	if (txn->for_cache)
		timer_cancel(&txn->stale);
	group_leave(worker, txn);
	txn_release(worker->forward, txn);
}

/* The question of this message, to be found by equal ones or to be ended; NULL: no room. */
static struct txn *txn_new_question(struct worker *worker, const uint8_t *packet, size_t len,
				    const struct query *query, const struct block *block,
				    bool is_tcp)
{
	struct txn *txn = txn_new(worker->forward, TXN_QUESTION);

	if (!txn)
		return NULL;
	txn->query = *query;
	txn->query.edns.keepalive_ds = 0; /* between us and the client */
	txn->block = block;
	txn->asked_tcp = is_tcp;
	if (recall_takes(worker, block, query)) {
		txn->for_cache = true;
		txn->epoch = recall_epoch(worker->recall);
		timer_init(&txn->stale, TIMER_STALE);
	}
	if (write_outbound(worker, txn, packet, len))
		return txn;
	txn_release(worker->forward, txn);
	return NULL;
}

/*
 * Whether it is one with equal ones. Not if what it was before it was rewritten may be asked yet,
 * for that may differ.
 */
static bool may_join(const struct worker *worker, const struct txn *txn)
{
	if (txn->query.verbatim)
		return false;
	return !txn->block->has_steps || !worker->chain.is_rewritten ||
	       !service_may_ask_original(txn->block);
}

bool txn_ask_original(struct worker *worker, struct txn *txn)
{
	struct waiter *waiter = txn->waiters;
	uint8_t packet[DNS_HEADER_LEN + sizeof(waiter->question)];
	struct wire w = wire_over(packet, sizeof(packet));
	struct wire_header h = {.flags = waiter->flags, .qdcount = 1};
	struct edns edns = txn->query.edns;

	wire_put_header(&w, &h);
	wire_put_bytes(&w, waiter->question, waiter->question_len);
	query_parse(packet, w.pos, &txn->query);
	edns.options_len = 0;
	txn->query.edns = edns;
	txn->query.block = txn->block->number;
	txn->query.page = waiter->page;
	free(txn->allocated);
	txn->allocated = NULL;
	waiter->rewritten = false;
	free(waiter->first);
	waiter->first = NULL;
	return write_outbound(worker, txn, packet, w.pos);
}

enum dns_rcode forward_start(struct worker *worker, const struct client *client,
			     const uint8_t *packet, size_t len, const struct query *query,
			     const struct block *block, bool shadowed)
{
	struct forward *f = worker->forward;
	struct waiter *waiter = waiter_new(worker);
	struct txn *txn, *equal;
	enum dns_rcode rcode;

	if (!waiter)
		return is_full(worker);
	if (!waiter_keep_first(worker, waiter, block) ||
	    !(txn = txn_new_question(worker, packet, len, query, block, client->is_tcp))) {
		waiter_release(f, waiter);
		return DNS_RCODE_SERVFAIL;
	}
	if (may_join(worker, txn) && (equal = find_equal(f, txn))) {
		txn_release(f, txn);
		waiter_add(worker, equal, waiter, client, packet, query, shadowed);
		upstream_count(equal->attempts[0].server->stats, UPSTREAM_COALESCED);
		return DNS_RCODE_NOERROR;
	}
	waiter_add(worker, txn, waiter, client, packet, query, shadowed);
	if (txn->for_cache && block->keep.patience_ms != KEEP_FOR_EVER &&
	    recall_has_stale(worker, query))
		timer_set(&f->timers, &txn->stale, worker->now_ms + block->keep.patience_ms);
	if ((rcode = group_ask_first(worker, txn)) == DNS_RCODE_NOERROR)
		return rcode;
	group_explain(worker, txn, rcode);
	waiter_release(f, waiter);
	txn_end(worker, txn);
	return rcode;
}

bool forward_refresh(struct worker *worker, const uint8_t *packet, const struct query *query,
		     const struct block *block)
{
	struct txn *txn = txn_new_question(
		worker, packet, (size_t)DNS_HEADER_LEN + query->question_len, query, block, false);

	if (!txn)
		return false;
	if (find_equal(worker->forward, txn)) {
		txn_release(worker->forward, txn);
		return false;
	}
	if (group_ask_first(worker, txn) == DNS_RCODE_NOERROR)
		return true;
	txn_end(worker, txn);
	return false;
}

struct txn *txn_new_probe(struct worker *worker, struct server *server, enum txn_kind kind,
			  const uint8_t *name, size_t name_len, uint16_t qtype)
{
	struct txn *txn = txn_new(worker->forward, kind);
	struct wire_header h = {.qdcount = 1};
	struct wire w;

	if (!txn)
		return NULL;
	h.flags = kind == TXN_PROBE && server->how.probe_no_rd ? 0 : DNS_FLAG_RD;
	w = wire_over(txn->packet, sizeof(txn->packet));
	wire_put_header(&w, &h);
	wire_put_bytes(&w, name, name_len);
	wire_put_u16(&w, qtype);
	wire_put_u16(&w, DNS_CLASS_IN);
	txn->out = (struct outbound){txn->packet, (uint16_t)w.pos, (uint16_t)w.pos};
	query_parse(txn->packet, w.pos, &txn->query);
	txn->only = server;
	txn->tcp = server->how.force_tcp;
	txn->ends_ms = worker->now_ms + PROBE_MS;
	if (attempt_next(worker, txn))
		return txn;
	txn_end(worker, txn);
	return NULL;
}

bool forward_is_own(struct worker *worker, const struct client *client, const struct query *query)
{
	uint32_t kept_back;
	uint16_t slot;

	if (!inflight_find(worker->config->inflight, query->id, client->port, &slot))
		return probe_is_loop(worker, query);
	if (log_limit_pass(&worker->forward->loop_limit, worker->now_ms, &kept_back))
		log_error("my own question to the upstream came back to me: the redirect rules do "
			  "not exempt the user I run as",
			  "uid=%u kept_back=%u", geteuid(), kept_back);
	return true;
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* Nobody has an answer, yet: to those whom a stale one serves, that is as good. */
static void give_up(struct worker *worker, struct txn *txn)
{
	if (txn->for_cache)
		recall_failed(worker, &txn->query);
	waiters_stale(worker, txn);
}

/* The answer to the question is here, before it is any client's own. Returns its length. */
static size_t answer_arrives(struct worker *worker, const struct txn *txn, size_t len)
{
	if (txn->for_cache && txn->epoch == recall_epoch(worker->recall))
		recall_keep(worker, txn->block, &txn->query, worker->forward->reply, len);
	return reply_cleanse(&txn->query, worker->forward->reply, len);
}

/* That nobody answers need not be found out again at once, RFC 9520 section 3.2. */
static void keep_failure(struct worker *worker, const struct txn *txn)
{
	size_t len = (size_t)DNS_HEADER_LEN + txn->query.question_len;
	struct wire w = wire_over(worker->forward->reply, len);
	struct wire_header h = {
		.flags = DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA | DNS_RCODE_SERVFAIL,
		.qdcount = 1,
	};

	if (!txn->for_cache || txn->epoch != recall_epoch(worker->recall))
		return;
	wire_put_header(&w, &h);
	wire_put_bytes(&w, txn->out.packet + DNS_HEADER_LEN, txn->query.question_len);
	recall_keep(worker, txn->block, &txn->query, worker->forward->reply, len);
}

/* There is no answer but this rcode: others are asked, or that is it. */
static void finish_without(struct worker *worker, struct txn *txn, enum dns_rcode rcode)
{
	rcode = group_ask_next(worker, txn, rcode);
	if (rcode == DNS_RCODE_NOERROR)
		return;
	unhash(worker->forward, txn);
	txn->answered_by = -1;
	give_up(worker, txn);
	if (!txn->cut && rcode == DNS_RCODE_SERVFAIL)
		keep_failure(worker, txn);
	group_explain(worker, txn, rcode);
	waiters_error(worker, txn, txn->cut, rcode);
	worker->chain.err.msg[0] = '\0';
	txn_end(worker, txn);
}

void txn_answer(struct worker *worker, struct txn *txn, enum reply_verdict verdict,
		enum dns_rcode rcode, size_t len)
{
	if (txn->kind == TXN_QUESTION && group_is_next(txn, rcode)) {
		finish_without(worker, txn, rcode);
		return;
	}
	unhash(worker->forward, txn);
	if (txn->kind == TXN_QUESTION && rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		give_up(worker, txn);
	if (txn->kind != TXN_QUESTION)
		probe_end(worker, txn, true);
	else if (verdict == REPLY_BARE)
		waiters_error(worker, txn, false, rcode);
	else if (verdict == REPLY_CUT)
		waiters_error(worker, txn, true, DNS_RCODE_SERVFAIL);
	else
		waiters_answer(worker, txn, answer_arrives(worker, txn, len));
	txn_end(worker, txn);
}

void txn_fail(struct worker *worker, struct txn *txn)
{
	if (txn->kind == TXN_QUESTION) {
		finish_without(worker, txn, DNS_RCODE_SERVFAIL);
		return;
	}
	unhash(worker->forward, txn);
	probe_end(worker, txn, false);
	txn_end(worker, txn);
}

/* --- events and deadlines ----------------------------------------------------------------------
 */

void forward_handle(struct worker *worker, struct event_ref ref, uint32_t events)
{
	if (ref.kind == EVENT_UPSTREAM_TCP)
		upstream_conn_handle(worker, ref, events);
	else
		upstream_udp_handle(worker, ref);
}

static void handle_timer(struct worker *worker, struct timer *timer)
{
	struct forward *f = worker->forward;

	switch ((enum timer_kind)timer->kind) {
	case TIMER_TXN:
		attempt_expire(worker, list_entry(&timer->node, struct txn, timer.node));
		break;
	case TIMER_PROBE:
		probe_begin(worker, list_entry(&timer->node, struct server, probe.node));
		break;
	case TIMER_LOOP:
		probe_begin_loop(worker, list_entry(&timer->node, struct server, loop.node));
		break;
	case TIMER_CONN:
		upstream_conn_expire(worker,
				     list_entry(&timer->node, struct upstream_conn, idle.node));
		break;
	case TIMER_STALE: give_up(worker, list_entry(&timer->node, struct txn, stale.node)); break;
	case TIMER_RENEW:
		if (upstream_udp_renew(worker))
			timer_set(&f->timers, &f->renew, worker->now_ms + SOCKET_MS / 8);
		break;
	}
}

int64_t forward_expire(struct worker *worker)
{
	struct forward *f = worker->forward;
	struct timer *timer;

	while ((timer = timers_pop(&f->timers, worker->now_ms)))
		handle_timer(worker, timer);
	return timers_next_ms(&f->timers);
}

void forward_free(struct worker *worker)
{
	struct forward *f = worker->forward;

	if (!f)
		return;
	for (uint32_t i = 0; i < f->n_txns; i++)
		free(f->txns[i].allocated);
	for (size_t i = 0; i < SERVERS; i++) {
		if (f->servers[i].used)
			upstream_conn_free(&f->servers[i].conn);
	}
	upstream_udp_free(f->udp);
	free(f->waiters);
	free(f->txns);
	free(f);
	worker->forward = NULL;
}
