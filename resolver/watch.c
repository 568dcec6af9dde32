/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/load.h"

#define WRITING IN_MODIFY
#define WHOLE   (IN_CLOSE_WRITE | IN_MOVED_TO)
#define SETTLED (IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)

int watch_init(struct watch *watch, const char *const *paths, size_t n_paths, struct err *err)
{
	*watch = (struct watch){.paths = paths, .n_paths = n_paths};
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return err_set(err, errno, "cannot watch the names: inotify: %s%s", err_text(errno),
			       errno == EMFILE ? "; raise fs.inotify.max_user_instances" : "");
	return 0;
}

void watch_close(struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

/* --- names and places --- */

/* `path` without the slashes at its end: "dir/" is "dir" where it lies. */
static void trim(const char *path, char ret_path[PATH_MAX])
{
	size_t len;

	snprintf(ret_path, PATH_MAX, "%s", path);
	for (len = strlen(ret_path); len > 1 && ret_path[len - 1] == '/'; len--)
		ret_path[len - 1] = '\0';
}

/* The folder that a trimmed path lies in, "." for a bare name. */
static void parent_of(const char *path, char ret_parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(ret_parent, PATH_MAX, ".");
	else if (slash == path)
		snprintf(ret_parent, PATH_MAX, "/");
	else
		snprintf(ret_parent, PATH_MAX, "%.*s", (int)(slash - path), path);
}

static bool is_last_part(const char *path, const char *name)
{
	char trimmed[PATH_MAX];
	const char *slash;

	trim(path, trimmed);
	slash = strrchr(trimmed, '/');
	return !strcmp(slash ? slash + 1 : trimmed, name);
}

/*
 * Folders have other inhabitants: of what happens to a name in one, only this concerns us. What
 * happens to a watched file or folder itself comes without a name and always does.
 */
static bool concerns(const struct watch *watch, const char *name)
{
	const char *ending = strrchr(name, '.');

	if (!strncmp(name, "..", 2)) /* Kubernetes' ..data and the folders it leads to */
		return true;
	if (watch->has_folder && ending && (!strcmp(ending, ".hosts") || !strcmp(ending, ".json")))
		return true;
	for (size_t i = 0; i < watch->n_paths; i++) {
		if (is_last_part(watch->paths[i], name))
			return true;
	}
	return false;
}

/* --- the stamp --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		hash = (hash ^ (value >> (8 * i) & 0xff)) * UINT64_C(1099511628211); /* FNV-1a */
	return hash;
}

/* Of a file that is not there it says just that. */
static uint64_t mix_file(uint64_t hash, const char *path, struct stat *st)
{
	if (stat(path, st) < 0) {
		memset(st, 0, sizeof(*st));
		return mix(hash, (uint64_t)errno);
	}
	hash = mix(mix(hash, st->st_dev), st->st_ino);
	hash = mix(mix(hash, (uint64_t)st->st_size), (uint64_t)st->st_mtim.tv_sec);
	return mix(hash, (uint64_t)st->st_mtim.tv_nsec);
}

static uint64_t mix_folder(uint64_t hash, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, load_is_names_file, alphasort);
	struct stat st;

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		hash = mix_file(hash, path, &st);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return hash;
}

static uint64_t take_stamp(struct watch *watch)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	watch->has_folder = false;
	for (size_t i = 0; i < watch->n_paths; i++) {
		struct stat st;

		hash = mix_file(hash, watch->paths[i], &st);
		if (S_ISDIR(st.st_mode)) {
			watch->has_folder = true;
			hash = mix_folder(hash, watch->paths[i]);
		}
	}
	return hash;
}

/* --- inotify --- */

static int add(struct watch *watch, const char *path, struct err *err)
{
	int number = inotify_add_watch(watch->fd, path, WRITING | WHOLE | SETTLED);

	if (number < 0 && errno == ENOSPC)
		return err_set(err, errno,
			       "cannot watch %s: no inotify watches left; raise "
			       "fs.inotify.max_user_watches",
			       path);
	/* Not there, or not ours to look at: whoever loads it says so. */
	if (number >= 0)
		watch->watches[watch->n_watches++] = number;
	return 0;
}

static int add_path(struct watch *watch, const char *path, struct err *err)
{
	char trimmed[PATH_MAX], parent[PATH_MAX], real[PATH_MAX];
	int rc;

	trim(path, trimmed);
	parent_of(trimmed, parent);
	if ((rc = add(watch, parent, err)) < 0 || (rc = add(watch, trimmed, err)) < 0)
		return rc;
	if (!realpath(trimmed, real))
		return 0;
	parent_of(real, parent);
	return add(watch, parent, err);
}

static bool is_watched(const struct watch *watch, int number)
{
	for (size_t i = 0; i < watch->n_watches; i++) {
		if (watch->watches[i] == number)
			return true;
	}
	return false;
}

int watch_arm(struct watch *watch, int64_t now_ms, struct err *err)
{
	int before[WATCH_PATHS_MAX * WATCH_PER_PATH];
	size_t n_before = watch->n_watches;
	int rc = 0;

	memcpy(before, watch->watches, n_before * sizeof(before[0]));
	watch->n_watches = 0;
	for (size_t i = 0; i < watch->n_paths && rc == 0; i++)
		rc = add_path(watch, watch->paths[i], err);
	for (size_t i = 0; i < n_before; i++) {
		if (!is_watched(watch, before[i]))
			inotify_rm_watch(watch->fd, before[i]);
	}
	watch->stamp = take_stamp(watch);
	watch->poll_ms = now_ms + WATCH_POLL_MS;
	watch->due_ms = 0;
	watch->settled = false;
	return rc;
}

/* --- what is due --- */

static void set_writing(struct watch *watch, int64_t now_ms)
{
	if (!watch->settled)
		watch->due_ms = now_ms + WATCH_WRITING_MS;
}

/* The first thing that settles sets the time, so that a busy folder delays nothing. */
static void set_settled(struct watch *watch, int64_t due_ms)
{
	if (!watch->settled || due_ms < watch->due_ms)
		watch->due_ms = due_ms;
	watch->settled = true;
}

void watch_retry(struct watch *watch, int64_t now_ms)
{
	if (!watch->due_ms)
		watch->due_ms = now_ms + WATCH_RETRY_MS;
}

static void read_events(struct watch *watch, int64_t now_ms)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(watch->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *event;

		for (char *at = buf; at < buf + n; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			if (event->mask & IN_IGNORED ||
			    (event->len && !concerns(watch, event->name)))
				continue;
			if (event->mask == WRITING)
				set_writing(watch, now_ms);
			else
				set_settled(watch, event->mask & WHOLE ? now_ms
								       : now_ms + WATCH_SETTLE_MS);
		}
	}
}

bool watch_is_due(struct watch *watch, int64_t now_ms)
{
	read_events(watch, now_ms);
	if (now_ms >= watch->poll_ms) {
		watch->poll_ms = now_ms + WATCH_POLL_MS;
		/* Nobody says whether the writer is done. What inotify knows of is under way. */
		if (!watch->due_ms && take_stamp(watch) != watch->stamp)
			set_writing(watch, now_ms);
	}
	return watch->due_ms && now_ms >= watch->due_ms;
}

int watch_wait_ms(const struct watch *watch, int64_t now_ms)
{
	int64_t next = watch->poll_ms;

	if (watch->n_paths == 0)
		return -1;
	if (watch->due_ms && watch->due_ms < next)
		next = watch->due_ms;
	return next > now_ms ? (int)(next - now_ms) : 0;
}
