/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "resolver/eyes.h"
#include "resolver/metrics.h"

static int print_metrics(void *context, FILE *body)
{
	const struct facts *facts = context;
	struct metrics m = {
		.workers = facts->n_workers,
		.pages = facts->pages,
		.book = facts->book,
		.names = facts->names,
		.names_bytes = facts->names_bytes,
		.names_restored = facts->restored,
		.saved = facts->state->saved,
		.saves_failed = facts->state->failed,
		.names_age_s = (double)(facts->now_ms - facts->loaded_ms) / 1000,
		.reloads_ok = facts->reloads_ok,
		.reloads_failed = facts->reloads_failed,
		.rss_bytes = metrics_rss(),
		.tap_lost = eyes_lost(facts),
		.corefile = facts->source->text,
		.service = atomic_load(&facts->source->publish.current),
		.corefile_failures = facts->source->failures,
		.kuma = facts->kuma,
		.kuma_is_late = facts->kuma && kuma_is_late(facts->kuma, facts->now_ms),
	};

	eyes_sum(facts, &m.total);
	stats_book_sum(facts->pages, &m.questions);
	metrics_print(&m, body);
	return 200;
}

static int print_health(void *context, FILE *body)
{
	(void)context;
	fputs("OK", body);
	return 200;
}

/* What is missing, if anything is; names from the state are as good as any to be ready with. */
static int print_ready(void *context, FILE *body)
{
	const struct facts *facts = context;

	if (facts->not_ready) {
		fputs(facts->not_ready, body);
		for (size_t i = 0; !facts->table && i < facts->settings->n_names; i++)
			fprintf(body, "%s%s", i ? ", " : " from ", facts->settings->names[i]);
		return 503;
	}
	fputs("OK", body);
	if (facts->restored)
		fprintf(body, ", with the last good names: %s", facts->complaint);
	return 200;
}

static const struct {
	unsigned int what;
	struct http_route route;
} pages[] = {
	{SETTINGS_WEB_METRICS,
	 {"/metrics", "text/plain; version=0.0.4; charset=utf-8", print_metrics}},
	{SETTINGS_WEB_HEALTH, {"/health", "text/plain; charset=utf-8", print_health}},
	{SETTINGS_WEB_READY, {"/ready", "text/plain; charset=utf-8", print_ready}},
};

static bool answer_http(void *context, struct oneshot_conn *conn, FILE *out)
{
	struct web_site *site = context;

	http_answer(site->routes, site->facts, conn->in, conn->in_len, out);
	return true;
}

/* A socket that listens, or -1 with errno. `shared`: while one resolver takes another's place, both
 * listen. */
static int open_socket(const struct endpoint *ep, bool everywhere, bool shared)
{
	static const int on = 1, off = 0;
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(ep, &sa);
	cleanup_fd int fd = socket(ep->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    (everywhere && ep->addr.family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, 16) < 0)
		return -1;
	return take_fd(&fd);
}

/* Everywhere is [::], which takes IPv4 too, or 0.0.0.0 where there is no IPv6. */
static int listen_http(const struct settings_web *where, bool shared, struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint ep = where->ep;
	int fd = -1;

	if (where->everywhere) {
		ep.addr = (struct addr){.family = AF_INET6};
		fd = open_socket(&ep, true, shared);
		if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			ep.addr = (struct addr){.family = AF_INET};
	}
	if (fd < 0)
		fd = open_socket(&ep, where->everywhere, shared);
	return fd >= 0 ? fd
		       : err_set(err, errno, "cannot serve %s on %s: %s",
				 where->what & SETTINGS_WEB_METRICS ? "metrics" : "HTTP",
				 endpoint_format(&ep, text), err_text(errno));
}

static int open_site(struct web *web, struct facts *facts, const struct settings_web *where,
		     struct err *err)
{
	struct web_site *site = &web->site[web->n];
	int fd = listen_http(where, facts->settings->takeover != NULL, err);
	size_t n = 0;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (where->what & pages[i].what)
			site->routes[n++] = pages[i].route;
	}
	site->facts = facts;
	site->server.is_whole = http_is_whole;
	site->server.answer = answer_http;
	site->server.context = site;
	oneshot_init(&site->server, fd);
	web->n++;
	return 0;
}

int web_open(struct web *web, struct facts *facts, struct err *err)
{
	const struct settings *s = facts->settings;
	const struct settings_web all = {.ep = s->metrics, .what = SETTINGS_WEB_ALL};
	int rc = 0;

	for (size_t i = 0; i < s->n_web && rc == 0; i++)
		rc = open_site(web, facts, &s->web[i], err);
	if (rc < 0 || !s->metrics.port || (rc = open_site(web, facts, &all, err)) == 0)
		return rc;
	if (!s->metrics_is_default)
		return rc;
	log_warning("no metrics are served", "reason=\"%s\"", err->msg);
	return 0;
}

void web_close(struct web *web)
{
	for (size_t i = 0; i < web->n; i++)
		oneshot_close(&web->site[i].server);
	web->n = 0;
}

size_t web_poll(const struct web *web, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < web->n; i++)
		n += oneshot_poll(&web->site[i].server, fds + n);
	return n;
}

int64_t web_run(struct web *web, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < web->n; i++) {
		int64_t ms = oneshot_run(&web->site[i].server, now_ms);

		next_ms = ms < next_ms ? ms : next_ms;
	}
	return next_ms;
}
