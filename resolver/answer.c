/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/answer.h"

#include "resolver/answer_parts.h"

#define ANY_TTL         8482 /* as CoreDNS has it */
#define SOA_NUMBERS_LEN 20   /* serial, refresh, retry, expire, minimum */

struct answer answer_begin(const struct query *q, uint8_t *packet, size_t limit)
{
	struct answer a = {.q = q, .packet = packet};

	a.w = wire_over(packet, limit - edns_len(&q->edns));
	wire_take(&a.w, DNS_HEADER_LEN + q->question_len);
	a.header.id = q->id;
	a.header.flags = DNS_FLAG_QR | DNS_FLAG_RA |
			 (q->flags & (DNS_OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD));
	a.header.qdcount = q->question_len > 0;
	a.owner = DNS_HEADER_LEN;
	a.owner_len = q->qname_len;
	return a;
}

size_t answer_end(struct answer *a)
{
	struct wire start = wire_over(a->packet, DNS_HEADER_LEN);

	if (a->q->edns.present) {
		a->w.size += edns_len(&a->q->edns);
		edns_put(&a->w, &a->q->edns, a->rcode);
		a->header.arcount++;
	}
	a->header.flags |= a->rcode & DNS_RCODE_MASK;
	wire_put_header(&start, &a->header);
	return a->w.pos;
}

bool answer_fits(struct answer *a, size_t n)
{
	if (n <= wire_left(&a->w))
		return true;
	a->header.flags |= DNS_FLAG_TC;
	return false;
}

void answer_put_fixed(struct answer *a, uint16_t type, uint32_t ttl, size_t len)
{
	wire_put_u16(&a->w, answer_pointer(a->owner));
	wire_put_u16(&a->w, type);
	wire_put_u16(&a->w, DNS_CLASS_IN);
	wire_put_u32(&a->w, ttl);
	wire_put_u16(&a->w, (uint16_t)len);
}

/* All the records begin alike, so that beginning is written once and copied. */
size_t answer_put_addresses(struct answer *a, uint16_t type, uint32_t ttl, const uint8_t *addrs,
			    size_t n, size_t first)
{
	size_t len = type == DNS_TYPE_A ? 4 : 16,
	       fit = wire_left(&a->w) / (ANSWER_RR_FIXED_LEN + len);
	const uint8_t *begin = a->w.data + a->w.pos;

	if (fit > n)
		fit = n;
	for (size_t i = 0, at = first; i < fit; i++, at = at + 1 == n ? 0 : at + 1) {
		if (i == 0)
			answer_put_fixed(a, type, ttl, len);
		else
			wire_put_bytes(&a->w, begin, ANSWER_RR_FIXED_LEN);
		wire_put_bytes(&a->w, addrs + at * len, len);
	}
	return fit;
}

/* The addresses of the types asked for, in turns; ANY is for both, and so is SRV. */
static size_t put_record_addresses(struct answer *a, const struct names_record *record,
				   uint32_t turn, size_t *ret_wanted)
{
	size_t n_a = a->q->qtype == DNS_TYPE_AAAA ? 0 : record->n_a;
	size_t n_aaaa = a->q->qtype == DNS_TYPE_A ? 0 : record->n_aaaa;
	size_t fit = 0;

	if (n_a)
		fit += answer_put_addresses(a, DNS_TYPE_A, record->ttl, names_record_a(record), n_a,
					    turn % n_a);
	if (n_aaaa)
		fit += answer_put_addresses(a, DNS_TYPE_AAAA, record->ttl,
					    names_record_aaaa(record), n_aaaa, turn % n_aaaa);
	*ret_wanted = n_a + n_aaaa;
	return fit;
}

/*
 * The SOA of a zone whose name are the last `zone_len` octets of the owner's. MNAME and RNAME hang
 * below it.
 */
