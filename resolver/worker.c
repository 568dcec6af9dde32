/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/log.h"
#include "resolver/answer.h"
#include "resolver/forward.h"
#include "resolver/handover.h"
#include "resolver/note.h"
#include "resolver/recall.h"
#include "resolver/reply.h"
#include "resolver/service.h"
#include "resolver/tcp.h"
#include "resolver/udp.h"

#define EVENTS_MAX 64

int worker_watch(struct worker *worker, int fd, uint32_t events, struct event_ref ref)
{
	struct epoll_event event = {.events = events};

	memcpy(&event.data, &ref, sizeof(ref));
	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int worker_rewatch(struct worker *worker, int fd, uint32_t events, struct event_ref ref)
{
	struct epoll_event event = {.events = events};

	memcpy(&event.data, &ref, sizeof(ref));
	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 ? -errno : 0;
}

static int watch_listeners(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->config->n_listeners; i++) {
		const struct listener *listener = &worker->listeners[i];
		struct event_ref udp = {.kind = EVENT_UDP, .index = i};
		struct event_ref accept = {.kind = EVENT_ACCEPT, .index = i};
		int rc;

		/* Workers may share an inherited socket: one of them is enough to be woken. */
		if ((rc = worker_watch(worker, listener->udp_fd, EPOLLIN | EPOLLEXCLUSIVE, udp)) <
			    0 ||
		    (rc = worker_watch(worker, listener->tcp_fd, EPOLLIN | EPOLLEXCLUSIVE,
				       accept)) < 0)
			return rc;
	}
	if (worker->config->handover && worker->config->handover->old_fd >= 0) {
		int rc = worker_watch(worker, worker->config->handover->old_fd,
				      EPOLLIN | EPOLLEXCLUSIVE,
				      (struct event_ref){.kind = EVENT_TAKEOVER});

		if (rc < 0)
			return rc;
	}
	/* By its edges: nobody reads it, so that all workers see it. */
	return worker_watch(worker, worker->order_fd, EPOLLIN | EPOLLET,
			    (struct event_ref){.kind = EVENT_ORDER});
}

int worker_init(struct worker *worker, unsigned int number, const struct worker_config *config,
		struct listener *listeners, struct publish_reader *reader,
		struct publish_reader *service_reader, int order_fd, struct err *err)
{
	int rc;

	*worker = (struct worker){
		.config = config,
		.number = number,
		.sheets = {config->pages, number},
		.listeners = listeners,
		.reader = reader,
		.service_reader = service_reader,
		.order_fd = order_fd,
		.successor_fd = -1,
		.context = {.version = config->version,
			    .server_id = config->server_id,
			    .tcp_idle_ds = (uint16_t)(config->tcp_idle_s * 10)},
		.udp = udp_new(),
		.tcp = tcp_new(config->tcp_clients),
		.forward = forward_new(config),
	};
	worker->context.chain = &worker->chain;
	worker->chain.sheets = worker->sheets;
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!limits_new(&config->limits, &worker->limits) || !worker->udp || !worker->tcp ||
	    !worker->forward || !recall_new(config, &worker->sheets, &worker->recall) ||
	    tap_init(&worker->tap, config->tap_wish) < 0)
		rc = err_set(err, ENOMEM, "out of memory for a worker");
	else if (worker->epoll_fd < 0)
		rc = err_set(err, errno, "cannot create an epoll set: %s", err_text(errno));
	else if ((rc = watch_listeners(worker)) < 0)
		err_set(err, rc, "cannot watch the sockets: %s", err_text(rc));
	if (rc < 0)
		worker_free(worker);
	return rc;
}

void worker_free(struct worker *worker)
{
	forward_free(worker);
	recall_free(worker->recall);
	chain_free(&worker->chain);
	tcp_free(worker->tcp);
	udp_free(worker->udp);
	limits_free(worker->limits);
	tap_free(&worker->tap);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	*worker = (struct worker){.epoll_fd = -1};
}

/* An answer without records, in place of the question: REFUSED, or with TC. */
static enum worker_outcome turn_away(struct worker *worker, const struct client *client,
				     bool refused, uint8_t *packet, size_t *len)
{
	struct query query;

	if (query_parse(packet, *len, &query) == QUERY_DROP) {
		stats_add(&worker->stats.drops[STATS_DROP_MALFORMED], 1);
		return WORKER_SILENT;
	}
	query.page = worker->service->listen[client->listener].dropped;
	note_query(worker, client, &query, *len);
	*len = refused ? answer_error(&query, packet, DNS_UDP_MIN_SIZE, DNS_RCODE_REFUSED)
		       : answer_truncated(&query, packet, DNS_UDP_MIN_SIZE);
	note_refusal(worker, client, &query, refused ? DNS_RCODE_REFUSED : DNS_RCODE_NOERROR, *len);
	return WORKER_ANSWERED;
}

