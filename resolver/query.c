/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/query.h"

/* The least that a record takes: root owner, type, class, TTL, length. */
#define RR_MIN 11

/*
 * The additional section: at most one OPT (RFC 6891 section 6.1.1), and a signature only in the
 * last place (RFC 8945 section 5.1, RFC 2931 section 3.1). False: FORMERR.
 */
static bool parse_additional(struct wire *w, uint16_t count, struct edns *ret_edns,
			     bool *ret_signed)
{
	if (count > wire_left(w) / RR_MIN)
		return false;
	for (uint16_t i = 0; i < count; i++) {
		struct wire_rr rr;

		if (!wire_get_rr(w, &rr))
			return false;
		if (rr.type == DNS_TYPE_OPT) {
			if (ret_edns->present || !edns_parse(&rr, ret_edns))
				return false;
		} else if (rr.type == DNS_TYPE_TSIG || rr.type == DNS_TYPE_SIG) {
			if (i + 1 != count)
				return false;
			*ret_signed = true;
		}
	}
	return wire_left(w) == 0;
}

static bool parse_question(struct wire *w, struct query *q)
{
	size_t qname_len = wire_get_name(w, q->qname);

	q->qtype = wire_get_u16(w);
	q->qclass = wire_get_u16(w);
	if (w->failed)
		return false;
	q->qname_len = (uint8_t)qname_len;
	q->question_len = (uint16_t)(qname_len + 4);
	return true;
}

/* What an UPDATE or a NOTIFY is about, RFC 2136 section 2.3 and RFC 1996 section 3.7. */
static void parse_zone(struct wire *w, struct query *q)
{
	size_t len = wire_get_name(w, q->qname);

	q->qname_len = w->failed ? 0 : (uint8_t)len;
}

/* The answer would be many messages, or is of no use to anybody since RFC 973. */
static bool is_refused(uint16_t qtype)
{
	switch (qtype) {
	case DNS_TYPE_IXFR:
	case DNS_TYPE_AXFR:
	case DNS_TYPE_MAILB:
	case DNS_TYPE_MAILA: return true;
	default: return false;
	}
}

enum query_verdict query_parse(uint8_t *packet, size_t len, struct query *ret_query)
{
	struct wire w = wire_over(packet, len);
	struct query *q = ret_query;
	struct wire_header h;
	bool is_signed = false, is_ixfr;
	struct wire_rr soa; /* what an IXFR carries, RFC 1995 section 3 */
	uint16_t opcode;

	wire_get_header(&w, &h);
	if (w.failed || h.flags & DNS_FLAG_QR)
		return QUERY_DROP;
	q->id = h.id;
	q->flags = h.flags;
	q->qtype = q->qclass = q->question_len = q->qname_len = 0;
	q->verbatim = false;
	q->block = QUERY_NOBODYS;
	q->page = 0;
	q->edns = (struct edns){0};

	opcode = (h.flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT;
	if (opcode == DNS_OPCODE_UPDATE || opcode == DNS_OPCODE_NOTIFY) {
		q->verbatim = true;
		if (h.qdcount == 1)
			parse_zone(&w, q);
		return QUERY_FORWARD;
	}
	if (opcode != DNS_OPCODE_QUERY)
		return QUERY_NOTIMP; /* RFC 8906 section 3.1.4 */
	if (h.qdcount != 1)
		return QUERY_FORMERR; /* RFC 9619 section 4 */
	if (!parse_question(&w, q))
		return QUERY_FORMERR;
	is_ixfr = q->qtype == DNS_TYPE_IXFR;
	if (h.ancount || h.nscount != is_ixfr || (is_ixfr && !wire_get_rr(&w, &soa)) ||
	    !parse_additional(&w, h.arcount, &q->edns, &is_signed)) {
		q->edns = (struct edns){0};
		return QUERY_FORMERR;
	}
	if (q->edns.present && q->edns.version > 0)
		return QUERY_BADVERS;
	if (is_refused(q->qtype))
		return QUERY_REFUSED;
	/* Nobody but the key's owner can answer it, or agree on one (TKEY, RFC 2930). */
	q->verbatim = is_signed || q->qtype == DNS_TYPE_TKEY;
	if (q->verbatim)
		return QUERY_FORWARD;
	if (q->qtype == 0 || q->qtype == DNS_TYPE_OPT || q->qtype == DNS_TYPE_TSIG)
		return QUERY_FORMERR; /* not types to ask for, RFC 6895 section 3.1 */
	if (q->qclass == DNS_CLASS_CH)
		return QUERY_CHAOS;
	return q->qclass == DNS_CLASS_IN ? QUERY_OURS : QUERY_REFUSED;
}

size_t query_udp_limit(const struct query *query)
{
	size_t size = query->edns.present ? query->edns.udp_size : DNS_UDP_MIN_SIZE;

	if (size < DNS_UDP_MIN_SIZE)
		return DNS_UDP_MIN_SIZE; /* RFC 6891 section 6.2.3 */
	return size > EDNS_UDP_LIMIT ? EDNS_UDP_LIMIT : size;
}
