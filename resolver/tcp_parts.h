/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the TCP service share: tcp.c (clients), tcp_move.c (theirs that move). */
#ifndef MESHDNS_RESOLVER_TCP_PARTS_H
#define MESHDNS_RESOLVER_TCP_PARTS_H

#include "common/list.h"
#include "resolver/tcp.h"

#define TCP_IN_BYTES ((size_t)1024) /* that are read at once, unless a message is larger */

struct conn {
	struct list idle; /* in tcp.idle; the longest idle first */
	int64_t idle_since_ms;
	int fd;                   /* -1: the slot is free */
	uint32_t generation;      /* events carry its lower half, questions upstream all of it */
	struct sockaddr_in6 peer; /* or a sockaddr_in */
	uint16_t listener;        /* the worker's, by number */
	uint16_t pending;         /* questions in flight */
	bool eof;                 /* the client has said all it will */
	bool broken;              /* to be closed by whoever called */
	uint32_t events;          /* what epoll watches for */
	uint8_t *in, *out;        /* NULL while there is nothing in them */
	size_t in_len,
		in_size; /* in_size: TCP_IN_BYTES at least, so that a full one has a prefix */
	size_t out_pos, out_len, out_size; /* out[out_pos..out_len) is still to be sent */
};

struct tcp {
	struct conn *conns;
	uint32_t n_conns, n_touched; /* slots: all, and those that have been in use */
	uint32_t *free;              /* indices of those that were given back */
	uint32_t n_free;
	struct list idle;
	struct limits *limits; /* borrowed, the worker's */
	int spare_fd;          /* given up when there are no others */
	bool held;             /* clients are not read from, for they are to move */
	uint8_t *message;      /* the message in hand, RESOLVE_TCP_BUFFER */
};

static inline size_t tcp_backlog(const struct conn *conn)
{
	return conn->out_len - conn->out_pos;
}

/* --- tcp.c ------------------------------------------------------------------------------------ */

/* Takes `fd`, a client's connection at that listener. NULL: it was closed, whoever it is. */
struct conn *tcp_add_conn(struct worker *worker, int fd, const struct sockaddr_in6 *peer,
			  uint32_t listener);

/* Brings everything about the connection up to date after something happened to it. */
void tcp_settle(struct worker *worker, struct conn *conn);

void tcp_close_conn(struct tcp *tcp, struct conn *conn);

/* --- tcp_move.c ------------------------------------------------------------------------------- */

#define TCP_MOVE_MS 20 /* until those that could not be moved are tried again */

static inline bool tcp_is_moving(const struct worker *worker)
{
	return worker->successor_fd >= 0;
}

/* Hands the connection over if that can be done now; true: it is gone from here. */
bool tcp_move(struct worker *worker, struct conn *conn);

/* Likewise all; how many are left to be. Without a successor any more, they stay. */
uint32_t tcp_move_all(struct worker *worker);

#endif
