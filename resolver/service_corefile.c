/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service that a Corefile asks for. A block of the file with several keys is several blocks
 * that share their routes.
 */
#include <errno.h>
#include <string.h>

#include "resolver/bind.h"
#include "resolver/corefile/hosts_table.h"
#include "resolver/service_make.h"
#include "resolver/upstream_health.h"

#define SHORTEST_MS 50 /* between probes, and for which a connection may be idle */

static uint32_t at_least(uint32_t ms)
{
	return ms < SHORTEST_MS ? SHORTEST_MS : ms;
}

static int add_targets(struct service_source *source, struct service *service,
		       struct upstream_group *group, const struct corefile_targets *targets,
		       const struct corefile_forward *forward, struct service_server how,
		       struct corefile_place place, struct err *err)
{
	bool rotate;
	int rc = 0;

	for (size_t i = 0; i < targets->n && rc == 0; i++) {
		const struct corefile_target *t = &targets->list[i];

		if (forward && (rc = service_target_tls(forward, t, &how.tls, err)) < 0)
			return rc;
		if (t->file)
			rc = service_add_file(source, service, group, t->file, &how, &rotate, err);
		else
			rc = service_add_server(source, service, group, &t->ep, &how, err);
		if (rc < 0)
			err_wrap(err, "%s:%u", place.file, place.line);
	}
	if (rc == 0 && !group->n)
		return corefile_fail(err, place, "no nameserver to forward to in %s",
				     targets->list[0].file);
	return rc;
}

/* Envoy's DNS filter, which knows the mesh's names for Kuma's CoreDNS. Ours are in the table. */
static bool is_filter(const struct service_source *source, const struct corefile_forward *f)
{
	const struct corefile_target *t = f->to.list;
	const struct settings *s = source->settings;

	return (s->n_names > 0 || s->kuma_socket) && f->to.n == 1 &&
	       t->transport == COREFILE_PLAIN && !t->file && t->ep.port == s->corefile.envoy_port &&
	       addr_is_loopback(&t->ep.addr);
}

static int add_forward(struct service_source *source, struct service *service,
		       const struct corefile_forward *f, struct service_route *route,
		       struct err *err)
{
	const struct settings *s = source->settings;
	struct service_server how = {
		.force_tcp = f->force_tcp,
		.max_fails = f->max_fails ? f->max_fails : HEALTH_NEVER_DOWN,
		.expire_ms = at_least(f->expire_ms),
		.probe_ms = at_least(f->health_ms),
		.probe_no_rd = f->health_no_rec,
		.probe_name = f->health_domain,
	};
	struct upstream_group *group;

	route->from = f->from;
	route->except = f->except;
	route->next = f->next_rcodes;
	if (is_filter(source, f))
		return 0;
	if (!(group = service_add_group(service, err)))
		return -E2BIG;
	group->policy = f->policy;
	group->force_tcp = f->force_tcp;
	group->prefer_udp = f->prefer_udp;
	group->failfast = f->failfast;
	/* Each worker has its share, for none knows what the others have. */
	group->max_concurrent = f->max_concurrent;
	group->max_busy = (f->max_concurrent + s->workers - 1) / s->workers;
	group->failover = f->failover;
	group->max_attempts = f->max_connect_attempts;
	route->group = group;
	return add_targets(source, service, group, &f->to, f, how, f->place, err);
}

/* Who has an earlier route's names behind it is never asked. */
static void warn_of_hidden(const struct block *block, size_t i, struct corefile_place place)
{
	const struct service_route *route = &block->routes[i];

	for (size_t k = 0; k < i; k++) {
		const struct service_route *other = &block->routes[k];

		if (!other->except.n && !other->next &&
		    service_holds(&other->from, route->from.name, route->from.len))
			log_warning("a forward is never asked: one before it takes its names",
				    "at=%s:%u", place.file, place.line);
	}
}

static int add_routes(struct service_source *source, struct service *service,
		      const struct corefile_server *server, struct block *block, struct err *err)
{
	size_t n = 0;
	int rc;

	for (const struct corefile_forward *f = server->forward; f; f = f->next)
		n++;
	if (!(block->routes = ARENA_ARRAY(&service->arena, struct service_route, n)))
		return err_set(err, ENOMEM, "out of memory");
	for (const struct corefile_forward *f = server->forward; f; f = f->next) {
		struct service_route *route = &block->routes[block->n_routes++];

		if ((rc = add_forward(source, service, f, route, err)) < 0)
			return rc;
		warn_of_hidden(block, block->n_routes - 1, f->place);
	}
	return 0;
}

static int add_alternates(struct service_source *source, struct service *service,
			  const struct corefile_server *server, struct block *block,
			  struct err *err)
{
	size_t n = 0;
	int rc;

