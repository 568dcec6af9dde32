/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service that flags ask for: one block for all names, the table and the routes behind it. */
#include <errno.h>
#include <string.h>

#include "resolver/service_make.h"

/* The route for exactly this suffix, or NULL. */
static struct service_route *find_route(struct block *block, const struct settings_forward *forward)
{
	for (size_t i = 0; i < block->n_routes; i++) {
		struct service_route *route = &block->routes[i];

		if (route->from.len == forward->suffix_len &&
		    !memcmp(route->from.name, forward->suffix, forward->suffix_len))
			return route;
	}
	return NULL;
}

/* A new one, with a group of its own; the longest suffix comes first. */
static struct service_route *add_route(const struct settings *settings, struct service *service,
				       struct block *block, const uint8_t *suffix, uint8_t len,
				       struct err *err)
{
	struct upstream_group *group = service_add_group(service, err);
	size_t at = block->n_routes;

	if (!group)
		return NULL;
	group->policy = settings->policy;
	group->force_tcp = settings->upstream_tcp;
	for (; at > 0 && block->routes[at - 1].from.len < len; at--)
		block->routes[at] = block->routes[at - 1];
	block->routes[at] = (struct service_route){.from.len = len, .group = group};
	memcpy(block->routes[at].from.name, suffix, len);
	block->n_routes++;
	return &block->routes[at];
}

/* The servers of resolv.conf for all that no other route takes. */
static int add_resolv_conf(struct service_source *source, struct service *service,
			   struct block *block, const struct service_server *how, struct err *err)
{
	static const uint8_t root[] = {0};
	const struct settings *s = source->settings;
	struct service_route *route = add_route(s, service, block, root, sizeof(root), err);
	struct upstream_group *group;
	bool rotate = false;
	int rc;

	if (!route)
		return -E2BIG;
	group = (struct upstream_group *)route->group;
	rc = service_add_file(source, service, group, settings_resolv_conf(s), how, &rotate, err);
	if (rc == 0 && !group->n)
		return err_set(err, ENOENT,
			       "no nameserver to forward to in %s; name one with --upstream ADDR",
			       settings_resolv_conf(s));
	if (rotate && !s->has_policy)
		group->policy = POLICY_ROUND_ROBIN;
	return rc;
}

static int add_forwards(struct service_source *source, struct service *service, struct block *block,
			struct err *err)
{
	const struct settings *s = source->settings;
	struct service_server how = service_server_usual;
	bool has_root = false;
	int rc = 0;

	how.force_tcp = s->upstream_tcp;
	for (size_t i = 0; i < s->n_forwards && rc >= 0; i++) {
		const struct settings_forward *f = &s->forwards[i];
		struct service_route *route = find_route(block, f);

		has_root |= f->suffix_len == 1;
		if (!route &&
		    !(route = add_route(s, service, block, f->suffix, f->suffix_len, err)))
			return -E2BIG;
		if ((rc = service_flag_tls(s, f, &how.tls, err)) < 0)
			break;
		rc = service_add_server(source, service, (struct upstream_group *)route->group,
					&f->ep, &how, err);
	}
	how.tls = NULL;
	if (rc < 0 || has_root)
		return rc;
	return add_resolv_conf(source, service, block, &how, err);
}

int service_from_flags(struct service_source *source, struct service **ret, struct err *err)
{
	static const struct corefile_zone root = {.len = 1};
	const struct settings *s = source->settings;
	struct service *service = service_new(1, source->n_listeners);
	struct block *block = service ? service_add_block(service, &root) : NULL;
	struct service_place place;
	int rc = 0;

	if (block)
		block->routes =
			ARENA_ARRAY(&service->arena, struct service_route, s->n_forwards + 1);
	if (!block || !block->routes) {
		service_free(service);
		return err_set(err, ENOMEM, "out of memory");
	}
	block->table = TABLE_ALL;
	block->authoritative = &s->authoritative;
	block->search = &s->search;
	block->has_cache = s->cache > 0;
	block->keep = keep_usual;
	block->keep.stale_s = s->serve_stale_s;
	place = (struct service_place){
		.block = block,
		.page = service_flags_page(source, &source->listeners[0].ep),
	};
	for (size_t i = 0; i < source->n_listeners && rc == 0; i++) {
		service->listen[i].dropped = place.page;
		rc = service_add_place(service, i, &place, err);
	}
	if (rc == 0)
		rc = add_forwards(source, service, block, err);
	if (rc < 0)
		service_free(service);
	else
		*ret = service;
	return rc < 0 ? rc : 0;
}
