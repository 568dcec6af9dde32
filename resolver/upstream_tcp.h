/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP connection to a server, RFC 7766: one a server, made when it is first wanted, with any
 * number of questions under way on it, told apart by their IDs, and closed after
 * UPSTREAM_TCP_IDLE_MS without any.
 *
 * When the server closes it, what waits is sent once more over a new one, and again as long as each
 * connection brings at least one answer: some servers take one question a connection.
 *
 * To a server with TLS (tls.h) it is the same, on a layer in between: what is asked waits until the
 * handshake is over, and questions with EDNS are padded to blocks of 128 octets, RFC 8467.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_TCP_H
#define MESHDNS_RESOLVER_UPSTREAM_TCP_H

#include "resolver/forward_parts.h"

#define UPSTREAM_TCP_IDLE_MS 10000
#define CONN_OUT_BYTES       ((size_t)256 * 1024) /* not sent yet; more is refused */

void upstream_conn_init(struct upstream_conn *conn);

/* Connects, or begins to, unless it has; `conn->port` is set. 0 or -errno. */
int upstream_conn_open(struct worker *worker, struct server *server);

/*
 * Sends the message behind its length, as soon as the connection takes it. `opt_at`: where in it
 * the OPT begins, which is last; 0: there is none. 0 or -errno.
 */
int upstream_conn_send(struct worker *worker, struct server *server, const uint8_t *packet,
		       size_t len, size_t opt_at);

void upstream_conn_handle(struct worker *worker, struct event_ref ref, uint32_t events);

/* Nothing has come for long: closes it if it is idle. */
void upstream_conn_expire(struct worker *worker, struct upstream_conn *conn);

/* Closes it; what was under way on it is sent over a new one or fails. */
void upstream_conn_break(struct worker *worker, struct server *server);

/* Closes it, with nothing under way. */
void upstream_conn_close(struct upstream_conn *conn);

/* And forgets what it knows of the server. */
void upstream_conn_free(struct upstream_conn *conn);

#endif
