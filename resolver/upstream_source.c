/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstream_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/resolvconf.h"

#define ROOT     ((const uint8_t *)"")
#define ROOT_LEN 1

static void warn_of_stub(const char *source)
{
	log_warning("forwarding to systemd-resolved's stub: where its own queries are captured "
		    "they come back, and nothing is answered",
		    "source=%s", source);
}

/* Said once, not with each reading. A stub that was replaced does not come back. */
static int note_stub(struct upstream_source *source, enum upstream_stub stub, struct err *err)
{
	if (stub == source->stub)
		return 0;
	if (stub == STUB_KEPT && source->stub == STUB_REPLACED)
		return err_set(err, ENOENT, "no nameserver in %s any more", source->paths[1]);
	if (stub == STUB_REPLACED)
		log_info("forwarding past systemd-resolved's stub, to the servers that it asks",
			 "stub=%s source=%s", source->paths[0], source->paths[1]);
	if (stub == STUB_KEPT)
		warn_of_stub(source->paths[0]);
	source->stub = stub;
	return 0;
}

static int read_resolv_conf(struct upstream_source *source, struct resolvconf *conf,
			    const char **ret_path, struct err *err)
{
	enum upstream_stub stub = STUB_NOT_NAMED;
	int rc;

	*ret_path = source->paths[0];
	if (source->n_paths == 1)
		rc = resolvconf_read(source->paths[0], conf, err);
	else
		rc = resolvconf_read_behind_stub(source->paths[0], source->paths[1], conf, ret_path,
						 err);
	if (rc < 0)
		return rc;
	if (*ret_path == source->paths[1])
		stub = STUB_REPLACED;
	else if (resolvconf_has_stub(conf))
		stub = STUB_KEPT;
	return note_stub(source, stub, err);
}

/* The servers of resolv.conf for all that no other route takes. */
static int add_resolv_conf(struct upstream_source *source, struct upstreams *u, struct err *err)
{
	struct resolvconf conf;
	const char *path;
	char text[ENDPOINT_TEXT_MAX];
	int rc = read_resolv_conf(source, &conf, &path, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < conf.n_servers; i++) {
		struct endpoint ep = {.addr = conf.servers[i], .port = 53};

		if (listen_is_own(source->listeners, source->n_listeners, &ep)) {
			log_warning("left out as an upstream: it is this resolver itself",
				    "server=%s source=%s", endpoint_format(&ep, text), path);
			continue;
		}
		if ((rc = upstreams_add(u, &source->book, ROOT, ROOT_LEN, &ep, err)) < 0)
			return rc;
	}
	if (!route_exact(&u->routes, ROOT, ROOT_LEN))
		return err_set(err, ENOENT,
			       "no nameserver to forward to in %s; name one with "
			       "--upstream ADDR",
			       path);
	u->try_max_ms = conf.timeout_s * 1000;
	u->tries = conf.attempts;
	if (conf.rotate && !source->settings->has_policy)
		u->policy = POLICY_ROUND_ROBIN;
	return 0;
}

static int add_setting(struct upstream_source *source, struct upstreams *u,
		       const struct settings_forward *forward, struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];

	if (listen_is_own(source->listeners, source->n_listeners, &forward->ep))
		return err_set(err, ELOOP, "upstream %s is this resolver itself",
			       endpoint_format(&forward->ep, text));
	return upstreams_add(u, &source->book, forward->suffix, forward->suffix_len, &forward->ep,
			     err);
}

/* NULL: `err` says why. */
static struct upstreams *build(struct upstream_source *source, struct err *err)
{
	const struct settings *s = source->settings;
	struct upstreams *u = calloc(1, sizeof(*u));
	int rc = 0;

	if (!u) {
		err_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	u->policy = s->policy;
	for (size_t i = 0; i < s->n_forwards && rc == 0; i++)
		rc = add_setting(source, u, &s->forwards[i], err);
	if (rc == 0 && !route_exact(&u->routes, ROOT, ROOT_LEN))
		rc = add_resolv_conf(source, u, err);
	if (rc < 0) {
		free(u);
		return NULL;
	}
	for (size_t i = 0; i < u->n_servers; i++)
		source->book.page[u->server[i].page].in_use = true;
	u->version = ++source->version;
	return u;
}

/* Whether resolv.conf matters at all. */
static bool has_root(const struct settings *s)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		if (s->forwards[i].suffix_len == ROOT_LEN)
			return true;
	}
	return false;
}