static void put_soa(struct answer *a, size_t zone_len, uint32_t ttl)
{
	static const uint8_t mname[] = {2, 'n', 's'};
	static const uint8_t rname[] = {10, 'h', 'o', 's', 't', 'm', 'a', 's', 't', 'e', 'r'};
	const size_t len = sizeof(mname) + 2 + sizeof(rname) + 2 + SOA_NUMBERS_LEN;
	struct wire *w = &a->w;
	uint16_t zone;

	if (!answer_fits(a, ANSWER_RR_FIXED_LEN + len))
		return;
	a->owner += (uint16_t)(a->owner_len - zone_len);
	zone = answer_pointer(a->owner);
	answer_put_fixed(a, DNS_TYPE_SOA, ttl, len);
	wire_put_bytes(w, mname, sizeof(mname));
	wire_put_u16(w, zone);
	wire_put_bytes(w, rname, sizeof(rname));
	wire_put_u16(w, zone);
	wire_put_u32(w, 1);    /* serial: there are no secondaries to compare it */
	wire_put_u32(w, 3600); /* refresh, retry, expire: likewise */
	wire_put_u32(w, 600);
	wire_put_u32(w, 86400);
	wire_put_u32(w, ttl); /* minimum: how long "no such data" may be remembered */
	a->header.nscount = 1;
}

/* The mesh domain, or the name itself where it shadows one elsewhere, is the zone. */
static void put_nodata(struct answer *a, const struct names_record *record)
{
	put_soa(a, record->domain_len ? record->domain_len : a->owner_len, record->ttl);
}

/* A CNAME to `target`, which is the owner from then on. */
static bool put_cname(struct answer *a, uint32_t ttl, const uint8_t *target, size_t len)
{
	if (!answer_fits(a, ANSWER_RR_FIXED_LEN + len))
		return false;
	answer_put_fixed(a, DNS_TYPE_CNAME, ttl, len);
	a->owner = (uint16_t)a->w.pos;
	a->owner_len = (uint8_t)len;
	wire_put_bytes(&a->w, target, len);
	a->header.ancount++;
	return true;
}

/*
 * SRV records of the record's ports, or of those of one service, and the addresses of their target:
 * the owner's name behind `skip` octets. What of the addresses does not fit is just left out.
 */
static void put_services(struct answer *a, const struct names_record *record, size_t skip,
			 const uint8_t *service, uint8_t protocol, uint32_t turn)
{
	uint16_t target = (uint16_t)(a->owner + skip), wanted_len = (uint16_t)(a->owner_len - skip);
	const struct names_port *port = NULL;
	size_t wanted;

	while ((port = names_next_port(record, port))) {
		uint8_t *name;

		if (service && (port->protocol != protocol || port->name_len != service[0] ||
				memcmp(port->name, service + 1, port->name_len) != 0))
			continue;
		/* The target is not compressed, RFC 2782; it is as it was asked. */
		if (!answer_fits(a, ANSWER_RR_FIXED_LEN + 6 + (size_t)wanted_len))
			return;
		answer_put_fixed(a, DNS_TYPE_SRV, record->ttl, 6 + (size_t)wanted_len);
		wire_put_u32(&a->w, 0); /* priority, weight */
		wire_put_bytes(&a->w, port->number, sizeof(port->number));
		name = wire_take(&a->w, wanted_len);
		if (name)
			memcpy(name, a->packet + target, wanted_len);
		a->header.ancount++;
	}
	a->owner = target;
	a->header.arcount = (uint16_t)put_record_addresses(a, record, turn, &wanted);
}

