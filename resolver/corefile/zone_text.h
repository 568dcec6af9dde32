/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones as a Corefile writes them: [SCHEME://]ZONE[:PORT], where ZONE may be a network, for its
 * reverse zones (RFC 1035 section 3.5, RFC 3596). Those are several if its prefix does not end
 * between two labels: 10.0.0.0/9 is 128 of them, and no network is more.
 */
#ifndef MESHDNS_COREFILE_ZONE_TEXT_H
#define MESHDNS_COREFILE_ZONE_TEXT_H

#include "resolver/corefile/corefile.h"

struct zone_text {
	size_t n;         /* how many zones it stands for; 0: it is none */
	const char *port; /* what is said behind the last colon; NULL: nothing */
	bool is_network;
	union {
		struct corefile_zone zone;
		struct prefix network;
	};
};

void zone_text_parse(const char *text, struct zone_text *ret);

/* Zone number `i` of the n. */
void zone_text_get(const struct zone_text *text, size_t i, struct corefile_zone *ret);

/* A zone alone; false: it is none. "." is the root. */
bool zone_parse(const char *text, size_t len, struct corefile_zone *ret);

#endif
