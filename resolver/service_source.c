/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/service_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/resolvconf.h"
#include "resolver/service_make.h"

static void warn_of_stub(const char *source)
{
	log_warning("forwarding to systemd-resolved's stub: where its own queries are captured "
		    "they come back, and nothing is answered",
		    "source=%s", source);
}

/* Of the first file; said once, not with each reading. A stub that was replaced does not come back.
 */
static int note_stub(struct service_source *source, const char *path, enum upstream_stub stub,
		     struct err *err)
{
	if (stub == source->stub)
		return 0;
	if (stub == STUB_KEPT && source->stub == STUB_REPLACED)
		return err_set(err, ENOENT, "no nameserver in %s any more",
			       RESOLVCONF_RESOLVED_PATH);
	if (stub == STUB_REPLACED)
		log_info("forwarding past systemd-resolved's stub, to the servers that it asks",
			 "stub=%s source=%s", path, RESOLVCONF_RESOLVED_PATH);
	if (stub == STUB_KEPT)
		warn_of_stub(path);
	source->stub = stub;
	return 0;
}

/* The path is the machine's own resolv.conf, and nobody named it: what is behind the stub counts.
 */
static bool is_own(const struct settings *settings, const char *path)
{
	return !settings->resolv_conf && !strcmp(path, RESOLVCONF_PATH);
}

static int read_resolv_conf(struct service_source *source, const char *path,
			    struct resolvconf *conf, const char **ret_path, struct err *err)
{
	enum upstream_stub stub = STUB_NOT_NAMED;
	int rc;

	*ret_path = path;
	if (is_own(source->settings, path))
		rc = resolvconf_read_behind_stub(path, RESOLVCONF_RESOLVED_PATH, conf, ret_path,
						 err);
	else
		rc = resolvconf_read(path, conf, err);
	if (rc < 0)
		return rc;
	if (*ret_path != path)
		stub = STUB_REPLACED;
	else if (resolvconf_has_stub(conf))
		stub = STUB_KEPT;
	return path == source->paths[0] ? note_stub(source, path, stub, err) : 0;
}

int service_add_file(struct service_source *source, struct service *service,
		     struct upstream_group *group, const char *path,
		     const struct service_server *how, bool *ret_rotate, struct err *err)
{
	struct resolvconf conf;
	char text[ENDPOINT_TEXT_MAX];
	int rc = read_resolv_conf(source, path, &conf, &path, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < conf.n_servers; i++) {
		struct endpoint ep = {.addr = conf.servers[i], .port = 53};

		rc = service_add_server(source, service, group, &ep, how, err);
		if (rc == -ELOOP)
			log_warning("left out as an upstream: it is this resolver itself",
				    "server=%s source=%s", endpoint_format(&ep, text), path);
		else if (rc < 0)
			return rc;
	}
	if (!group->n)
		return err_set(err, ENOENT,
			       "no nameserver to forward to in %s; name one with "
			       "--upstream ADDR",
			       path);
	group->try_max_ms = conf.timeout_s * 1000;
	group->tries = conf.attempts;
	*ret_rotate = conf.rotate;
	return 0;
}

/* --- the files that matter ---------------------------------------------------------------------
 */

struct paths {
	const struct settings *settings;
	const char **list;
	size_t n;
};

/* False: it is there. */
static bool add_path(struct paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->n; i++) {
		if (!strcmp(paths->list[i], path))
			return false;
	}
	if (paths->n < WATCH_PATHS_MAX)
		paths->list[paths->n++] = path;
	return true;
}

static void add_file(struct paths *paths, const char *path)
{
	if (add_path(paths, path) && is_own(paths->settings, path))
		add_path(paths, RESOLVCONF_RESOLVED_PATH);
}

static void add_files(struct paths *paths, const struct corefile_targets *targets)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (targets->list[i].file)
			add_file(paths, targets->list[i].file);
	}
}

/* Whether flags leave anything to resolv.conf. */
static bool has_root(const struct settings *s)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		if (s->forwards[i].suffix_len == 1)
			return true;
	}
	return false;
}

size_t service_source_paths(const struct settings *settings, const struct corefile *corefile,
			    const char *ret[WATCH_PATHS_MAX])
{
	struct paths paths = {settings, ret, 0};

	if (!corefile && !has_root(settings))
		add_file(&paths, settings_resolv_conf(settings));
	for (const struct corefile_server *s = corefile ? corefile->servers : NULL; s;
	     s = s->next) {
		for (const struct corefile_forward *f = s->forward; f; f = f->next)
			add_files(&paths, &f->to);
		for (const struct corefile_alternate *a = s->alternate; a; a = a->next)
			add_files(&paths, &a->to);
	}
	return paths.n;
}

/* --- making it ---------------------------------------------------------------------------------
 */

static void note_pages(struct service_source *source, const struct service *service)
{
	for (size_t page = 0; page < source->book.n_pages; page++) {
		bool in_use = false;

		for (size_t i = 0; i < service->n_servers; i++)
			in_use |= service->servers[i].page == page;
		source->book.page[page].in_use = in_use;
	}
}

