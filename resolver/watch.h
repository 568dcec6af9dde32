/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to read the names again.
 *
 * For each source the watch holds, as far as they exist: the file or folder itself (writing in
 * place, also through a bind mount), the folder it lies in (another file renamed over it, the
 * `..data` symlink of a ConfigMap swapped), and the folder that its symlinks lead to. Anything that
 * happens there means "soon": shortly after a file was closed or moved, later while somebody is
 * still writing, so that a half-written file is not read. Reading once too often costs nothing, for
 * nobody waits for it.
 */
#ifndef MESHDNS_RESOLVER_WATCH_H
#define MESHDNS_RESOLVER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define WATCH_SETTLE_MS  20   /* after a file was closed or moved */
#define WATCH_WRITING_MS 1000 /* after the last write of a file still open */
#define WATCH_MISSING_MS 1000 /* between looks for a source that is not there */

struct watch {
	int fd;                   /* inotify; -1 before watch_arm(). Poll for reading. */
	const char *const *paths; /* borrowed */
	size_t n_paths;
	bool missing;   /* a path was not there at the last arming */
	int64_t due_ms; /* monotonic time at which to load again; 0: nothing happened */
};

void watch_init(struct watch *watch, const char *const *paths, size_t n_paths);

/*
 * Starts watching anew, from the paths as they are now. To be called before each load, so that
 * nothing that happens during it is missed.
 */
int watch_arm(struct watch *watch, int64_t now_ms, struct err *err);

/* Takes in what happened and moves `due_ms`. To be called when `fd` is readable. */
void watch_read(struct watch *watch, int64_t now_ms);

void watch_close(struct watch *watch);

#endif
