/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/ready.h"
#include "resolver/control_parts.h"
#include "resolver/forward.h"
#include "resolver/memory.h"
#include "resolver/slice.h"
#include "version.h"

/*
 * How long what is in flight may take to be answered at the end: longer than upstreams may, and
 * less than the five seconds after which Kuma's data plane kills what it told to stop.
 */
#define DRAIN_MS 4800
_Static_assert(FORWARD_TOTAL_MS < DRAIN_MS && DRAIN_MS < 5000, "it is answered, and not killed");

/*
 * How much nicer than the workers this thread is, and those that it starts, once names are loaded:
 * on a core that is busy with queries they get most of it, whatever there is to load. Not
 * SCHED_IDLE, for health is told here, and names are to come through on a busy host too.
 */
#define NICE 10

/* A worker's slice of time, the shortest there is: it is not to wait while this thread loads. */
#define SLICE_NS 100000

/* After the start, or whatever else this thread did: more of it may come at once. */
#define SETTLE_MS 1500

static int open_descriptors(struct control *control, struct err *err)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	/* Threads inherit the mask: only the signalfd sees these. */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	control->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	control->order_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	control->loaded_fd = eventfd(0, EFD_CLOEXEC);
	if (control->signal_fd < 0 || control->order_fd < 0 || control->loaded_fd < 0)
		return err_set(err, errno, "cannot create a descriptor: %s", err_text(errno));
	return 0;
}

