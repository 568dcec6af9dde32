/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/outbound.h"

#define PASSED_FLAGS (DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD)

static void put_opt(struct wire *w, const struct edns *edns)
{
	struct wire in = wire_over(edns->options, edns->options_len), length;

	edns_put(w, edns, DNS_RCODE_NOERROR);
	length = *w;
	while (wire_left(&in) > 0) {
		uint16_t code = wire_get_u16(&in), len = wire_get_u16(&in);
		const uint8_t *data = wire_take(&in, len);

		if (edns_is_hop_by_hop(code))
			continue;
		wire_put_u16(w, code);
		wire_put_u16(w, len);
		wire_put_bytes(w, data, len);
	}
	if (w->failed)
		return;
	length.size = length.pos;
	length.pos -= 2;
	wire_put_u16(&length, (uint16_t)(w->pos - length.size));
}

bool outbound_write(const struct query *query, const uint8_t *packet, uint8_t *out, size_t room,
		    struct outbound *ret_outbound)
{
	struct wire w = wire_over(out, room);
	struct wire_header h = {
		.flags = query->flags & PASSED_FLAGS,
		.qdcount = 1,
		.arcount = query->edns.present,
	};

	wire_put_header(&w, &h);
	wire_put_bytes(&w, packet + DNS_HEADER_LEN, query->question_len);
	ret_outbound->packet = out;
	ret_outbound->plain_len = (uint16_t)w.pos;
	if (query->edns.present)
		put_opt(&w, &query->edns);
	ret_outbound->len = (uint16_t)w.pos;
	return !w.failed;
}

bool outbound_equal(const struct outbound *a, const struct outbound *b, size_t qname_len)
{
	size_t name_end = DNS_HEADER_LEN + qname_len;

	/* Names of the same octets end at the same place: the root label is part of them. */
	return a->len == b->len && a->plain_len == b->plain_len &&
	       !memcmp(a->packet + 2, b->packet + 2, DNS_HEADER_LEN - 2) &&
	       wire_name_equal(a->packet + DNS_HEADER_LEN, b->packet + DNS_HEADER_LEN, qname_len) &&
	       !memcmp(a->packet + name_end, b->packet + name_end, a->len - name_end);
}
