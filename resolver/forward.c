/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/list.h"
#include "common/log.h"
#include "resolver/answer.h"
#include "resolver/inflight.h"
#include "resolver/random.h"
#include "resolver/reply.h"
#include "resolver/upstream.h"

struct txn {
	struct list in_flight; /* in forward.in_flight, by deadline */
	int64_t deadline_ms;   /* of the newest attempt */
	uint32_t index;        /* in forward.txns */
	uint16_t generation;
	uint8_t first;      /* number of the server that attempt 0 asked */
	uint8_t n_attempts; /* made so far; those still open have fd >= 0 */
	bool shadowed;
	struct client client;
	struct upstream_attempt attempts[FORWARD_ATTEMPTS_MAX];
	struct query query;
	size_t query_len;
	/* The client's message. At least DNS_UDP_MIN_SIZE, so that an error can be written over it.
	 */
	uint8_t packet[];
};

struct forward {
	struct txn *txns[FORWARD_MAX]; /* NULL: the slot is free */
	uint16_t generations[FORWARD_MAX];
	uint16_t free[FORWARD_MAX]; /* the n_free free slots */
	size_t n_free;
	struct list in_flight;
	struct random random;
	uint8_t first; /* the server that answered last */
	uint8_t max_attempts;
	struct log_limit full_limit, loop_limit;
	uint8_t reply[DNS_MESSAGE_MAX]; /* the reply in hand */
};

struct forward *forward_new(size_t n_upstreams)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	list_init(&f->in_flight);
	f->n_free = FORWARD_MAX;
	for (uint16_t i = 0; i < FORWARD_MAX; i++)
		f->free[i] = (uint16_t)(FORWARD_MAX - 1 - i);
	f->max_attempts = (uint8_t)(n_upstreams < 2 ? 2 : n_upstreams);
	if (f->max_attempts > FORWARD_ATTEMPTS_MAX)
		f->max_attempts = FORWARD_ATTEMPTS_MAX;
	return f;
}

static void attempt_end(struct worker *worker, struct upstream_attempt *attempt)
{
	if (attempt->fd < 0)
		return;
	inflight_release(worker->config->inflight, attempt->id);
	upstream_close(attempt);
}

static void txn_end(struct worker *worker, struct txn *txn)
{
	struct forward *f = worker->forward;

	for (uint8_t i = 0; i < txn->n_attempts; i++)
		attempt_end(worker, &txn->attempts[i]);
	list_remove(&txn->in_flight);
	f->txns[txn->index] = NULL;
	f->generations[txn->index]++;
	f->free[f->n_free++] = (uint16_t)txn->index;
	free(txn);
}

void forward_free(struct worker *worker)
{
	struct forward *f = worker->forward;

	if (!f)
		return;
	for (size_t i = 0; i < FORWARD_MAX; i++) {
		if (f->txns[i])
			txn_end(worker, f->txns[i]);
	}
	free(f);
	worker->forward = NULL;
}

static size_t server_of(const struct worker *worker, const struct txn *txn, uint8_t attempt)
{
	return (txn->first + attempt) % worker->config->n_upstreams;
}

/* Asks one server: a socket, an ID that is its own, and off. */
static bool attempt_begin(struct worker *worker, struct txn *txn, uint8_t number)
{
	const struct endpoint *server = &worker->config->upstreams[server_of(worker, txn, number)];
	struct upstream_attempt *attempt = &txn->attempts[number];
	struct event_ref ref = {
		.kind = EVENT_UPSTREAM,
		.index = txn->index,
		.generation = txn->generation,
		.attempt = number,
	};

	if (upstream_open(attempt, server, txn->client.is_tcp) < 0)
		return false;
	do {
		attempt->id = random_u16(&worker->forward->random);
	} while (!inflight_claim(worker->config->inflight, attempt->id, attempt->port));
	if (upstream_send(attempt, txn->packet, txn->query_len) == 0 &&
	    worker_watch(worker, attempt->fd, upstream_events(attempt), ref) == 0) {
		worker_tap_server(worker, TAP_FORWARDER_QUERY, &txn->client,
				  (int)server_of(worker, txn, number), server, txn->packet,
				  txn->query_len);
		return true;
	}
	attempt_end(worker, attempt);
	return false;
}

