/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/follow.h"

#include "resolver/rebuild.h"

bool follow_ask(struct query *query, uint8_t *packet, size_t target, size_t *len)
{
	struct wire_header h = {
		.id = query->id,
		.flags = query->flags & (DNS_FLAG_RD | DNS_FLAG_CD | DNS_FLAG_AD),
		.qdcount = 1,
	};
	struct edns edns = query->edns;
	uint16_t block = query->block, page = query->page, qtype = query->qtype,
		 qclass = query->qclass;
	struct wire w = wire_over(packet, *len);
	uint8_t name[DNS_NAME_MAX];
	size_t name_len;

	w.pos = target;
	if (target > *len || !(name_len = wire_get_name(&w, name)))
		return false;
	w = wire_over(packet, (size_t)DNS_HEADER_LEN + name_len + 4);
	wire_put_header(&w, &h);
	wire_put_bytes(&w, name, name_len);
	wire_put_u16(&w, qtype);
	wire_put_u16(&w, qclass);
	if (query_parse(packet, w.pos, query) != QUERY_OURS)
		return false;
	edns.options_len = 0; /* they were in the packet */
	query->edns = edns;
	query->block = block;
	query->page = page;
	*len = w.pos;
	return true;
}

/* All records of the answer section. False: one is not whole; r->out.failed when there is no room.
 */
static bool copy_answers(struct rebuild *r, uint8_t *message, size_t len, uint16_t *count)
{
	struct wire in = wire_over(message, len);
	struct wire_header h;

	wire_get_header(&in, &h);
	for (uint16_t i = 0; i < h.qdcount; i++) {
		wire_skip_name(&in);
		wire_take(&in, 4);
	}
	for (uint16_t i = 0; i < h.ancount && !in.failed; i++) {
		size_t end = r->out.pos;

		if (!rebuild_copy(r, &in)) {
			r->out.pos = end;
			return false;
		}
		(*count)++;
	}
	return !in.failed;
}

size_t follow_append(uint8_t *first, size_t first_len, uint8_t *answer, size_t len,
		     const struct edns *edns, uint8_t *out, size_t limit)
{
	struct wire in = wire_over(first, first_len), head = wire_over(out, limit);
	struct wire_header h;
	struct rebuild r;
	size_t name_len;
	uint16_t count = 0;
	uint8_t name[DNS_NAME_MAX];

	wire_get_header(&in, &h);
	name_len = wire_get_name(&in, name);
	if (!name_len)
		return 0;
	rebuild_begin(&r, wire_over(out, limit - edns_len(edns)), first + DNS_HEADER_LEN,
		      name_len + 4, name_len);
	if ((!copy_answers(&r, first, first_len, &count) ||
	     !copy_answers(&r, answer, len, &count)) &&
	    !r.out.failed)
		return 0;
	if (r.out.failed)
		h.flags |= DNS_FLAG_TC;
	r.out.failed = false;
	r.out.size = limit;
	h.qdcount = 1;
	h.ancount = count;
	h.nscount = 0;
	h.arcount = edns->present;
	if (edns->present)
		edns_put(&r.out, edns, DNS_RCODE_NOERROR);
	wire_put_header(&head, &h);
	return r.out.pos;
}
