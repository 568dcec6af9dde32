/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/reply.h"

static bool is_same_question(const struct query *query, const uint8_t *asked, bool exact_case,
			     const uint8_t *question)
{
	size_t len = query->qname_len;

	asked += DNS_HEADER_LEN;
	return (exact_case ? !memcmp(question, asked, len)
			   : wire_name_equal(question, asked, len)) &&
	       !memcmp(question + len, asked + len, query->question_len - len);
}

static bool is_whole(struct wire *w, const struct wire_header *h)
{
	unsigned int records = h->ancount + h->nscount + h->arcount, opts = 0;
	struct wire_rr rr;

	while (records-- && wire_get_rr(w, &rr))
		opts += rr.type == DNS_TYPE_OPT;
	return !w->failed && wire_left(w) == 0 && opts <= 1; /* RFC 6891 section 6.1.1 */
}

enum reply_verdict reply_check(const struct query *query, const uint8_t *asked, uint16_t id,
			       bool exact_case, uint8_t *reply, size_t len,
			       enum dns_rcode *ret_rcode)
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
	if (h.qdcount != 1 || !question || !is_same_question(query, asked, exact_case, question))
		return REPLY_OTHER;
	if (is_whole(&w, &h))
		return REPLY_WHOLE;
	return h.flags & DNS_FLAG_TC ? REPLY_CUT : REPLY_OTHER;
}

/* Where the OPT is: false if there is none. *ret_index counts the additional records before it. */
static bool find_opt(const struct wire_header *h, struct wire w, struct wire_rr *ret_rr,
		     size_t *ret_start, uint16_t *ret_index)
{
	for (unsigned int n = h->ancount + h->nscount; n > 0; n--)
		wire_get_rr(&w, ret_rr);
	for (uint16_t i = 0; i < h->arcount; i++) {
		*ret_start = w.pos;
		*ret_index = i;
		if (!wire_get_rr(&w, ret_rr))
			return false;
		if (ret_rr->type == DNS_TYPE_OPT && ret_rr->owner_is_root)
			return true;
	}
	return false;
}

/* Leaves only such options as go end to end; false when nothing had to be left out. */
static bool filter_options(struct wire_rr *opt)
{
	struct wire in = wire_over(opt->rdata, opt->rdlength), out = in;

	while (wire_left(&in) > 0 && !in.failed) {
		size_t start = in.pos, whole;
		uint16_t code = wire_get_u16(&in);

		wire_take(&in, wire_get_u16(&in));
		whole = in.pos - start;
		if (edns_is_hop_by_hop(code) || in.failed)
			continue;
		memmove(wire_take(&out, whole), in.data + start, whole);
	}
	if (out.pos == opt->rdlength)
		return false;
	opt->rdlength = (uint16_t)out.pos;
	return true;
}

/* Says our size and how long the options are now: in front of them. */
static void rewrite_opt(const struct wire *w, size_t start, const struct wire_rr *opt)
{
	struct wire at = wire_over(w->data + start, EDNS_OPT_LEN);

	wire_take(&at, 3); /* root, type */
	wire_put_u16(&at, EDNS_UDP_SIZE);
	wire_take(&at, 4);
	wire_put_u16(&at, opt->rdlength);
}

/* Appends an OPT; what only this client is told comes last, with reply_restore(). */
static void append_opt(const struct query *query, uint8_t *end)
{
	struct wire w = wire_over(end, EDNS_OPT_LEN);
	struct edns edns = query->edns;

	edns.keepalive_ds = 0;
	edns_put(&w, &edns, DNS_RCODE_NOERROR);
}

size_t reply_cleanse(const struct query *query, uint8_t *reply, size_t len)
{
	struct wire w = wire_over(reply, len), head = w;
	struct wire_header h;
	struct wire_rr opt;
	uint16_t index;
	size_t start;

	if (query->verbatim)
		return len;
	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	h.flags &= (uint16_t)~DNS_FLAG_Z;
	if (!(query->flags & DNS_FLAG_AD) && !query->edns.dnssec_ok)
		h.flags &= (uint16_t)~DNS_FLAG_AD;
	if (!find_opt(&h, w, &opt, &start, &index)) {
		if (query->edns.present && h.arcount < UINT16_MAX &&
		    len + EDNS_OPT_LEN <= DNS_MESSAGE_MAX) {
			append_opt(query, reply + len);
			len += EDNS_OPT_LEN;
			h.arcount++;
		}
	} else if (!query->edns.present) {
		len = start;
		h.arcount = index;
	} else {
		if (filter_options(&opt)) {
			len = start + EDNS_OPT_LEN + opt.rdlength;
			h.arcount = index + 1;
		}
		rewrite_opt(&w, start, &opt);
	}
	wire_put_header(&head, &h);
	return len;
}

