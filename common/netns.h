/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces by path, by `ip netns` name or by pid. */
#ifndef MESHDNS_COMMON_NETNS_H
#define MESHDNS_COMMON_NETNS_H

#include <limits.h>
#include <stddef.h>

#include "common/err.h"

#define NETNS_RUN_DIR "/run/netns"

enum netns_kind { NETNS_PATH, NETNS_NAME, NETNS_PID };

/*
 * What `spec` means and where it lies: text with a '/' is a path, digits alone a pid (its
 * /proc/PID/ns/net), anything else a name in /run/netns. -EINVAL when it can be none of them.
 */
int netns_path(const char *spec, enum netns_kind *ret_kind, char ret_path[PATH_MAX],
	       struct err *err);

/*
 * Moves the calling thread into the namespace. The rest of the process follows only if there is
 * no other thread. Needs CAP_SYS_ADMIN.
 */
int netns_enter(const char *spec, struct err *err);

#endif