static void close_descriptors(struct control *control)
{
	int fds[] = {control->signal_fd, control->order_fd, control->loaded_fd};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void *run_worker(void *worker)
{
	slice_set(SLICE_NS);
	return worker_run(worker);
}

static int start_workers(struct control *control, struct listener *listeners, size_t n_listeners,
			 struct err *err)
{
	for (unsigned int i = 0; i < control->settings->workers; i++) {
		int rc = worker_init(&control->workers[i], i, &control->worker_config,
				     listeners + i * n_listeners, &control->readers[i],
				     &control->service.readers[i], control->order_fd, err);

		if (rc < 0)
			return rc;
		control->n_workers++;
	}
	for (unsigned int i = 0; i < control->n_workers; i++) {
		int rc = pthread_create(&control->threads[i], NULL, run_worker,
					&control->workers[i]);

		if (rc)
			return err_set(err, rc, "cannot start a thread: %s", err_text(rc));
		control->n_threads++;
	}
	return 0;
}

static void order_workers(struct control *control, enum worker_order order)
{
	atomic_store(&control->order, order);
	if (control->order_fd >= 0)
		eventfd_write(control->order_fd, 1);
}

/* Lets the workers answer what is in flight; another signal or the time cuts that short. */
static void drain_workers(struct control *control)
{
	int64_t until = monotonic_ms() + DRAIN_MS;
	struct pollfd again = {.fd = control->signal_fd, .events = POLLIN};

	/* A successor has the sockets, also one that does not serve yet. */
	order_workers(control, control->handover->new_fd >= 0 ? WORKER_DRAIN : WORKER_FINISH);
	while (control->n_threads > 0 && monotonic_ms() < until) {
		if (pthread_tryjoin_np(control->threads[control->n_threads - 1], NULL) == 0)
			control->n_threads--;
		else if (poll(&again, 1, 5) > 0)
			return;
	}
}

static void stop_workers(struct control *control)
{
	order_workers(control, WORKER_STOP);
	for (unsigned int i = 0; i < control->n_threads; i++)
		pthread_join(control->threads[i], NULL);
	for (unsigned int i = 0; i < control->n_workers; i++)
		worker_free(&control->workers[i]);
}

static void tell_ready(const struct control *control)
{
	struct err err = {0};

	if (ready_notify(control->facts.restored ? "READY=1\nSTATUS=" CONTROL_RESTORED : "READY=1",
			 &err) < 0)
		log_warning("readiness could not be told", "reason=\"%s\"", err.msg);
	if (ready_fd(control->settings->ready_fd, &err) < 0)
		log_warning("readiness could not be told", "reason=\"%s\"", err.msg);
	if (handover_begin(control->handover, control->workers[0].listeners,
			   control->n_workers * control->worker_config.n_listeners, &err) < 0)
		log_warning("nobody will be able to take my place", "reason=\"%s\"", err.msg);
	log_info("ready", "version=%s workers=%u", MESHDNS_VERSION, control->n_threads);
}

/* What the signals that have come ask for: all of them together, and stopping comes first. */
static void take_signals(const struct control *control, bool *ret_stop, bool *ret_reload)
{
	struct signalfd_siginfo info;

	*ret_stop = *ret_reload = false;
	while (read(control->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1) {
			*ret_reload = true;
		} else {
			log_info("stopping", "signal=%s", sigabbrev_np((int)info.ssi_signo));
			*ret_stop = true;
		}
	}
}

/* Whether this is the end: at once, or when the Corefile's lameduck has had its time. */
static bool is_to_stop(struct control *control, bool told)
{
	int64_t now_ms = monotonic_ms();

	if (told && control->settings->lameduck_ms && control->stop_ms == INT64_MAX)
		control->stop_ms = now_ms + control->settings->lameduck_ms;
	else if (told)
		control->stop_ms = now_ms;
	return now_ms >= control->stop_ms;
}

static int64_t earlier_ms(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The earlier of two waits, as poll(2) takes them. */
static int earlier(int a_ms, int b_ms)
{
	return b_ms < 0 || (a_ms >= 0 && a_ms < b_ms) ? a_ms : b_ms;
}

/* How long to sleep, as poll(2) takes it: until anybody has something to do. */
static int wait_ms(const struct control *control, int64_t deadline_ms)
{
	int64_t now_ms = monotonic_ms(), left_ms;
	int watch_ms = earlier(watch_wait_ms(&control->watch, now_ms),
			       watch_wait_ms(&control->service.watch, now_ms));

	if (control->settle_ms < deadline_ms)
		deadline_ms = control->settle_ms;
	left_ms = deadline_ms - now_ms;
	if (deadline_ms == INT64_MAX || (watch_ms >= 0 && watch_ms < left_ms))
		return watch_ms;
	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/*
 * How many UDP sockets to upstreams a worker may have: a quarter of all descriptors goes to them,
 * the rest is for clients and files.
 */
static uint32_t upstream_sockets(unsigned int workers)
{
	struct rlimit limit;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	n = limit.rlim_cur / 4 / workers;
	return n > UINT16_MAX ? UINT16_MAX : n < 1 ? 1 : (uint32_t)n;
}

static const char *why_not_ready(const struct control *control)
{
	if (control->facts.restored || !kuma_is_awaited(&control->kuma, control->facts.now_ms))
		return NULL;
	return "Kuma's data plane has told no names yet";
}

/* Another Corefile is another view of the world: what was answered before does not count. */
static void poll_service(struct control *control, bool wanted)
{
	if (service_source_poll(&control->service, monotonic_ms(), wanted)) {
		recall_order_flush(&control->facts.flush, NULL, 0);
		blocklog_reset(&control->eyes.blocks, monotonic_ms(), stderr);
	}
}

static void settle_later(struct control *control)
{
	if (control->settle_ms == INT64_MAX)
		control->settle_ms = monotonic_ms() + SETTLE_MS;
}

static void settle_if_due(struct control *control)
{
	if (monotonic_ms() < control->settle_ms)
		return;
	control->settle_ms = INT64_MAX;
	memory_settle();
}

static void serve(struct control *control)
{
	int64_t next_ms = 0; /* whatever the eyes were told at the start */
	bool stop = false, succeeded = false;

	control->settle_ms = monotonic_ms() + SETTLE_MS;
	while (!stop && !succeeded) {
		struct load_given given;
		struct pollfd fds[5 + EYES_FDS_MAX] = {
			{.fd = control->signal_fd, .events = POLLIN},
			{.fd = control->watch.fd, .events = POLLIN},
			{.fd = handover_fd(control->handover), .events = POLLIN},
			{.fd = control->service.watch.fd, .events = POLLIN},
		};
		size_t n = 4 + eyes_poll(&control->eyes, fds + 4);
		bool wanted, found;

		n += kuma_poll(&control->kuma, fds + n);
		if (poll(fds, n, wait_ms(control, next_ms)) > 0)
			settle_later(control);
		control->facts.now_ms = monotonic_ms();
		control->facts.not_ready = why_not_ready(control);
		next_ms = eyes_run(&control->eyes);
		found = kuma_run(&control->kuma, monotonic_ms(), &given);
		given.is_needed = control->facts.restored;
		take_signals(control, &stop, &wanted);
		stop = is_to_stop(control, stop);
		succeeded = fds[2].revents && handover_run(control->handover);
		wanted |= control->facts.reload_wanted;
		control->facts.reload_wanted = false;
		if (!stop && (wanted || watch_is_due(&control->watch, monotonic_ms()) || found)) {
			control_reload(control, &given, wanted);
			next_ms = 0; /* whatever the eyes saw meanwhile */
		}
		next_ms = earlier_ms(next_ms, kuma_next_ms(&control->kuma));
		next_ms = earlier_ms(next_ms, control->stop_ms);
		if (!stop)
			poll_service(control, wanted);
		next_ms = earlier_ms(next_ms, control->service.look_ms);
		next_ms = earlier_ms(next_ms, state_run(&control->state,
							atomic_load(&control->publish.current),
							monotonic_ms()));
		settle_if_due(control);
	}
	control->succeeded = succeeded;
	if (succeeded)
		log_info("another resolver serves in my place, ending", NULL);
	ready_notify("STOPPING=1", NULL);
	eyes_close(&control->eyes); /* a successor wants to open its own */
	drain_workers(control);
}

/* All that is known before anything is opened. `first` is where we listen, for the metrics. */
static void configure(struct control *control, const struct settings *settings, size_t n_listeners,
		      const struct access *access, const struct endpoint *first)
{
	control->settings = settings;
	control->eyes.blocks.services = &control->service.publish;
	control->stop_ms = INT64_MAX;
	control->watch.fd = control->service.watch.fd = -1;
	control->signal_fd = control->order_fd = control->loaded_fd = -1;
	kuma_init(&control->kuma, settings->kuma_socket, settings->kuma_poll_ms, monotonic_ms());
	control->facts = (struct facts){
		.settings = settings,
		.workers = control->workers,
		.n_workers = settings->workers,
		.not_ready = "the names are being loaded",
		.server = *first,
		.identity = control->server_id,
		.source = &control->service,
		.book = &control->service.book,
		.pages = &control->service.pages,
		.complaint = control->last_complaint.msg,
		.state = &control->state,
		.kuma = settings->kuma_socket ? &control->kuma : NULL,
	};
	control->worker_config = (struct worker_config){
		.services = &control->service.publish,
		.book = &control->service.book,
		.pages = &control->service.pages,
		.max_concurrent = settings->max_concurrent,
		.upstream_sockets = upstream_sockets(settings->workers),
		.use_0x20 = settings->use_0x20,
		.cache_size = settings->cache / settings->workers,
		.flush = &control->facts.flush,
		.n_listeners = n_listeners,
		.access = access,
		.limits = settings->limits,
		.tcp_clients = settings->tcp_clients,
		.tcp_idle_s = settings->tcp_idle_s,
		.version = "meshdns " MESHDNS_VERSION,
		.server_id = control->server_id,
		.publish = &control->publish,
		.inflight = &control->inflight,
		.order = &control->order,
		.handover = control->handover,
		.tap_wish = &control->wish,
	};
	if (gethostname(control->server_id, sizeof(control->server_id) - 1) < 0)
		control->server_id[0] = '\0';
}

int control_run(const struct settings *settings, struct listener *listeners, size_t n_listeners,
		struct corefile *corefile, const struct interfaces *interfaces,
		const struct access *access, struct handover *handover, int control_fd,
		struct err *err)
{
	/* Mapped, not allocated: most of it, the workers that there are not, is never touched. */
	struct control *control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (control == MAP_FAILED) {
		corefile_free(corefile);
		return err_set(err, ENOMEM, "out of memory");
	}
	control->handover = handover;
	configure(control, settings, n_listeners, access, &listeners[0].ep);
	control->service.corefile = corefile; /* its from here on, whatever happens */
	control->eyes.blocks.listeners = listeners;
	/* Signals first: one that comes while the names are loaded waits for serve(). */
	control->facts.now_ms = monotonic_ms();
	if ((rc = open_descriptors(control, err)) == 0 &&
	    (rc = eyes_open(&control->eyes, &control->facts, &control->wish, control_fd, err)) ==
		    0 &&
	    (rc = service_source_init(&control->service, settings, corefile, interfaces, listeners,
				      n_listeners, err)) == 0 &&
	    (rc = control_load_first(control, err)) == 0 &&
	    (rc = start_workers(control, listeners, n_listeners, err)) == 0) {
		tell_ready(control);
		loader_settle(control->loader);
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICE);
		serve(control);
	}
	stop_workers(control);
	state_close(&control->state, atomic_load(&control->publish.current), !control->succeeded);
	eyes_close(&control->eyes);
	watch_close(&control->watch);
	kuma_close(&control->kuma);
	close_descriptors(control);
	names_free(atomic_load(&control->publish.current));
	loader_free(control->loader);
	service_source_free(&control->service);
	munmap(control, sizeof(*control));
	return rc;
}