	for (const struct corefile_alternate *a = server->alternate; a; a = a->next)
		n++;
	if (!(block->alternates = ARENA_ARRAY(&service->arena, struct service_alternate, n)))
		return err_set(err, ENOMEM, "out of memory");
	for (const struct corefile_alternate *a = server->alternate; a; a = a->next) {
		struct upstream_group *group = service_add_group(service, err);

		if (!group)
			return -E2BIG;
		group->policy = POLICY_RANDOM;
		block->alternates[block->n_alternates++] =
			(struct service_alternate){a->rcodes, a->original, group};
		if ((rc = add_targets(source, service, group, &a->to, NULL, service_server_usual,
				      a->place, err)) < 0)
			return rc;
	}
	return 0;
}

static int copy_zones(struct service *service, const struct corefile_zones *zones,
		      const struct resolve_domains **ret, struct corefile_place place,
		      struct err *err)
{
	struct resolve_domains *domains = ARENA_NEW(&service->arena, struct resolve_domains);

	if (!domains)
		return err_set(err, ENOMEM, "out of memory");
	if (zones->n > RESOLVE_DOMAINS_MAX)
		return corefile_fail(err, place, "mesh: more than %d domains", RESOLVE_DOMAINS_MAX);
	for (; domains->n < zones->n; domains->n++) {
		domains->domain[domains->n].len = zones->list[domains->n].len;
		memcpy(domains->domain[domains->n].name, zones->list[domains->n].name,
		       zones->list[domains->n].len);
	}
	*ret = domains;
	return 0;
}

/* `mesh` stands before all forwards, the filter's place where the filter did. */
static int add_table(struct service_source *source, struct service *service,
		     const struct corefile_server *server, struct block *block, struct err *err)
{
	const struct settings *s = source->settings;
	const struct corefile_mesh *mesh = server->mesh;
	int rc;

	block->authoritative = &s->authoritative;
	block->search = &s->search;
	if (mesh) {
		block->table = mesh->zones.n ? TABLE_SOME : TABLE_ALL;
		block->table_zones = mesh->zones;
		if (mesh->authoritative.n &&
		    (rc = copy_zones(service, &mesh->authoritative, &block->authoritative,
				     mesh->place, err)) < 0)
			return rc;
		if (mesh->search.n &&
		    (rc = copy_zones(service, &mesh->search, &block->search, mesh->place, err)) < 0)
			return rc;
		return 0;
	}
	for (size_t i = 0; i < block->n_routes; i++) {
		if (block->routes[i].group)
			continue;
		block->n_ahead = i;
		block->table_zones = (struct corefile_zones){&block->routes[i].from, 1};
		block->table =
			i == 0 && block->routes[i].from.len <= 1 && !block->routes[i].except.n
				? TABLE_ALL
				: TABLE_SOME;
		return 0;
	}
	return 0;
}

static const struct corefile_zones *zones_of_keys(struct service *service,
						  const struct corefile_server *server)
{
	struct corefile_zone *list =
		ARENA_ARRAY(&service->arena, struct corefile_zone, server->n_keys);
	struct corefile_zones *zones = ARENA_NEW(&service->arena, struct corefile_zones);

	if (!list || !zones)
		return NULL;
	for (size_t i = 0; i < server->n_keys; i++)
		list[i] = server->keys[i].zone;
	*zones = (struct corefile_zones){list, server->n_keys};
	return zones;
}

/* A file that cannot be read is no reason not to start: what is inline is there. */
static int add_hosts(struct service *service, const struct corefile_server *server,
		     struct block *block, struct err *err)
{
	struct hosts_table **table = &service->hosts[service->n_hosts];
	int rc;

	if (!server->hosts)
		return 0;
	rc = hosts_load(server->hosts, block->keys, true, table, err);
	if (rc < 0 && rc != -ENOMEM) {
		log_warning("a hosts file is not read", "at=%s:%u reason=\"%s\"",
			    server->hosts->place.file, server->hosts->place.line, err->msg);
		rc = hosts_load(server->hosts, block->keys, false, table, err);
	}
	if (rc < 0)
		return rc;
	block->hosts = *table;
	service->n_hosts++;
	return 0;
}

/* Where it is not said, a client with something stale to be given does not wait for better. */
static struct keep_bounds make_bounds(const struct corefile_cache *cache)
{
	struct keep_bounds bounds = keep_usual;

