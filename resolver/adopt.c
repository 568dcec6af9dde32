/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/adopt.h"

#include <errno.h>
#include <string.h>

#include "resolver/cache.h"

static int refuse_flags(const struct settings *s, struct err *err)
{
	if (s->n_listen && !s->listen_is_default)
		return err_set(err, EINVAL, "--listen: the Corefile says where, by `bind`");
	if (s->n_forwards)
		return err_set(
			err, EINVAL,
			"--upstream and --forward: the Corefile says where to, by `forward`");
	return 0;
}

static bool has_names(const struct settings *s, const char *path)
{
	for (size_t i = 0; i < s->n_names; i++) {
		if (!strcmp(s->names[i], path))
			return true;
	}
	return false;
}

/* The table is one: who names a second domain or TTL for it would get the first. */
static int adopt_mesh(struct settings *s, const struct corefile_mesh *mesh,
		      const struct corefile_mesh **first, struct err *err)
{
	if (*first && (mesh->domain.len != (*first)->domain.len || mesh->ttl != (*first)->ttl ||
		       memcmp(mesh->domain.name, (*first)->domain.name, mesh->domain.len) != 0))
		return corefile_fail(err, mesh->place,
				     "mesh: another domain or ttl than at %s:%u; the table is one",
				     (*first)->place.file, (*first)->place.line);
	*first = mesh;
	for (size_t i = 0; i < mesh->n_names; i++) {
		if (has_names(s, mesh->names[i]))
			continue;
		if (s->n_names == SETTINGS_NAMES_MAX)
			return corefile_fail(err, mesh->place,
					     "mesh: more than %d names; name a folder instead",
					     SETTINGS_NAMES_MAX);
		s->names[s->n_names++] = mesh->names[i];
	}
	s->load.n_sources = s->n_names;
	if (mesh->kuma && s->kuma_socket && strcmp(mesh->kuma, s->kuma_socket) != 0)
		return corefile_fail(err, mesh->place, "mesh: names come from %s already",
				     s->kuma_socket);
	if (mesh->kuma) {
		s->kuma_socket = mesh->kuma;
		s->kuma_poll_ms = mesh->kuma_poll_ms;
	}
	s->load.ttl = mesh->ttl;
	s->load.domain_len = mesh->domain.len;
	memcpy(s->load.domain, mesh->domain.name, mesh->domain.len);
	s->search_resolv_conf |= mesh->search_resolv_conf;
	return 0;
}

/* There is one cache, of the largest size that a block wants. */
static void adopt_cache(struct settings *s, const struct corefile_cache *cache)
{
	uint64_t entries = (uint64_t)cache->success.capacity + cache->denial.capacity;
	uint64_t size = entries * CACHE_ENTRY_BYTES * s->workers;
	uint64_t min = (uint64_t)CACHE_MIN * s->workers;

	size = size < min ? min : size > CACHE_MAX ? CACHE_MAX : size;
	if (size > s->cache)
		s->cache = size;
}

/* Several blocks may have it at one address. */
static int adopt_web(struct settings *s, const struct corefile_server *server,
		     const struct corefile_service *service, unsigned int what, struct err *err)
{
	if (!service->ep.port)
		return 0;
	if (service->lameduck_ms > s->lameduck_ms)
		s->lameduck_ms = service->lameduck_ms;
	for (size_t i = 0; i < s->n_web; i++) {
		if (s->web[i].everywhere == service->is_everywhere &&
		    s->web[i].ep.port == service->ep.port &&
		    addr_equal(&s->web[i].ep.addr, &service->ep.addr)) {
			s->web[i].what |= what;
			return 0;
		}
	}
	if (s->n_web == SETTINGS_WEB_MAX)
		return corefile_fail(err, server->place,
				     "more than %d addresses for prometheus, health and ready",
				     SETTINGS_WEB_MAX);
	s->web[s->n_web++] = (struct settings_web){service->ep, service->is_everywhere, what};
	return 0;
}

static void warn(struct corefile_place place, const char *what)
{
	log_warning("accepted, but without effect", "at=%s:%u what=\"%s\"", place.file, place.line,
		    what);
}

/* What is understood, and not done or done otherwise. */
static void warn_of_idle(const struct corefile_server *c)
{
	if (c->errors && c->errors->stacktrace)
		warn(c->place, "errors stacktrace");
	if (c->prometheus.runtime_metrics)
		warn(c->place, "prometheus runtime_metrics: there is no runtime of Go");
	/* Questions of other classes are answered or refused before. */
	for (const struct corefile_rewrite *r = c->rewrite; r; r = r->next) {
		if (r->what == REWRITE_CLASS && r->from_number != DNS_CLASS_IN)
			warn(r->place, "rewrite class from another one than IN");
	}
	for (const struct corefile_template *t = c->templates; t; t = t->next) {
		if (t->class != DNS_CLASS_IN && t->class != DNS_CLASS_ANY)
			warn(t->place, "template of another class than IN");
	}
	for (const struct corefile_forward *f = c->forward; f; f = f->next) {
		if (f->max_idle_conns)
			warn(f->place, "forward max_idle_conns: there is one connection a server");
	}
}

int settings_adopt(struct settings *s, const struct corefile *corefile,
		   const struct interfaces *interfaces, struct err *err)
{
	const struct corefile_mesh *mesh = NULL;
	int rc = refuse_flags(s, err);

	if (rc < 0 || (rc = bind_endpoints(corefile, interfaces, s->listen, SETTINGS_LISTEN_MAX,
					   &s->n_listen, err)) < 0)
		return rc;
	if (s->metrics_is_default)
		s->metrics.port = 0;
	for (const struct corefile_server *c = corefile->servers; c; c = c->next) {
		if (c->mesh && (rc = adopt_mesh(s, c->mesh, &mesh, err)) < 0)
			return rc;
		if ((rc = adopt_web(s, c, &c->prometheus, SETTINGS_WEB_METRICS, err)) < 0 ||
		    (rc = adopt_web(s, c, &c->health, SETTINGS_WEB_HEALTH, err)) < 0 ||
		    (rc = adopt_web(s, c, &c->ready, SETTINGS_WEB_READY, err)) < 0)
			return rc;
		if (c->cache)
			adopt_cache(s, c->cache);
		if (c->debug)
			s->log_level = LOG_LEVEL_DEBUG;
		warn_of_idle(c);
	}
	s->metrics_is_default = false;
	return 0;
}
