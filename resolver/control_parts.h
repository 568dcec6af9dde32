/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the control thread share: control.c (start, loop and end) and control_names.c
 * (the names: for the first time, and again when they change).
 */
#ifndef MESHDNS_RESOLVER_CONTROL_PARTS_H
#define MESHDNS_RESOLVER_CONTROL_PARTS_H

#include <pthread.h>
#include <time.h>

#include "resolver/control.h"
#include "resolver/eyes.h"
#include "resolver/inflight.h"
#include "resolver/kuma.h"
#include "resolver/publish.h"
#include "resolver/service_source.h"
#include "resolver/state.h"
#include "resolver/watch.h"
#include "resolver/worker.h"

#define CONTROL_RESTORED "the last good names are served, their sources cannot be read"

struct control { /* NOLINT(clang-analyzer-optin.performance.Padding) */
	/* First, for what wants a cache line of its own. */
	struct worker workers[SETTINGS_WORKERS_MAX];
	struct publish_reader readers[SETTINGS_WORKERS_MAX];
	const struct settings *settings;
	struct publish publish;
	struct watch watch;
	struct loader *loader;
	struct state state;
	struct kuma kuma;
	struct err last_complaint; /* why the last reload failed, if it did */
	struct service_source service;
	int64_t settle_ms; /* when to call memory_settle(); INT64_MAX: not at all */
	int signal_fd, order_fd;
	int loaded_fd;    /* an eventfd, on which the looker ends */
	pthread_t looker; /* after the eyes while names are loaded, if has_looker */
	bool has_looker;
	int64_t stop_ms;   /* when to stop; INT64_MAX: nobody has said so yet */
	_Atomic int order; /* enum worker_order */
	struct handover *handover;
	struct worker_config worker_config;
	struct inflight inflight;
	pthread_t threads[SETTINGS_WORKERS_MAX];
	unsigned int n_workers, n_threads; /* initialised, running */
	struct facts facts;                /* for the eyes */
	struct eyes eyes;
	struct tap_wish wish;
	bool succeeded; /* another one serves in our place */
	char server_id[256];
};

static inline int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/*
 * Loads the names before there are workers, or what --state-dir kept of them. 0 or a negative errno
 * and `err`: there are none.
 */
int control_load_first(struct control *control, struct err *err);

/*
 * Loads and publishes; what was there stays if that fails. `given` is what Kuma says. `told`: by a
 * signal, and so sd_notify(3) is told of it.
 */
void control_reload(struct control *control, const struct load_given *given, bool told);

#endif
