/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/key.h"

#include <string.h>

#include "common/options.h"
#include "resolver/corefile/zone_text.h"

#define KEYS_MAX 1000 /* of a block, networks taken apart: they are printed as one line */

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

int key_parse(struct arena *arena, const char *text, struct corefile_place place,
	      uint16_t default_port, struct corefile_server *server, struct err *err)
{
	const char *scheme_end = strstr(text, "://");
	struct corefile_zone zone;
	struct zone_text zones;
	uint64_t port = default_port;
	int rc = 0;

	if (scheme_end && strncmp(text, "dns://", 6) != 0)
		return corefile_fail(err, place, "expected dns:// before a zone but not \"%.*s\"",
				     (int)(scheme_end - text) + 3, text);
	zone_text_parse(text, &zones);
	if (zones.port && !options_parse_number(zones.port, 1, UINT16_MAX, &port))
		return corefile_fail(err, place, "expected a port from 1 to 65535 in \"%.60s\"",
				     text);
	if (zones.n == 0)
		return corefile_fail(err, place,
				     "expected a zone as . or example.org:53 or 10.0.0.0/8 but not "
				     "\"%.60s\"",
				     text);
	for (size_t i = 0; i < zones.n && rc == 0; i++) {
		zone_text_get(&zones, i, &zone);
		rc = add(arena, server, &zone, (uint16_t)port, place, err);
	}
	return rc;
}
