/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/resolve.h"

#include "resolver/answer.h"
#include "resolver/chain.h"
#include "resolver/reverse.h"
#include "resolver/service.h"

static bool is_name(const struct query *q, const char *wire, size_t len)
{
	return q->qname_len == len && !memcmp(q->qname, wire, len);
}

/* RFC 4892: who answers here. Nothing else exists in class CH. */
static size_t resolve_chaos(const struct resolve_context *context, const struct query *q,
			    uint8_t *packet, size_t limit)
{
	static const char version_bind[] = "\7version\4bind";
	static const char id_server[] = "\2id\6server";

	if (q->qtype == DNS_TYPE_TXT || q->qtype == DNS_TYPE_ANY) {
		if (is_name(q, version_bind, sizeof(version_bind)))
			return answer_chaos(q, packet, limit, context->version);
		if (is_name(q, id_server, sizeof(id_server)))
			return answer_chaos(q, packet, limit, context->server_id);
	}
	return answer_error(q, packet, limit, DNS_RCODE_REFUSED);
}

/*
 * Types that are ours to deny where the name shadows one elsewhere: the real ones would lead a
 * client past the mesh, by an address hint (HTTPS, SVCB) or by another name.
 */
static bool leads_elsewhere(uint16_t qtype)
{
	switch (qtype) {
	case DNS_TYPE_HTTPS:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_SRV:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR: return true;
	default: return false;
	}
}

/*
 * Counting would not do: who asks for A and AAAA in turn would see every other address only. A
 * linear congruential generator's upper bits have no such rhythm.
 */
uint32_t resolve_turn(struct resolve_context *context)
{
	context->turn = context->turn * 1664525u + 1013904223u;
	return context->turn >> 16;
}

bool resolve_domains_add(struct resolve_domains *domains, const char *text, size_t len)
{
	size_t wire_len;

	if (domains->n == RESOLVE_DOMAINS_MAX ||
	    !(wire_len = wire_name_from_text(text, len, domains->domain[domains->n].name)))
		return false;
	domains->domain[domains->n++].len = (uint8_t)wire_len;
	return true;
}

/* An answer in the making: what all the steps below need. */
struct step {
	struct resolve_context *context;
	const struct query *q;
	uint8_t *packet;
	size_t limit;
	size_t *ret_len;
};

static enum resolve_action reply_record(const struct step *s, const struct names_record *record,
					const uint8_t *via, size_t via_len)
{
	*s->ret_len = answer_record(s->q, s->packet, s->limit, s->context->names, record, via,
				    via_len, resolve_turn(s->context));
	return RESOLVE_REPLY;
}

/* The name is in the table, or covered by a wildcard of it. */
static enum resolve_action resolve_record(const struct step *s, const struct names_record *record)
{
	uint16_t qtype = s->q->qtype;

	if (qtype == DNS_TYPE_A || qtype == DNS_TYPE_AAAA || qtype == DNS_TYPE_ANY ||
	    record->domain_len || record->alias_len || leads_elsewhere(qtype))
		return reply_record(s, record, NULL, 0);
	return RESOLVE_FORWARD_SHADOWED;
}

/* `_http._tcp.redis.mesh`, RFC 2782: exists if redis.mesh has such a port. */
static bool resolve_service(const struct step *s)
{
	const uint8_t *name = s->q->qname, *proto = name + name[0] + 1;
	uint8_t service[DNS_LABEL_MAX], protocol;
	const struct names_record *record;
	const struct names_port *port = NULL;
	size_t skip;

	if (name[0] < 2 || name[1] != '_' || proto[0] != 4 || proto[1] != '_')
		return false;
	if (memcmp(proto + 2, "tcp", 3) != 0 && memcmp(proto + 2, "udp", 3) != 0)
		return false;
	protocol = proto[2] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	service[0] = name[0] - 1;
	memcpy(service + 1, name + 2, service[0]);
	skip = name[0] + 1u + 5;
	record = names_find(s->context->names, name + skip, s->q->qname_len - skip);
	while (record && (port = names_next_port(record, port))) {
		if (port->protocol != protocol || port->name_len != service[0] ||
		    memcmp(port->name, service + 1, service[0]) != 0)
			continue;
		*s->ret_len = answer_service(s->q, s->packet, s->limit, record, service, protocol,
					     resolve_turn(s->context));
		return true;
	}
	return false;
}

