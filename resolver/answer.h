/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing answers, in place: each function turns the packet that held the query into the answer.
 *
 * Header and question stay where they are, the question as it was asked; records follow it. The
 * size returned never exceeds `limit`, which is at least 512 and within the buffer. What does not
 * fit is left out by whole records and TC is set, with as many records as there is room for: musl
 * before 1.2.4 has no TCP and lives on them.
 */
#ifndef MESHDNS_RESOLVER_ANSWER_H
#define MESHDNS_RESOLVER_ANSWER_H

#include "resolver/names.h"
#include "resolver/query.h"

/* No records, an rcode: FORMERR, SERVFAIL, NOTIMP, REFUSED, BADVERS. */
size_t answer_error(const struct query *q, uint8_t *packet, size_t limit, enum dns_rcode rcode);

/* No records, TC: the client is to come back over TCP. */
size_t answer_truncated(const struct query *q, uint8_t *packet, size_t limit);

/*
 * The record's addresses of the type asked for, both with ANY; without any, NOERROR and a SOA (RFC
 * 2308 section 2.2) whose TTL is the record's. `turn` chooses which address comes first.
 */
size_t answer_addresses(const struct query *q, uint8_t *packet, size_t limit,
			const struct names_record *record, uint32_t turn);

/* The name exists, but has nothing of that type. */
size_t answer_nodata(const struct query *q, uint8_t *packet, size_t limit,
		     const struct names_record *record);

/* The name behind a VIP. */
size_t answer_ptr(const struct query *q, uint8_t *packet, size_t limit,
		  const struct names_record *record);

/* A class CH TXT record with `text` (at most 255 bytes of it), TTL 0. */
size_t answer_chaos(const struct query *q, uint8_t *packet, size_t limit, const char *text);

#endif
