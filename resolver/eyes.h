/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lets people and programs see inside, on the control thread: /metrics, /health and /ready
 * over HTTP.
 */
#ifndef MESHDNS_RESOLVER_EYES_H
#define MESHDNS_RESOLVER_EYES_H

#include "common/err.h"
#include "resolver/oneshot.h"
#include "resolver/settings.h"
#include "resolver/worker.h"

#define EYES_FDS_MAX (ONESHOT_FDS_MAX)

/* What the control thread knows and tells; it writes, the eyes read, in one thread. */
struct facts {
	const struct settings *settings;
	const struct worker *workers;
	unsigned int n_workers;
	const char *not_ready; /* why; NULL: it serves */
	size_t names, names_bytes;
	int64_t loaded_ms; /* when, by the monotonic clock */
	int64_t now_ms;
	uint64_t reloads_ok, reloads_failed;
	struct endpoint server; /* the first address that is answered on */
};

struct eyes {
	const struct facts *facts;
	struct oneshot http;
};

/*
 * Opens what the settings ask for. A default address that is taken is left out with a warning: a
 * second resolver on a host is no error.
 */
int eyes_open(struct eyes *eyes, const struct facts *facts, struct err *err);
void eyes_close(struct eyes *eyes);

/* As oneshot.h has them. */
size_t eyes_poll(const struct eyes *eyes, struct pollfd *fds);
int64_t eyes_run(struct eyes *eyes);

#endif
