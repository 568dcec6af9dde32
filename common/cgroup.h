/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups of version 2, cgroups(7): paths are relative to the root of their hierarchy,
 * without a slash at either end, as in "system.slice/envoy.service".
 *
 * The kernel's packet filter knows a cgroup by the inode number of its directory and by its level,
 * the number of names in its path.
 */
#ifndef MESHDNS_COMMON_CGROUP_H
#define MESHDNS_COMMON_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define CGROUP_PATH_MAX 256 /* with NUL */

struct cgroup {
	uint64_t id;
	uint32_t level; /* from 1: the root is everybody's, and is not meant here */
};

/*
 * Slashes at the ends and doubled ones are dropped. False for the root, for "." and ".." in it, and
 * for what is too long or not printable.
 */
bool cgroup_normalize(const char *text, char ret_path[CGROUP_PATH_MAX]);

/* -ENOENT when there is no such cgroup or no hierarchy of version 2 is mounted. */
int cgroup_resolve(const char *path, struct cgroup *ret_cgroup, struct err *err);

/* The reverse; -ENOENT when there is none (any more). Looks at all cgroups down to that level. */
int cgroup_find(const struct cgroup *cgroup, char ret_path[CGROUP_PATH_MAX]);

/* Moves this process there; negative errno. Sockets belong where they were made. */
int cgroup_join(const char *path);

/*
 * The mount point, if the line of /proc/self/mountinfo is that of a whole hierarchy of version 2:
 * one that shows a part of it would give wrong levels.
 */
bool cgroup_parse_mount(const char *line, char ret_path[PATH_MAX]);

#endif
