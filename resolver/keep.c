/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/keep.h"

#define SOA_MIN_LEN 22 /* two root names and five numbers, MINIMUM last */
#define TTL_BEFORE  6  /* octets from a record's TTL to its data */

/* RFC 6895 section 3.1: 128 to 255 are questions, or about messages, not data. */
static bool is_data_type(uint16_t qtype)
{
	return qtype < 128 || qtype > DNS_TYPE_ANY;
}

/* Options that go along upstream. */
static bool has_options(const struct edns *edns)
{
	struct wire w = wire_over(edns->options, edns->options_len);

	while (wire_left(&w) > 0 && !w.failed) {
		if (!edns_is_hop_by_hop(wire_get_u16(&w)))
			return true;
		wire_take(&w, wire_get_u16(&w));
	}
	return w.failed;
}

bool keep_takes(const struct query *query)
{
	return !query->verbatim && query->qname_len && query->flags & DNS_FLAG_RD &&
	       query->qclass == DNS_CLASS_IN && is_data_type(query->qtype) &&
	       !(query->edns.present && has_options(&query->edns));
}

static uint32_t soa_minimum(const struct wire_rr *soa)
{
	struct wire w = wire_over(soa->rdata, soa->rdlength);
	uint32_t minimum;

	if (soa->rdlength < SOA_MIN_LEN)
		return 0;
	wire_take(&w, soa->rdlength - 4u);
	minimum = (uint32_t)wire_get_u16(&w) << 16;
	return minimum | wire_get_u16(&w);
}

/* What the records of a reply come to. */
struct sum {
	uint32_t ttl_s;         /* the least */
	uint32_t soa_s;         /* MINIMUM of the authority's SOA */
	bool has_type, has_soa; /* in the answer, in the authority */
	bool extended;          /* the OPT has more of the rcode */
};

static bool add_up(const struct query *query, struct wire *w, const struct wire_header *h,
		   struct sum *ret_sum)
{
	unsigned int answers = h->ancount, authority = answers + h->nscount;
	struct wire_rr rr;

	*ret_sum = (struct sum){.ttl_s = KEEP_MAX_S};
	for (unsigned int i = 0; i < authority + h->arcount; i++) {
		if (!wire_get_rr(w, &rr))
			return false;
		if (rr.type == DNS_TYPE_OPT) {
			ret_sum->extended |= rr.ttl >> 24;
			continue;
		}
		/* Also with the highest bit set a TTL is but long, RFC 8767 section 4. */
		if (rr.ttl < ret_sum->ttl_s)
			ret_sum->ttl_s = rr.ttl;
		ret_sum->has_type |= i < answers && rr.type == query->qtype;
		if (i >= answers && i < authority && rr.type == DNS_TYPE_SOA) {
			ret_sum->has_soa = true;
			ret_sum->soa_s = soa_minimum(&rr);
		}
	}
	return true;
}

const struct keep_bounds keep_usual = {
	.max_s = {KEEP_MAX_S, KEEP_MAX_S},
	.failure_s = KEEP_FAILURE_S,
	.hot = 3,
	.hot_gap_ms = KEEP_FOR_EVER,
	.hot_percent = 10,
	.patience_ms = 1800, /* RFC 8767 section 5 */
};

enum keep_kind keep_judge(const struct query *query, uint8_t *reply, size_t len,
			  uint32_t *ret_ttl_s)
{
	struct wire w = wire_over(reply, len);
	enum keep_kind kind = KEEP_NODATA;
	struct wire_header h;
	enum dns_rcode rcode;
	struct sum sum;

	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	if (h.flags & DNS_FLAG_TC || !add_up(query, &w, &h, &sum) || sum.extended)
		return KEEP_NOT;
	rcode = h.flags & DNS_RCODE_MASK;
	*ret_ttl_s = sum.ttl_s;
	if (rcode == DNS_RCODE_SERVFAIL) {
		*ret_ttl_s = KEEP_FAILURE_S;
		return KEEP_FAILURE;
	}
	if (rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		return KEEP_NOT;
	if (rcode == DNS_RCODE_NOERROR && sum.has_type)
		return sum.ttl_s ? KEEP_ANSWER : KEEP_NOT;
	if (!sum.has_soa)
		return KEEP_NOT;
	if (sum.soa_s < sum.ttl_s)
		*ret_ttl_s = sum.soa_s;
	/* Behind an alias it is the alias' target that does not exist, RFC 2308 section 2.1. */
	if (rcode == DNS_RCODE_NXDOMAIN && h.ancount == 0)
		kind = KEEP_NXNAME;
	return *ret_ttl_s ? kind : KEEP_NOT;
}

void keep_age(const struct query *query, uint8_t *reply, size_t len, uint32_t age_s, uint32_t min_s,
	      uint32_t max_s)
{
	struct wire w = wire_over(reply, len), ttl;
	struct wire_header h;
	struct wire_rr rr;

	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	for (unsigned int n = (unsigned int)h.ancount + h.nscount + h.arcount; n > 0; n--) {
		uint32_t left;

		if (!wire_get_rr(&w, &rr))
			return;
		if (rr.type == DNS_TYPE_OPT)
			continue;
		left = rr.ttl < min_s ? min_s : rr.ttl > max_s ? max_s : rr.ttl;
		left = left > age_s ? left - age_s : 0;
		ttl = wire_over(reply, len);
		wire_take(&ttl, w.pos - rr.rdlength - TTL_BEFORE);
		wire_put_u32(&ttl, left);
	}
}
