/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "resolver/corefile/directives.h"

#define KEYS_MAX 1024 /* of a block, networks taken apart */

static int add(struct arena *arena, struct corefile_server *server,
	       const struct corefile_zone *zone, uint16_t port, struct corefile_place place,
	       struct err *err)
{
	struct corefile_key *keys;

	if (server->n_keys == KEYS_MAX)
		return corefile_fail(err, place, "more than %d keys", KEYS_MAX);
	/* Powers of two, so that a long list is not copied for each. */
	if ((server->n_keys & (server->n_keys - 1)) == 0) {
		size_t room = server->n_keys ? 2 * server->n_keys : 1;

		if (!(keys = ARENA_ARRAY(arena, struct corefile_key, room)))
			return corefile_fail(err, place, "no memory left for it");
		if (server->n_keys)
			memcpy(keys, server->keys, server->n_keys * sizeof(*keys));
		server->keys = keys;
	}
	server->keys[server->n_keys++] = (struct corefile_key){*zone, port};
	return 0;
}

/* ADDRESS/BITS; false: it is none. */
static bool parse_network(const char *text, struct addr *ret_addr, unsigned int *ret_bits)
{
	const char *slash = strchr(text, '/');
	char address[ADDR_TEXT_MAX];
	uint64_t bits;

	if (!slash || (size_t)(slash - text) >= sizeof(address) || strchr(text, '%'))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!addr_parse(address, ret_addr) ||
	    !options_parse_number(slash + 1, 0, 8 * addr_len(ret_addr), &bits))
		return false;
	*ret_bits = (unsigned int)bits;
	return true;
}

/* The first `n` units (octets in decimal, or half ones in hexadecimal) as a reverse name. */
static void reverse_zone(const struct addr *addr, unsigned int n, struct corefile_zone *ret)
{
	bool is_v4 = addr->family == AF_INET;
	char text[128];
	size_t used = 0;

	for (unsigned int i = n; i-- > 0;)
		used += (size_t)(is_v4 ? snprintf(text + used, sizeof(text) - used, "%u.",
						  addr->bytes[i])
				       : snprintf(text + used, sizeof(text) - used, "%x.",
						  addr->bytes[i / 2] >> (i % 2 ? 0 : 4) & 15));
	snprintf(text + used, sizeof(text) - used, is_v4 ? "in-addr.arpa" : "ip6.arpa");
	zone_parse(text, strlen(text), ret);
}

static int add_network(struct arena *arena, struct addr addr, unsigned int bits, uint16_t port,
		       struct corefile_server *server, struct corefile_place place, struct err *err)
{
	unsigned int width = addr.family == AF_INET ? 8 : 4, n = (bits + width - 1) / width;
	unsigned int free_bits = n * width - bits, count = 1u << free_bits;
	struct corefile_zone zone;
	int rc = 0;

	for (unsigned int i = 0; i < count && rc == 0; i++) {
		if (n > 0) {
			uint8_t *byte = &addr.bytes[width == 8 ? n - 1 : (n - 1) / 2];
			unsigned int shift = width == 4 && n % 2 ? 4 : 0;
			unsigned int mask = (count - 1) << shift;

			*byte = (uint8_t)((*byte & ~mask) | i << shift);
		}
		reverse_zone(&addr, n, &zone);
		rc = add(arena, server, &zone, port, place, err);
	}
	return rc;
}

int key_parse(struct arena *arena, const char *text, struct corefile_place place,
	      uint16_t default_port, struct corefile_server *server, struct err *err)
{
	const char *scheme_end = strstr(text, "://"), *zone_text = text, *colon;
	struct corefile_zone zone;
	unsigned int bits;
	struct addr addr;
	uint64_t port = default_port;
	char host[300];

	if (scheme_end) {
		if (strncmp(text, "dns://", 6) != 0)
			return corefile_fail(err, place,
					     "expected dns:// before a zone but not \"%.*s\"",
					     (int)(scheme_end - text) + 3, text);
		zone_text = scheme_end + 3;
	}
	if (parse_network(zone_text, &addr, &bits))
		return add_network(arena, addr, bits, default_port, server, place, err);
	colon = strrchr(zone_text, ':');
	if (colon && !options_parse_number(colon + 1, 1, UINT16_MAX, &port))
		return corefile_fail(err, place, "expected a port from 1 to 65535 in \"%.60s\"",
				     text);
	if (!colon)
		colon = zone_text + strlen(zone_text);
	if ((size_t)(colon - zone_text) < sizeof(host)) {
		memcpy(host, zone_text, (size_t)(colon - zone_text));
		host[colon - zone_text] = '\0';
		if (parse_network(host, &addr, &bits))
			return add_network(arena, addr, bits, (uint16_t)port, server, place, err);
		if (colon == zone_text) /* ":53" */
			strcpy(host, ".");
		if (zone_parse(host, strlen(host), &zone))
			return add(arena, server, &zone, (uint16_t)port, place, err);
	}
	return corefile_fail(
		err, place,
		"expected a zone as . or example.org:53 or 10.0.0.0/8 but not \"%.60s\"", text);
}