/* Adds it to the OPT, which must be the last record. */
static size_t tell_keepalive(const struct query *query, uint8_t *reply, size_t len)
{
	struct wire w = wire_over(reply, len), out;
	struct wire_header h;
	struct wire_rr opt;
	uint16_t index;
	size_t start;

	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	if (len + EDNS_KEEPALIVE_LEN > DNS_MESSAGE_MAX || !find_opt(&h, w, &opt, &start, &index) ||
	    start + EDNS_OPT_LEN + opt.rdlength != len)
		return len;
	out = wire_over(reply + len, EDNS_KEEPALIVE_LEN);
	edns_put_keepalive(&out, &query->edns);
	opt.rdlength += EDNS_KEEPALIVE_LEN;
	rewrite_opt(&w, start, &opt);
	return len + EDNS_KEEPALIVE_LEN;
}

size_t reply_restore(const struct query *query, const uint8_t *question, bool shadowed,
		     uint8_t *reply, size_t len)
{
	struct wire in = wire_over(reply, len), out = wire_over(reply, len);
	struct wire_header h;

	wire_get_header(&in, &h);
	h.id = query->id;
	if (!query->verbatim)
		h.flags = (uint16_t)((h.flags & ~(DNS_FLAG_RD | DNS_FLAG_CD)) |
				     (query->flags & (DNS_FLAG_RD | DNS_FLAG_CD)));
	if (shadowed && (h.flags & DNS_RCODE_MASK) == DNS_RCODE_NXDOMAIN)
		h.flags &= (uint16_t)~DNS_RCODE_MASK;
	wire_put_header(&out, &h);
	wire_put_bytes(&out, question, query->question_len);
	return query->edns.keepalive_ds ? tell_keepalive(query, reply, len) : len;
}

size_t reply_truncate(const struct query *query, uint8_t *reply, size_t len, size_t limit)
{
	struct wire w = wire_over(reply, len), head = w;
	struct wire_header h;
	struct wire_rr rr;
	uint16_t kept = 0;
	size_t end;

	if (query->edns.present)
		limit -= EDNS_OPT_LEN;
	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	end = w.pos;
	while (kept < h.ancount && wire_get_rr(&w, &rr) && w.pos <= limit) {
		end = w.pos;
		kept++;
	}
	h.flags |= DNS_FLAG_TC;
	h.ancount = kept;
	h.nscount = 0;
	h.arcount = query->edns.present;
	wire_put_header(&head, &h);
	if (query->edns.present) {
		append_opt(query, reply + end);
		end += EDNS_OPT_LEN;
	}
	return end;
}

static void reverse(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[n - 1 - i];
		bytes[n - 1 - i] = byte;
	}
}

/* The first `k` of `n` bytes go behind the others. */
static void rotate(uint8_t *bytes, size_t n, size_t k)
{
	reverse(bytes, k);
	reverse(bytes + k, n - k);
	reverse(bytes, n);
}

/* A record whose owner is a pointer, and whose data has no name: nothing points into it. */
static bool is_movable(const struct wire_rr *rr, const uint8_t *bytes, size_t size)
{
	return (rr->type == DNS_TYPE_A || rr->type == DNS_TYPE_AAAA) && bytes[0] >= 0xc0 &&
	       size == 2u + 10 + rr->rdlength;
}

void reply_rotate(const struct query *query, uint8_t *reply, size_t len, uint32_t turn)
{
	struct wire w = wire_over(reply, len);
	struct wire_header h;
	struct wire_rr rr;
	uint8_t *run = reply; /* the first of `n` that are alike up to their TTL */
	size_t n = 0, size = 0;

	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	for (unsigned int i = 0; i <= h.ancount; i++) {
		uint8_t *bytes = reply + w.pos;
		bool movable = i < h.ancount && wire_get_rr(&w, &rr) &&
			       is_movable(&rr, bytes, w.pos - (size_t)(bytes - reply));

		if (movable && n && !memcmp(run, bytes, 6)) {
			n++;
			continue;
		}
		if (n > 1)
			rotate(run, n * size, turn % n * size);
		run = bytes;
		n = movable;
		size = movable ? (size_t)(reply + w.pos - bytes) : 0;
	}
}
