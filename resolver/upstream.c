/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define PREFIX_LEN 2

/*
 * Sends what is left of prefix, ID and message from byte `attempt->done` on. TCP has the prefix,
 * UDP starts behind it.
 */
static ssize_t send_rest(struct upstream_attempt *attempt, const uint8_t *packet, size_t len)
{
	uint8_t head[PREFIX_LEN + 2] = {(uint8_t)(len >> 8), (uint8_t)len,
					(uint8_t)(attempt->id >> 8), (uint8_t)attempt->id};
	size_t done = attempt->done, in_head = done < sizeof(head) ? done : sizeof(head);
	struct iovec iov[2] = {
		{head + in_head, sizeof(head) - in_head},
		{(void *)(packet + 2 + done - in_head), len - 2 - (done - in_head)},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	return sendmsg(attempt->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The port that connect(2) chose; 0 when the kernel would not say. */
static uint16_t local_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint ep;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0 || !endpoint_from_sockaddr(&ss, &ep))
		return 0;
	return ep.port;
}

int upstream_open(struct upstream_attempt *attempt, const struct endpoint *server, bool tcp)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(server, &ss);
	int rc;

	attempt->fd = socket(server->addr.family,
			     (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0)
		return -errno;
	attempt->state = tcp ? UPSTREAM_SEND_TCP : UPSTREAM_WAIT_UDP;
	attempt->done = tcp ? 0 : PREFIX_LEN;
	attempt->reply = NULL;
	if ((connect(attempt->fd, (struct sockaddr *)&ss, ss_len) < 0 && errno != EINPROGRESS) ||
	    !(attempt->port = local_port(attempt->fd))) {
		rc = -errno;
		upstream_close(attempt);
		return rc;
	}
	return 0;
}

int upstream_send(struct upstream_attempt *attempt, const uint8_t *packet, size_t len)
{
	if (attempt->state == UPSTREAM_WAIT_UDP && send_rest(attempt, packet, len) < 0)
		return -errno;
	return 0;
}

uint32_t upstream_events(const struct upstream_attempt *attempt)
{
	return attempt->state == UPSTREAM_SEND_TCP ? EPOLLOUT : EPOLLIN;
}

static enum upstream_progress again_or_failed(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? UPSTREAM_AGAIN
									 : UPSTREAM_FAILED;
}

static enum upstream_progress send_tcp(struct upstream_attempt *attempt, const uint8_t *packet,
				       size_t len)
{
	ssize_t n = send_rest(attempt, packet, len); /* a failed connect() shows here, too */

	if (n < 0)
		return again_or_failed();
	attempt->done += (size_t)n;
	if (attempt->done == PREFIX_LEN + len) {
		attempt->state = UPSTREAM_WAIT_TCP;
		attempt->done = 0;
	}
	return UPSTREAM_AGAIN;
}

static enum upstream_progress receive_tcp(struct upstream_attempt *attempt, uint8_t *ret_reply,
					  size_t *ret_len)
{
	size_t len;
	ssize_t n;

	if (attempt->done < PREFIX_LEN) {
		n = recv(attempt->fd, attempt->prefix + attempt->done, PREFIX_LEN - attempt->done,
			 MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 ? again_or_failed() : UPSTREAM_FAILED;
		attempt->done += (size_t)n;
		if (attempt->done < PREFIX_LEN)
			return UPSTREAM_AGAIN;
	}
	len = (size_t)attempt->prefix[0] << 8 | attempt->prefix[1];
	if (len < DNS_HEADER_LEN || (!attempt->reply && !(attempt->reply = malloc(len))))
		return UPSTREAM_FAILED;
	n = recv(attempt->fd, attempt->reply + attempt->done - PREFIX_LEN,
		 len - (attempt->done - PREFIX_LEN), MSG_DONTWAIT);
	if (n <= 0)
		return n < 0 ? again_or_failed() : UPSTREAM_FAILED;
	attempt->done += (size_t)n;
	if (attempt->done < PREFIX_LEN + len)
		return UPSTREAM_AGAIN;
	memcpy(ret_reply, attempt->reply, len);
	*ret_len = len;
	return UPSTREAM_MESSAGE;
}

enum upstream_progress upstream_handle(struct upstream_attempt *attempt, const uint8_t *packet,
				       size_t len, uint8_t *ret_reply, size_t *ret_len)
{
	ssize_t n;

	switch (attempt->state) {
	case UPSTREAM_SEND_TCP: return send_tcp(attempt, packet, len);
	case UPSTREAM_WAIT_TCP: return receive_tcp(attempt, ret_reply, ret_len);
	case UPSTREAM_WAIT_UDP: break;
	}
	if ((n = recv(attempt->fd, ret_reply, DNS_MESSAGE_MAX, MSG_DONTWAIT)) < 0)
		return again_or_failed(); /* ECONNREFUSED: nobody listens there */
	*ret_len = (size_t)n;
	return UPSTREAM_MESSAGE;
}

void upstream_close(struct upstream_attempt *attempt)
{
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->fd = -1;
	free(attempt->reply);
	attempt->reply = NULL;
}
