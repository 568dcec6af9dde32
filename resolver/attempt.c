/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/cleanup.h"
#include "resolver/forward_parts.h"
#include "resolver/upstream_tcp.h"
#include "resolver/upstream_udp.h"

#define TRY_MAX_MS     1000
#define TCP_TRY_MIN_MS 1500 /* a lost SYN is sent again after a second */
#define MISMATCHES_MAX 3
#define CLAIM_TRIES    64
#define PLAIN_MS       3600000 /* that a server does not know EDNS is believed for so long */

/* How many messages may be sent for it. */
static uint8_t attempts_max(const struct txn *txn)
{
	uint32_t max = txn->group ? txn->group->max_attempts : 0;

	return max && max < FORWARD_ATTEMPTS_MAX ? (uint8_t)max : FORWARD_ATTEMPTS_MAX;
}

static struct attempt *newest(struct txn *txn)
{
	return &txn->attempts[txn->n_attempts - 1];
}

static bool is_waiting(const struct txn *txn)
{
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		if (attempt_is_open(&txn->attempts[i]))
			return true;
	}
	return false;
}

/* --- asking ------------------------------------------------------------------------------------
 */

void attempt_end(struct worker *worker, struct attempt *attempt)
{
	bool udp = attempt->state == ATTEMPT_UDP;

	if (!attempt_is_open(attempt))
		return;
	attempt->state = ATTEMPT_OVER;
	inflight_release(worker->config->inflight, attempt->id);
	list_remove(&attempt->on);
	if (udp)
		upstream_udp_release(worker, attempt->via, attempt->id);
}

static bool claim_id(struct worker *worker, struct attempt *attempt, uint16_t port)
{
	for (int i = 0; i < CLAIM_TRIES; i++) {
		attempt->id = random_u16(&worker->forward->random);
		if (inflight_claim(worker->config->inflight, attempt->id, port,
				   txn_of(attempt)->index))
			return true;
	}
	return false;
}

/* The message as this attempt sends it: with its ID, and with or without the OPT. */
static size_t prepare(struct txn *txn, const struct attempt *attempt)
{
	const struct outbound *out = &txn->out;
	struct wire w = wire_over(out->packet, out->len);

	wire_put_u16(&w, attempt->id);
	if (out->len == out->plain_len)
		return out->len;
	wire_take(&w, 8);
	wire_put_u16(&w, !attempt->plain); /* ARCOUNT */
	return attempt->plain ? out->plain_len : out->len;
}

static int send_tcp(struct worker *worker, struct txn *txn, struct attempt *a)
{
	struct upstream_conn *conn = &a->server->conn;
	int rc = upstream_conn_open(worker, a->server);
	size_t len;

	if (rc < 0)
		return rc;
	if (!claim_id(worker, a, conn->port))
		return -EBUSY;
	a->via = conn;
	a->state = ATTEMPT_TCP;
	list_append(&conn->attempts, &a->on);
	len = prepare(txn, a);
	return upstream_conn_send(worker, a->server, txn->out.packet, len,
				  len > txn->out.plain_len ? txn->out.plain_len : 0);
}

static int send_udp(struct worker *worker, struct txn *txn, struct attempt *a)
{
	struct upstream_socket *socket = upstream_udp_pick(worker, a->server);

	if (!socket)
		return -errno;
	if (!claim_id(worker, a, socket->port))
		return -EBUSY;
	a->via = socket;
	a->state = ATTEMPT_UDP;
	list_append(&socket->attempts, &a->on);
	return upstream_udp_send(socket, txn->out.packet, prepare(txn, a));
}

/* Whether an error is ours, and says nothing of the server. */
static bool is_shortage(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS || rc == -EBUSY;
}

/* For who watches: a message to or from a server, about the question of whoever asked first. */
static void tap(struct worker *worker, enum tap_kind kind, const struct txn *txn,
		const struct server *server, const uint8_t *message, size_t len)
{
	if (txn->waiters && tap_is_on(&worker->tap))
		worker_tap_server(worker, kind, &txn->waiters->client,
				  server_number(worker, server), &server->ep, message, len);
}