	if (!cache)
		return bounds;
	for (int i = 0; i < 2; i++) {
		const struct corefile_cache_half *half = i ? &cache->denial : &cache->success;

		bounds.min_s[i] = half->min_ttl;
		bounds.max_s[i] = half->ttl < KEEP_MAX_S ? half->ttl : KEEP_MAX_S;
	}
	bounds.failure_s = cache->servfail_ms / 1000;
	bounds.keep_ttl = cache->keep_ttl;
	bounds.hot = cache->prefetch;
	bounds.hot_gap_ms = cache->prefetch_ms;
	bounds.hot_percent = cache->prefetch_percent;
	bounds.stale_s = cache->serve_stale ? cache->stale_ms / 1000 : 0;
	bounds.patience_ms = !cache->stale_verifies   ? 0
			     : cache->stale_verify_ms ? cache->stale_verify_ms
						      : KEEP_FOR_EVER;
	return bounds;
}

static int make_block(struct service_source *source, struct service *service,
		      const struct corefile_server *server, struct block *ret, struct err *err)
{
	int rc;

	*ret = (struct block){
		.corefile = server,
		.keys = zones_of_keys(service, server),
		.has_cache = server->cache,
		.keep = make_bounds(server->cache),
		.has_steps = server->any || server->rewrite || server->templates || server->hosts,
		.rotates = server->loadbalance,
		.udp_max = server->bufsize,
		/* Where there is a plugin the next one is missed, whatever it does. */
		.otherwise = corefile_plugin(server, 0) ? DNS_RCODE_SERVFAIL : DNS_RCODE_REFUSED,
	};
	if (!ret->keys)
		return err_set(err, ENOMEM, "out of memory");
	if ((rc = add_hosts(service, server, ret, err)) < 0 ||
	    (rc = add_routes(source, service, server, ret, err)) < 0 ||
	    (rc = add_alternates(source, service, server, ret, err)) < 0)
		return rc;
	return add_table(source, service, server, ret, err);
}

/* -EADDRNOTAVAIL where none of the listeners is at the address. */
static int listen_at(struct service_source *source, struct service *service,
		     const struct block *block, const struct endpoint *ep, struct err *err)
{
	struct service_place place = {.block = block};
	bool is_there = false;
	int rc;

	for (size_t i = 0; i < source->n_listeners; i++) {
		const struct endpoint *own = &source->listeners[i].ep;

		if (own->port != ep->port || !addr_equal(&own->addr, &ep->addr))
			continue;
		is_there = true;
		if ((rc = service_find_pages(source, service, ep, &place,
					     &service->listen[i].dropped, err)) < 0 ||
		    (rc = service_add_place(service, i, &place, err)) < 0)
			return rc;
	}
	return is_there ? 0 : -EADDRNOTAVAIL;
}

/* One of the keys of a block in the file, at all its addresses. */
static int add_key(struct service_source *source, struct service *service, const struct block *like,
		   const struct corefile_key *key, const struct addr *addrs, size_t n,
		   struct err *err)
{
	struct block *block = service_add_block(service, &key->zone);
	uint16_t number;

	if (!block)
		return err_set(err, ENOMEM, "out of memory");
	number = block->number;
	*block = *like;
	block->zone = key->zone;
	block->number = number;
	for (size_t i = 0; i < n; i++) {
		struct endpoint ep = {addrs[i], key->port};
		char text[ENDPOINT_TEXT_MAX];
		int rc = listen_at(source, service, block, &ep, err);

		/* Where this host lacks IPv6 it is left out, see main.c. */
		if (rc == -EADDRNOTAVAIL && (like->corefile->bind || i == 0))
			return corefile_fail(err, like->corefile->place,
					     "%s was not listened on when I started: restart me",
					     endpoint_format(&ep, text));
		if (rc < 0 && rc != -EADDRNOTAVAIL)
			return rc;
	}
	return 0;
}

static int add_server_block(struct service_source *source, struct service *service,
			    const struct corefile_server *server, struct err *err)
{
	struct addr addrs[BIND_MAX];
	struct block block;
	int n = bind_addresses(server, source->interfaces, addrs, err);
	int rc = n < 0 ? n : make_block(source, service, server, &block, err);

	for (size_t i = 0; i < server->n_keys && rc == 0; i++)
		rc = add_key(source, service, &block, &server->keys[i], addrs, (size_t)n, err);
	return rc;
}

int service_from_corefile(struct service_source *source, const struct corefile *corefile,
			  struct service **ret, struct err *err)
{
	struct service *service;
	size_t n_keys = 0;
	int rc = 0;

	for (const struct corefile_server *s = corefile->servers; s; s = s->next)
		n_keys += s->n_keys;
	if (!(service = service_new(n_keys, source->n_listeners)))
		return err_set(err, ENOMEM, "out of memory");
	for (const struct corefile_server *s = corefile->servers; s && rc == 0; s = s->next)
		rc = add_server_block(source, service, s, err);
	if (rc < 0)
		service_free(service);
	else
		*ret = service;
	return rc;
}
