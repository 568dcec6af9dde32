/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/listen.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "common/cleanup.h"

/* Room for bursts while the worker is busy; the kernel caps it at net.core.rmem_max. */
#define UDP_BUFFER_BYTES (1 << 20)
#define TCP_BACKLOG      1024
/* The kernel would let each connection grow to megabytes, of a client that does not read. */
#define TCP_BUFFER_BYTES (64 * 1024)

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int bind_to(int fd, const struct endpoint *ep)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(ep, &ss);

	return bind(fd, (struct sockaddr *)&ss, len);
}

/* With root's right to exceed net.core.rmem_max, where that is still there. Best effort. */
static void grow_buffer(int fd, int option, int forced_option)
{
	int size = 0;
	socklen_t len = sizeof(size);

	getsockopt(fd, SOL_SOCKET, option, &size, &len);
	if (size < UDP_BUFFER_BYTES && set_int(fd, SOL_SOCKET, forced_option, UDP_BUFFER_BYTES) < 0)
		set_int(fd, SOL_SOCKET, option, UDP_BUFFER_BYTES);
}

/* What is needed of a socket, bound or not. */
static int prepare(int fd, const struct endpoint *ep, int type)
{
	bool v6 = ep->addr.family == AF_INET6;

	if (type == SOCK_STREAM) {
		/* Inherited by what is accepted. */
		set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set_int(fd, SOL_SOCKET, SO_RCVBUF, TCP_BUFFER_BYTES);
		set_int(fd, SOL_SOCKET, SO_SNDBUF, TCP_BUFFER_BYTES);
		return 0;
	}
	grow_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE);
	grow_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
	if (!addr_is_unspecified(&ep->addr))
		return 0;
	return set_int(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
}

static int open_socket(const struct endpoint *ep, int type, bool shared)
{
	bool v6 = ep->addr.family == AF_INET6, udp = type == SOCK_DGRAM;
	int fd = socket(ep->addr.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	/* 0.0.0.0 and :: are two listeners; a v6 one that also takes v4 would collide. */
	if (v6 && set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		goto fail;
	/* A link-local address may still be tentative, for a second after its link is up. */
	if (ep->addr.scope_id && set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) < 0)
		goto fail;
	if (shared && set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		goto fail;
	/* For TCP only: a restart must not wait for old connections. For UDP it would share. */
	if (!udp && set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		goto fail;
	if (prepare(fd, ep, type) < 0)
		goto fail;
	if (bind_to(fd, ep) < 0 || (!udp && listen(fd, TCP_BACKLOG) < 0))
		goto fail;
	return fd;

fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int fail(const struct endpoint *ep, const char *protocol, struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];
	int code = errno;

	endpoint_format(ep, text);
	if (code == EADDRINUSE)
		return err_set(err, code,
			       "cannot listen on %s (%s): another process already does; "
			       "`ss -lunpt` shows which",
			       text, protocol);
	if (code == EACCES)
		return err_set(err, code,
			       "cannot listen on %s (%s): ports below 1024 need root or "
			       "CAP_NET_BIND_SERVICE",
			       text, protocol);
	return err_set(err, code, "cannot listen on %s (%s): %s", text, protocol, err_text(code));
}

/* The inherited socket number `i`, or one of our own. -1 with errno. */
static int get_socket(const struct endpoint *ep, int type, bool shared, struct inherit *inherit,
		      size_t i)
{
	cleanup_fd int fd = -1;

	if (inherit_count(inherit, ep, type) > 0) {
		if ((fd = inherit_take(inherit, ep, type, i)) < 0) {
			errno = -fd;
			return -1;
		}
		return prepare(fd, ep, type) < 0 ? -1 : take_fd(&fd);
	}
	if (shared && i == 0 && type == SOCK_DGRAM) {
		cleanup_fd int probe = open_socket(ep, type, false);

		if (probe < 0)
			return -1;
	}
	return open_socket(ep, type, shared);
}

int listen_open(const struct endpoint *ep, bool shared, struct inherit *inherit, size_t i,
		struct listener *ret_listener, struct err *err)
{
	struct listener listener = {
		.ep = *ep,
		.tcp_fd = -1,
		.wildcard = addr_is_unspecified(&ep->addr),
		.inherited = inherit_count(inherit, ep, SOCK_DGRAM) > 0,
		.guarded = !addr_is_loopback(&ep->addr),
	};

	if ((listener.udp_fd = get_socket(ep, SOCK_DGRAM, shared, inherit, i)) < 0)
		return fail(ep, "UDP", err);
	if ((listener.tcp_fd = get_socket(ep, SOCK_STREAM, shared, inherit, i)) < 0) {
		int rc = fail(ep, "TCP", err);

		close(listener.udp_fd);
		return rc;
	}
	*ret_listener = listener;
	return 0;
}

void listen_close(struct listener *listener)
{
	if (listener->udp_fd >= 0)
		close(listener->udp_fd);
	if (listener->tcp_fd >= 0)
		close(listener->tcp_fd);
	listener->udp_fd = listener->tcp_fd = -1;
}

/* An address is this host's own if it can be bound. */
static bool is_local(const struct addr *addr)
{
	struct endpoint any_port = {.addr = *addr};
	cleanup_fd int fd = socket(addr->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && bind_to(fd, &any_port) == 0;
}

bool listen_is_own(const struct listener *listeners, size_t n, const struct endpoint *ep)
{
	struct addr addr = addr_unmap(&ep->addr);

	for (size_t i = 0; i < n; i++) {
		const struct listener *l = &listeners[i];

		if (l->ep.port != ep->port || l->ep.addr.family != addr.family)
			continue;
		if (addr_equal(&l->ep.addr, &addr) || addr_is_unspecified(&addr) ||
		    (l->wildcard && is_local(&addr)))
			return true;
	}
	return false;
}
