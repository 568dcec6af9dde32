/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message written anew from the records of others: what is needed where names change or records
 * move, for names may point to others before them. Names are read whole, changed if somebody wants
 * that, and shortened again by what was written before.
 *
 * Compressed names are known where RFC 3597 section 4 says that there can be some; data of other
 * types is copied as it is.
 */
#ifndef MESHDNS_RESOLVER_REBUILD_H
#define MESHDNS_RESOLVER_REBUILD_H

#include "resolver/wire.h"

#define REBUILD_SEEN 8 /* so many names back are looked at for an equal end */

enum rebuild_place {
	REBUILD_OWNER,
	REBUILD_VALUE, /* what the record says: the target of a CNAME, PTR, SRV, the first of SOA */
	REBUILD_OTHER, /* further names in the data */
};

struct rebuild {
	struct wire out; /* the message up to here: header and question have been written */
	uint32_t ttl_min, ttl_max; /* TTLs are brought into these bounds, but an OPT's */
	/*
	 * Changes a name (*len octets, in any case) if it is to be another. False: there is none,
	 * and the record cannot be copied. NULL: all stay.
	 */
	bool (*change)(void *context, enum rebuild_place place, uint8_t name[DNS_NAME_MAX],
		       size_t *len);
	void *context;
	/* --- of rebuild.c --- */
	struct {
		uint16_t at;          /* in the message */
		uint8_t len, literal; /* octets; that are there and not behind a pointer */
		uint8_t name[DNS_NAME_MAX];
	} seen[REBUILD_SEEN + 1]; /* number 0 is the question's name */
	size_t n_seen;
};

/*
 * Begins behind the header at `out`, which has room for it, with this question; nothing is changed
 * yet.
 */
void rebuild_begin(struct rebuild *r, struct wire out, const uint8_t *question, size_t question_len,
		   size_t qname_len);

/*
 * Appends the record at the cursor of a whole message, which moves past it. False: it is not whole,
 * a name of it cannot be changed, or there is no room; r->out.failed only for the last.
 */
bool rebuild_copy(struct rebuild *r, struct wire *in);

#endif
