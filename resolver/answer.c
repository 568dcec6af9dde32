/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/answer.h"

#define QUESTION_POINTER (0xc000 | DNS_HEADER_LEN)
#define SOA_NUMBERS_LEN  20 /* serial, refresh, retry, expire, minimum */

/*
 * An answer under construction. Only addresses can be more than fits: question (at most 259 bytes
 * behind the header), any other single record (267) and OPT stay below 512 together where they
 * occur, for PTR's and CHAOS' questions are short.
 */
struct answer {
	const struct query *q;
	uint8_t *packet;
	struct wire w; /* behind the question; ends where our OPT has to begin */
	struct wire_header header;
	enum dns_rcode rcode;
};

static struct answer answer_begin(const struct query *q, uint8_t *packet, size_t limit)
{
	struct answer a = {.q = q, .packet = packet};

	a.w = wire_over(packet, limit - edns_len(&q->edns));
	wire_take(&a.w, DNS_HEADER_LEN + q->question_len);
	a.header.id = q->id;
	a.header.flags = DNS_FLAG_QR | DNS_FLAG_RA |
			 (q->flags & (DNS_OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD));
	a.header.qdcount = q->question_len > 0;
	return a;
}

static size_t answer_end(struct answer *a)
{
	struct wire start = wire_over(a->packet, DNS_HEADER_LEN);

	if (a->q->edns.present) {
		a->w.size += edns_len(&a->q->edns);
		edns_put(&a->w, &a->q->edns, a->rcode);
		a->header.arcount = 1;
	}
	a->header.flags |= a->rcode & DNS_RCODE_MASK;
	wire_put_header(&start, &a->header);
	return a->w.pos;
}

/* Appends of `n` rendered records, each of `len` bytes, from number `first` on and round. */
static void put_rotated(struct answer *a, const uint8_t *records, size_t n, size_t len,
			size_t first)
{
	size_t fit = wire_left(&a->w) / len, head;

	if (fit > n)
		fit = n;
	head = fit < n - first ? fit : n - first;
	wire_put_bytes(&a->w, records + first * len, head * len);
	wire_put_bytes(&a->w, records, (fit - head) * len);
	a->header.ancount += (uint16_t)fit;
	if (fit < n)
		a->header.flags |= DNS_FLAG_TC;
}

/*
 * The SOA of a negative answer. Its owner is the mesh domain, or the name itself where it shadows
 * one elsewhere; both lie in the question. MNAME and RNAME hang below it.
 */
static void put_soa(struct answer *a, const struct names_record *record)
{
	static const uint8_t mname[] = {2, 'n', 's'};
	static const uint8_t rname[] = {10, 'h', 'o', 's', 't', 'm', 'a', 's', 't', 'e', 'r'};
	uint16_t zone_len = record->domain_len ? record->domain_len : record->name_len;
	uint16_t zone = (uint16_t)(QUESTION_POINTER + a->q->qname_len - zone_len);
	struct wire *w = &a->w;

	wire_put_u16(w, zone);
	wire_put_u16(w, DNS_TYPE_SOA);
	wire_put_u16(w, DNS_CLASS_IN);
	wire_put_u32(w, record->ttl);
	wire_put_u16(w, sizeof(mname) + 2 + sizeof(rname) + 2 + SOA_NUMBERS_LEN);
	wire_put_bytes(w, mname, sizeof(mname));
	wire_put_u16(w, zone);
	wire_put_bytes(w, rname, sizeof(rname));
	wire_put_u16(w, zone);
	wire_put_u32(w, 1);    /* serial: there are no secondaries to compare it */
	wire_put_u32(w, 3600); /* refresh, retry, expire: likewise */
	wire_put_u32(w, 600);
	wire_put_u32(w, 86400);
	wire_put_u32(w, record->ttl); /* minimum: how long "no such data" may be remembered */
	a->header.nscount = 1;
}

size_t answer_error(const struct query *q, uint8_t *packet, size_t limit, enum dns_rcode rcode)
{
	struct answer a = answer_begin(q, packet, limit);

	/* An unknown opcode promises nothing about the other flags: RFC 8906 section 3.1.4. */
	if (rcode == DNS_RCODE_NOTIMP)
		a.header.flags &= DNS_FLAG_QR | DNS_OPCODE_MASK;
	a.rcode = rcode;
	return answer_end(&a);
}

size_t answer_truncated(const struct query *q, uint8_t *packet, size_t limit)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_TC;
	return answer_end(&a);
}

size_t answer_nodata(const struct query *q, uint8_t *packet, size_t limit,
		     const struct names_record *record)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	put_soa(&a, record);
	return answer_end(&a);
}

size_t answer_addresses(const struct query *q, uint8_t *packet, size_t limit,
			const struct names_record *record, uint32_t turn)
{
	size_t n_a = q->qtype == DNS_TYPE_AAAA ? 0 : record->n_a;
	size_t n_aaaa = q->qtype == DNS_TYPE_A ? 0 : record->n_aaaa;
	struct answer a;

	if (n_a + n_aaaa == 0)
		return answer_nodata(q, packet, limit, record);
	if (q->qtype == DNS_TYPE_ANY && limit > DNS_UDP_MIN_SIZE)
		limit = DNS_UDP_MIN_SIZE; /* RFC 8482 section 4.1: some of it will do, but little */
	a = answer_begin(q, packet, limit);
	a.header.flags |= DNS_FLAG_AA;
	if (n_a)
		put_rotated(&a, names_record_a(record), n_a, NAMES_RR_A_LEN, turn % n_a);
	if (n_aaaa)
		put_rotated(&a, names_record_aaaa(record), n_aaaa, NAMES_RR_AAAA_LEN,
			    turn % n_aaaa);
	if (q->qtype == DNS_TYPE_ANY)
		a.header.flags &= (uint16_t)~DNS_FLAG_TC;
	return answer_end(&a);
}

size_t answer_ptr(const struct query *q, uint8_t *packet, size_t limit,
		  const struct names_record *record)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	a.header.ancount = 1;
	wire_put_u16(&a.w, QUESTION_POINTER);
	wire_put_u16(&a.w, DNS_TYPE_PTR);
	wire_put_u16(&a.w, DNS_CLASS_IN);
	wire_put_u32(&a.w, record->ttl);
	wire_put_u16(&a.w, record->name_len);
	wire_put_bytes(&a.w, record->data, record->name_len);
	return answer_end(&a);
}

size_t answer_chaos(const struct query *q, uint8_t *packet, size_t limit, const char *text)
{
	struct answer a = answer_begin(q, packet, limit);
	size_t len = strnlen(text, 255);

	a.header.flags |= DNS_FLAG_AA;
	a.header.ancount = 1;
	wire_put_u16(&a.w, QUESTION_POINTER);
	wire_put_u16(&a.w, DNS_TYPE_TXT);
	wire_put_u16(&a.w, DNS_CLASS_CH);
	wire_put_u32(&a.w, 0);
	wire_put_u16(&a.w, (uint16_t)(len + 1));
	wire_put_u8(&a.w, (uint8_t)len);
	wire_put_bytes(&a.w, text, len);
	return answer_end(&a);
}
