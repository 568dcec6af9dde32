/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files that write answers have in common: an answer under construction, in the packet
 * that held the query.
 */
#ifndef MESHDNS_RESOLVER_ANSWER_PARTS_H
#define MESHDNS_RESOLVER_ANSWER_PARTS_H

#include "resolver/query.h"

#define ANSWER_RR_FIXED_LEN 12 /* pointer, type, class, TTL, length */

struct answer {
	const struct query *q;
	uint8_t *packet;
	struct wire w; /* behind the question; ends where our OPT has to begin */
	struct wire_header header;
	enum dns_rcode rcode;
	uint16_t owner; /* where in the packet the name of the records to come lies */
	uint8_t owner_len;
};

/* `limit` as in answer.h. The owner is the question's name. */
struct answer answer_begin(const struct query *q, uint8_t *packet, size_t limit);

/* Room for `n` more octets; if not, the answer is cut here: TC. */
bool answer_fits(struct answer *a, size_t n);

/* A record of the owner up to its data. There is room. */
void answer_put_fixed(struct answer *a, uint16_t type, uint32_t ttl, size_t len);

/* Appends as many of the `n` addresses as fit, from number `first` on and round; how many. */
size_t answer_put_addresses(struct answer *a, uint16_t type, uint32_t ttl, const uint8_t *addrs,
			    size_t n, size_t first);

/* OPT and header; the message's length. */
size_t answer_end(struct answer *a);

/* The pointer to a name at `at`, RFC 1035 section 4.1.4. */
static inline uint16_t answer_pointer(size_t at)
{
	return (uint16_t)(0xc000 | at);
}

#endif
