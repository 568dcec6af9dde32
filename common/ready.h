/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling whoever started us that we are ready.
 *
 * The datagram of sd_notify(3) is a stable interface of one line; libsystemd for it would bring in
 * three compression libraries and more memory than the resolver's own.
 */
#ifndef MESHDNS_COMMON_READY_H
#define MESHDNS_COMMON_READY_H

#include "common/err.h"

/* Sends `state` ("READY=1", "STOPPING=1", ...) to $NOTIFY_SOCKET; 0 also when there is none. */
int ready_notify(const char *state, struct err *err);

/* Writes one newline to `fd` and closes it; nothing when fd is negative. */
int ready_fd(int fd, struct err *err);

#endif