static bool is_waiting(const struct txn *txn)
{
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		if (txn->attempts[i].fd >= 0)
			return true;
	}
	return false;
}

/*
 * Asks the next server. One that cannot be asked leaves its time to those that were asked before.
 * False when there is neither: it has failed.
 */
static bool attempt_next(struct worker *worker, struct txn *txn)
{
	struct forward *f = worker->forward;
	bool begun = false, had_time = txn->n_attempts < f->max_attempts;

	while (!begun && txn->n_attempts < f->max_attempts)
		begun = attempt_begin(worker, txn, txn->n_attempts++);
	if (!begun && !(had_time && is_waiting(txn)))
		return false;
	list_remove(&txn->in_flight);
	list_append(&f->in_flight, &txn->in_flight);
	txn->deadline_ms = worker->now_ms + FORWARD_TOTAL_MS / f->max_attempts;
	return true;
}

bool forward_start(struct worker *worker, const struct client *client, const uint8_t *packet,
		   size_t len, const struct query *query, bool shadowed)
{
	struct forward *f = worker->forward;
	size_t room = len < DNS_UDP_MIN_SIZE ? DNS_UDP_MIN_SIZE : len;
	struct txn *txn;
	uint32_t kept_back;

	if (f->n_free == 0) {
		if (log_limit_pass(&f->full_limit, worker->now_ms, &kept_back))
			log_warning("too many questions in flight, answering SERVFAIL",
				    "limit=%d kept_back=%u", FORWARD_MAX, kept_back);
		return false;
	}
	if (!(txn = malloc(sizeof(*txn) + room)))
		return false;
	*txn = (struct txn){
		.index = f->free[--f->n_free],
		.first = f->first,
		.shadowed = shadowed,
		.client = *client,
		.query = *query,
		.query_len = len,
	};
	txn->generation = f->generations[txn->index];
	for (size_t i = 0; i < FORWARD_ATTEMPTS_MAX; i++)
		txn->attempts[i].fd = -1;
	memcpy(txn->packet, packet, len);
	list_init(&txn->in_flight);
	f->txns[txn->index] = txn;
	if (attempt_next(worker, txn))
		return true;
	txn_end(worker, txn);
	return false;
}

bool forward_is_own(const struct worker *worker, const struct client *client, uint16_t id)
{
	uint32_t kept_back;

	if (!inflight_is_own(worker->config->inflight, id, client->port))
		return false;
	if (log_limit_pass(&worker->forward->loop_limit, worker->now_ms, &kept_back))
		log_error("my own question to the upstream came back to me: the redirect rules do "
			  "not exempt the user I run as",
			  "uid=%u kept_back=%u", geteuid(), kept_back);
	return true;
}

/* Hands the answer over and forgets the transaction, in this order: an answer may bring questions.
 */
static void finish(struct worker *worker, struct txn *txn, int upstream, const uint8_t *packet,
		   size_t len)
{
	worker_reply(worker, &txn->client, &txn->query, upstream, packet, len);
	txn_end(worker, txn);
}

/* `upstream` as worker_reply() takes it. */
static void fail(struct worker *worker, struct txn *txn, int upstream, enum dns_rcode rcode)
{
	size_t len = answer_error(&txn->query, txn->packet, DNS_UDP_MIN_SIZE, rcode);

	finish(worker, txn, upstream, txn->packet, len);
}

/* What the client said it takes over UDP, which may be more than we would send of our own. */
static size_t client_limit(const struct txn *txn)
{
	size_t size = txn->query.edns.present ? txn->query.edns.udp_size : 0;

	if (txn->client.is_tcp || txn->query.question_len == 0)
		return DNS_MESSAGE_MAX;
	return size < DNS_UDP_MIN_SIZE ? DNS_UDP_MIN_SIZE : size;
}

