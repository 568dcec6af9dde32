/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /metrics, /health and /ready over HTTP: all three where --metrics says, each where a Corefile
 * does. On the control thread.
 */
#ifndef MESHDNS_RESOLVER_WEB_H
#define MESHDNS_RESOLVER_WEB_H

#include "resolver/http.h"
#include "resolver/oneshot.h"
#include "resolver/settings.h"

#define WEB_MAX     (SETTINGS_WEB_MAX + 1)
#define WEB_FDS_MAX (WEB_MAX * ONESHOT_FDS_MAX)

struct facts;

struct web {
	size_t n;
	struct web_site {
		struct oneshot server;
		struct facts *facts;
		struct http_route routes[4]; /* those that are served there, and an empty one */
	} site[WEB_MAX];
};

/* A default address that is taken is left out with a warning, any other is an error. */
int web_open(struct web *web, struct facts *facts, struct err *err);
void web_close(struct web *web);

/* As oneshot.h has them. */
size_t web_poll(const struct web *web, struct pollfd *fds);
int64_t web_run(struct web *web, int64_t now_ms);

#endif
