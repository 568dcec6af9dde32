/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "resolver/answer.h"
#include "resolver/forward.h"
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

		if ((rc = worker_watch(worker, listener->udp_fd, EPOLLIN, udp)) < 0 ||
		    (rc = worker_watch(worker, listener->tcp_fd, EPOLLIN, accept)) < 0)
			return rc;
	}
	return worker_watch(worker, worker->stop_fd, EPOLLIN,
			    (struct event_ref){.kind = EVENT_STOP});
}

int worker_init(struct worker *worker, const struct worker_config *config,
		struct listener *listeners, struct publish_reader *reader, int stop_fd,
		struct err *err)
{
	int rc;

	*worker = (struct worker){
		.config = config,
		.listeners = listeners,
		.reader = reader,
		.stop_fd = stop_fd,
		.context = {.version = config->version,
			    .server_id = config->server_id,
			    .tcp_idle_ds = (uint16_t)(config->tcp_idle_s * 10)},
		.udp = udp_new(),
		.tcp = tcp_new(config->tcp_clients),
		.forward = forward_new(config->n_upstreams),
	};
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!worker->udp || !worker->tcp || !worker->forward)
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
	tcp_free(worker->tcp);
	udp_free(worker->udp);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	*worker = (struct worker){.epoll_fd = -1};
}

enum worker_outcome worker_handle(struct worker *worker, const struct client *client,
				  uint8_t *packet, size_t *len, enum resolve_transport transport)
{
	enum resolve_action action;
	struct query query;

	action = resolve_message(&worker->context, packet, *len, transport, &query, len);
	switch (action) {
	case RESOLVE_DROP: return WORKER_SILENT;
	case RESOLVE_REPLY: return WORKER_ANSWERED;
	case RESOLVE_FORWARD:
	case RESOLVE_FORWARD_SHADOWED: break;
	}
	if (!forward_is_own(worker, client, query.id) &&
	    forward_start(worker, client, packet, *len, &query, action == RESOLVE_FORWARD_SHADOWED))
		return WORKER_LATER;
	*len = answer_error(&query, packet, DNS_UDP_MIN_SIZE, DNS_RCODE_SERVFAIL);
	return WORKER_ANSWERED;
}

void worker_reply(struct worker *worker, const struct client *client, const uint8_t *packet,
		  size_t len)
{
	if (client->is_tcp)
		tcp_reply(worker, client, packet, len);
	else
		udp_reply(client, packet, len);
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	/* Ticks of a few milliseconds will do for timeouts, and cost a fraction of the fine clock.
	 */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void dispatch(struct worker *worker, const struct epoll_event *event)
{
	struct event_ref ref;

	memcpy(&ref, &event->data, sizeof(ref));
	switch ((enum event_kind)ref.kind) {
	case EVENT_STOP: break;
	case EVENT_UDP: udp_handle(worker, &worker->listeners[ref.index]); break;
	case EVENT_ACCEPT: tcp_accept(worker, &worker->listeners[ref.index]); break;
	case EVENT_TCP: tcp_handle(worker, ref, event->events); break;
	case EVENT_UPSTREAM: forward_handle(worker, ref); break;
	}
}

/* Deals with what is due and returns how long to sleep, as epoll_wait(2) takes it. */
static int expire(struct worker *worker)
{
	int64_t forward = forward_expire(worker), tcp = tcp_expire(worker);
	int64_t next = forward < tcp ? forward : tcp, wait = next - worker->now_ms;

	if (next == INT64_MAX)
		return -1;
	return wait > 60000 ? 60000 : (int)wait + 1;
}

static bool is_stop(const struct epoll_event *event)
{
	struct event_ref ref;

	memcpy(&ref, &event->data, sizeof(ref));
	return ref.kind == EVENT_STOP;
}

void *worker_run(void *arg)
{
	struct worker *worker = arg;
	struct epoll_event events[EVENTS_MAX];
	int wait_ms = -1;
	bool stop = false;

	while (!stop) {
		int n = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, wait_ms);

		worker->now_ms = monotonic_ms();
		worker->context.names = publish_enter(worker->config->publish, worker->reader);
		for (int i = 0; i < n; i++) {
			stop |= is_stop(&events[i]);
			dispatch(worker, &events[i]);
		}
		/* Within the bracket: a timeout answers, an answer makes room for a question. */
		wait_ms = expire(worker);
		/* Not to be used until the next round takes it anew. */
		worker->context.names = NULL;
		publish_leave(worker->reader);
	}
	return NULL;
}
