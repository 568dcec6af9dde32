/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing answers, in place: each function turns the packet that held the query into the answer.
 *
 * Header and question stay where they are, the question as it was asked; records follow it. The
 * size returned never exceeds `limit`, which is at least 512 and within the buffer. What does not
 * fit is left out by whole records and TC is set, with as many records as there is room for: musl
 * before 1.2.4 has no TCP and lives on them. Nothing is added that was not asked for, but for the
 * addresses of a service's host, which SRV is no use without.
 */
#ifndef MESHDNS_RESOLVER_ANSWER_H
#define MESHDNS_RESOLVER_ANSWER_H

#include "resolver/names.h"
#include "resolver/query.h"

#define ANSWER_CHAIN_MAX 8 /* aliases of aliases; loops end here, too */

/* No records, an rcode: FORMERR, SERVFAIL, NOTIMP, REFUSED, BADVERS. */
size_t answer_error(const struct query *q, uint8_t *packet, size_t limit, enum dns_rcode rcode);

/* No records, TC: the client is to come back over TCP. */
size_t answer_truncated(const struct query *q, uint8_t *packet, size_t limit);

/*
 * What is known of the name, by the type asked for: addresses, both with ANY; SRV where ports are
 * known; of an alias CNAME and all of this of its target, if that is in the table. If nothing of
 * the type is there, NOERROR and a SOA (RFC 2308 section 2.2) whose TTL is the record's. `turn`
 * chooses which address comes first. `record` may have come by a wildcard; `via` (NULL: no) is the
 * name it was found by when that is not the question's: the answer begins with a CNAME to it.
 */
size_t answer_record(const struct query *q, uint8_t *packet, size_t limit,
		     const struct names_snapshot *names, const struct names_record *record,
		     const uint8_t *via, size_t via_len, uint32_t turn);

/*
 * SRV of a service of the record's name, which is the rest of the question's behind its first two
 * labels: those ports that have this name and protocol.
 */
size_t answer_service(const struct query *q, uint8_t *packet, size_t limit,
		      const struct names_record *record, const uint8_t *service, uint8_t protocol,
		      uint32_t turn);

/* There is no such name (NXDOMAIN) or nothing of it (NOERROR) in a zone, the question's end. */
size_t answer_negative(const struct query *q, uint8_t *packet, size_t limit, enum dns_rcode rcode,
		       size_t zone_len, uint32_t ttl);

/* The SOA of a zone, which is the question's name. */
size_t answer_soa(const struct query *q, uint8_t *packet, size_t limit, uint32_t ttl);

/* The name behind a VIP. */
size_t answer_ptr(const struct query *q, uint8_t *packet, size_t limit,
		  const struct names_record *record);

/* To a question for any type no more than that there is no answer, RFC 8482 section 4.2. */
size_t answer_any(const struct query *q, uint8_t *packet, size_t limit);

/* A class CH TXT record with `text` (at most 255 bytes of it), TTL 0. */
size_t answer_chaos(const struct query *q, uint8_t *packet, size_t limit, const char *text);

#endif
