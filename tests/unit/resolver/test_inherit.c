/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/inherit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct inherit inherit;

/* A socket on loopback; the kernel chooses the port where `ep` has none, and it is put there. */
static int bound(struct endpoint *ep, int type)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, type, 0), on = 1;

	cr_assert(addr_parse("127.0.0.1", &ep->addr));
	len = endpoint_to_sockaddr(ep, &ss);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	cr_assert(endpoint_from_sockaddr(&ss, ep));
	return fd;
}

Test(inherit, sockets_are_dealt_out_and_then_shared)
{
	struct endpoint ep = {0}, other = {0}, found[4];
	struct err err = {0};
	int first = bound(&ep, SOCK_DGRAM), second = bound(&ep, SOCK_DGRAM), shared;

	cr_expect_eq(inherit_add(&inherit, first, &err), 0);
	cr_expect_eq(inherit_add(&inherit, bound(&other, SOCK_STREAM), &err), 0);
	cr_expect_eq(inherit_add(&inherit, second, &err), 0);
	cr_expect_eq(inherit_endpoints(&inherit, found, 4), 2);
	cr_expect(found[0].port == ep.port && found[1].port == other.port);
	cr_expect_eq(inherit_endpoints(&inherit, found, 1), 1);
	cr_expect_eq(inherit_count(&inherit, &ep, SOCK_DGRAM), 2);
	cr_expect_eq(inherit_count(&inherit, &ep, SOCK_STREAM), 0);

	cr_expect_eq(inherit_take(&inherit, &ep, SOCK_DGRAM, 0), first);
	cr_expect_eq(inherit_take(&inherit, &ep, SOCK_DGRAM, 1), second);
	shared = inherit_take(&inherit, &ep, SOCK_DGRAM, 2);
	cr_expect(shared > second, "a duplicate");
	cr_expect_lt(inherit_take(&inherit, &ep, SOCK_STREAM, 0), 0);
	inherit_close(&inherit);
	cr_expect_eq(inherit.n, 0);
	close(first);
	close(second);
	close(shared);
}

Test(inherit, what_is_no_socket_of_ours_is_refused)
{
	struct err err = {0};
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	cr_expect_lt(inherit_add(&inherit, pipes[0], &err), 0);
	cr_expect_lt(inherit_add(&inherit, socket(AF_UNIX, SOCK_STREAM, 0), &err), 0);
	cr_expect_lt(inherit_add(&inherit, socket(AF_INET, SOCK_STREAM, 0), &err), 0, "unbound");
	cr_expect_eq(inherit.n, 0);
	close(pipes[1]);
}

Test(inherit, the_environment_counts_only_for_this_process)
{
	struct err err = {0};
	char pid[16];

	setenv("LISTEN_FDS", "x", 1);
	setenv("LISTEN_PID", "1", 1);
	cr_expect_eq(inherit_from_environment(&inherit, &err), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	cr_expect_lt(inherit_from_environment(&inherit, &err), 0);
	setenv("LISTEN_FDS", "0", 1);
	cr_expect_eq(inherit_from_environment(&inherit, &err), 0);
	cr_expect_null(getenv("LISTEN_FDS"));
}