static int make(struct service_source *source, const struct corefile *corefile,
		struct service **ret, struct err *err)
{
	int rc = corefile ? service_from_corefile(source, corefile, ret, err)
			  : service_from_flags(source, ret, err);

	if (rc == 0)
		(*ret)->version = ++source->version;
	return rc;
}

int service_source_init(struct service_source *source, const struct settings *settings,
			struct corefile *corefile, const struct interfaces *interfaces,
			const struct listener *listeners, size_t n_listeners, struct err *err)
{
	struct service *service;
	int rc;

	source->settings = settings;
	source->corefile = corefile;
	source->interfaces = interfaces;
	source->listeners = listeners;
	source->n_listeners = n_listeners;
	source->watch.fd = -1;
	source->n_paths = service_source_paths(settings, corefile, source->paths);
	if ((rc = upstream_book_init(&source->book, settings->workers, err)) < 0)
		return rc;
	if (source->n_paths &&
	    ((rc = watch_init(&source->watch, source->paths, source->n_paths, err)) < 0 ||
	     (rc = watch_arm(&source->watch, 0, err)) < 0))
		return rc;
	if ((rc = make(source, corefile, &service, err)) < 0)
		return rc;
	for (size_t i = 0; !corefile && i < settings->n_forwards; i++) {
		if (resolvconf_is_stub(&settings->forwards[i].ep.addr))
			warn_of_stub("settings");
	}
	note_pages(source, service);
	publish_init(&source->publish, service, source->readers, settings->workers);
	return 0;
}

static void tell(const struct service_source *source, const struct service *service)
{
	char text[GROUP_MAX * ENDPOINT_TEXT_MAX] = "", one[ENDPOINT_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < service->n_servers && i < GROUP_MAX; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? "," : "",
			endpoint_format(&source->book.page[service->servers[i].page].ep, one));
	log_info("upstreams changed", "servers=%s", text);
}

static bool is_same_group(const struct upstream_group *a, const struct upstream_group *b)
{
	return a->n == b->n && !memcmp(a->page, b->page, a->n * sizeof(*a->page)) &&
	       a->policy == b->policy && a->try_max_ms == b->try_max_ms && a->tries == b->tries;
}

/* Of two that are made of the same settings: the servers are, and how they are asked. */
static bool is_same(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->n_blocks; i++) {
		const struct block *x = a->blocks[i], *y = b->blocks[i];

		for (size_t k = 0; k < x->n_routes; k++) {
			if (x->routes[k].group &&
			    !is_same_group(x->routes[k].group, y->routes[k].group))
				return false;
		}
		for (size_t k = 0; k < x->n_alternates; k++) {
			if (!is_same_group(x->alternates[k].group, y->alternates[k].group))
				return false;
		}
	}
	return true;
}

/* Frees what nobody can hold any more. */
static void free_retired(struct service_source *source, int64_t now_ms)
{
	struct retired **at = &source->retired, *retired;

	while ((retired = *at)) {
		if (retired->until_ms > now_ms) {
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		service_free(retired->service);
		corefile_free(retired->corefile);
		free(retired);
	}
}

/* The next service takes over. `corefile`: what the old one was made of, if this one is not. */
static void replace(struct service_source *source, struct retired *retired, struct service *next,
		    struct corefile *corefile, int64_t now_ms)
{
	note_pages(source, next);
	*retired = (struct retired){
		.next = source->retired,
		.service = publish_exchange(&source->publish, next),
		.corefile = corefile,
		.until_ms = now_ms + SERVICE_GRACE_MS,
	};
	source->retired = retired;
}

/* Said once for each reason: it is tried again and again. */
static void complain(struct service_source *source, const struct err *err)
{
	if (strcmp(err->msg, source->last_complaint.msg) != 0)
		log_warning("upstreams not read, the last good ones stay", "reason=\"%s\"",
			    err->msg);
	source->last_complaint = *err;
}

static void reload(struct service_source *source, int64_t now_ms)
{
	struct service *service = NULL, *old = atomic_load(&source->publish.current);
	struct retired *retired = calloc(1, sizeof(*retired));
	struct err err = {0};

	if (!retired || watch_arm(&source->watch, now_ms, &err) < 0 ||
	    make(source, source->corefile, &service, &err) < 0) {
		complain(source, &err);
		free(retired);
		watch_retry(&source->watch, now_ms);
		return;
	}
	source->last_complaint = (struct err){0};
	if (is_same(service, old)) {
		service_free(service);
		free(retired);
		return;
	}
	tell(source, service);
	replace(source, retired, service, NULL, now_ms);
}

void service_source_poll(struct service_source *source, int64_t now_ms, bool wanted)
{
	free_retired(source, now_ms);
	if (source->watch.fd >= 0 && (watch_is_due(&source->watch, now_ms) || wanted))
		reload(source, now_ms);
}

void service_source_free(struct service_source *source)
{
	watch_close(&source->watch);
	free_retired(source, INT64_MAX);
	service_free(atomic_load(&source->publish.current));
	corefile_free(source->corefile);
	upstream_book_free(&source->book);
}
