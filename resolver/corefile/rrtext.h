/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One resource record from the text of a zone file (RFC 1035 section 5.1) to the wire, as the
 * answers of `template` are written: `redis.mesh. 60 IN A 10.0.0.1`.
 *
 * Owner, then TTL and class in any order or left out, then type and data. Names are absolute, with
 * or without the final dot. \DDD and \X escapes, quoted strings, parentheses and comments are as in
 * zone files; TTLs may have units (1h30m). Types: A, AAAA, AFSDB, CAA, CNAME, DNAME, DNSKEY, DS,
 * HINFO, HTTPS, MX, NAPTR, NS, PTR, RP, SOA, SPF, SRV, SSHFP, SVCB, TLSA, TXT, URI; and any type in
 * the form of RFC 3597 section 5: `TYPE731 \# 2 abcd`.
 *
 * Why not ldns: linking it and the libcrypto that it needs costs two megabytes of memory before the
 * first question, as much as the rest of the resolver; and it allocates for each record.
 */
#ifndef MESHDNS_COREFILE_RRTEXT_H
#define MESHDNS_COREFILE_RRTEXT_H

#include "common/err.h"
#include "resolver/wire.h"

#define RRTEXT_TTL 3600 /* where the text says none */

/*
 * Appends the record, names uncompressed and in the text's case. False: `err` says what is wrong,
 * and the cursor may be anywhere; it has failed if there was no room.
 */
bool rrtext_put(struct wire *w, const char *text, size_t len, struct err *err);

#endif
