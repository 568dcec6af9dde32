/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes before the table: those directives of a Corefile that answer a question or change it
 * themselves, in CoreDNS' order: bufsize, any, template. Pure but for what it remembers of the
 * question in hand.
 */
#ifndef MESHDNS_RESOLVER_CHAIN_H
#define MESHDNS_RESOLVER_CHAIN_H

#include "resolver/corefile/regex.h"
#include "resolver/service.h"

/* One a thread; zeroed, but for what the caller sets. */
struct chain {
	struct addr remote; /* whose question it is; the caller's to set */
	struct regex_scratch scratch;
	struct err err; /* why the answer is SERVFAIL; "": it is not, or nothing went wrong */
};

void chain_free(struct chain *chain);

/*
 * RESOLVE_REPLY: the packet is the answer now, of *ret_len octets. RESOLVE_FORWARD: it is not, and
 * the table and the routes come next.
 */
enum resolve_action chain_run(struct chain *chain, const struct block *block, struct query *query,
			      uint8_t *packet, size_t limit, size_t *ret_len);

#endif
