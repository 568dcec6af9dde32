/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/corefile.h"
#include "resolver/names.h"

const struct corefile_zone *corefile_zones_find(const struct corefile_zones *zones,
						const uint8_t *name, size_t len)
{
	const struct corefile_zone *best = NULL;

	for (size_t i = 0; i < zones->n; i++) {
		const struct corefile_zone *zone = &zones->list[i];

		if ((!best || zone->len > best->len) &&
		    names_is_under(name, len, zone->name, zone->len))
			best = zone;
	}
	return best;
}

bool corefile_falls_through(const struct corefile_fallthrough *fallthrough, const uint8_t *name,
			    size_t len)
{
	return fallthrough->on &&
	       (fallthrough->zones.n == 0 || corefile_zones_find(&fallthrough->zones, name, len));
}
