/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer that ends with a CNAME, and the addresses of its target behind it, which others know:
 * what CoreDNS' template does for who asked for addresses. Pure.
 */
#ifndef MESHDNS_RESOLVER_FOLLOW_H
#define MESHDNS_RESOLVER_FOLLOW_H

#include "resolver/query.h"

/*
 * Makes of the answer in `packet`, whose CNAME's target lies uncompressed at `target`, the question
 * for that target, of the same client and type; `query` with it. *len is then its length; it has no
 * OPT, but the query knows of it. False: it is no name.
 */
bool follow_ask(struct query *query, uint8_t *packet, size_t target, size_t *len);

/*
 * Writes the first answer, and behind its records those of the target's answer, into `out`: as many
 * as fit `limit`, and TC if not all. Returns the length; 0: one of them is not whole.
 */
size_t follow_append(uint8_t *first, size_t first_len, uint8_t *answer, size_t len,
		     const struct edns *edns, uint8_t *out, size_t limit);

#endif
