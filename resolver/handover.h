/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One resolver taking the place of another without a lost query (--takeover PATH).
 *
 * The one that serves listens on a unix socket at PATH. The new one connects and is given the
 * listening sockets (SCM_RIGHTS): the same sockets, so what is queued in them, and what comes while
 * both or neither read them, is lost to nobody. It starts as ever, and says one octet once it
 * serves; only then the old one reads its sockets no more, answers what it has in flight, hands its
 * clients by TCP over as well, one by one (tcp_move.c), and ends. Should the new one fail before,
 * the connection just ends, and the old one goes on. Then the new one puts its own socket at PATH,
 * for the next.
 *
 * The two trust each other by uid: both ends are root or the same user, as SO_PEERCRED tells.
 */
#ifndef MESHDNS_RESOLVER_HANDOVER_H
#define MESHDNS_RESOLVER_HANDOVER_H

#include <sys/types.h>

#include "resolver/inherit.h"
#include "resolver/listen.h"

struct handover {
	const char *path; /* NULL: none of this is wished for, and no call does anything */
	int old_fd;       /* whom we come after */
	int listen_fd;    /* where the next one connects */
	ino_t inode;      /* of that socket: another one at `path` is a successor's */
	int new_fd;       /* the next one */
	const struct listener *listeners;
	size_t n_listeners;
};

/*
 * Connects to the resolver that serves, which runs as root or as `user`, and takes its sockets into
 * `inherit`. 0 also when there is nobody. `path` is borrowed.
 */
int handover_take(struct handover *handover, const char *path, uid_t user, struct inherit *inherit,
		  struct err *err);

/* We serve: tells the old one, and is there for the next. `listeners` are borrowed. */
int handover_begin(struct handover *handover, const struct listener *listeners, size_t n,
		   struct err *err);

/* What to poll for reading; -1: nothing. */
int handover_fd(const struct handover *handover);

/* That descriptor is readable: true when the next one serves, and our time is over. */
bool handover_run(struct handover *handover);

/*
 * A client's connection, for any worker of the old and the new one to send and to receive, with
 * the `len` octets that were read of its next messages. 0; -EAGAIN: not now; else: not any more.
 */
int handover_send_client(int to, int fd, const uint8_t *said, size_t len);
/* The number of octets; *ret_fd is the caller's. -EAGAIN: not now; -EPROTO: this one is lost, as
 * when we have no descriptors left; else: not any more. */
ssize_t handover_receive_client(int from, uint8_t *said, size_t size, int *ret_fd);

/* For handover_take() and the fuzzer: all batches of sockets that come from `fd`. 0 or -errno. */
int handover_receive(int fd, struct inherit *inherit, struct err *err);

/* Removes what is still ours. */
void handover_close(struct handover *handover);

#endif
