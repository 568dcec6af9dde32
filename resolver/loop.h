/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The question that shows a loop: is what goes to a server forwarded back to us, by that server or
 * by one behind it? Its name is "<nonce>-<page>-<random>.meshdns-loop", of type HINFO, which nobody
 * asks for: the nonce is this process's, the page the server's in the book of upstreams.h, the rest
 * keeps caches out of it. If such a question comes in, what goes to that server is a loop. Pure.
 */
#ifndef MESHDNS_RESOLVER_LOOP_H
#define MESHDNS_RESOLVER_LOOP_H

#include "resolver/query.h"

size_t loop_write_name(uint64_t nonce, uint16_t page, uint16_t random,
		       uint8_t ret_name[DNS_NAME_MAX]);

/* Whether the question is such a one of ours. */
bool loop_is_probe(const struct query *query, uint64_t nonce, uint16_t *ret_page);

#endif
