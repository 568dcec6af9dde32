/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the list of upstreams comes from: settings, and resolv.conf, which is read again when it
 * changes. The control thread's; it keeps the last good list when the file is broken, empty or
 * gone.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_SOURCE_H
#define MESHDNS_RESOLVER_UPSTREAM_SOURCE_H

#include "resolver/listen.h"
#include "resolver/publish.h"
#include "resolver/settings.h"
#include "resolver/upstreams.h"
#include "resolver/watch.h"

struct upstream_source { /* NOLINT(clang-analyzer-optin.performance.Padding): of cache lines */
	const struct settings *settings;
	const struct listener *listeners; /* none of the upstreams may be one of them */
	size_t n_listeners;
	const char *path; /* of resolv.conf */
	uint32_t version;
	struct publish publish; /* of struct upstreams */
	struct publish_reader readers[SETTINGS_WORKERS_MAX];
	struct upstream_book book;
	struct watch watch; /* fd -1: nothing to watch */
	struct err last_complaint;
};

/* Reads everything for the first time; an error then is one of configuration. */
int upstream_source_init(struct upstream_source *source, const struct settings *settings,
			 const struct listener *listeners, size_t n_listeners, struct err *err);

/* Reads resolv.conf again if it is time to, or if `wanted`. */
void upstream_source_poll(struct upstream_source *source, int64_t now_ms, bool wanted);

void upstream_source_free(struct upstream_source *source);

#endif
