/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a message: the one function between the sockets and the table. It is pure: bytes
 * in, bytes out, no socket, no clock; the transports, the unit tests and the fuzzer call it alike.
 */
#ifndef MESHDNS_RESOLVER_RESOLVE_H
#define MESHDNS_RESOLVER_RESOLVE_H

#include "resolver/names.h"
#include "resolver/query.h"

enum resolve_transport { RESOLVE_UDP, RESOLVE_TCP };

enum resolve_action {
	RESOLVE_DROP,    /* say nothing */
	RESOLVE_REPLY,   /* the packet is the answer now */
	RESOLVE_FORWARD, /* ask an upstream; the packet is untouched, unless rewritten */
	/*
	 * Likewise, but the name is one of ours that shadows one elsewhere: if the upstream says
	 * NXDOMAIN, it is NOERROR without data, for the name exists.
	 */
	RESOLVE_FORWARD_SHADOWED,
};

#define RESOLVE_DOMAINS_MAX 16

/* Domains in lower-cased wire form. */
struct resolve_domains {
	size_t n;
	struct {
		uint8_t len, name[DNS_NAME_MAX];
	} domain[RESOLVE_DOMAINS_MAX];
};

/* False: it is no domain, or there are too many. */
bool resolve_domains_add(struct resolve_domains *domains, const char *text, size_t len);

struct block;
struct chain;
struct service_listen;
struct service_place;

struct resolve_context {
	const struct service_listen *listen; /* what is served where the message came in */
	const struct service_place *place;   /* set: whose the question is; NULL: nobody's */
	const struct block *block;           /* likewise */
	struct chain *chain;                 /* for blocks that have steps; NULL: there are none */
	const struct names_snapshot *names;
	const char *version; /* the answer to version.bind */
	const char *server_id;
	uint16_t tcp_idle_ds; /* told to TCP clients that ask, RFC 7828; 0: they are not told */
	uint32_t turn; /* moves on with each answer, so that addresses take turns in being first */
};

/* Whose turn it is to be first, modulo how many there are. */
uint32_t resolve_turn(struct resolve_context *context);

/* The buffer behind `packet` must hold this much, whatever `len`. */
#define RESOLVE_UDP_BUFFER EDNS_UDP_LIMIT
#define RESOLVE_TCP_BUFFER DNS_MESSAGE_MAX

/*
 * Decides about the `len` bytes in `packet` and writes the answer over them if it is ours to give;
 * *ret_len is then its length. `ret_query` is filled as query_parse() does. What a block rewrites
 * (chain.h) is what is forwarded: `packet`, `ret_query` and *ret_len say it then.
 */
enum resolve_action resolve_message(struct resolve_context *context, uint8_t *packet, size_t len,
				    enum resolve_transport transport, struct query *ret_query,
				    size_t *ret_len);

#endif
