/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstream_tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define PREFIX_LEN 2
#define IN_BYTES   4096 /* of the input buffer, but for a message that is longer */

static struct server *server_of(struct upstream_conn *conn)
{
	return (struct server *)(void *)((char *)conn - offsetof(struct server, conn));
}

static struct event_ref ref_of(struct upstream_conn *conn)
{
	return (struct event_ref){
		.kind = EVENT_UPSTREAM_TCP,
		.index = server_of(conn)->index,
		.generation = conn->generation,
	};
}

void upstream_conn_init(struct upstream_conn *conn)
{
	conn->fd = -1;
	list_init(&conn->attempts);
	timer_init(&conn->idle, TIMER_CONN);
}

void upstream_conn_close(struct upstream_conn *conn)
{
	if (conn->fd < 0)
		return;
	tls_conn_close(&conn->tls);
	close(conn->fd);
	conn->fd = -1;
	conn->generation++;
	timer_cancel(&conn->idle);
	free(conn->in);
	free(conn->out);
	conn->in = conn->out = NULL;
	conn->in_len = conn->in_size = conn->out_pos = conn->out_len = conn->out_size = 0;
}

void upstream_conn_free(struct upstream_conn *conn)
{
	upstream_conn_close(conn);
	tls_conn_forget(&conn->tls);
}

int upstream_conn_open(struct worker *worker, struct server *server)
{
	struct upstream_conn *conn = &server->conn;
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&server->ep, &ss);
	struct endpoint own;
	int rc, one = 1;

	if (conn->fd >= 0) {
		upstream_count(server->stats, UPSTREAM_TCP_REUSED);
		return 0;
	}
	conn->fd = socket(server->ep.addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return -errno;
	conn->connecting = true;
	conn->to_write = true;
	conn->answered = conn->dead = false;
	conn->events = EPOLLIN | EPOLLOUT;
	conn->received_ms = worker->now_ms;
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if ((connect(conn->fd, (struct sockaddr *)&ss, ss_len) < 0 && errno != EINPROGRESS) ||
	    !endpoint_of_socket(conn->fd, &own) || !(conn->in = malloc(IN_BYTES)) ||
	    (server->how.tls &&
	     tls_conn_open(&conn->tls, server->how.tls, &server->ep.addr, conn->fd) < 0)) {
		rc = errno ? -errno : -EIO;
		upstream_conn_close(conn);
		return rc;
	}
	conn->port = own.port;
	conn->in_size = IN_BYTES;
	if ((rc = worker_watch(worker, conn->fd, conn->events, ref_of(conn))) < 0) {
		upstream_conn_close(conn);
		return rc;
	}
	timer_set(&worker->forward->timers, &conn->idle, worker->now_ms + server->how.expire_ms);
	upstream_count(server->stats, UPSTREAM_TCP_CONNECTIONS);
	return 0;
}

/* --- out ---------------------------------------------------------------------------------------
 */

static void watch_for(struct worker *worker, struct upstream_conn *conn)
{
	uint32_t events = EPOLLIN;

	if (conn->connecting ? conn->to_write : conn->out_pos < conn->out_len)
		events |= EPOLLOUT;
	if (events == conn->events)
		return;
	conn->events = events;
	worker_rewatch(worker, conn->fd, events, ref_of(conn));
}

