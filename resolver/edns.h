/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EDNS(0), RFC 6891: the OPT record in and out. Options are checked for form, not used. */
#ifndef MESHDNS_RESOLVER_EDNS_H
#define MESHDNS_RESOLVER_EDNS_H

#include "resolver/wire.h"

#define EDNS_UDP_SIZE  1232 /* what we offer: fits any path unfragmented, RFC 9715 section 3 */
#define EDNS_UDP_LIMIT 4096 /* the most we send over UDP, whatever the client offers */
#define EDNS_OPT_LEN   11   /* our OPT: root, type, size, TTL, no options */

struct edns {
	bool present;
	bool dnssec_ok; /* DO, RFC 3225: echoed */
	uint8_t version;
	uint16_t udp_size;
};

/* Reads an OPT record; false when its owner is not the root or an option runs past its end. */
bool edns_parse(const struct wire_rr *rr, struct edns *ret_edns);

/* Appends our OPT in answer to a query that had one; `rcode` gives its upper eight bits. */
void edns_put(struct wire *w, const struct edns *query, enum dns_rcode rcode);

#endif
