/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server for short conversations on the control thread: one request a connection, one answer,
 * closed. HTTP and the control socket are its two users.
 *
 * It never waits: oneshot_run() goes as far as the sockets let it. What a peer can hold is bounded:
 * ONESHOT_CONNS connections, ONESHOT_REQUEST_MAX octets of request, ONESHOT_TIMEOUT_MS from
 * connecting to the last octet of the answer. While all connections are taken, others wait in
 * the kernel's backlog.
 */
#ifndef MESHDNS_RESOLVER_ONESHOT_H
#define MESHDNS_RESOLVER_ONESHOT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ONESHOT_CONNS       8
#define ONESHOT_REQUEST_MAX 2048
#define ONESHOT_TIMEOUT_MS  10000
#define ONESHOT_FDS_MAX     (1 + ONESHOT_CONNS)

struct oneshot_conn {
	int fd; /* -1: the slot is free */
	int64_t deadline_ms;
	size_t in_len;
	bool is_waiting; /* for oneshot_finish() */
	char *out;       /* the answer, once there is one */
	size_t out_pos, out_len;
	char in[ONESHOT_REQUEST_MAX];
};

struct oneshot {
	int fd; /* listens; -1: closed */
	/* NULL, or says whether the peer may talk to us at all. */
	bool (*admit)(int fd);
	/* Whether the request is whole, or can't become anything that is worth waiting for. */
	bool (*is_whole)(const char *in, size_t len);
	/*
	 * Writes the answer to a request, which may be anything: cut at ONESHOT_REQUEST_MAX, say.
	 * False: there will be one later, by oneshot_finish().
	 */
	bool (*answer)(void *context, struct oneshot_conn *conn, FILE *out);
	void *context;
	struct oneshot_conn conns[ONESHOT_CONNS];
};

/* Takes `fd`, a listening, non-blocking socket or -1; the rest of `oneshot` is the caller's. */
void oneshot_init(struct oneshot *oneshot, int fd);
void oneshot_close(struct oneshot *oneshot);

/* Appends what to poll for to `fds`; returns how many, at most ONESHOT_FDS_MAX. */
size_t oneshot_poll(const struct oneshot *oneshot, struct pollfd *fds);

/* Goes on with everything that can go on; returns the next deadline, INT64_MAX for none. */
int64_t oneshot_run(struct oneshot *oneshot, int64_t now_ms);

/* The answer to a request that had to wait; `text` is malloc'ed and taken. */
void oneshot_finish(struct oneshot_conn *conn, char *text, size_t len);

#endif
