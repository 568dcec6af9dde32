/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nameservers that resolv.confs name. */
#include <errno.h>
#include <string.h>

#include "common/resolvconf.h"
#include "resolver/service_make.h"

void service_warn_of_stub(const char *source)
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
		service_warn_of_stub(path);
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
		if (s->hosts && s->hosts->file)
			add_path(&paths, s->hosts->file);
	}
	return paths.n;
}