/* The question's name without a domain that the client's search list has put behind it. */
static bool resolve_searched(const struct step *s)
{
	const struct resolve_domains *search = s->context->block->search;

	for (size_t i = 0; search && i < search->n; i++) {
		const uint8_t *domain = search->domain[i].name;
		size_t rest = s->q->qname_len - search->domain[i].len;
		uint8_t name[DNS_NAME_MAX];
		const struct names_record *record;

		if (s->q->qname_len <= search->domain[i].len ||
		    !names_is_under(s->q->qname, s->q->qname_len, domain, search->domain[i].len))
			continue;
		memcpy(name, s->q->qname, rest);
		name[rest] = 0;
		record = names_match(s->context->names, name, rest + 1);
		if (record && names_has_data(record)) {
			reply_record(s, record, name, rest + 1);
			return true;
		}
	}
	return false;
}

/* The innermost authoritative zone that the name lies in, as a length; 0: none. */
static size_t find_zone(const struct step *s)
{
	const struct resolve_domains *zones = s->context->block->authoritative;
	size_t len = 0;

	for (size_t i = 0; zones && i < zones->n; i++) {
		if (zones->domain[i].len > len &&
		    names_is_under(s->q->qname, s->q->qname_len, zones->domain[i].name,
				   zones->domain[i].len))
			len = zones->domain[i].len;
	}
	return len;
}

/*
 * What is not in the table, but in a zone that is the table's alone: no such name, RFC 8020. As
 * long as the table is not all there nobody can say that, and a client would remember it.
 */
static void resolve_missing(const struct step *s, size_t zone_len, bool exists)
{
	uint32_t ttl = names_negative_ttl(s->context->names);
	bool is_apex = zone_len == s->q->qname_len;

	if (is_apex && s->q->qtype == DNS_TYPE_SOA)
		*s->ret_len = answer_soa(s->q, s->packet, s->limit, ttl);
	else if (names_is_partial(s->context->names))
		*s->ret_len = answer_error(s->q, s->packet, s->limit, DNS_RCODE_SERVFAIL);
	else
		*s->ret_len = answer_negative(
			s->q, s->packet, s->limit,
			exists || is_apex || reverse_is_partial(s->q->qname, s->q->qname_len)
				? DNS_RCODE_NOERROR
				: DNS_RCODE_NXDOMAIN,
			zone_len, ttl);
}

static enum resolve_action resolve_table(const struct step *s)
{
	const struct names_snapshot *names = s->context->names;
	const struct query *q = s->q;
	const struct names_record *record = names_match(names, q->qname, q->qname_len);
	struct addr vip;
	size_t zone_len;

	if (record && names_has_data(record))
		return resolve_record(s, record);
	if (reverse_parse(q->qname, q->qname_len, &vip)) {
		const struct names_record *holder = names_find_addr(names, &vip);

		if (holder && q->qtype == DNS_TYPE_PTR) {
			*s->ret_len = answer_ptr(q, s->packet, s->limit, holder);
			return RESOLVE_REPLY;
		}
		record = holder; /* so the name exists */
	}
	if (resolve_service(s) || resolve_searched(s))
		return RESOLVE_REPLY;
	if ((zone_len = find_zone(s))) {
		resolve_missing(s, zone_len, record);
		return RESOLVE_REPLY;
	}
	/* Without names below it a wildcard would answer; as it is, there is nothing to say. */
	if (record && names_is_covered(names, q->qname, q->qname_len)) {
		*s->ret_len = answer_negative(q, s->packet, s->limit, DNS_RCODE_NOERROR,
					      q->qname_len, names_negative_ttl(names));
		return RESOLVE_REPLY;
	}
	return RESOLVE_FORWARD;
}