/* The reply is an answer to the client's question, and on its way. */
static void relay(struct worker *worker, struct txn *txn, int upstream, enum reply_verdict verdict,
		  enum dns_rcode rcode, size_t len)
{
	uint8_t *reply = worker->forward->reply;

	if (verdict == REPLY_BARE) {
		fail(worker, txn, upstream, rcode);
	} else if (verdict == REPLY_CUT || len > client_limit(txn)) {
		len = answer_truncated(&txn->query, txn->packet, DNS_UDP_MIN_SIZE);
		finish(worker, txn, upstream, txn->packet, len);
	} else {
		reply_restore(&txn->query, txn->packet, txn->shadowed, reply, len);
		finish(worker, txn, upstream, reply, len);
	}
}

/* This server can't or won't, but another one may: it is being asked, or can be. */
static bool is_worth_another(const struct worker *worker, const struct txn *txn, uint8_t number,
			     enum dns_rcode rcode)
{
	if (rcode != DNS_RCODE_SERVFAIL && rcode != DNS_RCODE_REFUSED)
		return false;
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		if (i != number && txn->attempts[i].fd >= 0)
			return true;
	}
	return txn->n_attempts < worker->config->n_upstreams &&
	       txn->n_attempts < worker->forward->max_attempts;
}

static void attempt_failed(struct worker *worker, struct txn *txn, uint8_t number)
{
	attempt_end(worker, &txn->attempts[number]);
	if (txn->attempts[txn->n_attempts - 1].fd >= 0)
		return; /* the newest has its time still */
	if (!attempt_next(worker, txn) && !is_waiting(txn))
		fail(worker, txn, -1, DNS_RCODE_SERVFAIL);
}

void forward_handle(struct worker *worker, struct event_ref ref)
{
	struct forward *f = worker->forward;
	struct txn *txn = f->txns[ref.index];
	struct upstream_attempt *attempt;
	enum reply_verdict verdict;
	enum dns_rcode rcode;
	size_t len;

	if (!txn || txn->generation != ref.generation || txn->attempts[ref.attempt].fd < 0)
		return;
	attempt = &txn->attempts[ref.attempt];
	switch (upstream_handle(attempt, txn->packet, txn->query_len, f->reply, &len)) {
	case UPSTREAM_AGAIN:
		worker_rewatch(worker, attempt->fd, upstream_events(attempt), ref);
		return;
	case UPSTREAM_FAILED: attempt_failed(worker, txn, ref.attempt); return;
	case UPSTREAM_MESSAGE: break;
	}
	verdict = reply_check(&txn->query, txn->packet, attempt->id, f->reply, len, &rcode);
	if (verdict != REPLY_OTHER)
		worker_tap_server(worker, TAP_FORWARDER_RESPONSE, &txn->client,
				  (int)server_of(worker, txn, ref.attempt),
				  &worker->config->upstreams[server_of(worker, txn, ref.attempt)],
				  f->reply, len);
	if (verdict == REPLY_OTHER) {
		if (txn->client.is_tcp) /* a stream does not mix up answers: it is broken */
			attempt_failed(worker, txn, ref.attempt);
	} else if (is_worth_another(worker, txn, ref.attempt, rcode)) {
		attempt_failed(worker, txn, ref.attempt);
	} else {
		f->first = (uint8_t)server_of(worker, txn, ref.attempt);
		relay(worker, txn, f->first, verdict, rcode, len);
	}
}

int64_t forward_expire(struct worker *worker)
{
	struct forward *f = worker->forward;

	while (!list_is_empty(&f->in_flight)) {
		struct txn *txn = list_entry(f->in_flight.next, struct txn, in_flight);

		/* The analyzer does not see that a freed one has left the list. */
		if (txn->deadline_ms > worker->now_ms) /* NOLINT(clang-analyzer-unix.Malloc) */
			return txn->deadline_ms;
		if (txn->client.is_tcp)
			attempt_end(worker, &txn->attempts[txn->n_attempts - 1]);
		if (!attempt_next(worker, txn))
			fail(worker, txn, -1, DNS_RCODE_SERVFAIL);
	}
	return INT64_MAX;
}
