/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/ready.h"
#include "resolver/inflight.h"
#include "resolver/publish.h"
#include "resolver/watch.h"
#include "resolver/worker.h"
#include "version.h"

struct control {
	const struct settings *settings;
	struct publish publish;
	struct watch watch;
	struct err last_complaint; /* why the last reload failed, if it did */
	int signal_fd, stop_fd;
	struct worker_config worker_config;
	struct inflight inflight;
	struct worker workers[SETTINGS_WORKERS_MAX];
	pthread_t threads[SETTINGS_WORKERS_MAX];
	unsigned int n_workers, n_threads; /* initialised, running */
	struct publish_reader readers[SETTINGS_WORKERS_MAX];
	char server_id[256];
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void log_loaded(const struct names_snapshot *names)
{
	log_info("names loaded", "names=%zu bytes=%zu", names_count(names), names_bytes(names));
}

/* Says why names could not be taken up, once for each reason: it is tried again and again. */
static void complain(struct control *control, const struct err *err)
{
	if (strcmp(err->msg, control->last_complaint.msg) != 0)
		log_warning("names not loaded, the last good ones stay", "reason=\"%s\"", err->msg);
	control->last_complaint = *err;
}

/* Loads and publishes; what was there stays if that fails. */
static void reload(struct control *control)
{
	struct names_snapshot *names;
	struct err err = {0};

	if (watch_arm(&control->watch, monotonic_ms(), &err) < 0 ||
	    load_snapshot(&control->settings->load, &names, &err) < 0) {
		complain(control, &err);
		watch_retry(&control->watch, monotonic_ms());
		return;
	}
	control->last_complaint = (struct err){0};
	log_loaded(names);
	names_free(publish_exchange(&control->publish, names));
}

static int open_descriptors(struct control *control, struct err *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	/* Threads inherit the mask: only the signalfd sees these. */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	control->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	control->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control->signal_fd < 0 || control->stop_fd < 0)
		return err_set(err, errno, "cannot create a descriptor: %s", err_text(errno));
	return 0;
}

static int start_workers(struct control *control, struct listener *listeners, size_t n_listeners,
			 struct err *err)
{
	for (unsigned int i = 0; i < control->settings->workers; i++) {
		int rc = worker_init(&control->workers[i], &control->worker_config,
				     listeners + i * n_listeners, &control->readers[i],
				     control->stop_fd, err);

		if (rc < 0)
			return rc;
		control->n_workers++;
	}
	for (unsigned int i = 0; i < control->n_workers; i++) {
		int rc = pthread_create(&control->threads[i], NULL, worker_run,
					&control->workers[i]);

		if (rc)
			return err_set(err, rc, "cannot start a thread: %s", err_text(rc));
		control->n_threads++;
	}
	return 0;
}

static void stop_workers(struct control *control)
{
	if (control->stop_fd >= 0)
		eventfd_write(control->stop_fd, 1);
	for (unsigned int i = 0; i < control->n_threads; i++)
		pthread_join(control->threads[i], NULL);
	for (unsigned int i = 0; i < control->n_workers; i++)
		worker_free(&control->workers[i]);
}

static void tell_ready(const struct control *control)
{
	struct err err = {0};

	if (ready_notify("READY=1", &err) < 0)
		log_warning("readiness could not be told", "reason=\"%s\"", err.msg);
	if (ready_fd(control->settings->ready_fd, &err) < 0)
		log_warning("readiness could not be told", "reason=\"%s\"", err.msg);
	log_info("ready", "version=%s workers=%u", MESHDNS_VERSION, control->n_threads);
}

/* What the signals that have come ask for: all of them together, and stopping comes first. */
static void take_signals(const struct control *control, bool *ret_stop, bool *ret_reload)
{
	struct signalfd_siginfo info;

	*ret_stop = *ret_reload = false;
	while (read(control->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			*ret_reload = true;
		} else {
			log_info("stopping", "signal=%s", sigabbrev_np((int)info.ssi_signo));
			*ret_stop = true;
		}
	}
}

static void serve(struct control *control)
{
	bool stop = false;

	while (!stop) {
		struct pollfd fds[] = {
			{.fd = control->signal_fd, .events = POLLIN},
			{.fd = control->watch.fd, .events = POLLIN},
		};
		bool wanted;

		poll(fds, ARRAY_SIZE(fds), watch_wait_ms(&control->watch, monotonic_ms()));
		take_signals(control, &stop, &wanted);
		if (!stop && (watch_is_due(&control->watch, monotonic_ms()) || wanted))
			reload(control);
	}
	ready_notify("STOPPING=1", NULL);
}

static int load_first(struct control *control, struct err *err)
{
	struct names_snapshot *names;
	int rc;

	if ((rc = watch_init(&control->watch, control->settings->names, control->settings->n_names,
			     err)) < 0 ||
	    (rc = watch_arm(&control->watch, monotonic_ms(), err)) < 0 ||
	    (rc = load_snapshot(&control->settings->load, &names, err)) < 0)
		return rc;
	log_loaded(names);
	publish_init(&control->publish, names, control->readers, control->settings->workers);
	return 0;
}

int control_run(const struct settings *settings, const struct endpoint *upstreams,
		size_t n_upstreams, struct listener *listeners, size_t n_listeners, struct err *err)
{
	struct control *control = aligned_alloc(alignof(struct control), sizeof(*control));
	int rc;

	if (!control)
		return err_set(err, ENOMEM, "out of memory");
	*control = (struct control){
		.settings = settings, .watch.fd = -1, .signal_fd = -1, .stop_fd = -1};
	control->worker_config = (struct worker_config){
		.upstreams = upstreams,
		.n_upstreams = n_upstreams,
		.n_listeners = n_listeners,
		.tcp_clients = settings->tcp_clients,
		.tcp_idle_s = settings->tcp_idle_s,
		.version = "meshdns " MESHDNS_VERSION,
		.server_id = control->server_id,
		.publish = &control->publish,
		.inflight = &control->inflight,
	};
	if (gethostname(control->server_id, sizeof(control->server_id) - 1) < 0)
		control->server_id[0] = '\0';

	/* Signals first: one that comes while the names are loaded waits for serve(). */
	if ((rc = open_descriptors(control, err)) == 0 && (rc = load_first(control, err)) == 0 &&
	    (rc = start_workers(control, listeners, n_listeners, err)) == 0) {
		tell_ready(control);
		serve(control);
	}
	stop_workers(control);
	watch_close(&control->watch);
	if (control->signal_fd >= 0)
		close(control->signal_fd);
	if (control->stop_fd >= 0)
		close(control->stop_fd);
	names_free(atomic_load(&control->publish.current));
	free(control);
	return rc;
}
