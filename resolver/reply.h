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
 * Judges the `len` bytes of `reply` as the answer to the message `asked`, which was parsed to
 * `query` and sent with `id`; the name's case need be the same only if `exact_case`. *ret_rcode is
 * valid unless REPLY_OTHER.
 */
enum reply_verdict reply_check(const struct query *query, const uint8_t *asked, uint16_t id,
			       bool exact_case, uint8_t *reply, size_t len,
			       enum dns_rcode *ret_rcode);

/* How much longer reply_cleanse() and reply_restore() together may make a reply. */
#define REPLY_GROWTH (EDNS_OPT_LEN + EDNS_KEEPALIVE_LEN)

/*
 * Makes a REPLY_WHOLE fit for whoever asked like `query`, and returns its new length: AD only for
 * those who asked for it (RFC 6840 section 5.8), an OPT exactly if they have EDNS, with our size
 * and without what is hop by hop. Should records behind the OPT be in the way of that they are left
 * out; none should be there. The rest stays as it is.
 */
size_t reply_cleanse(const struct query *query, uint8_t *reply, size_t len);

/*
 * Makes it one client's: ID, RD and CD, and the question (`query->question_len` octets, in the case
 * it was asked in). `shadowed`: the name exists here, so NXDOMAIN becomes NOERROR. Who asked over
 * TCP how long it may be idle is told (query->edns.keepalive_ds) in the OPT. Returns the new
 * length.
 */
size_t reply_restore(const struct query *query, const uint8_t *question, bool shadowed,
		     uint8_t *reply, size_t len);

/*
 * Makes the addresses of one name, that stand together, begin with number `turn` of them. Of those
 * that are not all written alike the order stays.
 */
void reply_rotate(const struct query *query, uint8_t *reply, size_t len, uint32_t turn);

/* Cuts it to `limit`, at least 512: whole records of the answer, as many as fit, and TC. */
size_t reply_truncate(const struct query *query, uint8_t *reply, size_t len, size_t limit);

#endif
