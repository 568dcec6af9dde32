/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may ask: this is no open resolver (RFC 5358). It is asked only where a listener is not bound
 * to loopback, so that it costs nothing where only this host can reach it.
 */
#ifndef MESHDNS_RESOLVER_ACCESS_H
#define MESHDNS_RESOLVER_ACCESS_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/err.h"

#define ACCESS_MAX 512

struct access {
	struct access_prefix {
		struct addr addr;
		uint8_t bits;
	} prefixes[ACCESS_MAX];
	size_t n;
};

/* "10.0.0.0/8", "fd00::/8", or an address alone; bits beyond the length are ignored. */
bool access_parse(const char *text, struct access_prefix *ret_prefix);

/* -E2BIG when there are too many. */
int access_add(struct access *access, const struct access_prefix *prefix, struct err *err);

/* Adds loopback and all addresses of this host as they are now. */
int access_add_own(struct access *access, struct err *err);

/* Adds the networks of an interface as they are now; -ENODEV when it has none. */
int access_add_interface(struct access *access, const char *name, struct err *err);

/* Adds the networks of all interfaces as they are now. */
int access_add_networks(struct access *access, struct err *err);

/* `peer` is a sockaddr_in6 or a sockaddr_in. A v4-mapped address is the IPv4 one. */
bool access_allows(const struct access *access, const struct sockaddr_in6 *peer);

#endif
