/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the plugin where it is. inotify tells of every change to the directories, and each makes
 * us look; what is right already, our own writing among it, costs no more than that.
 *
 * Another program that puts its own version back as soon as it sees ours would have us both write
 * for ever: after FIGHT_FREE times within FIGHT_CALM_MS of one another we wait, twice as long each
 * time, and say who it is about.
 *
 * A pod that starts while the plugin is not in the configuration has no rules, and nobody knows. So
 * for GAP_MS after we had to put something back, the plugin is told to repair what it finds
 * missing, whenever the runtime has added a pod.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cni/install.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define FIGHT_FREE    20
#define FIGHT_CALM_MS 10000
#define FIGHT_MIN_MS  100
#define FIGHT_MAX_MS  5000
#define GAP_MS        60000
#define RETRY_MS      2000 /* until a directory is there */

#define CHANGES \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

enum place { PLACE_NET, PLACE_DROP_IN, PLACE_BIN, PLACE_ACCOUNT, PLACE_ENTRY, PLACE_CACHE, PLACES };

struct watch {
	const struct install_settings *settings;
	struct install_state state;
	int inotify, signals;
	int wd[PLACES]; /* -1: not watched */
	bool ready;
	bool installed_once;
	struct err told;      /* what was in the way the last time */
	int64_t next_ms;      /* when to look again without being told; 0: never */
	int64_t changed_ms;   /* when we last put something back */
	int64_t gap_until_ms; /* pods that start before may lack rules */
	unsigned int fights;
	unsigned int conf_changes, binary_changes, failures, repairs;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* --- what others see --- */

static void write_metrics(const struct watch *watch)
{
	char text[1024];
	struct err err;
	int len;

	if (!watch->settings->metrics_file)
		return;
	len = snprintf(text, sizeof(text),
		       "# TYPE meshdns_cni_ready gauge\nmeshdns_cni_ready %d\n"
		       "# TYPE meshdns_cni_configuration_changes_total counter\n"
		       "meshdns_cni_configuration_changes_total %u\n"
		       "# TYPE meshdns_cni_binary_changes_total counter\n"
		       "meshdns_cni_binary_changes_total %u\n"
		       "# TYPE meshdns_cni_failures_total counter\nmeshdns_cni_failures_total %u\n"
		       "# TYPE meshdns_cni_repairs_total counter\nmeshdns_cni_repairs_total %u\n",
		       watch->ready, watch->conf_changes, watch->binary_changes, watch->failures,
		       watch->repairs);
	if (file_replace(watch->settings->metrics_file, text, (size_t)len, 0644, &err) < 0)
		log_warning(err.msg, NULL);
}

static void set_ready(struct watch *watch, bool ready)
{
	const char *path = watch->settings->ready_file;
	struct err err;

	if (ready == watch->ready)
		return;
	watch->ready = ready;
	log_info(ready ? "ready" : "not ready", "network=%s file=%s", watch->state.network,
		 watch->state.file);
	if (path && ready && file_replace(path, "ready\n", 6, 0644, &err) < 0)
		log_warning(err.msg, NULL);
	if (path && !ready)
		unlink(path);
}

/* --- putting right --- */

static void run_repair(struct watch *watch)
{
	const struct install_settings *settings = watch->settings;
	char target[PATH_MAX], *const environment[] = {NULL};
	const char *const argv[] = {target,
				    "repair",
				    "--apply",
				    "--net-dir",
				    settings->net_dir,
				    "--cache-dir",
				    settings->cache_dir,
				    "--state-dir",
				    settings->state_dir,
				    NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;

	install_target(settings, NETD_PLUGIN, target);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	/* It logs what it has repaired; that all else is right would be told each time. */
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, target, &actions, &attr, (char *const *)argv, environment) == 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		watch->repairs++;
	}
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
}

/* How long to let the other one have its way. */
static int64_t fight_delay(struct watch *watch, int64_t now)
{
	int64_t delay = FIGHT_MIN_MS;

	if (now - watch->changed_ms > FIGHT_CALM_MS)
		watch->fights = 0;
	if (++watch->fights <= FIGHT_FREE)
		return 0;
	for (unsigned int i = FIGHT_FREE + 1; i < watch->fights && delay < FIGHT_MAX_MS; i++)
		delay *= 2;
	return delay < FIGHT_MAX_MS ? delay : FIGHT_MAX_MS;
}

/* What was put back was gone: from now on somebody may have started without it. */
static void note_changes(struct watch *watch, const struct install_state *state, int64_t now)
{
	int64_t delay;

	watch->conf_changes += state->conf_changes;
	watch->binary_changes += state->binary_changes;
	if (!state->conf_changes)
		return;
	if (!watch->installed_once) {
		watch->installed_once = true;
	} else if ((delay = fight_delay(watch, now)) > 0) {
		log_warning("another program keeps taking the plugin out of the configuration: "
			    "waiting before it is put back again; tell that program to let it be "
			    "(Cilium: cni.exclusive=false)",
			    "file=%s/%s times=%u wait_ms=%lld", watch->settings->net_dir,
			    state->file, watch->fights, (long long)delay);
		watch->next_ms = now + delay;
	}
	watch->changed_ms = now;
	watch->gap_until_ms = now + GAP_MS;
	run_repair(watch);
}

