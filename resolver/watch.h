/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to read the names again.
 *
 * inotify tells at once of a source itself (written in place, also through a bind mount), of the
 * folder it lies in (another file renamed over it, the `..data` symlink of a ConfigMap swapped) and
 * of the folder that its symlinks lead to. What inotify cannot see (a symlink further up that is
 * turned, a file behind a folder's symlinks, a network file system) shows in the stamp, a hash of
 * what stat(2) says of all files, which is looked at every WATCH_POLL_MS.
 *
 * The names are due at once when a file was closed after writing or moved to its place, for then it
 * is whole; shortly after something else happened to one (moved away, removed, made), for more will
 * follow; later while somebody is still writing, so that a half-written file is not read. Reading
 * once too often costs little, and what happens during a load is taken together after it.
 */
#ifndef MESHDNS_RESOLVER_WATCH_H
#define MESHDNS_RESOLVER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define WATCH_SETTLE_MS  10   /* after something happened that did not leave a file whole */
#define WATCH_WRITING_MS 1000 /* after the last write of a file still open */
#define WATCH_RETRY_MS   2000 /* after a load that failed */
#define WATCH_POLL_MS    2000 /* between looks at the stamp */

#define WATCH_PATHS_MAX  64
#define WATCH_PER_PATH   3 /* itself, its folder, the folder that symlinks lead to */

struct watch {
	int fd;                   /* inotify, for poll(2); -1: closed */
	const char *const *paths; /* borrowed */
	size_t n_paths;
	int watches[WATCH_PATHS_MAX * WATCH_PER_PATH]; /* inotify's numbers */
	size_t n_watches;
	bool has_folder; /* among the paths */
	uint64_t stamp;
	int64_t poll_ms; /* monotonic time of the next look at the stamp */
	int64_t due_ms;  /* monotonic time at which to load again; 0: nothing happened */
	bool settled;    /* due because of more than writing: writing does not delay that */
};

/* At most WATCH_PATHS_MAX paths. */
int watch_init(struct watch *watch, const char *const *paths, size_t n_paths, struct err *err);
void watch_close(struct watch *watch);

/*
 * Watches the paths as they are now, and forgets what was due. To be called before each load, so
 * that nothing that happens during it is missed.
 */
int watch_arm(struct watch *watch, int64_t now_ms, struct err *err);

/* The load failed: it is due again after WATCH_RETRY_MS, or sooner. */
void watch_retry(struct watch *watch, int64_t now_ms);

/* Takes in what happened; true when it is time to load. */
bool watch_is_due(struct watch *watch, int64_t now_ms);

/* How long to wait on `fd`, at the most, before asking watch_is_due(); for poll(2). */
int watch_wait_ms(const struct watch *watch, int64_t now_ms);

#endif
