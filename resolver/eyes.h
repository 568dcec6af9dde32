/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lets people and programs see inside, on the control thread: /metrics, /health and /ready
 * over HTTP, the control socket, the query log.
 */
#ifndef MESHDNS_RESOLVER_EYES_H
#define MESHDNS_RESOLVER_EYES_H

#include "common/err.h"
#include "resolver/blocklog.h"
#include "resolver/ctl.h"
#include "resolver/dnstap.h"
#include "resolver/kuma.h"
#include "resolver/recall.h"
#include "resolver/service_source.h"
#include "resolver/settings.h"
#include "resolver/state.h"
#include "resolver/upstreams.h"
#include "resolver/web.h"
#include "resolver/worker.h"

#define EYES_FDS_MAX (WEB_FDS_MAX + ONESHOT_FDS_MAX + 1)

/* What the control thread knows and tells; it writes, the eyes read, in one thread. */
struct facts {
	const struct settings *settings;
	struct worker *workers;
	unsigned int n_workers;
	const struct service_source *source; /* what is served */
	struct upstream_book *book;          /* the servers, and what is counted of them */
	const struct stats_book *pages;      /* what is counted of questions */
	const struct names_snapshot *table;  /* the names that are served; NULL: none yet */
	const struct loader *loader;         /* that knows where they come from */
	const char *not_ready;               /* why; NULL: it serves */
	const char *complaint;               /* why names could not be taken up, "": they were */
	size_t names, names_bytes;
	const struct state *state;
	bool restored;           /* the names are from the state, for want of a source */
	const struct kuma *kuma; /* NULL: nothing comes from there */
	int64_t loaded_ms;       /* when, by the monotonic clock */
	int64_t now_ms;
	uint64_t reloads_ok, reloads_failed;
	const struct dnstap *dnstap;
	const char *identity;      /* the host's name */
	struct endpoint server;    /* the first address that is answered on */
	struct recall_flush flush; /* what the workers are to forget */
	bool reload_wanted;        /* set by `ctl reload`, for the control thread */
};

struct eyes {
	struct facts *facts;
	struct tap_wish *wish;
	struct web web;
	struct ctl ctl;
	struct querylog log;
	struct blocklog blocks; /* its services are the control thread's to set */
	struct dnstap *dnstap;  /* NULL: off */
};

/*
 * Opens what the settings ask for. A default address that is taken is left out with a warning: a
 * second resolver on a host is no error. `control_fd` is taken; -1: no control socket.
 */
int eyes_open(struct eyes *eyes, struct facts *facts, struct tap_wish *wish, int control_fd,
	      struct err *err);
void eyes_close(struct eyes *eyes);

/* As oneshot.h has them. */
size_t eyes_poll(const struct eyes *eyes, struct pollfd *fds);
int64_t eyes_run(struct eyes *eyes);

/* All workers' counters together; what their rings lost. */
void eyes_sum(const struct facts *facts, struct stats *ret_total);
uint64_t eyes_lost(const struct facts *facts);

#endif
