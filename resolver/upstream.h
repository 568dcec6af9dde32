/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attempt at asking one server: a socket and what has gone through it. Knows bytes and the
 * framing of TCP, not whether a reply is the right one.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_H
#define MESHDNS_RESOLVER_UPSTREAM_H

#include <stdbool.h>

#include "common/addr.h"
#include "resolver/wire.h"

enum upstream_state {
	UPSTREAM_WAIT_UDP, /* sent; any number of datagrams may come */
	UPSTREAM_SEND_TCP, /* connecting, or not all of the message is out yet */
	UPSTREAM_WAIT_TCP, /* sent; the length and then the reply come in pieces */
};

struct upstream_attempt {
	int fd;        /* -1: over, or not begun */
	uint16_t port; /* the socket's own */
	uint16_t id;   /* of the message as it is sent; the caller's to choose */
	enum upstream_state state;
	size_t done; /* TCP: bytes sent, then bytes received, prefix included */
	uint8_t prefix[2];
	uint8_t *reply; /* TCP: as long as `prefix` says, once that is there */
};

/* Opens the socket and connects it, or begins to; `port` is set. 0, or -errno and fd -1. */
int upstream_open(struct upstream_attempt *attempt, const struct endpoint *server, bool tcp);

/* UDP: sends the message with `id` for its ID. TCP sends when it is connected. 0 or -errno. */
int upstream_send(struct upstream_attempt *attempt, const uint8_t *packet, size_t len);

/* What to wait for. */
uint32_t upstream_events(const struct upstream_attempt *attempt);

enum upstream_progress { UPSTREAM_AGAIN, UPSTREAM_MESSAGE, UPSTREAM_FAILED };

/*
 * Goes on after an event. UPSTREAM_MESSAGE: `ret_reply`, DNS_MESSAGE_MAX large, holds one of
 * *ret_len bytes. `packet` is what is being asked, the same in each call.
 */
enum upstream_progress upstream_handle(struct upstream_attempt *attempt, const uint8_t *packet,
				       size_t len, uint8_t *ret_reply, size_t *ret_len);

void upstream_close(struct upstream_attempt *attempt);

#endif
