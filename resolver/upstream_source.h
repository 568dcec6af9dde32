/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the list of upstreams comes from: settings, and resolv.conf, which is read again when it
 * changes. The control thread's; it keeps the last good list when the file is broken, empty or
 * gone.
 *
 * systemd-resolved's stub is no upstream if that can be helped: what it asks on our behalf may be
 * captured and come back to us. Unless a file is named, the servers that it asks take its place.
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_SOURCE_H
#define MESHDNS_RESOLVER_UPSTREAM_SOURCE_H

#include "resolver/listen.h"
#include "resolver/publish.h"
#include "resolver/settings.h"
#include "resolver/upstreams.h"
#include "resolver/watch.h"

/* What became of systemd-resolved's stub. */
enum upstream_stub { STUB_NOT_NAMED, STUB_REPLACED, STUB_KEPT };

struct upstream_source { /* NOLINT(clang-analyzer-optin.performance.Padding): of cache lines */
	const struct settings *settings;
	const struct listener *listeners; /* none of the upstreams may be one of them */
	size_t n_listeners;
	const char *paths[2]; /* of resolv.conf, and of the one behind systemd-resolved's stub */
	size_t n_paths;       /* 1: the first as it is */
	enum upstream_stub stub;
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