static void watch_places(struct watch *watch)
{
	const struct install_settings *settings = watch->settings;
	char folder[PATH_MAX] = "", entry[PATH_MAX] = "";
	const char *const paths[PLACES] = {settings->net_dir,
					   folder,
					   settings->bin_dir,
					   settings->kubeconfig ? settings->service_account : "",
					   entry,
					   settings->cache_dir};

	if (settings->entry && strrchr(settings->entry, '/')) /* a ConfigMap's folder, perhaps */
		snprintf(entry, sizeof(entry), "%.*s",
			 (int)(strrchr(settings->entry, '/') - settings->entry), settings->entry);
	if (*watch->state.network)
		snprintf(folder, sizeof(folder), "%.2000s/%s", settings->net_dir,
			 watch->state.network);
	for (size_t i = 0; i < PLACES; i++) /* the same one again is the same watch */
		watch->wd[i] =
			*paths[i] ? inotify_add_watch(watch->inotify, paths[i], CHANGES) : -1;
}

static void reconcile(struct watch *watch)
{
	struct install_state state;
	int64_t now = now_ms();
	struct err err = {0};
	int rc;

	watch->next_ms = 0;
	watch_places(watch); /* before we look: nothing is missed */
	rc = install_reconcile(watch->settings, &state, &err);
	if (rc < 0 && strcmp(err.msg, watch->told.msg) != 0)
		log_warning(err.msg, NULL);
	watch->told = err;
	if (rc < 0) {
		watch->failures++;
		watch->next_ms = now + RETRY_MS;
	}
	watch->state = state;
	note_changes(watch, &state, now);
	watch_places(watch); /* there may be a folder now */
	set_ready(watch,
		  rc == 0 && state.binary_there && state.kubeconfig_there && state.configured);
	write_metrics(watch);
}

/* --- being told --- */

static void read_changes(struct watch *watch, bool *ret_places)
{
	_Alignas(struct inotify_event) char buf[16384];
	ssize_t n;

	while ((n = read(watch->inotify, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *event = (const void *)p;

			for (size_t i = 0; i < PLACES; i++)
				ret_places[i] = ret_places[i] || event->wd == watch->wd[i] ||
						event->mask & IN_Q_OVERFLOW;
			p += sizeof(*event) + event->len;
		}
	}
}

/* While we let another one have its way, only time makes us look. */
static void on_changes(struct watch *watch)
{
	bool places[PLACES] = {0}, look = false;

	read_changes(watch, places);
	for (size_t i = 0; i < PLACE_CACHE; i++)
		look = look || places[i];
	if (look && (!watch->next_ms || !watch->state.configured || watch->fights <= FIGHT_FREE))
		reconcile(watch);
	if (places[PLACE_CACHE] && now_ms() < watch->gap_until_ms)
		run_repair(watch);
}

static int timeout(const struct watch *watch)
{
	int64_t left = watch->next_ms - now_ms();

	if (!watch->next_ms)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void loop(struct watch *watch)
{
	struct pollfd fds[] = {{watch->inotify, POLLIN, 0}, {watch->signals, POLLIN, 0}};

	reconcile(watch);
	while (!(fds[1].revents & POLLIN)) {
		int n = poll(fds, ARRAY_SIZE(fds), timeout(watch));

		if (n == 0 || (watch->next_ms && now_ms() >= watch->next_ms))
			reconcile(watch);
		if (n > 0 && fds[0].revents & POLLIN)
			on_changes(watch);
	}
}

static int leave(struct watch *watch, struct err *err)
{
	unsigned int kept_for = 0;
	int rc = 0;

	set_ready(watch, false);
	if (watch->settings->remove_on_exit)
		rc = install_remove(watch->settings, &kept_for, err);
	if (kept_for)
		log_warning("the plugin's binary stays, for these pods' deletion will call it",
			    "pods=%u", kept_for);
	write_metrics(watch);
	return rc;
}

int install_watch(const struct install_settings *settings, struct err *err)
{
	struct watch watch = {.settings = settings};
	cleanup_fd int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), signals = -1;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (inotify < 0 || signals < 0)
		return err_set(err, errno, "cannot watch: %s", err_text(errno));
	watch.inotify = inotify;
	watch.signals = signals;
	if (settings->ready_file) /* of one that was killed */
		unlink(settings->ready_file);
	loop(&watch);
	return leave(&watch, err);
}