static ssize_t transmit(struct upstream_conn *conn, const uint8_t *data, size_t len)
{
	return conn->tls.ssl ? tls_conn_send(&conn->tls, data, len)
			     : send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void flush(struct upstream_conn *conn)
{
	while (conn->out_pos < conn->out_len) {
		ssize_t n =
			transmit(conn, conn->out + conn->out_pos, conn->out_len - conn->out_pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			conn->dead = errno != EAGAIN && errno != EWOULDBLOCK;
			return;
		}
		conn->out_pos += (size_t)n;
	}
	conn->out_pos = conn->out_len = 0;
}

static bool make_room(struct upstream_conn *conn, size_t len)
{
	size_t size = conn->out_len + len;
	uint8_t *grown;

	if (size <= conn->out_size)
		return true;
	if (size > CONN_OUT_BYTES || !(grown = realloc(conn->out, size)))
		return false;
	conn->out = grown;
	conn->out_size = size;
	return true;
}

int upstream_conn_send(struct worker *worker, struct server *server, const uint8_t *packet,
		       size_t len, size_t opt_at)
{
	struct upstream_conn *conn = &server->conn;
	size_t padding = conn->tls.ssl && opt_at ? edns_padding(len) : 0;
	struct wire w;

	if (!make_room(conn, PREFIX_LEN + len + padding))
		return -ENOBUFS;
	w = wire_over(conn->out + conn->out_len, PREFIX_LEN + len + padding);
	wire_put_u16(&w, (uint16_t)(len + padding));
	wire_put_bytes(&w, packet, len);
	if (padding)
		edns_pad(&w, PREFIX_LEN + opt_at, padding);
	conn->out_len += PREFIX_LEN + len + padding;
	if (!conn->connecting)
		flush(conn);
	/* What is dead is buried when epoll says so, not under the caller's feet. */
	watch_for(worker, conn);
	return 0;
}

/* --- in ----------------------------------------------------------------------------------------
 */

static bool resize_input(struct upstream_conn *conn, size_t size)
{
	uint8_t *resized = realloc(conn->in, size);

	if (!resized)
		return false;
	conn->in = resized;
	conn->in_size = size;
	return true;
}

/* The length of the message at `at`, 0 if its prefix is not there yet. */
static size_t message_len(const struct upstream_conn *conn, size_t at)
{
	struct wire w = wire_over(conn->in + at, conn->in_len - at);

	return wire_get_u16(&w);
}

/* Hands on the whole messages that have come in; false when the stream makes no sense. */
static bool handle_input(struct worker *worker, struct server *server)
{
	struct upstream_conn *conn = &server->conn;
	uint16_t generation = conn->generation;
	size_t done = 0, len;

	while (conn->in_len - done >= PREFIX_LEN) {
		if ((len = message_len(conn, done)) < DNS_HEADER_LEN)
			return false;
		if (conn->in_len - done < PREFIX_LEN + len)
			break;
		memcpy(worker->forward->reply, conn->in + done + PREFIX_LEN, len);
		done += PREFIX_LEN + len;
		if (attempt_message(worker, conn, conn->port, len))
			conn->answered = true;
		else
			upstream_count(server->stats, UPSTREAM_LATE);
		if (conn->fd < 0 || conn->generation != generation)
			return true; /* an answer can be the end of the connection */
	}
	conn->in_len -= done;
	memmove(conn->in, conn->in + done, conn->in_len);
	len = PREFIX_LEN + message_len(conn, 0);
	if (len > conn->in_size)
		return resize_input(conn, len);
	return conn->in_size == IN_BYTES || len > IN_BYTES || conn->in_len > IN_BYTES ||
	       resize_input(conn, IN_BYTES);
}

static bool receive(struct worker *worker, struct server *server)
{
	struct upstream_conn *conn = &server->conn;
	uint8_t *at = conn->in + conn->in_len;
	size_t room = conn->in_size - conn->in_len;
	ssize_t n = conn->tls.ssl ? tls_conn_recv(&conn->tls, at, room)
				  : recv(conn->fd, at, room, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
	if (n == 0)
		return false;
	conn->in_len += (size_t)n;
	conn->received_ms = worker->now_ms;
	return handle_input(worker, server);
}

/* --- the beginning ------------------------------------------------------------------------------
 */

static void complain(const struct worker *worker, struct server *server, const struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];
	uint32_t suppressed;

	if (log_limit_pass(&server->conn.limit, worker->now_ms, &suppressed))
		log_warning("no TLS with an upstream", "server=%s reason=\"%s\"",
			    endpoint_format(&server->ep, text), err->msg);
}

/* It may be connected now; of TLS the handshake is part of that. False: it can't be. */
static bool connect_further(struct worker *worker, struct server *server, uint32_t events)
{
	struct upstream_conn *conn = &server->conn;
	struct err err = {0};
	int rc = 0;

	if (conn->tls.ssl) {
		rc = tls_conn_handshake(&conn->tls, &conn->to_write, &err);
		conn->received_ms = worker->now_ms;
	} else if (!(events & EPOLLOUT)) {
		rc = -EAGAIN;
	}
	if (rc < 0 && rc != -EAGAIN)
		complain(worker, server, &err);
	conn->connecting = rc < 0;
	return rc == 0 || rc == -EAGAIN;
}

void upstream_conn_handle(struct worker *worker, struct event_ref ref, uint32_t events)
{
	struct server *server = &worker->forward->servers[ref.index];
	struct upstream_conn *conn = &server->conn;
	bool failed = events & EPOLLERR;

	if (!server->used || conn->fd < 0 || conn->generation != ref.generation)
		return;
	if (!failed && conn->connecting)
		failed = !connect_further(worker, server, events);
	if (!failed && !conn->connecting)
		flush(conn);
	/* A reset, too, leaves what came before it to be read. */
	if (events & (EPOLLIN | EPOLLHUP) && !(conn->connecting && conn->tls.ssl)) {
		do {
			failed |= !receive(worker, server);
		} while (!failed && conn->fd >= 0 && conn->generation == ref.generation &&
			 tls_conn_has_more(&conn->tls));
	}
	if (conn->fd < 0 || conn->generation != ref.generation)
		return;
	if (failed || conn->dead)
		upstream_conn_break(worker, server);
	else
		watch_for(worker, conn);
}

/* --- the end -----------------------------------------------------------------------------------
 */

void upstream_conn_break(struct worker *worker, struct server *server)
{
	struct upstream_conn *conn = &server->conn;
	bool refused = conn->connecting, answered = conn->answered;
	struct list orphans;

	list_init(&orphans);
	while (!list_is_empty(&conn->attempts)) {
		struct list *node = conn->attempts.next;

		list_remove(node);
		list_append(&orphans, node);
	}
	upstream_conn_close(conn);
	while (!list_is_empty(&orphans)) {
		struct attempt *attempt = list_entry(orphans.next, struct attempt, on);

		if (refused || (attempt->resent && !answered) || !attempt_resend(worker, attempt))
			attempt_refused(worker, attempt);
	}
}

void upstream_conn_expire(struct worker *worker, struct upstream_conn *conn)
{
	int64_t idle_ms = server_of(conn)->how.expire_ms, due_ms = conn->received_ms + idle_ms;

	if (list_is_empty(&conn->attempts) && worker->now_ms >= due_ms)
		upstream_conn_close(conn);
	else
		timer_set(&worker->forward->timers, &conn->idle,
			  due_ms > worker->now_ms ? due_ms : worker->now_ms + idle_ms / 4);
}