/* That the server cannot be asked, or cannot answer any more. */
static void tap_failed(struct worker *worker, const struct txn *txn, const struct server *server)
{
	tap(worker, TAP_FORWARDER_FAILED, txn, server, txn->out.packet, DNS_HEADER_LEN);
}

static bool attempt_begin(struct worker *worker, struct txn *txn, struct server *server, bool plain)
{
	struct attempt *a = &txn->attempts[txn->n_attempts];
	int rc;

	*a = (struct attempt){
		.server = server,
		.number = txn->n_attempts++,
		.sent_us = worker->now_us,
		.plain = plain || server->plain_until_ms > worker->now_ms,
	};
	list_init(&a->on);
	server->refs++;
	rc = txn_uses_conn(txn, server) ? send_tcp(worker, txn, a) : send_udp(worker, txn, a);
	if (rc < 0) {
		attempt_end(worker, a);
		a->refused = true;
		if (!is_shortage(rc)) {
			upstream_count(server->stats, UPSTREAM_FAILURES);
			server_failed(worker, server, a->sent_us, false);
			tap_failed(worker, txn, server);
		}
		return false;
	}
	tap(worker, TAP_FORWARDER_QUERY, txn, server, txn->out.packet,
	    a->plain ? txn->out.plain_len : txn->out.len);
	upstream_count(server->stats, UPSTREAM_QUERIES);
	if (a->number == 0 && txn->kind == TXN_QUESTION && server->health.state == HEALTH_DOWN)
		stats_add(&worker->stats.all_down, 1); /* else another one would have been chosen */
	if (a->number > 0)
		upstream_count(server->stats, UPSTREAM_RETRANSMISSIONS);
	return true;
}

/* How long the newest attempt has: the longer the more often its server was asked. */
static int64_t try_ms(struct txn *txn)
{
	const struct server *server = newest(txn)->server;
	int64_t max_ms = txn->group ? txn->group->try_max_ms : 0,
		ms = health_rto_ms(&server->health);

	if (!max_ms)
		max_ms = TRY_MAX_MS;
	for (uint8_t i = 0; i + 1 < txn->n_attempts; i++) {
		if (txn->attempts[i].server == server && ms < max_ms)
			ms *= 2;
	}
	if (txn_uses_conn(txn, server))
		return ms * 3 < TCP_TRY_MIN_MS ? TCP_TRY_MIN_MS : ms * 3;
	return ms < max_ms ? ms : max_ms;
}

static void set_timer(struct worker *worker, struct txn *txn, int64_t wait_ms)
{
	int64_t due_ms = worker->now_ms + wait_ms;

	timer_set(&worker->forward->timers, &txn->timer,
		  due_ms < txn->ends_ms ? due_ms : txn->ends_ms);
}

bool attempt_next(struct worker *worker, struct txn *txn)
{
	struct server *server;

	while (txn->n_attempts < attempts_max(txn) && (server = choose_server(worker, txn))) {
		if (!attempt_begin(worker, txn, server, false))
			continue;
		set_timer(worker, txn, txn->only ? FORWARD_TOTAL_MS : try_ms(txn));
		return true;
	}
	set_timer(worker, txn, FORWARD_TOTAL_MS); /* all it has left */
	return is_waiting(txn);
}

/* An attempt is over: to the next, unless the newest has time yet. */
static void go_on(struct worker *worker, struct txn *txn)
{
	if (!attempt_is_open(newest(txn)) && !attempt_next(worker, txn))
		txn_fail(worker, txn);
}

void attempt_refused(struct worker *worker, struct attempt *attempt)
{
	upstream_count(attempt->server->stats, UPSTREAM_FAILURES);
	tap_failed(worker, txn_of(attempt), attempt->server);
	attempt_end(worker, attempt);
	list_remove(&attempt->on); /* it may have been an orphan */
	attempt->refused = true;
	server_failed(worker, attempt->server, attempt->sent_us, false);
	go_on(worker, txn_of(attempt));
}

