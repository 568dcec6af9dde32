/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/edns.h"

#define TTL_VERSION(ttl) ((uint8_t)((ttl) >> 16))
#define TTL_DO           0x8000u

bool edns_parse(const struct wire_rr *rr, struct edns *ret_edns)
{
	struct wire options = wire_over(rr->rdata, rr->rdlength);

	if (!rr->owner_is_root)
		return false;
	while (wire_left(&options) > 0 && !options.failed) {
		wire_get_u16(&options); /* code */
		wire_take(&options, wire_get_u16(&options));
	}
	*ret_edns = (struct edns){
		.present = true,
		.dnssec_ok = rr->ttl & TTL_DO,
		.version = TTL_VERSION(rr->ttl),
		.udp_size = rr->class,
	};
	return !options.failed;
}

void edns_put(struct wire *w, const struct edns *query, enum dns_rcode rcode)
{
	wire_put_u8(w, 0);
	wire_put_u16(w, DNS_TYPE_OPT);
	wire_put_u16(w, EDNS_UDP_SIZE);
	wire_put_u32(w, (uint32_t)(rcode >> 4) << 24 | (query->dnssec_ok ? TTL_DO : 0));
	wire_put_u16(w, 0);
}