/* The record's own data of the type asked for. */
static void put_data(struct answer *a, const struct names_record *record, uint32_t turn)
{
	size_t fit, wanted = 0;

	switch (a->q->qtype) {
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
	case DNS_TYPE_ANY:
		fit = put_record_addresses(a, record, turn, &wanted);
		a->header.ancount += (uint16_t)fit;
		if (fit < wanted)
			a->header.flags |= DNS_FLAG_TC;
		break;
	case DNS_TYPE_SRV:
		wanted = record->ports_len;
		if (wanted)
			put_services(a, record, 0, NULL, 0, turn);
		break;
	}
	if (wanted == 0)
		put_nodata(a, record);
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

size_t answer_record(const struct query *q, uint8_t *packet, size_t limit,
		     const struct names_snapshot *names, const struct names_record *record,
		     const uint8_t *via, size_t via_len, uint32_t turn)
{
	bool whole = q->qtype == DNS_TYPE_CNAME || q->qtype == DNS_TYPE_ANY;
	struct answer a;

	if (q->qtype == DNS_TYPE_ANY && limit > DNS_UDP_MIN_SIZE)
		limit = DNS_UDP_MIN_SIZE; /* RFC 8482 section 4.1: some of it will do, but little */
	a = answer_begin(q, packet, limit);
	a.header.flags |= DNS_FLAG_AA;
	if (via && (!put_cname(&a, record->ttl, via, via_len) || whole))
		return answer_end(&a);
	for (size_t i = 0; record && record->alias_len; i++) {
		const uint8_t *target = names_record_alias(record);

		if (i == ANSWER_CHAIN_MAX ||
		    !put_cname(&a, record->ttl, target, record->alias_len) || whole)
			return answer_end(&a);
		record = names_match(names, target, record->alias_len);
	}
	if (record)
		put_data(&a, record, turn);
	if (q->qtype == DNS_TYPE_ANY)
		a.header.flags &= (uint16_t)~DNS_FLAG_TC;
	return answer_end(&a);
}

size_t answer_service(const struct query *q, uint8_t *packet, size_t limit,
		      const struct names_record *record, const uint8_t *service, uint8_t protocol,
		      uint32_t turn)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	if (q->qtype == DNS_TYPE_SRV || q->qtype == DNS_TYPE_ANY)
		put_services(&a, record, q->qname_len - record->name_len, service, protocol, turn);
	else
		put_soa(&a, record->domain_len ? record->domain_len : record->name_len,
			record->ttl);
	return answer_end(&a);
}

size_t answer_negative(const struct query *q, uint8_t *packet, size_t limit, enum dns_rcode rcode,
		       size_t zone_len, uint32_t ttl)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	a.rcode = rcode;
	put_soa(&a, zone_len, ttl);
	return answer_end(&a);
}

size_t answer_soa(const struct query *q, uint8_t *packet, size_t limit, uint32_t ttl)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	put_soa(&a, q->qname_len, ttl);
	a.header.ancount = a.header.nscount;
	a.header.nscount = 0;
	return answer_end(&a);
}

size_t answer_ptr(const struct query *q, uint8_t *packet, size_t limit,
		  const struct names_record *record)
{
	struct answer a = answer_begin(q, packet, limit);

	a.header.flags |= DNS_FLAG_AA;
	a.header.ancount = 1;
	answer_put_fixed(&a, DNS_TYPE_PTR, record->ttl, record->name_len);
	wire_put_bytes(&a.w, record->data, record->name_len);
	return answer_end(&a);
}

size_t answer_any(const struct query *q, uint8_t *packet, size_t limit)
{
	static const char cpu[] = "ANY obsoleted", os[] = "See RFC 8482";
	struct answer a = answer_begin(q, packet, limit);

	answer_put_fixed(&a, DNS_TYPE_HINFO, ANY_TTL, sizeof(cpu) + sizeof(os));
	wire_put_u8(&a.w, sizeof(cpu) - 1);
	wire_put_bytes(&a.w, cpu, sizeof(cpu) - 1);
	wire_put_u8(&a.w, sizeof(os) - 1);
	wire_put_bytes(&a.w, os, sizeof(os) - 1);
	a.header.ancount++;
	return answer_end(&a);
}

size_t answer_chaos(const struct query *q, uint8_t *packet, size_t limit, const char *text)
{
	struct answer a = answer_begin(q, packet, limit);
	size_t len = strnlen(text, 255);

	a.header.flags |= DNS_FLAG_AA;
	a.header.ancount = 1;
	wire_put_u16(&a.w, answer_pointer(a.owner));
	wire_put_u16(&a.w, DNS_TYPE_TXT);
	wire_put_u16(&a.w, DNS_CLASS_CH);
	wire_put_u32(&a.w, 0);
	wire_put_u16(&a.w, (uint16_t)(len + 1));
	wire_put_u8(&a.w, (uint8_t)len);
	wire_put_bytes(&a.w, text, len);
	return answer_end(&a);
}
