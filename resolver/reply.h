/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies of upstreams: is it the answer to the question, is it whole, and how it goes to the
 * client. Pure, like resolve.h.
 */
#ifndef MESHDNS_RESOLVER_REPLY_H
#define MESHDNS_RESOLVER_REPLY_H

#include "resolver/query.h"

enum reply_verdict {
	/*
	 * Not the answer: another ID, opcode or question (RFC 5452 section 9.1), or one that does
	 * not parse to its last octet (RFC 9267). As if it had not come: a right one may follow.
	 */
	REPLY_OTHER,
	REPLY_WHOLE, /* to be relayed */
	REPLY_BARE, /* an error without the question, as some servers give: only the rcode counts */
	REPLY_CUT,  /* TC, and cut within a record: only that it is truncated counts */
};

/*
 * Judges the `len` bytes of `reply` as the answer to the client's message `asked`, which was parsed
 * to `query` and sent with `id`. *ret_rcode is valid unless REPLY_OTHER.
 */
enum reply_verdict reply_check(const struct query *query, const uint8_t *asked, uint16_t id,
			       uint8_t *reply, size_t len, enum dns_rcode *ret_rcode);

/*
 * Turns a REPLY_WHOLE into the client's: its ID, and the question in the case it was asked in.
 * `shadowed`: the name exists here, so NXDOMAIN becomes NOERROR. All else stays as it is.
 */
void reply_restore(const struct query *query, const uint8_t *asked, bool shadowed, uint8_t *reply,
		   size_t len);

#endif
