/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving privileges up. */
#ifndef MESHDNS_COMMON_PRIVS_H
#define MESHDNS_COMMON_PRIVS_H

#include "common/err.h"
#include "common/user.h"

/*
 * To be called once everything that needs privilege is open and before anything from outside is
 * read. As root: becomes `user`, without supplementary groups and with an empty bounding
 * set. As root or not: empties every other capability set, and sets no_new_privs.
 * A failure is fatal to the caller: a half-dropped process must not go on.
 *
 * Only the calling thread is changed: call it before the first other thread exists.
 */
int privs_drop(const struct user *user, struct err *err);

#endif
