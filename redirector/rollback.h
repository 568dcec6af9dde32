/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard against locking oneself out: a process of its own that puts back what was there before
 * an install, unless it is told in time that all is well.
 *
 * One record a network namespace, /run/meshdns/rollback-INODE, says that a guard stands and who it
 * is. The guard holds an exclusive lock on it for as long as it lives; whoever looks takes a shared
 * one, so that nobody but the guard can be taken for it, nor a number that was its pid once.
 */
#ifndef MESHDNS_REDIRECTOR_ROLLBACK_H
#define MESHDNS_REDIRECTOR_ROLLBACK_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "iptables/backend.h"

struct rollback {
	int record; /* -1: no guard */
	pid_t guard;
	char path[NAME_MAX]; /* where the record lies until the guard is posted */
};

/*
 * Remembers the rules of this namespace and starts a guard that puts them back after `seconds`. It
 * belongs to no terminal and no session, and keeps the namespace. To be followed by one of the two
 * below. If neither is reached, because somebody killed us, the guard does its work.
 * -EBADMSG: what is there cannot be put back, for it is not all ours.
 */
int rollback_start(const struct backend_options *options, unsigned int seconds,
		   struct rollback *ret_rollback, struct err *err);

/*
 * Makes it the guard of this namespace, where rollback_cancel() finds it; one at most can be. On
 * error it does its work at once.
 */
int rollback_post(struct rollback *rollback, struct err *err);

/* Sends the guard away, where there is one. */
void rollback_drop(struct rollback *rollback);

enum rollback_end {
	ROLLBACK_NONE,      /* no guard stood here */
	ROLLBACK_CANCELLED, /* it has gone, and the rules stay */
	ROLLBACK_LOST,      /* it had gone without a word: killed, then the rules stay too */
	ROLLBACK_DONE,      /* it was faster: the rules have been put back */
};

/* Sends away the guard of this namespace and waits until it has gone. */
int rollback_cancel(enum rollback_end *ret_end, struct err *err);

/* Whether a guard stands in this namespace, as far as can be seen. */
bool rollback_is_pending(void);

#endif