bool attempt_resend(struct worker *worker, struct attempt *attempt)
{
	attempt_end(worker, attempt);
	attempt->resent = true;
	attempt->sent_us = worker->now_us;
	if (send_tcp(worker, txn_of(attempt), attempt) == 0)
		return true;
	attempt_end(worker, attempt);
	return false;
}

void attempt_expire(struct worker *worker, struct txn *txn)
{
	struct attempt *last = newest(txn);
	struct server *server = last->server;

	if (attempt_is_open(last)) {
		upstream_count(server->stats, UPSTREAM_TIMEOUTS);
		server_failed(worker, server, last->sent_us, true);
	}
	if (worker->now_ms < txn->ends_ms && last->state == ATTEMPT_TCP && !last->resent &&
	    server->conn.received_ms * 1000 <= last->sent_us) {
		/* Nothing has come over that connection since: it may be dead. */
		set_timer(worker, txn, try_ms(txn));
		upstream_conn_break(worker, server);
	} else if (worker->now_ms >= txn->ends_ms || !attempt_next(worker, txn)) {
		txn_fail(worker, txn);
	}
}

/* Asks this server, and from now on any, over TCP; UDP is done with. */
static void ask_over_tcp(struct worker *worker, struct txn *txn, struct server *server)
{
	for (uint8_t i = 0; i < txn->n_attempts; i++)
		attempt_end(worker, &txn->attempts[i]);
	txn->tcp = true;
	if (txn->n_attempts < attempts_max(txn) && attempt_begin(worker, txn, server, false))
		set_timer(worker, txn, try_ms(txn));
	else
		go_on(worker, txn);
}

/* --- what comes back ---------------------------------------------------------------------------
 */

static struct attempt *find(struct worker *worker, void *via, uint16_t port, uint16_t id)
{
	struct txn *txn;
	uint16_t slot;

	/* Another worker's slot may be the same, but no attempt there is through this. */
	if (!inflight_find(worker->config->inflight, id, port, &slot) ||
	    slot >= worker->forward->n_slots)
		return NULL;
	txn = &worker->forward->txns[slot];
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		struct attempt *a = &txn->attempts[i];

		if (attempt_is_open(a) && a->id == id && a->via == via)
			return a;
	}
	return NULL;
}

void attempt_mismatches(struct worker *worker, struct list *attempts)
{
	struct list *node, *next;

	for (node = attempts->next; node != attempts; node = node->next)
		txn_of(list_entry(node, struct attempt, on))->mismatches++;
	for (node = attempts->next; node != attempts; node = next) {
		struct attempt *a = list_entry(node, struct attempt, on);

		next = node->next;
		if (txn_of(a)->mismatches < MISMATCHES_MAX)
			continue;
		ask_over_tcp(worker, txn_of(a), a->server);
		next = attempts->next; /* it may have taken others along */
	}
}

static void count_reply(const struct worker *worker, const struct attempt *a, enum dns_rcode rcode)
{
	static const enum upstream_counter by_rcode[] = {
		UPSTREAM_NOERROR,  UPSTREAM_FORMERR, UPSTREAM_SERVFAIL,
		UPSTREAM_NXDOMAIN, UPSTREAM_NOTIMP,  UPSTREAM_REFUSED,
	};

	upstream_count_response(a->server->stats,
				(size_t)rcode < ARRAY_SIZE(by_rcode) ? by_rcode[rcode]
								     : UPSTREAM_OTHER_RCODE,
				(uint64_t)(worker->now_us - a->sent_us));
}

/* A longer answer would be of use to somebody who waits. */
static bool wants_more(const struct txn *txn)
{
	if (!txn->waiters)
		return true; /* it is for the cache */
	for (const struct waiter *w = txn->waiters; w; w = w->next) {
		if (w->client.is_tcp)
			return true;
		if (w->has_edns && w->udp_size > EDNS_UDP_SIZE)
			return !txn->query.verbatim;
	}
	return false;
}

static bool is_truncated(const struct worker *worker)
{
	struct wire w = wire_over(worker->forward->reply, DNS_HEADER_LEN);

	wire_get_u16(&w);
	return wire_get_u16(&w) & DNS_FLAG_TC;
}