enum worker_outcome worker_admit(struct worker *worker, const struct client *client, bool guarded,
				 uint8_t *packet, size_t *len)
{
	if (guarded && !access_allows(worker->config->access, &client->peer)) {
		if (worker->refusals_us < worker->now_us)
			worker->refusals_us = worker->now_us;
		if (worker->refusals_us >= worker->now_us + 1000000) {
			stats_add(&worker->stats.drops[STATS_DROP_ACCESS], 1);
			return WORKER_SILENT;
		}
		worker->refusals_us += 1000000 / WORKER_REFUSALS;
		return turn_away(worker, client, true, packet, len);
	}
	switch (limits_question(worker->limits, &client->peer, worker->now_us)) {
	case LIMITS_PASS: break;
	case LIMITS_TRUNCATE: return turn_away(worker, client, false, packet, len);
	case LIMITS_DROP: stats_add(&worker->stats.drops[STATS_DROP_RATE], 1); return WORKER_SILENT;
	}
	return WORKER_LATER;
}

/* TCP has limits of its own. */
static bool take_inflight(struct worker *worker, const struct client *client)
{
	return client->is_tcp || limits_take(worker->limits, LIMITS_INFLIGHT, &client->peer);
}

static void release_inflight(struct worker *worker, const struct client *client)
{
	if (!client->is_tcp)
		limits_release(worker->limits, LIMITS_INFLIGHT, &client->peer);
	worker->waiting--;
	stats_add(&worker->stats.in_flight, (uint64_t)-1);
}

/* Answers a question that is not ours from the cache, with an error, or later. */
static enum worker_outcome ask_elsewhere(struct worker *worker, const struct client *client,
					 uint8_t *packet, size_t *len, const struct query *query,
					 enum resolve_transport transport, bool shadowed,
					 int *ret_upstream)
{
	const struct block *block = worker->context.block;
	bool is_own = forward_is_own(worker, client, query);
	enum dns_rcode rcode = DNS_RCODE_SERVFAIL;

	*ret_upstream = WORKER_CACHED;
	if (is_own)
		stats_add(&worker->stats.loops, 1);
	else if (recall_takes(worker, block, query) &&
		 recall_answer(worker, block, query, packet, transport, shadowed, len)) {
		if (block->rotates)
			reply_rotate(query, packet, *len, resolve_turn(&worker->context));
		return WORKER_ANSWERED;
	}
	if (!is_own && worker->finishing)
		return WORKER_SILENT;
	if (!is_own && take_inflight(worker, client)) {
		worker->waiting++;
		stats_add(&worker->stats.in_flight, 1);
		rcode = forward_start(worker, client, packet, *len, query, block, shadowed);
		if (rcode == DNS_RCODE_NOERROR)
			return WORKER_LATER;
		release_inflight(worker, client);
		if (rcode == DNS_RCODE_SERVFAIL && recall_takes(worker, block, query) &&
		    recall_rescue(worker, query, packet, transport, shadowed, len))
			return WORKER_ANSWERED;
	}
	*ret_upstream = -1;
	*len = answer_error(query, packet, DNS_UDP_MIN_SIZE, rcode);
	return WORKER_ANSWERED;
}

static void begin_chain(struct chain *chain, const struct client *client)
{
	struct sockaddr_storage ss = {0};
	struct endpoint ep;

	memcpy(&ss, &client->peer, sizeof(client->peer));
	if (endpoint_from_sockaddr(&ss, &ep))
		chain->remote = ep.addr;
	chain_begin(chain);
}

/* Why a step of a Corefile could not do what it was to. */
static void tell_failure(struct worker *worker)
{
	struct chain *chain = &worker->chain;
	uint32_t kept_back;
	const struct block *block = worker->context.block;

	if (block && block->corefile && block->corefile->errors)
		return; /* which tells it */
	if (chain->err.msg[0] && log_limit_pass(&worker->failures, worker->now_ms, &kept_back))
		log_error("a question could not be answered", "reason=\"%s\" kept_back=%u",
			  chain->err.msg, kept_back);
}

/* The last thing that is done to an answer of a listener whose blocks have steps. */
static void end_chain(struct worker *worker, uint8_t *packet, size_t *len, size_t limit)
{
	struct chain *chain = &worker->chain;

	if (chain_has_changed(chain))
		*len = chain_restore(chain, worker->context.block, packet, *len, limit);
	tell_failure(worker);
}

