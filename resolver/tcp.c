/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "resolver/tcp_parts.h"

#define PREFIX_LEN 2
/* While draining. A client that has just been answered may be about to ask on. */
#define DRAIN_IDLE_MS 200

struct tcp *tcp_new(uint32_t max_clients)
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));

	if (!tcp)
		return NULL;
	tcp->spare_fd = eventfd(0, EFD_CLOEXEC);
	/* Not cleared: the pages of what never happens are not there. */
	tcp->conns = malloc(max_clients * sizeof(*tcp->conns));
	tcp->free = malloc(max_clients * sizeof(*tcp->free));
	tcp->message = malloc(RESOLVE_TCP_BUFFER);
	if (!tcp->conns || !tcp->free || !tcp->message || tcp->spare_fd < 0) {
		tcp_free(tcp);
		return NULL;
	}
	list_init(&tcp->idle);
	tcp->n_conns = max_clients;
	return tcp;
}

void tcp_close_conn(struct tcp *tcp, struct conn *conn)
{
	limits_release(tcp->limits, LIMITS_TCP, &conn->peer);
	list_remove(&conn->idle);
	close(conn->fd);
	free(conn->in);
	free(conn->out);
	*conn = (struct conn){.fd = -1, .generation = conn->generation + 1};
	tcp->free[tcp->n_free++] = (uint32_t)(conn - tcp->conns);
}

void tcp_free(struct tcp *tcp)
{
	if (!tcp)
		return;
	for (uint32_t i = 0; i < tcp->n_touched; i++) {
		if (tcp->conns[i].fd >= 0)
			tcp_close_conn(tcp, &tcp->conns[i]);
	}
	if (tcp->spare_fd >= 0)
		close(tcp->spare_fd);
	free(tcp->message);
	free(tcp->conns);
	free(tcp->free);
	free(tcp);
}

static struct event_ref conn_ref(const struct tcp *tcp, const struct conn *conn)
{
	return (struct event_ref){
		.kind = EVENT_TCP,
		.index = (uint32_t)(conn - tcp->conns),
		.generation = (uint16_t)conn->generation,
	};
}

/* Closes without waiting for what the client has not taken, which the kernel would keep for it. */
static void conn_abort(struct tcp *tcp, struct conn *conn)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	tcp_close_conn(tcp, conn);
}

/* The connection did something that counts. While answers wait for it, only taking them does. */
static void touch(struct worker *worker, struct conn *conn)
{
	if (tcp_backlog(conn) > 0)
		return;
	list_remove(&conn->idle);
	conn->idle_since_ms = worker->now_ms;
	list_append(&worker->tcp->idle, &conn->idle);
}

/* Queues what could not be sent at once. */
static bool keep_output(struct conn *conn, const uint8_t *bytes, size_t len)
{
	if (conn->out_pos > 0) {
		conn->out_len -= conn->out_pos;
		memmove(conn->out, conn->out + conn->out_pos, conn->out_len);
		conn->out_pos = 0;
	}
	if (conn->out_len + len > conn->out_size) {
		size_t size = conn->out_len + len;
		uint8_t *grown = realloc(conn->out, size);

		if (!grown)
			return false;
		conn->out = grown;
		conn->out_size = size;
	}
	memcpy(conn->out + conn->out_len, bytes, len);
	conn->out_len += len;
	return true;
}