/* The server did not like the OPT, RFC 6891 section 6.2.2. */
static bool retry_plain(struct worker *worker, struct txn *txn, struct attempt *a,
			enum dns_rcode rcode)
{
	struct server *server = a->server;
	bool has_opt = txn->out.len != txn->out.plain_len;

	if (a->plain && has_opt && (rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN))
		server->plain_until_ms = worker->now_ms + PLAIN_MS;
	if (a->plain || !has_opt || (rcode != DNS_RCODE_FORMERR && rcode != DNS_RCODE_NOTIMP) ||
	    txn->n_attempts == attempts_max(txn) || group_is_next(txn, rcode))
		return false;
	attempt_end(worker, a);
	if (attempt_begin(worker, txn, server, true))
		set_timer(worker, txn, try_ms(txn));
	else
		go_on(worker, txn);
	return true;
}

/* This server can't or won't, but another one may: it is being asked, or can be. */
static bool is_worth_another(struct worker *worker, struct txn *txn, struct attempt *a,
			     enum dns_rcode rcode)
{
	bool is_failover = txn->group->failover & COREFILE_RCODE(rcode);
	const struct server *next;

	if (!is_failover && (group_is_next(txn, rcode) ||
			     (rcode != DNS_RCODE_SERVFAIL && rcode != DNS_RCODE_REFUSED)))
		return false;
	a->refused = true;
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		if (attempt_is_open(&txn->attempts[i]) && txn->attempts[i].server != a->server)
			return true;
	}
	next = txn->n_attempts < attempts_max(txn) ? choose_server(worker, txn) : NULL;
	return next && next->health.state != HEALTH_DOWN;
}

/* A right answer to it: is it the last word? */
static void take(struct worker *worker, struct attempt *a, enum reply_verdict verdict,
		 enum dns_rcode rcode, size_t len)
{
	struct txn *txn = txn_of(a);
	bool truncated = a->state == ATTEMPT_UDP && is_truncated(worker);

	tap(worker, TAP_FORWARDER_RESPONSE, txn, a->server, worker->forward->reply, len);
	txn->answered_by = (int16_t)server_number(worker, a->server);
	server_answered(worker, a->server, a->sent_us);
	count_reply(worker, a, rcode);
	if (truncated)
		upstream_count(a->server->stats, UPSTREAM_TRUNCATED);
	if (txn->kind == TXN_QUESTION) {
		if (truncated && wants_more(txn)) {
			txn->cut = true;
			ask_over_tcp(worker, txn, a->server);
			return;
		}
		if (retry_plain(worker, txn, a, rcode))
			return;
		if (is_worth_another(worker, txn, a, rcode)) {
			attempt_end(worker, a);
			go_on(worker, txn);
			return;
		}
	}
	txn_answer(worker, txn, verdict, rcode, len);
}

bool attempt_message(struct worker *worker, void *via, uint16_t port, size_t len)
{
	struct forward *f = worker->forward;
	struct wire w = wire_over(f->reply, len);
	struct attempt *a = find(worker, via, port, wire_get_u16(&w));
	enum reply_verdict verdict;
	enum dns_rcode rcode;
	struct txn *txn;

	if (!a || w.failed)
		return false;
	txn = txn_of(a);
	/* Whoever answers over TCP need not guess the case. */
	verdict = reply_check(&txn->query, txn->out.packet, a->id,
			      worker->config->use_0x20 && a->state == ATTEMPT_UDP, f->reply, len,
			      &rcode);
	if (verdict != REPLY_OTHER) {
		take(worker, a, verdict, rcode, len);
		return true;
	}
	upstream_count(a->server->stats, UPSTREAM_MISMATCHES);
	if (a->state == ATTEMPT_TCP)
		attempt_refused(worker, a); /* a stream does not mix up answers: it is broken */
	else if (reply_check(&txn->query, txn->out.packet, a->id, false, f->reply, len, &rcode) !=
		 REPLY_OTHER)
		ask_over_tcp(worker, txn, a->server); /* some servers do not keep the case */
	else
		attempt_mismatches(worker, &((struct upstream_socket *)via)->attempts);
	return true;
}