enum worker_outcome worker_handle(struct worker *worker, struct client *client, uint8_t *packet,
				  size_t *len, enum resolve_transport transport)
{
	enum resolve_action action;
	struct query query;
	enum worker_outcome outcome;
	int upstream = -1;

	client->query_len = (uint16_t)*len;
	client->received_us = worker->now_us;
	note_arrival(worker, client, packet, *len);
	worker->context.listen = &worker->service->listen[client->listener];
	if (worker->context.listen->has_steps)
		begin_chain(&worker->chain, client);
	action = resolve_message(&worker->context, packet, *len, transport, &query, len);
	if (action == RESOLVE_DROP) {
		stats_add(&worker->stats.drops[STATS_DROP_MALFORMED], 1);
		return WORKER_SILENT;
	}
	note_query(worker, client, &query, client->query_len);
	if (action != RESOLVE_REPLY) {
		outcome = ask_elsewhere(worker, client, packet, len, &query, transport,
					action == RESOLVE_FORWARD_SHADOWED, &upstream);
		if (outcome != WORKER_ANSWERED)
			return outcome;
	}
	if (worker->context.listen->has_steps)
		end_chain(worker, packet, len,
			  transport == RESOLVE_TCP ? DNS_MESSAGE_MAX : query_udp_limit(&query));
	note_answer(worker, client, &query, upstream, packet, *len);
	note_to_measure(worker, &query);
	worker->chain.err.msg[0] = '\0';
	worker->chain.answered_by = STATS_SERVER;
	return WORKER_ANSWERED;
}

void worker_reply(struct worker *worker, const struct client *client, const struct query *query,
		  int upstream, const uint8_t *packet, size_t len)
{
	release_inflight(worker, client);
	note_answer(worker, client, query, upstream, packet, len);
	note_duration(worker, query, worker->now_us - client->received_us);
	if (client->is_tcp)
		tcp_reply(worker, client, packet, len);
	else
		udp_reply(worker, client, packet, len);
}

static void read_clock(struct worker *worker)
{
	worker->now_us = worker_precise_us();
	worker->now_ms = worker->now_us / 1000;
}

/*
 * What was answered since the clock was last read took as long as all of it together: it came in
 * one batch and went out in one. So the clock is read twice a batch, not for each query.
 */
static void measure(struct worker *worker)
{
	int64_t began_us = worker->now_us;

	if (!worker->unmeasured)
		return;
	read_clock(worker);
	note_measured(worker, worker->now_us - began_us);
}

static void drain(struct worker *worker, bool finish)
{
	for (size_t i = 0; i < worker->config->n_listeners; i++) {
		const struct listener *listener = &worker->listeners[i];

		/* What is in the sockets is somebody else's from here on, if there is one. */
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, listener->tcp_fd, NULL);
		if (!finish || listener->inherited)
			epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, listener->udp_fd, NULL);
	}
	worker->draining = true;
	worker->finishing = finish;
	if (!finish && worker->config->handover)
		worker->successor_fd = worker->config->handover->new_fd;
}

static void take_order(struct worker *worker)
{
	int order = atomic_load(worker->config->order);

	if ((order == WORKER_FINISH || order == WORKER_DRAIN) && !worker->draining)
		drain(worker, order == WORKER_FINISH);
}

static void dispatch(struct worker *worker, const struct epoll_event *event)
{
	struct event_ref ref;

	memcpy(&ref, &event->data, sizeof(ref));
	switch ((enum event_kind)ref.kind) {
	case EVENT_ORDER: take_order(worker); break;
	case EVENT_UDP: udp_handle(worker, &worker->listeners[ref.index]); break;
	case EVENT_ACCEPT: tcp_accept(worker, &worker->listeners[ref.index]); break;
	case EVENT_TAKEOVER: tcp_take_over(worker); break;
	case EVENT_TCP: tcp_handle(worker, ref, event->events); break;
	case EVENT_UPSTREAM_UDP:
	case EVENT_UPSTREAM_TCP: forward_handle(worker, ref, event->events); break;
	}
}

/* Deals with what is due and returns how long to sleep, as epoll_wait(2) takes it. */
static int expire(struct worker *worker)
{
	int64_t forward = forward_expire(worker), tcp = tcp_expire(worker);
	int64_t next = forward < tcp ? forward : tcp, wait = next - worker->now_ms;

	stats_set(&worker->stats.tcp_clients, tcp_count(worker->tcp));
	if (next == INT64_MAX)
		return -1;
	return wait > 60000 ? 60000 : (int)wait + 1;
}

static bool is_done(const struct worker *worker)
{
	return atomic_load(worker->config->order) == WORKER_STOP ||
	       (worker->draining && worker->waiting == 0 && tcp_count(worker->tcp) == 0);
}

void *worker_run(void *arg)
{
	struct worker *worker = arg;
	struct epoll_event events[EVENTS_MAX];
	int wait_ms = 0;

	while (!is_done(worker)) {
		int n = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, wait_ms);

		read_clock(worker);
		worker->context.names = publish_enter(worker->config->publish, worker->reader);
		/* It stays for a while: the bracket can end at once. */
		worker->service = publish_enter(worker->config->services, worker->service_reader);
		publish_leave(worker->service_reader);
		forward_take_over(worker);
		if (worker->recall)
			recall_round(worker->recall);
		for (int i = 0; i < n; i++) {
			dispatch(worker, &events[i]);
			measure(worker);
		}
		/* Within the bracket: a timeout answers, an answer makes room for a question. */
		wait_ms = expire(worker);
		udp_flush(worker);
		measure(worker);
		/* Not to be used until the next round takes it anew. */
		worker->context.names = NULL;
		publish_leave(worker->reader);
	}
	return NULL;
}
