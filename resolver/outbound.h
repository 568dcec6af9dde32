/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's question as it goes upstream. Pure.
 *
 * Header and OPT are hop by hop (RFC 6891 section 6.2.6): RD, CD, AD and DO are the client's (RFC
 * 6840 sections 5.7 to 5.9), the UDP size is ours, and there is an OPT exactly if the client had
 * one, so that the server truncates for those who have none. Of its options cookies, keepalive and
 * padding concern the client's connection and stay here (RFC 7873, 7828, 7830); all others, ECS and
 * unknown ones included, go along. The name keeps the client's case.
 *
 * Two questions are the same if what goes upstream is the same but for ID and case: thus whatever
 * could change the answer makes a question one of its own.
 */
#ifndef MESHDNS_RESOLVER_OUTBOUND_H
#define MESHDNS_RESOLVER_OUTBOUND_H

#include "resolver/query.h"

struct outbound {
	uint8_t *packet; /* borrowed */
	uint16_t len;
	uint16_t plain_len; /* without the OPT, which is last */
};

/* Writes it to `out` of `room` octets; false if it does not fit. ID 0. */
bool outbound_write(const struct query *query, const uint8_t *packet, uint8_t *out, size_t room,
		    struct outbound *ret_outbound);

/* Whether the two ask the same; `qname_len` is that of `a`. */
bool outbound_equal(const struct outbound *a, const struct outbound *b, size_t qname_len);

#endif
