/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that clients talk to. Opened by the main thread, while it still may. */
#ifndef MESHDNS_RESOLVER_LISTEN_H
#define MESHDNS_RESOLVER_LISTEN_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/err.h"
#include "resolver/inherit.h"

/* One address that one worker serves. */
struct listener {
	struct endpoint ep;
	int udp_fd, tcp_fd; /* -1: closed */
	/*
	 * Bound to a wildcard: each answer must then be told to leave from the address that its
	 * query came to (ip(7), IP_PKTINFO), or the client would not know it.
	 */
	bool wildcard;
	bool inherited; /* UDP: whoever had it before us may have it still, and serve it after us */
	bool guarded;   /* others than this host can reach it: access.h says who may */
};

/*
 * Takes the UDP and the TCP socket of `ep` that are number `i` of those inherited, or opens them
 * where none are. `shared` lets several workers bind the same address (SO_REUSEPORT); when `i` is 0
 * it is made sure that no other process shares it too. -EAFNOSUPPORT or -EADDRNOTAVAIL where this
 * host lacks the family or the address.
 */
int listen_open(const struct endpoint *ep, bool shared, struct inherit *inherit, size_t i,
		struct listener *ret_listener, struct err *err);

void listen_close(struct listener *listener);

/* True when a question sent to `ep` would come to one of these listeners. */
bool listen_is_own(const struct listener *listeners, size_t n, const struct endpoint *ep);

#endif
