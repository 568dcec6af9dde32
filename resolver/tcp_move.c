/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "resolver/handover.h"
#include "resolver/tcp_parts.h"

/* --- away ------------------------------------------------------------------------------------- */

bool tcp_move(struct worker *worker, struct conn *conn)
{
	int rc;

	worker->tcp->held = true;
	/* Who has said all it will, and what is not in step, ends here. */
	if (conn->broken || conn->eof || conn->pending || tcp_backlog(conn) > 0 ||
	    conn->in_len > RESOLVE_TCP_BUFFER)
		return false;
	rc = handover_send_client(worker->successor_fd, conn->fd, conn->in, conn->in_len);
	if (rc == 0) {
		/* It goes on elsewhere, and would wake us even when our descriptor is closed. */
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
		tcp_close_conn(worker->tcp, conn);
	} else if (rc != -EAGAIN) {
		worker->successor_fd = -1; /* it is gone, or does not want them: they stay */
	}
	return rc == 0;
}

static void settle_all(struct worker *worker)
{
	struct tcp *tcp = worker->tcp;

	for (uint32_t i = 0; i < tcp->n_touched; i++) {
		if (tcp->conns[i].fd >= 0)
			tcp_settle(worker, &tcp->conns[i]);
	}
}

uint32_t tcp_move_all(struct worker *worker)
{
	struct tcp *tcp = worker->tcp;

	settle_all(worker);
	if (tcp_is_moving(worker))
		return tcp_count(tcp);
	tcp->held = false;
	settle_all(worker);
	return 0;
}

/* --- and here --------------------------------------------------------------------------------- */

/* The listener that the client came to; n_listeners: none of ours. */
static uint32_t find_listener(const struct worker *worker, int fd)
{
	uint32_t n = (uint32_t)worker->config->n_listeners, found = n;
	struct endpoint ep;

	if (!endpoint_of_socket(fd, &ep))
		return n;
	for (uint32_t i = 0; i < n; i++) {
		const struct listener *l = &worker->listeners[i];

		if (l->ep.port != ep.port || l->ep.addr.family != ep.addr.family)
			continue;
		if (addr_equal(&l->ep.addr, &ep.addr))
			return i;
		if (l->wildcard)
			found = i;
	}
	return found;
}

/* What was read of its next messages is in tcp->message. */
static void add_client(struct worker *worker, int owned_fd, size_t len)
{
	cleanup_fd int fd = owned_fd;
	uint32_t listener = find_listener(worker, fd);
	struct sockaddr_in6 peer = {0};
	socklen_t peer_len = sizeof(peer);
	struct conn *conn;
	size_t size;

	if (listener == worker->config->n_listeners ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0 ||
	    !(conn = tcp_add_conn(worker, take_fd(&fd), &peer, listener)))
		return;
	size = len < TCP_IN_BYTES ? TCP_IN_BYTES : len;
	if (len && (conn->in = malloc(size))) {
		memcpy(conn->in, worker->tcp->message, len);
		conn->in_len = len;
		conn->in_size = size;
	}
	conn->broken = len && !conn->in;
	tcp_settle(worker, conn);
}

void tcp_take_over(struct worker *worker)
{
	int from = worker->config->handover->old_fd, fd;
	ssize_t len = handover_receive_client(from, worker->tcp->message, RESOLVE_TCP_BUFFER, &fd);

	if (len >= 0)
		add_client(worker, fd, (size_t)len);
	else if (len != -EAGAIN && len != -EPROTO)
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, from, NULL);
}
