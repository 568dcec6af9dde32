/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDNS(0), RFC 6891: the OPT record in and out. Options are checked for form; of them only
 * edns-tcp-keepalive (RFC 7828) is used.
 */
#ifndef MESHDNS_RESOLVER_EDNS_H
#define MESHDNS_RESOLVER_EDNS_H

#include "resolver/wire.h"

#define EDNS_UDP_SIZE      1232 /* what we offer: fits any path unfragmented, RFC 9715 section 3 */
#define EDNS_UDP_LIMIT     4096 /* the most we send over UDP, whatever the client offers */
#define EDNS_OPT_LEN       11   /* our OPT: root, type, size, TTL, no options */
#define EDNS_KEEPALIVE_LEN 6    /* its option: code, length, timeout */
#define EDNS_BLOCK         128  /* over TLS a question's length is a multiple of it */

struct edns {
	bool present;
	bool dnssec_ok; /* DO, RFC 3225: echoed */
	uint8_t version;
	bool asks_keepalive; /* the client would like to know for how long it may be idle */
	uint16_t udp_size;
	uint16_t keepalive_ds; /* what it is told: tenths of a second, 0: nothing, as over UDP */
	bool has_error;        /* what it is told, too: an extended error, RFC 8914 */
	uint8_t error_len;
	uint16_t error;
	const char *error_text;
	uint16_t options_len;
	uint8_t *options; /* inside the message that was parsed */
};

/* Reads an OPT record; false when its owner is not the root or an option runs past its end. */
bool edns_parse(const struct wire_rr *rr, struct edns *ret_edns);

/* How much edns_put() will append. */
size_t edns_len(const struct edns *query);

/*
 * Padding of a message of `len` octets that ends in an OPT, RFC 7830: how many octets, option and
 * all, make it a multiple of EDNS_BLOCK (RFC 8467 section 4.1), 0 where there is no room; and the
 * option, written behind the OPT, which begins at `opt_at`.
 */
size_t edns_padding(size_t len);
void edns_pad(struct wire *w, size_t opt_at, size_t padding);

/* Options that concern one connection and are never relayed: COOKIE, keepalive, padding. */
bool edns_is_hop_by_hop(uint16_t code);

/* Appends the keepalive option, if the client is to be told; the OPT's length is the caller's. */
void edns_put_keepalive(struct wire *w, const struct edns *query);

/* Appends our OPT in answer to a query that had one; `rcode` gives its upper eight bits. */
void edns_put(struct wire *w, const struct edns *query, enum dns_rcode rcode);

#endif
