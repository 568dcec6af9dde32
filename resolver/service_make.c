/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/service_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/upstream_health.h"
#include "resolver/upstream_tcp.h"

const struct service_server service_server_usual = {
	.max_fails = HEALTH_FAILS_MAX,
	.expire_ms = UPSTREAM_TCP_IDLE_MS,
	.probe_ms = HEALTH_PROBE_MS,
	.probe_name = {.len = 1},
};

struct service *service_new(size_t n_blocks, size_t n_listen)
{
	struct service *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->arena.max = SERVICE_MAX_BYTES;
	s->blocks = ARENA_ARRAY(&s->arena, struct block *, n_blocks);
	s->listen = ARENA_ARRAY(&s->arena, struct service_listen, n_listen);
	s->hosts = ARENA_ARRAY(&s->arena, struct hosts_table *, n_blocks);
	s->servers = ARENA_ARRAY(&s->arena, struct service_server, UPSTREAMS_MAX);
	s->n_listen = n_listen;
	if (s->blocks && s->listen && s->hosts && s->servers)
		return s;
	service_free(s);
	return NULL;
}

struct block *service_add_block(struct service *service, const struct corefile_zone *zone)
{
	struct block *block = ARENA_NEW(&service->arena, struct block);

	if (!block)
		return NULL;
	block->zone = *zone;
	block->number = (uint16_t)service->n_blocks;
	block->otherwise = DNS_RCODE_REFUSED;
	service->blocks[service->n_blocks++] = block;
	return block;
}

int service_add_place(struct service *service, size_t listener, const struct service_place *place,
		      struct err *err)
{
	struct service_listen *listen = &service->listen[listener];
	struct service_place *places =
		ARENA_ARRAY(&service->arena, struct service_place, listen->n_places + 1);
	size_t at = listen->n_places, zone_len = place->block->zone.len;

	if (!places)
		return err_set(err, ENOMEM, "out of memory");
	while (at > 0 && listen->places[at - 1].block->zone.len < zone_len)
		at--;
	for (size_t i = 0; i <= listen->n_places; i++)
		places[i] = i < at ? listen->places[i] : i == at ? *place : listen->places[i - 1];
	listen->places = places;
	listen->n_places++;
	listen->has_steps |= place->block->has_steps;
	listen->is_root = listen->n_places == 1 && zone_len <= 1;
	return 0;
}

struct upstream_group *service_add_group(struct service *service, struct err *err)
{
	struct upstream_group *group = ARENA_NEW(&service->arena, struct upstream_group);

	if (!group || service->n_groups == GROUPS_MAX) {
		err_set(err, E2BIG, "more than %d groups of servers", GROUPS_MAX);
		return NULL;
	}
	group->number = (uint8_t)service->n_groups++;
	return group;
}

/* Once in the service: the first who names it says how it is probed. */
static int add_once(struct service *service, uint16_t page, const struct service_server *how,
		    struct err *err)
{
	for (size_t i = 0; i < service->n_servers; i++) {
		if (service->servers[i].page != page)
			continue;
		if (service->servers[i].tls == how->tls)
			return 0;
		return err_set(err, EINVAL,
			       "one server with different TLS, or with TLS and without");
	}
	if (service->n_servers == UPSTREAMS_MAX)
		return err_set(err, E2BIG, "more than %d servers", UPSTREAMS_MAX);
	service->servers[service->n_servers] = *how;
	service->servers[service->n_servers++].page = page;
	return 0;
}

int service_add_server(struct service_source *source, struct service *service,
		       struct upstream_group *group, const struct endpoint *ep,
		       const struct service_server *how, struct err *err)
{
	char text[ENDPOINT_TEXT_MAX];
	int page;

	if (listen_is_own(source->listeners, source->n_listeners, ep))
		return err_set(err, ELOOP, "upstream %s is this resolver itself",
			       endpoint_format(ep, text));
	if ((page = upstream_group_add(group, &source->book, ep, err)) < 0)
		return page;
	return add_once(service, (uint16_t)page, how, err);
}
