/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the last good names on disk (--state-dir): when to write them, and who does.
 *
 * A million names take a good part of a second to write and as long as the disk likes to sync, so a
 * thread of its own does that, which lives no longer than it takes. Snapshots do not change, so all
 * it needs is that its one stays: meanwhile those that are replaced are held, and freed in their
 * order when it has ended. The names are written shortly after they have changed, and then not
 * for STATE_PAUSE_MS, nor for STATE_SHARE times as long as the writing took.
 *
 * All is called by the control thread, and nothing is done where no folder was asked for.
 */
#ifndef MESHDNS_RESOLVER_STATE_H
#define MESHDNS_RESOLVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/user.h"
#include "resolver/names.h"

#define STATE_SETTLE_MS 300 /* names seldom change alone */
#define STATE_PAUSE_MS  5000
#define STATE_SHARE     20

struct state {
	const char *dir; /* NULL: none */
	bool changed;    /* since they were written */
	int64_t due_ms;  /* when they may be written again */
	bool writing;
	pthread_t thread;
	const struct names_snapshot *names; /* the thread's */
	atomic_bool done, cancel;
	int64_t began_ms;
	int rc;
	struct err err, last_complaint;
	struct names_snapshot **held; /* replaced since the thread began, the oldest first */
	size_t n_held, held_size;
	/* To be told: when they were written last, 0: never; how often that went well and did not.
	 */
	int64_t saved_ms;
	uint64_t saved, failed;
};

/* Makes the folder, `user`'s, if there is none; while it can be. */
int state_make_folder(const char *dir, const struct user *user, struct err *err);

/* Starts zeroed. An error: the folder is not there, or not to be written. `dir` is borrowed. */
int state_init(struct state *state, const char *dir, struct err *err);

/* `next`, made of `old` (NULL: of nothing), has taken its place: frees `old`, or will. */
void state_names_replaced(struct state *state, struct names_snapshot *old,
			  const struct names_snapshot *next, int64_t now_ms);

/* Goes on; `names` are the current ones. Returns when to be called again, INT64_MAX: never. */
int64_t state_run(struct state *state, const struct names_snapshot *names, int64_t now_ms);

/* The end. `save`: not before what is to be written is; or else a successor does that. */
void state_close(struct state *state, const struct names_snapshot *names, bool save);

#endif
