/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP clients, RFC 7766: each message behind its length in two octets, any number on a connection,
 * answered as answers come (out of order), in any segmentation, also after a half-close.
 *
 * What a client can hold is bounded: `tcp_clients` connections a worker (at the limit the longest
 * idle one makes room), TCP_PENDING_MAX questions in flight, TCP_BACKLOG_BYTES of answers it has
 * not read: from then on it is not read from, and an answer from upstream ends it. The kernel's
 * buffers are bounded in listen.c. Of our own memory a connection has only what it is in the middle
 * of: none while it is idle, of a question no more than twice what has come of it.
 *
 * A connection on which no question is completed for `tcp_idle_s` is closed, and one that has not
 * taken all of its answers for so long is reset; octets alone do not count. Who asks with the
 * edns-tcp-keepalive option (RFC 7828) is told this time.
 *
 * When another resolver takes our place (handover.h), clients move there with what they have said
 * of their next messages, each as soon as it has all of its answers, and do not notice.
 */
#ifndef MESHDNS_RESOLVER_TCP_H
#define MESHDNS_RESOLVER_TCP_H

#include "resolver/worker.h"

#define TCP_PENDING_MAX   64
#define TCP_BACKLOG_BYTES ((size_t)128 * 1024)

/* NULL when out of memory. */
struct tcp *tcp_new(uint32_t max_clients);
void tcp_free(struct tcp *tcp);

/* The listener's socket is readable. */
void tcp_accept(struct worker *worker, const struct listener *listener);

/* The resolver before us has handed a client over. */
void tcp_take_over(struct worker *worker);

/* Something happened on a connection. */
void tcp_handle(struct worker *worker, struct event_ref ref, uint32_t events);

/* Sends one answer to a client whose question came by TCP, if it is still there. */
void tcp_reply(struct worker *worker, const struct client *client, const uint8_t *packet,
	       size_t len);

/* How many connections there are. */
uint32_t tcp_count(const struct tcp *tcp);

/* Closes what has been idle for too long, sooner while draining; returns when to look again,
 * INT64_MAX for never. */
int64_t tcp_expire(struct worker *worker);

#endif
