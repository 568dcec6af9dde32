/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening sockets that were open before this process: systemd's (sd_listen_fds(3)), or those of
 * the resolver whose place this one takes (handover.h). They are served in place of new ones, so
 * that what clients sent meanwhile is still in them.
 */
#ifndef MESHDNS_RESOLVER_INHERIT_H
#define MESHDNS_RESOLVER_INHERIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/err.h"

#define INHERIT_MAX 2048

struct inherit {
	struct inherit_socket {
		int fd, type; /* SOCK_DGRAM, SOCK_STREAM */
		struct endpoint ep;
		bool taken;
	} sockets[INHERIT_MAX];
	size_t n;
};

/* Takes over what the environment says; the variables are removed. 0 also when there are none. */
int inherit_from_environment(struct inherit *inherit, struct err *err);

/*
 * For it and the fuzzer: how many sockets $LISTEN_FDS says that there are, if $LISTEN_PID is
 * `self`; either may be NULL. -EINVAL.
 */
int inherit_parse(const char *pid_text, const char *fds_text, pid_t self, struct err *err);

/* Adds one, which is then owned; -EINVAL, and closed, if it is not an IP socket of ours. */
int inherit_add(struct inherit *inherit, int fd, struct err *err);

/* The addresses that there are sockets for, at most `max`. */
size_t inherit_endpoints(const struct inherit *inherit, struct endpoint *ret_eps, size_t max);

/* How many sockets there are for that address. */
size_t inherit_count(const struct inherit *inherit, const struct endpoint *ep, int type);

/*
 * The descriptor of number `i` of them, counted round: whoever comes to one that is already taken
 * gets a duplicate, and shares it. The caller owns it. Negative errno.
 */
int inherit_take(struct inherit *inherit, const struct endpoint *ep, int type, size_t i);

/* Closes those that nobody took, with a warning each. */
void inherit_close(struct inherit *inherit);

#endif
