/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/service.h"

#include <stdlib.h>

#include "resolver/corefile/hosts_table.h"
#include "resolver/names.h"

bool service_holds(const struct corefile_zone *zone, const uint8_t *name, size_t len)
{
	return zone->len <= 1 || names_is_under(name, len, zone->name, zone->len);
}

const struct service_place *service_find_place(const struct service_listen *listen,
					       const uint8_t *name, size_t len, uint16_t qtype)
{
	const struct service_place *child = NULL;

	for (size_t i = 0; i < listen->n_places; i++) {
		const struct service_place *place = &listen->places[i];
		const struct corefile_zone *zone = &place->block->zone;

		if (!service_holds(zone, name, len))
			continue;
		/* DS is its parent's, RFC 4035 section 3.1.4.1, where that is here too. */
		if (qtype != DNS_TYPE_DS || child || zone->len != len || len <= 1)
			return place;
		child = place;
	}
	return child;
}

/* For one zone. */
static size_t count_pages(const struct corefile_template *template)
{
	size_t n = 1;

	for (int i = 0; i < TEMPLATE_SECTIONS; i++)
		n += template->section[i].n;
	return n;
}

size_t service_count_pages(const struct corefile_template *template)
{
	return count_pages(template) * (template->zones.n ? template->zones.n : 1);
}

const uint16_t *service_template_pages(const struct service_place *place,
				       const struct corefile_template *template,
				       const struct corefile_zone *zone)
{
	const struct corefile_template *t = place->block->corefile->templates;
	const uint16_t *pages = place->template_pages;

	for (; t != template; t = t->next)
		pages += service_count_pages(t);
	if (t->zones.n)
		pages += count_pages(t) * (size_t)(zone - t->zones.list);
	return pages;
}

static bool is_below(const struct corefile_zones *zones, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < zones->n; i++) {
		if (service_holds(&zones->list[i], name, len))
			return true;
	}
	return false;
}

static bool takes(const struct service_route *route, const uint8_t *name, size_t len)
{
	/* The route's own name is not excepted, as in CoreDNS. */
	return service_holds(&route->from, name, len) &&
	       (len == route->from.len || !is_below(&route->except, name, len));
}

const struct service_route *service_find_route(const struct block *block,
					       const struct service_route *from,
					       const uint8_t *name, size_t len)
{
	for (; from < block->routes + block->n_routes; from++) {
		if (takes(from, name, len))
			return from;
	}
	return NULL;
}

bool service_asks_table(const struct block *block, const uint8_t *name, size_t len)
{
	const struct service_route *route;

	if (block->table != TABLE_SOME)
		return block->table == TABLE_ALL;
	if (block->table_zones.n && !is_below(&block->table_zones, name, len))
		return false;
	route = service_find_route(block, block->routes, name, len);
	return !route || route >= block->routes + block->n_ahead;
}

bool service_caches(const struct block *block, const uint8_t *name, size_t len)
{
	const struct corefile_cache *cache = block->corefile ? block->corefile->cache : NULL;

	return !cache || !cache->zones.n || is_below(&cache->zones, name, len);
}

struct keep_bounds service_keep_bounds(const struct block *block, const uint8_t *name, size_t len)
{
	const struct corefile_cache *cache = block->corefile ? block->corefile->cache : NULL;
	struct keep_bounds bounds = block->keep;

	for (int i = 0; cache && i < 2; i++) {
		const struct corefile_cache_half *half = i ? &cache->denial : &cache->success;

		bounds.off[i] = half->disabled && (!half->disabled_zones.n ||
						   is_below(&half->disabled_zones, name, len));
	}
	return bounds;
}

const struct service_alternate *service_find_alternate(const struct block *block,
						       enum dns_rcode rcode)
{
	for (size_t i = 0; i < block->n_alternates; i++) {
		if (rcode < 32 && block->alternates[i].rcodes & COREFILE_RCODE(rcode))
			return &block->alternates[i];
	}
	return NULL;
}

bool service_may_ask_original(const struct block *block)
{
	for (size_t i = 0; i < block->n_alternates; i++) {
		if (block->alternates[i].original)
			return true;
	}
	return false;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	for (size_t i = 0; i < service->n_hosts; i++)
		hosts_free(service->hosts[i]);
	arena_free(&service->arena);
	free(service);
}
