/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/resolve.h"

#include "resolver/answer.h"
#include "resolver/reverse.h"

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
static uint32_t next_turn(struct resolve_context *context)
{
	context->turn = context->turn * 1664525u + 1013904223u;
	return context->turn >> 16;
}

static enum resolve_action resolve_ours(struct resolve_context *context, const struct query *q,
					uint8_t *packet, size_t limit, size_t *ret_len)
{
	const struct names_record *record = names_find(context->names, q->qname, q->qname_len);
	struct addr vip;

	if (!record) {
		if (q->qtype != DNS_TYPE_PTR || !reverse_parse(q->qname, q->qname_len, &vip) ||
		    !(record = names_find_addr(context->names, &vip)))
			return RESOLVE_FORWARD;
		*ret_len = answer_ptr(q, packet, limit, record);
		return RESOLVE_REPLY;
	}
	if (q->qtype == DNS_TYPE_A || q->qtype == DNS_TYPE_AAAA || q->qtype == DNS_TYPE_ANY) {
		*ret_len = answer_addresses(q, packet, limit, record, next_turn(context));
		return RESOLVE_REPLY;
	}
	if (record->domain_len || leads_elsewhere(q->qtype)) {
		*ret_len = answer_nodata(q, packet, limit, record);
		return RESOLVE_REPLY;
	}
	return RESOLVE_FORWARD_SHADOWED;
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
	limit = transport == RESOLVE_TCP ? DNS_MESSAGE_MAX : query_udp_limit(ret_query);
	if (transport == RESOLVE_TCP && ret_query->edns.asks_keepalive)
		ret_query->edns.keepalive_ds = context->tcp_idle_ds;
	switch (verdict) {
	case QUERY_DROP: return RESOLVE_DROP;
	case QUERY_FORWARD: return RESOLVE_FORWARD;
	case QUERY_OURS: return resolve_ours(context, ret_query, packet, limit, ret_len);
	case QUERY_CHAOS:
		*ret_len = resolve_chaos(context, ret_query, packet, limit);
		return RESOLVE_REPLY;
	case QUERY_FORMERR: rcode = DNS_RCODE_FORMERR; break;
	case QUERY_NOTIMP: rcode = DNS_RCODE_NOTIMP; break;
	case QUERY_REFUSED: rcode = DNS_RCODE_REFUSED; break;
	case QUERY_BADVERS: rcode = DNS_RCODE_BADVERS; break;
	}
	*ret_len = answer_error(ret_query, packet, limit, rcode);
	return RESOLVE_REPLY;
}
