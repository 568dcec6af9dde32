/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/edns.h"

#define TTL_VERSION(ttl) ((uint8_t)((ttl) >> 16))
#define TTL_DO           0x8000u
#define OPTION_KEEPALIVE 11
#define OPTION_PADDING   12
#define OPTION_ERROR     15
#define OPTION_HEAD_LEN  4 /* code, length */

bool edns_parse(const struct wire_rr *rr, struct edns *ret_edns)
{
	struct wire options = wire_over(rr->rdata, rr->rdlength);
	bool asks_keepalive = false;

	if (!rr->owner_is_root)
		return false;
	while (wire_left(&options) > 0 && !options.failed) {
		asks_keepalive |= wire_get_u16(&options) == OPTION_KEEPALIVE;
		wire_take(&options, wire_get_u16(&options));
	}
	*ret_edns = (struct edns){
		.present = true,
		.dnssec_ok = rr->ttl & TTL_DO,
		.asks_keepalive = asks_keepalive,
		.version = TTL_VERSION(rr->ttl),
		.udp_size = rr->class,
		.options_len = rr->rdlength,
		.options = rr->rdata,
	};
	return !options.failed;
}

static size_t options_len(const struct edns *query)
{
	return (query->keepalive_ds ? EDNS_KEEPALIVE_LEN : 0) +
	       (query->has_error ? OPTION_HEAD_LEN + 2u + query->error_len : 0);
}

size_t edns_len(const struct edns *query)
{
	return query->present ? EDNS_OPT_LEN + options_len(query) : 0;
}

bool edns_is_hop_by_hop(uint16_t code)
{
	return code == 10 || code == 11 || code == 12; /* RFC 7873, 7828, 7830 */
}

size_t edns_padding(size_t len)
{
	size_t padding = OPTION_HEAD_LEN + -(len + OPTION_HEAD_LEN) % EDNS_BLOCK;

	return len + padding <= DNS_MESSAGE_MAX ? padding : 0;
}

void edns_pad(struct wire *w, size_t opt_at, size_t padding)
{
	static const uint8_t zeros[EDNS_BLOCK];
	struct wire length = *w;
	uint16_t options;

	wire_put_u16(w, OPTION_PADDING);
	wire_put_u16(w, (uint16_t)(padding - OPTION_HEAD_LEN));
	wire_put_bytes(w, zeros, padding - OPTION_HEAD_LEN);
	length.pos = opt_at + EDNS_OPT_LEN - 2;
	options = wire_get_u16(&length);
	length.pos -= 2;
	wire_put_u16(&length, (uint16_t)(options + padding));
}

void edns_put_keepalive(struct wire *w, const struct edns *query)
{
	if (!query->keepalive_ds)
		return;
	wire_put_u16(w, OPTION_KEEPALIVE);
	wire_put_u16(w, 2);
	wire_put_u16(w, query->keepalive_ds);
}

void edns_put(struct wire *w, const struct edns *query, enum dns_rcode rcode)
{
	wire_put_u8(w, 0);
	wire_put_u16(w, DNS_TYPE_OPT);
	wire_put_u16(w, EDNS_UDP_SIZE);
	wire_put_u32(w, (uint32_t)(rcode >> 4) << 24 | (query->dnssec_ok ? TTL_DO : 0));
	wire_put_u16(w, (uint16_t)options_len(query));
	edns_put_keepalive(w, query);
	if (query->has_error) {
		wire_put_u16(w, OPTION_ERROR);
		wire_put_u16(w, (uint16_t)(2 + query->error_len));
		wire_put_u16(w, query->error);
		wire_put_bytes(w, query->error_text, query->error_len);
	}
}