/* Sends a message, or queues what the socket does not take. */
static void conn_send(struct conn *conn, const uint8_t *packet, size_t len)
{
	uint8_t prefix[PREFIX_LEN] = {(uint8_t)(len >> 8), (uint8_t)len};
	struct iovec iov[2] = {{prefix, PREFIX_LEN}, {(void *)packet, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t sent = 0;

	if (conn->out_pos == conn->out_len) { /* nothing that must go first */
		sent = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			conn->broken = true;
			return;
		}
		if (sent < 0)
			sent = 0;
	}
	if ((size_t)sent < PREFIX_LEN) {
		conn->broken = !keep_output(conn, prefix + sent, PREFIX_LEN - (size_t)sent) ||
			       !keep_output(conn, packet, len);
	} else if ((size_t)sent < PREFIX_LEN + len) {
		size_t done = (size_t)sent - PREFIX_LEN;

		conn->broken = !keep_output(conn, packet + done, len - done);
	}
}

static void flush(struct worker *worker, struct conn *conn)
{
	while (conn->out_pos < conn->out_len) {
		ssize_t n = send(conn->fd, conn->out + conn->out_pos, conn->out_len - conn->out_pos,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			conn->broken = errno != EAGAIN && errno != EWOULDBLOCK;
			return;
		}
		conn->out_pos += (size_t)n;
	}
	free(conn->out);
	conn->out = NULL;
	conn->out_pos = conn->out_len = conn->out_size = 0;
	touch(worker, conn);
}

/* No more questions of it now. Once it is to be another's, they are that one's too. */
static bool is_full(const struct worker *worker, const struct conn *conn)
{
	return tcp_is_moving(worker) || conn->pending >= TCP_PENDING_MAX ||
	       tcp_backlog(conn) >= TCP_BACKLOG_BYTES;
}

static void handle_message(struct worker *worker, struct conn *conn, const uint8_t *message,
			   size_t len)
{
	struct tcp *tcp = worker->tcp;
	struct client client = {
		.is_tcp = true,
		.listener = conn->listener,
		.port = ntohs(conn->peer.sin6_port),
		.peer = conn->peer,
	};

	client.tcp.index = (uint32_t)(conn - tcp->conns);
	client.tcp.generation = conn->generation;
	memcpy(tcp->message, message, len);
	touch(worker, conn);
	switch (worker_handle(worker, &client, tcp->message, &len, RESOLVE_TCP)) {
	case WORKER_SILENT: break;
	case WORKER_ANSWERED: conn_send(conn, tcp->message, len); break;
	case WORKER_LATER: conn->pending++; break;
	}
}

/* Handles the whole messages that have come in, as long as the connection may have more answers. */
static void handle_input(struct worker *worker, struct conn *conn)
{
	size_t done = 0;

	while (!conn->broken && !is_full(worker, conn) && conn->in_len - done >= PREFIX_LEN) {
		const uint8_t *at = conn->in + done;
		size_t len = (size_t)at[0] << 8 | at[1];

		if (len < DNS_HEADER_LEN) {
			conn->broken = true; /* not DNS, or out of step */
			return;
		}
		if (conn->in_len - done < PREFIX_LEN + len)
			break;
		handle_message(worker, conn, at + PREFIX_LEN, len);
		done += PREFIX_LEN + len;
	}
	conn->in_len -= done;
	if (conn->in_len == 0) {
		free(conn->in);
		conn->in = NULL;
		conn->in_size = 0;
	} else if (done > 0) {
		memmove(conn->in, conn->in + done, conn->in_len);
	}
}

/*
 * Makes room for more input. The buffer is small, so that no connection has more than a few dozen
 * messages in one turn. For a message that is larger it grows as that comes in, not as its length
 * announces it, and it goes when there is nothing in it.
 */
static bool make_room(struct conn *conn)
{
	size_t size = TCP_IN_BYTES, whole;
	uint8_t *grown;

	if (conn->in_len < conn->in_size)
		return true;
	if (conn->in) {
		whole = PREFIX_LEN + ((size_t)conn->in[0] << 8 | conn->in[1]);
		if (whole <= conn->in_size)
			return true; /* it is there, and has to wait */
		size = 2 * conn->in_size < whole ? 2 * conn->in_size : whole;
	}
	if (!(grown = realloc(conn->in, size)))
		return false;
	conn->in = grown;
	conn->in_size = size;
	return true;
}

static void receive(struct conn *conn)
{
	ssize_t n;

	if (!make_room(conn)) {
		conn->broken = true;
		return;
	}
	if (conn->in_len == conn->in_size) /* full of messages that have to wait */
		return;
	n = recv(conn->fd, conn->in + conn->in_len, conn->in_size - conn->in_len, MSG_DONTWAIT);
	if (n > 0)
		conn->in_len += (size_t)n;
	else if (n == 0)
		conn->eof = true;
	else
		conn->broken = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

/* Brings everything about the connection up to date after something happened to it. */
void tcp_settle(struct worker *worker, struct conn *conn)
{
	bool has_output;
	uint32_t events;

	if (tcp_is_moving(worker) && tcp_move(worker, conn))
		return;
	handle_input(worker, conn);
	has_output = tcp_backlog(conn) > 0;
	if (conn->broken && has_output) {
		conn_abort(worker->tcp, conn);
		return;
	}
	if (conn->broken || (conn->eof && !conn->pending && !has_output)) {
		tcp_close_conn(worker->tcp, conn);
		return;
	}
	events = (has_output ? EPOLLOUT : 0u) | (conn->eof || is_full(worker, conn) ? 0u : EPOLLIN);
	if (events != conn->events) {
		conn->events = events;
		worker_rewatch(worker, conn->fd, events, conn_ref(worker->tcp, conn));
	}
}

void tcp_handle(struct worker *worker, struct event_ref ref, uint32_t events)
{
	struct conn *conn = &worker->tcp->conns[ref.index];

	if (conn->fd < 0 || (uint16_t)conn->generation != ref.generation)
		return;
	if (events & EPOLLERR)
		conn->broken = true;
	if (!conn->broken && events & EPOLLOUT)
		flush(worker, conn);
	if (!conn->broken && !conn->eof && events & (EPOLLIN | EPOLLHUP) && !is_full(worker, conn))
		receive(conn);
	tcp_settle(worker, conn);
}

void tcp_reply(struct worker *worker, const struct client *client, const uint8_t *packet,
	       size_t len)
{
	struct conn *conn = &worker->tcp->conns[client->tcp.index];

	if (conn->fd < 0 || conn->generation != client->tcp.generation)
		return;
	conn->pending--;
	touch(worker, conn);
	/* Who asks for much and takes nothing is not waited for. */
	if (tcp_backlog(conn) >= TCP_BACKLOG_BYTES)
		conn->broken = true;
	else
		conn_send(conn, packet, len);
	tcp_settle(worker, conn);
}

/* The connection that is best closed for a new one: the longest idle, before one that waits. */
static struct conn *find_victim(struct tcp *tcp)
{
	for (struct list *node = tcp->idle.next; node != &tcp->idle; node = node->next) {
		struct conn *conn = list_entry(node, struct conn, idle);

		if (!conn->pending)
			return conn;
	}
	return list_is_empty(&tcp->idle) ? NULL : list_entry(tcp->idle.next, struct conn, idle);
}

/*
 * Out of descriptors, and a connection waits that would wake us for ever. A connection of ours is
 * better used for it; if there is none, the spare descriptor serves to accept and close it.
 */
static void relieve(struct tcp *tcp, int listener_fd)
{
	struct conn *victim = find_victim(tcp);
	int fd;

	if (victim) {
		tcp_close_conn(tcp, victim);
		return;
	}
	close(tcp->spare_fd);
	if ((fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	tcp->spare_fd = eventfd(0, EFD_CLOEXEC);
}

/* A slot for a new connection; the most idle one's if there is no other. */
static struct conn *take_slot(struct tcp *tcp)
{
	struct conn *conn;

	if (tcp->n_free == 0 && tcp->n_touched < tcp->n_conns) {
		conn = &tcp->conns[tcp->n_touched++];
		*conn = (struct conn){.fd = -1};
		return conn;
	}
	if (tcp->n_free == 0)
		tcp_close_conn(tcp, find_victim(tcp));
	return &tcp->conns[tcp->free[--tcp->n_free]];
}

struct conn *tcp_add_conn(struct worker *worker, int fd, const struct sockaddr_in6 *peer,
			  uint32_t listener)
{
	struct tcp *tcp = worker->tcp;
	struct conn *conn;

	if ((worker->listeners[listener].guarded && !access_allows(worker->config->access, peer)) ||
	    !limits_take(worker->limits, LIMITS_TCP, peer)) {
		close(fd);
		return NULL;
	}
	tcp->limits = worker->limits;
	conn = take_slot(tcp);
	conn->fd = fd;
	conn->peer = *peer;
	conn->listener = (uint16_t)listener;
	conn->events = EPOLLIN;
	conn->idle_since_ms = worker->now_ms;
	list_append(&tcp->idle, &conn->idle);
	if (worker_watch(worker, fd, conn->events, conn_ref(tcp, conn)) == 0)
		return conn;
	tcp_close_conn(tcp, conn);
	return NULL;
}

void tcp_accept(struct worker *worker, const struct listener *listener)
{
	struct sockaddr_in6 peer = {0};
	socklen_t peer_len = sizeof(peer);
	int fd = accept4(listener->tcp_fd, (struct sockaddr *)&peer, &peer_len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		tcp_add_conn(worker, fd, &peer, (uint32_t)(listener - worker->listeners));
	else if (errno == EMFILE || errno == ENFILE)
		relieve(worker->tcp, listener->tcp_fd);
}

uint32_t tcp_count(const struct tcp *tcp)
{
	return tcp->n_touched - tcp->n_free;
}

int64_t tcp_expire(struct worker *worker)
{
	struct tcp *tcp = worker->tcp;
	int64_t idle_ms = (int64_t)worker->config->tcp_idle_s * 1000;

	if ((tcp_is_moving(worker) || tcp->held) && tcp_move_all(worker) > 0)
		return worker->now_ms + TCP_MOVE_MS;
	if (worker->draining)
		idle_ms = DRAIN_IDLE_MS;
	while (!list_is_empty(&tcp->idle)) {
		struct conn *conn = list_entry(tcp->idle.next, struct conn, idle);

		if (conn->idle_since_ms + idle_ms > worker->now_ms)
			return conn->idle_since_ms + idle_ms;
		if (tcp_backlog(conn) > 0)
			conn_abort(tcp, conn);
		else if (conn->pending) /* it waits for us, not we for it */
			touch(worker, conn);
		else
			tcp_close_conn(tcp, conn);
	}
	return INT64_MAX;
}
