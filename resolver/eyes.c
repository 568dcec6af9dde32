/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/eyes.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "resolver/http.h"
#include "resolver/metrics.h"

static int print_metrics(void *context, FILE *body)
{
	const struct facts *facts = context;
	struct metrics m = {
		.port = facts->server.port,
		.workers = facts->n_workers,
		.names = facts->names,
		.names_bytes = facts->names_bytes,
		.names_age_s = (double)(facts->now_ms - facts->loaded_ms) / 1000,
		.reloads_ok = facts->reloads_ok,
		.reloads_failed = facts->reloads_failed,
		.rss_bytes = metrics_rss(),
	};

	for (unsigned int i = 0; i < facts->n_workers; i++)
		stats_sum(&m.total, &facts->workers[i].stats);
	metrics_print(&m, body);
	return 200;
}

static int print_health(void *context, FILE *body)
{
	(void)context;
	fputs("OK", body);
	return 200;
}

static int print_ready(void *context, FILE *body)
{
	const struct facts *facts = context;

	fputs(facts->not_ready ? facts->not_ready : "OK", body);
	return facts->not_ready ? 503 : 200;
}

static const struct http_route routes[] = {
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", print_metrics},
	{"/health", "text/plain; charset=utf-8", print_health},
	{"/ready", "text/plain; charset=utf-8", print_ready},
	{0},
};

static bool answer_http(void *context, struct oneshot_conn *conn, FILE *out)
{
	http_answer(routes, context, conn->in, conn->in_len, out);
	return true;
}

/* `shared`: while one resolver takes another's place, both listen. */
static int listen_http(const struct endpoint *ep, bool shared, int *ret_fd, struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(ep, &sa);
	static const int on = 1;
	cleanup_fd int fd = socket(ep->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, 16) < 0)
		return err_set(err, errno, "cannot serve metrics on %s: %s",
			       endpoint_format(ep, text), err_text(errno));
	*ret_fd = take_fd(&fd);
	return 0;
}

int eyes_open(struct eyes *eyes, const struct facts *facts, struct err *err)
{
	const struct settings *s = facts->settings;
	int fd = -1;

	if (s->metrics.port) {
		int rc = listen_http(&s->metrics, s->takeover != NULL, &fd, err);

		if (rc < 0 && !s->metrics_is_default)
			return rc;
		if (rc < 0)
			log_warning("no metrics are served", "reason=\"%s\"", err->msg);
	}
	eyes->facts = facts;
	eyes->http.is_whole = http_is_whole;
	eyes->http.answer = answer_http;
	eyes->http.context = (void *)facts;
	oneshot_init(&eyes->http, fd);
	return 0;
}

void eyes_close(struct eyes *eyes)
{
	if (eyes->facts)
		oneshot_close(&eyes->http);
}

size_t eyes_poll(const struct eyes *eyes, struct pollfd *fds)
{
	return oneshot_poll(&eyes->http, fds);
}

int64_t eyes_run(struct eyes *eyes)
{
	return oneshot_run(&eyes->http, eyes->facts->now_ms);
}
