/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WRITING IN_MODIFY
#define SETTLED                                                                                  \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | \
	 IN_MOVE_SELF | IN_ATTRIB)

void watch_init(struct watch *watch, const char *const *paths, size_t n_paths)
{
	*watch = (struct watch){.fd = -1, .paths = paths, .n_paths = n_paths};
}

/* The folder `path` lies in, "." for a bare name. */
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

static int add(struct watch *watch, const char *path, struct err *err)
{
	if (inotify_add_watch(watch->fd, path, WRITING | SETTLED) >= 0)
		return 0;
	if (errno == ENOSPC)
		return err_set(err, errno,
			       "cannot watch %s: no inotify watches left; raise "
			       "fs.inotify.max_user_watches",
			       path);
	/* Not there, or not ours to look at: whoever loads it says so. */
	return 0;
}

static int add_source(struct watch *watch, const char *path, struct err *err)
{
	char parent[PATH_MAX], real[PATH_MAX];
	int rc;

	parent_of(path, parent);
	if ((rc = add(watch, parent, err)) < 0 || (rc = add(watch, path, err)) < 0)
		return rc;
	if (!realpath(path, real)) {
		watch->missing = true;
		return 0;
	}
	parent_of(real, parent);
	return add(watch, parent, err);
}

int watch_arm(struct watch *watch, int64_t now_ms, struct err *err)
{
	int rc = 0;

	watch_close(watch);
	if ((watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) < 0)
		return err_set(err, errno, "cannot watch the names: inotify: %s%s", err_text(errno),
			       errno == EMFILE ? "; raise fs.inotify.max_user_instances" : "");
	watch->missing = false;
	for (size_t i = 0; i < watch->n_paths && rc == 0; i++)
		rc = add_source(watch, watch->paths[i], err);
	watch->due_ms = watch->missing ? now_ms + WATCH_MISSING_MS : 0;
	return rc;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
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
	if (ending && (!strcmp(ending, ".hosts") || !strcmp(ending, ".json")))
		return true;
	for (size_t i = 0; i < watch->n_paths; i++) {
		if (!strcmp(name, base_name(watch->paths[i])))
			return true;
	}
	return false;
}

/* The first event that settles something sets the time, so that a busy folder delays nothing. */
static void take_event(struct watch *watch, const struct inotify_event *event, int64_t now_ms)
{
	if (event->mask & IN_IGNORED || (event->len && !concerns(watch, event->name)))
		return;
	if (event->mask == WRITING)
		watch->due_ms = now_ms + WATCH_WRITING_MS;
	else if (!watch->due_ms || watch->due_ms > now_ms + WATCH_SETTLE_MS)
		watch->due_ms = now_ms + WATCH_SETTLE_MS;
}

void watch_read(struct watch *watch, int64_t now_ms)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(watch->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *event;

		for (char *at = buf; at < buf + n; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			take_event(watch, event, now_ms);
		}
	}
}

void watch_close(struct watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}
