/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the reverse zones, in-addr.arpa (RFC 1035 section 3.5) and ip6.arpa (RFC 3596). */
#ifndef MESHDNS_RESOLVER_REVERSE_H
#define MESHDNS_RESOLVER_REVERSE_H

#include <stdbool.h>

#include "common/addr.h"
#include "resolver/wire.h"

/* The address that a lower-cased wire name stands for; false unless it is a whole one. */
bool reverse_parse(const uint8_t *name, size_t len, struct addr *ret_addr);

/* True when the lower-cased name is one of those above whole ones, such as 0.240.in-addr.arpa. */
bool reverse_is_partial(const uint8_t *name, size_t len);

#endif
