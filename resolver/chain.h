/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes before the table: those directives of a Corefile that answer a question or change it
 * themselves, in CoreDNS' order: any, rewrite, template, hosts. Pure but for what it remembers of
 * the question in hand.
 */
#ifndef MESHDNS_RESOLVER_CHAIN_H
#define MESHDNS_RESOLVER_CHAIN_H

#include "resolver/corefile/regex.h"
#include "resolver/service.h"
#include "resolver/stats_book.h"

/* One a thread; zeroed, but for what the caller sets. */
struct chain {
	struct addr remote;            /* whose question it is; the caller's to set */
	struct stats_sheets sheets;    /* likewise: where to count; no book: nowhere */
	enum stats_writer answered_by; /* which directive; STATS_SERVER: none */
	struct regex_scratch scratch;
	struct err err; /* why the answer is SERVFAIL; "": it is not, or nothing went wrong */
	/* The question was rewritten; what it was before. */
	bool is_rewritten;
	struct query asked;
	uint8_t question[DNS_NAME_MAX + 4]; /* as it was asked */
	/* The question is that for the target of a CNAME, which this answer ends with (follow.h).
	 */
	bool is_followed;
	uint8_t *first;
	size_t first_len;
	struct edns edns; /* of who asked */
	uint8_t *answer;  /* room for one to be written anew; as `first` made when first needed */
};

void chain_free(struct chain *chain);

/* To be called for each message before it is resolved. */
static inline void chain_begin(struct chain *chain)
{
	chain->is_rewritten = chain->is_followed = false;
	chain->answered_by = STATS_SERVER;
	chain->err.msg[0] = '\0';
}

/*
 * RESOLVE_REPLY: the packet, of *len octets and room for `size`, is the answer now.
 * RESOLVE_FORWARD: it is not, and the table and the routes come next; it may have been rewritten,
 * and the query with it. chain_restore() then makes the answer one to what was asked.
 */
enum resolve_action chain_run(struct chain *chain, const struct service_place *place,
			      struct query *query, uint8_t *packet, size_t *len, size_t size,
			      size_t limit);

/* Whether what is asked is not what the client asked. */
static inline bool chain_has_changed(const struct chain *chain)
{
	return chain->is_rewritten || chain->is_followed;
}

/* Then makes an answer, of `len` octets, one to what was asked before; its length. */
size_t chain_restore(struct chain *chain, const struct block *block, uint8_t *packet, size_t len,
		     size_t limit);

#endif
