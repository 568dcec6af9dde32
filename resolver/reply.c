/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/reply.h"

static bool is_same_question(const struct query *query, const uint8_t *asked,
			     const uint8_t *question)
{
	size_t len = query->qname_len;

	asked += DNS_HEADER_LEN;
	return wire_name_equal(question, asked, len) &&
	       !memcmp(question + len, asked + len, query->question_len - len);
}

static bool is_whole(struct wire *w, const struct wire_header *h)
{
	unsigned int records = h->ancount + h->nscount + h->arcount;
	struct wire_rr rr;

	while (records-- && wire_get_rr(w, &rr))
		;
	return !w->failed && wire_left(w) == 0;
}

enum reply_verdict reply_check(const struct query *query, const uint8_t *asked, uint16_t id,
			       uint8_t *reply, size_t len, enum dns_rcode *ret_rcode)
{
	struct wire w = wire_over(reply, len);
	struct wire_header h;
	const uint8_t *question;

	wire_get_header(&w, &h);
	if (w.failed || h.id != id || !(h.flags & DNS_FLAG_QR) ||
	    (h.flags ^ query->flags) & DNS_OPCODE_MASK)
		return REPLY_OTHER;
	*ret_rcode = h.flags & DNS_RCODE_MASK;
	if (query->question_len == 0) /* UPDATE, NOTIFY: what is in it is not our business */
		return REPLY_WHOLE;
	if (h.qdcount == 0)
		return *ret_rcode != DNS_RCODE_NOERROR && is_whole(&w, &h) ? REPLY_BARE
									   : REPLY_OTHER;
	question = wire_take(&w, query->question_len);
	if (h.qdcount != 1 || !question || !is_same_question(query, asked, question))
		return REPLY_OTHER;
	if (is_whole(&w, &h))
		return REPLY_WHOLE;
	return h.flags & DNS_FLAG_TC ? REPLY_CUT : REPLY_OTHER;
}

void reply_restore(const struct query *query, const uint8_t *asked, bool shadowed, uint8_t *reply,
		   size_t len)
{
	struct wire in = wire_over(reply, len), out = wire_over(reply, len);
	struct wire_header h;

	wire_get_header(&in, &h);
	h.id = query->id;
	if (shadowed && (h.flags & DNS_RCODE_MASK) == DNS_RCODE_NXDOMAIN)
		h.flags &= (uint16_t)~DNS_RCODE_MASK;
	wire_put_header(&out, &h);
	wire_put_bytes(&out, asked + DNS_HEADER_LEN, query->question_len);
}
