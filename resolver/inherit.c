/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/options.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

int inherit_add(struct inherit *inherit, int fd, struct err *err)
{
	cleanup_fd int owned = fd;
	struct sockaddr_storage ss = {0};
	socklen_t ss_len = sizeof(ss), type_len = sizeof(int);
	struct inherit_socket socket = {.fd = fd};

	if (getsockname(fd, (struct sockaddr *)&ss, &ss_len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &socket.type, &type_len) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_set(err, errno, "inherited descriptor %d: %s", fd, err_text(errno));
	if (!endpoint_from_sockaddr(&ss, &socket.ep) || !socket.ep.port ||
	    (socket.type != SOCK_DGRAM && socket.type != SOCK_STREAM))
		return err_set(err, EINVAL, "inherited descriptor %d is no UDP or TCP socket", fd);
	if (inherit->n == INHERIT_MAX)
		return err_set(err, E2BIG, "more than %d inherited sockets", INHERIT_MAX);
	inherit->sockets[inherit->n++] = socket;
	take_fd(&owned);
	return 0;
}

int inherit_parse(const char *pid_text, const char *fds_text, pid_t self, struct err *err)
{
	uint64_t pid, fds;

	/* Variables that were meant for another process are none of our business. */
	if (!pid_text || !fds_text || !options_parse_number(pid_text, 1, INT32_MAX, &pid) ||
	    (pid_t)pid != self)
		return -ENOENT;
	if (!options_parse_number(fds_text, 0, INHERIT_MAX, &fds))
		return err_set(err, EINVAL, "LISTEN_FDS is not a number up to %d: %s", INHERIT_MAX,
			       fds_text);
	return (int)fds;
}

int inherit_from_environment(struct inherit *inherit, struct err *err)
{
	int n = inherit_parse(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getpid(), err);
	int rc = 0;

	if (n < 0)
		return n == -ENOENT ? 0 : n;
	for (int i = 0; i < n && rc == 0; i++)
		rc = inherit_add(inherit, FIRST_FD + i, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}

static bool is_at(const struct inherit_socket *socket, const struct endpoint *ep)
{
	return socket->ep.port == ep->port && addr_equal(&socket->ep.addr, &ep->addr);
}

size_t inherit_endpoints(const struct inherit *inherit, struct endpoint *ret_eps, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < inherit->n && n < max; i++) {
		size_t seen = 0;

		while (seen < n && !is_at(&inherit->sockets[i], &ret_eps[seen]))
			seen++;
		if (seen == n)
			ret_eps[n++] = inherit->sockets[i].ep;
	}
	return n;
}

size_t inherit_count(const struct inherit *inherit, const struct endpoint *ep, int type)
{
	size_t n = 0;

	for (size_t i = 0; i < inherit->n; i++)
		n += inherit->sockets[i].type == type && is_at(&inherit->sockets[i], ep);
	return n;
}

int inherit_take(struct inherit *inherit, const struct endpoint *ep, int type, size_t i)
{
	size_t count = inherit_count(inherit, ep, type), left = count ? i % count : 0;

	for (size_t k = 0; k < inherit->n; k++) {
		struct inherit_socket *socket = &inherit->sockets[k];
		int fd;

		if (socket->type != type || !is_at(socket, ep) || left-- > 0)
			continue;
		if (!socket->taken) {
			socket->taken = true;
			return socket->fd;
		}
		fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, FIRST_FD);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

void inherit_close(struct inherit *inherit)
{
	char text[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < inherit->n; i++) {
		const struct inherit_socket *socket = &inherit->sockets[i];

		if (socket->taken)
			continue;
		log_warning("an inherited socket is closed, no --listen names it",
			    "address=%s protocol=%s", endpoint_format(&socket->ep, text),
			    socket->type == SOCK_DGRAM ? "UDP" : "TCP");
		close(socket->fd);
	}
	inherit->n = 0;
}
