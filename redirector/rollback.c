/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/rollback.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "redirector/apply.h"

#define RUN_DIR     "/run/meshdns"
#define RECORD_DONE "done" /* in a record, in place of the guard's pid */
#define RECORD_MAX  32
#define ATTEMPTS    10 /* to put the rules back, a second apart */

/* Where the record of the namespace that we are in lies. */
static int record_path(char path[NAME_MAX], struct err *err)
{
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return err_set(err, errno, "cannot tell which network namespace this is: %s",
			       err_text(errno));
	snprintf(path, NAME_MAX, RUN_DIR "/rollback-%ju", (uintmax_t)st.st_ino);
	return 0;
}

/* Removes the record if it is this one and no later one. */
static void remove_record(int record, const char *path)
{
	struct stat ours, there;

	if (fstat(record, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino)
		unlink(path);
}

/* --- the guard ----------------------------------------------------------------------------------
 */

/* What was there, and how it is put back. */
struct before {
	const struct backend_options *options;
	const struct backend *backend; /* NULL: nothing was there */
	struct plan plan;
};

static int restore(const struct before *before, struct err *err)
{
	return apply_restore(before->options, before->backend,
			     before->backend ? &before->plan : NULL, err);
}

/* Its own session, no terminal, none of our files: a pipe that it held would never end. */
static void leave_everything(int record)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (record > 3)
		close_range(3, (unsigned int)record - 1, 0);
	close_range((unsigned int)record + 1, UINT_MAX, 0);
	if (chdir("/") < 0) /* so that no file system is kept busy */
		return;
}

static void put_back(int record, const struct before *before)
{
	struct err err;
	int rc = restore(before, &err);

	for (int i = 1; rc < 0 && i < ATTEMPTS; i++) {
		sleep(1);
		rc = restore(before, &err);
	}
	if (rc < 0) {
		syslog(LOG_ERR, "not confirmed in time, and cannot be undone: %s", err.msg);
		return;
	}
	syslog(LOG_NOTICE, "not confirmed in time: what was there before has been put back");
	if (ftruncate(record, 0) == 0 && pwrite(record, RECORD_DONE, strlen(RECORD_DONE), 0) < 0)
		syslog(LOG_WARNING, "cannot tell so in the record");
}

/* All signals are blocked: a hang-up stays unheard, and there is no moment between two answers. */
static _Noreturn void stand_guard(const struct rollback *rollback, const struct before *before,
				  unsigned int seconds)
{
	char posted[NAME_MAX];
	sigset_t awaited;
	int sig;

	leave_everything(rollback->record);
	openlog("meshdns-redirect", LOG_PID, LOG_DAEMON);
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGALRM);
	sigaddset(&awaited, SIGTERM);
	alarm(seconds);
	while ((sig = sigwaitinfo(&awaited, NULL)) < 0)
		; /* a debugger came by */
	if (sig == SIGALRM) {
		put_back(rollback->record, before);
		remove_record(rollback->record, rollback->path);
		if (record_path(posted, NULL) == 0)
			remove_record(rollback->record, posted);
	}
	_exit(0);
}

static int start_guard(const struct before *before, unsigned int seconds, struct rollback *rollback,
		       struct err *err)
{
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	rollback->guard = fork();
	if (rollback->guard == 0)
		stand_guard(rollback, before, seconds);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (rollback->guard < 0)
		return err_set(err, errno, "cannot start what would roll back: %s",
			       err_text(errno));
	return 0;
}

/* The lock is the open file's, so the guard will have it too, and have it alone when we are gone.
 */
static int make_record(struct rollback *rollback, struct err *err)
{
	int rc;

	if (mkdir(RUN_DIR, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "cannot make " RUN_DIR ": %s", err_text(errno));
	if ((rc = record_path(rollback->path, err)) < 0)
		return rc;
	snprintf(rollback->path + strlen(rollback->path), 16, ".%d", getpid());
	rollback->record =
		open(rollback->path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (rollback->record < 0 || flock(rollback->record, LOCK_EX) < 0)
		return err_set(err, errno, "cannot write %s: %s", rollback->path, err_text(errno));
	return 0;
}

int rollback_start(const struct backend_options *options, unsigned int seconds,
		   struct rollback *ret_rollback, struct err *err)
{
	struct before before = {.options = options};
	int rc = backend_read(options, &before.plan, &before.backend, err);

	*ret_rollback = (struct rollback){.record = -1};
	if (rc == -EBADMSG)
		err_wrap(err, "could not be put back exactly, uninstall first");
	if (rc == 0 && ((rc = make_record(ret_rollback, err)) < 0 ||
			(rc = start_guard(&before, seconds, ret_rollback, err)) < 0))
		rollback_drop(ret_rollback);
	plan_free(&before.plan);
	return rc;
}

/* SIGTERM: it goes. SIGALRM: it does its work and goes. */
static void dismiss(struct rollback *rollback, int sig)
{
	if (rollback->guard > 0 && kill(rollback->guard, sig) == 0)
		waitpid(rollback->guard, NULL, 0);
	unlink(rollback->path);
	close(take_fd(&rollback->record));
}

int rollback_post(struct rollback *rollback, struct err *err)
{
	char path[NAME_MAX];
	int rc = record_path(path, err);

	if (rc == 0 && (dprintf(rollback->record, "%d", rollback->guard) < 0 ||
			rename(rollback->path, path) < 0))
		rc = err_set(err, errno, "cannot write %s: %s", path, err_text(errno));
	if (rc < 0)
		dismiss(rollback, SIGALRM);
	else
		close(take_fd(&rollback->record));
	return rc;
}

void rollback_drop(struct rollback *rollback)
{
	if (rollback->record >= 0)
		dismiss(rollback, SIGTERM);
}

/* --- finding it ---------------------------------------------------------------------------------
 */

/* True while the guard lives: nobody else locks exclusively. */
static bool is_guarded(int record)
{
	return flock(record, LOCK_SH | LOCK_NB) < 0;
}

/* Opens the record of this namespace; -ENOENT, without an error to tell, when there is none. */
static int open_record(char path[NAME_MAX], struct err *err)
{
	int rc = record_path(path, err), record;

	if (rc < 0)
		return rc;
	record = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (record < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot open %s: %s", path, err_text(errno));
	return record < 0 ? -ENOENT : record;
}

static void read_record(int record, char text[RECORD_MAX])
{
	ssize_t n = pread(record, text, RECORD_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

int rollback_cancel(enum rollback_end *ret_end, struct err *err)
{
	char path[NAME_MAX], text[RECORD_MAX];
	cleanup_fd int record = open_record(path, err);
	uint64_t pid;

	*ret_end = ROLLBACK_NONE;
	if (record < 0)
		return record == -ENOENT ? 0 : record;
	*ret_end = ROLLBACK_LOST;
	read_record(record, text);
	if (is_guarded(record)) {
		if (options_parse_number(text, 1, INT_MAX, &pid) && kill((pid_t)pid, SIGTERM) < 0 &&
		    errno != ESRCH)
			return err_set(err, errno, "cannot tell process %s not to roll back: %s",
				       text, err_text(errno));
		flock(record, LOCK_SH); /* until it has gone */
		read_record(record, text);
		*ret_end = ROLLBACK_CANCELLED;
	}
	if (!strcmp(text, RECORD_DONE))
		*ret_end = ROLLBACK_DONE;
	remove_record(record, path);
	return 0;
}

bool rollback_is_pending(void)
{
	char path[NAME_MAX];
	cleanup_fd int record = open_record(path, NULL);

	return record >= 0 && is_guarded(record);
}
