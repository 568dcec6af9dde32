/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the service comes from: settings or a Corefile, and the resolv.confs that these name, which
 * are read again when they change. The control thread's; it keeps the last good one when a file is
 * broken, empty or gone.
 *
 * systemd-resolved's stub is no upstream if that can be helped: what it asks on our behalf may be
 * captured and come back to us. In the machine's own resolv.conf the servers that it asks take its
 * place, unless another file is named.
 */
#ifndef MESHDNS_RESOLVER_SERVICE_SOURCE_H
#define MESHDNS_RESOLVER_SERVICE_SOURCE_H

#include "resolver/bind.h"
#include "resolver/listen.h"
#include "resolver/publish.h"
#include "resolver/service.h"
#include "resolver/settings.h"
#include "resolver/stats_book.h"
#include "resolver/watch.h"

/* What became of systemd-resolved's stub. */
enum upstream_stub { STUB_NOT_NAMED, STUB_REPLACED, STUB_KEPT };

/* What was replaced, until nobody can hold it any more. */
struct retired {
	struct retired *next;
	struct service *service;
	struct corefile *corefile; /* NULL: its successor is made of the same one */
	int64_t until_ms;
};

struct service_source { /* NOLINT(clang-analyzer-optin.performance.Padding): of cache lines */
	const struct settings *settings;
	struct corefile *corefile; /* owned; NULL: settings are all there is */
	struct corefile *first;    /* the first one there was: settings borrow from it */
	char *text;                /* what `corefile` says, to be compared */
	uint64_t failures;         /* how often it could not be taken up when it was another */
	int64_t look_ms;           /* when it is to be read again; INT64_MAX: when told to */
	const struct interfaces *interfaces;
	const struct listener *listeners; /* none of the upstreams may be one of them */
	size_t n_listeners;
	const char *paths[WATCH_PATHS_MAX]; /* of resolv.confs */
	size_t n_paths;
	enum upstream_stub stub;
	uint32_t version;
	struct publish publish; /* of struct service */
	struct publish_reader readers[SETTINGS_WORKERS_MAX];
	struct upstream_book book;
	struct stats_book pages;
	struct watch watch; /* fd -1: nothing to watch */
	struct err last_complaint;
	struct retired *retired;
};

/*
 * Reads everything for the first time; an error then is one of configuration. `corefile` (NULL:
 * none) is taken in any case.
 */
int service_source_init(struct service_source *source, const struct settings *settings,
			struct corefile *corefile, const struct interfaces *interfaces,
			const struct listener *listeners, size_t n_listeners, struct err *err);

/* The files that are read again and again, each once; returns how many. */
size_t service_source_paths(const struct settings *settings, const struct corefile *corefile,
			    const char *ret[WATCH_PATHS_MAX]);

/* Loads all that TLS with servers needs, while files can be read; nothing where there is none. */
int service_prepare_tls(const struct settings *settings, const struct corefile *corefile,
			struct err *err);

/*
 * Reads the Corefile and resolv.confs again if it is time to, or if `wanted`. True: the Corefile is
 * another now. Where it listens, names, and what else became settings (adopt.h) stay as they were.
 */
bool service_source_poll(struct service_source *source, int64_t now_ms, bool wanted);

void service_source_free(struct service_source *source);

#endif