/* The question's block gets its say; false: nothing is served of the name here. */
static bool enter_block(struct resolve_context *context, struct query *q)
{
	const struct service_listen *listen = context->listen;

	context->place = listen->is_root
				 ? listen->places
				 : service_find_place(listen, q->qname, q->qname_len, q->qtype);
	context->block = context->place ? context->place->block : NULL;
	if (!context->block)
		return false;
	q->block = context->block->number;
	q->page = context->place->page;
	return true;
}

static enum resolve_action resolve_ours(struct resolve_context *context, struct query *q,
					uint8_t *packet, size_t size, size_t limit, size_t *ret_len)
{
	const struct block *block = context->block;

	if (block->has_steps && chain_run(context->chain, context->place, q, packet, ret_len, size,
					  limit) == RESOLVE_REPLY)
		return RESOLVE_REPLY;
	if (service_asks_table(block, q->qname, q->qname_len))
		return resolve_table(&(struct step){context, q, packet, limit, ret_len});
	return RESOLVE_FORWARD;
}

/* A key to speak to a mesh name's server with, who is us. */
static bool is_key_of_ours(const struct resolve_context *context, const struct query *q)
{
	return q->qtype == DNS_TYPE_TKEY &&
	       service_asks_table(context->block, q->qname, q->qname_len) &&
	       names_match(context->names, q->qname, q->qname_len);
}

/* The client takes so much over UDP, but the block may have it less. */
static void hold_size(const struct block *block, struct query *q, size_t *limit)
{
	if (!block->udp_max || q->edns.udp_size <= block->udp_max)
		return;
	q->edns.udp_size = block->udp_max;
	if (*limit != DNS_MESSAGE_MAX)
		*limit = query_udp_limit(q);
}

enum resolve_action resolve_message(struct resolve_context *context, uint8_t *packet, size_t len,
				    enum resolve_transport transport, struct query *ret_query,
				    size_t *ret_len)
{
	enum query_verdict verdict = query_parse(packet, len, ret_query);
	enum dns_rcode rcode = DNS_RCODE_NOERROR;
	size_t limit;

	if (verdict == QUERY_DROP)
		return RESOLVE_DROP;
	ret_query->page = context->listen->dropped;
	limit = transport == RESOLVE_TCP ? DNS_MESSAGE_MAX : query_udp_limit(ret_query);
	if (transport == RESOLVE_TCP && ret_query->edns.asks_keepalive)
		ret_query->edns.keepalive_ds = context->tcp_idle_ds;
	switch (verdict) {
	case QUERY_DROP: return RESOLVE_DROP;
	case QUERY_FORWARD:
	case QUERY_OURS:
		if (!enter_block(context, ret_query)) {
			rcode = DNS_RCODE_REFUSED;
			break;
		}
		if (verdict == QUERY_FORWARD && is_key_of_ours(context, ret_query)) {
			rcode = DNS_RCODE_REFUSED;
			break;
		}
		if (verdict == QUERY_FORWARD)
			return RESOLVE_FORWARD;
		hold_size(context->block, ret_query, &limit);
		*ret_len = len;
		return resolve_ours(context, ret_query, packet,
				    transport == RESOLVE_TCP ? RESOLVE_TCP_BUFFER
							     : RESOLVE_UDP_BUFFER,
				    limit, ret_len);
	case QUERY_CHAOS:
		enter_block(context, ret_query); /* only to say whose it is */
		*ret_len = resolve_chaos(context, ret_query, packet, limit);
		return RESOLVE_REPLY;
	case QUERY_FORMERR: rcode = DNS_RCODE_FORMERR; break;
	case QUERY_NOTIMP: rcode = DNS_RCODE_NOTIMP; break;
	case QUERY_REFUSED:
		enter_block(context, ret_query);
		rcode = DNS_RCODE_REFUSED;
		break;
	case QUERY_BADVERS: rcode = DNS_RCODE_BADVERS; break;
	}
	*ret_len = answer_error(ret_query, packet, limit, rcode);
	return RESOLVE_REPLY;
}
