/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "resolver/names_join.h"
#include "resolver/state_file.h"

#define JOIN_MS 20 /* between looks whether the thread has ended */

int state_make_folder(const char *dir, const struct user *user, struct err *err)
{
	if (!dir)
		return 0;
	if (mkdir(dir, 0755) < 0)
		return errno == EEXIST ? 0
				       : err_set(err, errno, "--state-dir: cannot make %s: %s", dir,
						 err_text(errno));
	if (chown(dir, user->uid, user->gid) < 0)
		return err_set(err, errno, "--state-dir: cannot give %s to uid %u: %s", dir,
			       user->uid, err_text(errno));
	return 0;
}

int state_init(struct state *state, const char *dir, struct err *err)
{
	struct stat st;

	state->dir = dir;
	if (!dir)
		return 0;
	if (stat(dir, &st) < 0)
		return err_set(err, errno, "--state-dir %s: %s", dir, err_text(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "--state-dir %s: not a folder", dir);
	if (access(dir, W_OK | X_OK) < 0)
		return err_set(err, errno, "--state-dir %s: uid %u may not write there: %s", dir,
			       geteuid(), err_text(errno));
	return 0;
}

static void *write_names(void *arg)
{
	struct state *state = arg;

	state->rc = state_file_write(state->dir, state->names, &state->cancel, &state->err);
	atomic_store(&state->done, true);
	return NULL;
}

/* Takes note of how it went; what is not written is written later. */
static void conclude(struct state *state, int64_t now_ms)
{
	int64_t pause_ms = (now_ms - state->began_ms) * STATE_SHARE;

	state->due_ms = now_ms + (pause_ms > STATE_PAUSE_MS ? pause_ms : STATE_PAUSE_MS);
	if (state->rc == 0) {
		state->saved++;
		state->saved_ms = now_ms;
		state->last_complaint = (struct err){0};
		log_debug("names saved", "dir=%s", state->dir);
		return;
	}
	state->changed = true;
	if (state->rc == -ECANCELED)
		return;
	state->failed++;
	if (strcmp(state->err.msg, state->last_complaint.msg) != 0)
		log_warning("names not saved", "reason=\"%s\"", state->err.msg);
	state->last_complaint = state->err;
}

/* Waits for the thread, and frees what was held for it; `current` follows on the last of that. */
static void join(struct state *state, const struct names_snapshot *current, int64_t now_ms)
{
	if (!state->writing)
		return;
	pthread_join(state->thread, NULL);
	state->writing = false;
	for (size_t i = 0; i < state->n_held; i++)
		names_free_old(state->held[i],
			       i + 1 < state->n_held ? state->held[i + 1] : current);
	state->n_held = 0;
	conclude(state, now_ms);
}

static void begin(struct state *state, const struct names_snapshot *names, int64_t now_ms)
{
	int rc;

	state->names = names;
	state->began_ms = now_ms;
	atomic_store(&state->done, false);
	state->changed = false;
	if ((rc = pthread_create(&state->thread, NULL, write_names, state)) == 0) {
		state->writing = true;
		return;
	}
	state->rc = err_set(&state->err, rc, "cannot start a thread: %s", err_text(rc));
	conclude(state, now_ms);
}

void state_names_replaced(struct state *state, struct names_snapshot *old,
			  const struct names_snapshot *next, int64_t now_ms)
{
	if (state->dir && !state->changed && !names_is_partial(next) &&
	    !(old && names_is_same(old, next))) {
		state->changed = true;
		if (state->due_ms < now_ms + STATE_SETTLE_MS)
			state->due_ms = now_ms + STATE_SETTLE_MS;
	}
	if (!old)
		return;
	if (state->writing && !join_reserve(&state->held, &state->held_size, state->n_held, 1,
					    sizeof(struct names_snapshot *)))
		join(state, old, now_ms);
	if (state->writing)
		state->held[state->n_held++] = old;
	else
		names_free_old(old, next);
}

int64_t state_run(struct state *state, const struct names_snapshot *names, int64_t now_ms)
{
	if (state->writing && atomic_load(&state->done))
		join(state, names, now_ms);
	if (state->writing)
		return now_ms + JOIN_MS;
	if (state->changed && now_ms >= state->due_ms) {
		begin(state, names, now_ms);
		return now_ms + JOIN_MS;
	}
	return state->changed ? state->due_ms : INT64_MAX;
}

void state_close(struct state *state, const struct names_snapshot *names, bool save)
{
	if (!save)
		atomic_store(&state->cancel, true);
	join(state, names, 0);
	if (save && state->changed) {
		begin(state, names, 0);
		join(state, names, 0);
	}
	free(state->held);
}
