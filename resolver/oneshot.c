/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/oneshot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void conn_close(struct oneshot_conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	free(conn->out);
	conn->fd = -1;
	conn->out = NULL;
	conn->in_len = conn->out_pos = conn->out_len = 0;
	conn->is_waiting = false;
}

void oneshot_init(struct oneshot *oneshot, int fd)
{
	oneshot->fd = fd;
	for (size_t i = 0; i < ONESHOT_CONNS; i++)
		oneshot->conns[i].fd = -1;
}

void oneshot_close(struct oneshot *oneshot)
{
	for (size_t i = 0; i < ONESHOT_CONNS; i++)
		conn_close(&oneshot->conns[i]);
	if (oneshot->fd >= 0)
		close(oneshot->fd);
	oneshot->fd = -1;
}

size_t oneshot_poll(const struct oneshot *oneshot, struct pollfd *fds)
{
	bool has_free = false;
	size_t n = 0;

	if (oneshot->fd < 0)
		return 0;
	for (size_t i = 0; i < ONESHOT_CONNS; i++) {
		const struct oneshot_conn *conn = &oneshot->conns[i];

		if (conn->fd < 0)
			has_free = true;
		else if (!conn->is_waiting)
			fds[n++] = (struct pollfd){.fd = conn->fd,
						   .events = conn->out ? POLLOUT : POLLIN};
	}
	if (has_free)
		fds[n++] = (struct pollfd){.fd = oneshot->fd, .events = POLLIN};
	return n;
}

static struct oneshot_conn *find_free(struct oneshot *oneshot)
{
	for (size_t i = 0; i < ONESHOT_CONNS; i++) {
		if (oneshot->conns[i].fd < 0)
			return &oneshot->conns[i];
	}
	return NULL;
}

static void take_new(struct oneshot *oneshot, int64_t now_ms)
{
	struct oneshot_conn *conn;

	while (oneshot->fd >= 0 && (conn = find_free(oneshot))) {
		int fd = accept4(oneshot->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (oneshot->admit && !oneshot->admit(fd)) {
			close(fd);
			continue;
		}
		conn->fd = fd;
		conn->deadline_ms = now_ms + ONESHOT_TIMEOUT_MS;
	}
}

/* Asks for the answer; false when there is no memory for it. */
static bool begin_answer(struct oneshot *oneshot, struct oneshot_conn *conn)
{
	FILE *out = open_memstream(&conn->out, &conn->out_len);
	bool is_there;

	if (!out)
		return false;
	is_there = oneshot->answer(oneshot->context, conn, out);
	if (fclose(out) != 0)
		return false;
	if (!is_there) {
		free(conn->out);
		conn->out = NULL;
		conn->is_waiting = true;
	}
	return true;
}

/* False: the connection is of no more use. */
static bool receive(struct oneshot *oneshot, struct oneshot_conn *conn)
{
	ssize_t n = recv(conn->fd, conn->in + conn->in_len, sizeof(conn->in) - conn->in_len,
			 MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	conn->in_len += (size_t)n;
	if (conn->in_len < sizeof(conn->in) && !oneshot->is_whole(conn->in, conn->in_len))
		return true;
	return begin_answer(oneshot, conn);
}

static bool transmit(struct oneshot_conn *conn)
{
	ssize_t n = send(conn->fd, conn->out + conn->out_pos, conn->out_len - conn->out_pos,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	conn->out_pos += (size_t)n;
	if (conn->out_pos < conn->out_len)
		return true;
	/* What was sent and not read would make closing a reset, and the peer lose the answer. */
	for (int i = 0; i < 64 && recv(conn->fd, conn->in, sizeof(conn->in), MSG_DONTWAIT) > 0; i++)
		conn->in_len = 0;
	return false;
}

static bool advance(struct oneshot *oneshot, struct oneshot_conn *conn, int64_t now_ms)
{
	if (now_ms >= conn->deadline_ms)
		return false;
	if (conn->is_waiting)
		return true;
	if (!conn->out && !receive(oneshot, conn))
		return false;
	return !conn->out || transmit(conn);
}

int64_t oneshot_run(struct oneshot *oneshot, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	take_new(oneshot, now_ms);
	for (size_t i = 0; i < ONESHOT_CONNS; i++) {
		struct oneshot_conn *conn = &oneshot->conns[i];

		if (conn->fd < 0)
			continue;
		if (!advance(oneshot, conn, now_ms))
			conn_close(conn);
		else if (conn->deadline_ms < next)
			next = conn->deadline_ms;
	}
	return next;
}

void oneshot_finish(struct oneshot_conn *conn, char *text, size_t len)
{
	conn->out = text;
	conn->out_len = len;
	conn->is_waiting = false;
}
