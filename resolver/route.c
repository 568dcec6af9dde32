/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/route.h"

const struct route *route_exact(const struct routes *routes, const uint8_t *suffix, size_t len)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->route[i];

		if (route->suffix_len == len && !memcmp(route->suffix, suffix, len))
			return route;
	}
	return NULL;
}

bool route_add(struct routes *routes, const uint8_t *suffix, size_t len, uint8_t group)
{
	size_t at = routes->n;

	if (at == ROUTES_MAX)
		return false;
	for (; at > 0 && routes->route[at - 1].suffix_len < len; at--)
		routes->route[at] = routes->route[at - 1];
	routes->route[at] = (struct route){.suffix_len = (uint8_t)len, .group = group};
	memcpy(routes->route[at].suffix, suffix, len);
	routes->n++;
	return true;
}

/* Whether a label of `name` begins at `at`. */
static bool is_boundary(const uint8_t *name, size_t at)
{
	size_t pos = 0;

	while (pos < at)
		pos += name[pos] + 1u;
	return pos == at;
}

const struct route *route_find(const struct routes *routes, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *route = &routes->route[i];
		size_t suffix_len = route->suffix_len;

		if (suffix_len == 1 ||
		    (suffix_len <= len &&
		     !memcmp(name + len - suffix_len, route->suffix, suffix_len) &&
		     is_boundary(name, len - suffix_len)))
			return route;
	}
	return NULL;
}
