/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which group of servers a name goes to: the one with the longest suffix that matches by whole
 * labels ("corp.example" is a suffix of "www.corp.example" and of itself, not of
 * "badcorp.example"). Pure.
 */
#ifndef MESHDNS_RESOLVER_ROUTE_H
#define MESHDNS_RESOLVER_ROUTE_H

#include "resolver/wire.h"

#define ROUTES_MAX 64

struct route {
	uint8_t suffix_len; /* 1: the root */
	uint8_t group;
	uint8_t suffix[DNS_NAME_MAX]; /* lower-cased wire form */
};

struct routes {
	size_t n;
	struct route route[ROUTES_MAX]; /* the longest suffix first */
};

/* The route for exactly this suffix, or NULL. */
const struct route *route_exact(const struct routes *routes, const uint8_t *suffix, size_t len);

/* Adds one; false when the table is full. A suffix is added once. */
bool route_add(struct routes *routes, const uint8_t *suffix, size_t len, uint8_t group);

/* The route of a lower-cased name; NULL when none matches, not even the root. */
const struct route *route_find(const struct routes *routes, const uint8_t *name, size_t len);

#endif