int upstream_source_init(struct upstream_source *source, const struct settings *settings,
			 const struct listener *listeners, size_t n_listeners, struct err *err)
{
	struct upstreams *u;
	int rc;

	source->settings = settings;
	source->listeners = listeners;
	source->n_listeners = n_listeners;
	source->paths[0] = settings->resolv_conf ? settings->resolv_conf : RESOLVCONF_PATH;
	source->paths[1] = RESOLVCONF_RESOLVED_PATH;
	source->n_paths = settings->resolv_conf ? 1 : 2;
	source->watch.fd = -1;
	if ((rc = upstream_book_init(&source->book, settings->workers, err)) < 0)
		return rc;
	if (!has_root(settings) &&
	    ((rc = watch_init(&source->watch, source->paths, source->n_paths, err)) < 0 ||
	     (rc = watch_arm(&source->watch, 0, err)) < 0))
		return rc;
	if (!(u = build(source, err)))
		return err->code;
	for (size_t i = 0; i < settings->n_forwards; i++) {
		if (resolvconf_is_stub(&settings->forwards[i].ep.addr))
			warn_of_stub("settings");
	}
	publish_init(&source->publish, u, source->readers, settings->workers);
	return 0;
}

static void tell(const struct upstreams *u)
{
	char text[GROUP_MAX * ENDPOINT_TEXT_MAX] = "", one[ENDPOINT_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < u->n_servers && i < GROUP_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
					endpoint_format(&u->server[i].ep, one));
	log_info("upstreams changed", "servers=%s", text);
}

/* Compared as what they were made of is: the servers of each route and how they are asked. */
static bool is_same(const struct upstreams *a, const struct upstreams *b)
{
	bool same = a->n_servers == b->n_servers && a->n_groups == b->n_groups &&
		    a->policy == b->policy && a->try_max_ms == b->try_max_ms &&
		    a->tries == b->tries; /* the suffixes are settings and never change */

	for (size_t i = 0; same && i < a->n_servers; i++)
		same = a->server[i].page == b->server[i].page;
	for (size_t i = 0; same && i < a->n_groups; i++)
		same = a->group[i].n == b->group[i].n &&
		       !memcmp(a->group[i].server, b->group[i].server, a->group[i].n);
	return same;
}

static void retire_pages(struct upstream_source *source, const struct upstreams *u)
{
	for (size_t page = 0; page < source->book.n_pages; page++) {
		bool in_use = false;

		for (size_t i = 0; i < u->n_servers; i++)
			in_use |= u->server[i].page == page;
		source->book.page[page].in_use = in_use;
	}
}

static void reload(struct upstream_source *source, int64_t now_ms)
{
	struct upstreams *u = NULL, *old = atomic_load(&source->publish.current);
	struct err err = {0};

	if (watch_arm(&source->watch, now_ms, &err) < 0 || !(u = build(source, &err))) {
		if (strcmp(err.msg, source->last_complaint.msg) != 0)
			log_warning("upstreams not read, the last good ones stay", "reason=\"%s\"",
				    err.msg);
		source->last_complaint = err;
		watch_retry(&source->watch, now_ms);
		return;
	}
	source->last_complaint = (struct err){0};
	if (is_same(u, old)) {
		free(u);
		return;
	}
	tell(u);
	retire_pages(source, u);
	free(publish_exchange(&source->publish, u));
}

void upstream_source_poll(struct upstream_source *source, int64_t now_ms, bool wanted)
{
	if (source->watch.fd >= 0 && (watch_is_due(&source->watch, now_ms) || wanted))
		reload(source, now_ms);
}

void upstream_source_free(struct upstream_source *source)
{
	watch_close(&source->watch);
	free(atomic_load(&source->publish.current));
	upstream_book_free(&source->book);
}
