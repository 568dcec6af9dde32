/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A received message, parsed once.
 *
 * query_parse() applies the rejections of the RFCs in their order and says what is to be done with
 * the message. After QUERY_OURS everything in struct query is valid, and the packet's first
 * DNS_HEADER_LEN + question_len bytes are header and question: the rest of the resolver relies on
 * that and looks at the packet no more.
 */
#ifndef MESHDNS_RESOLVER_QUERY_H
#define MESHDNS_RESOLVER_QUERY_H

#include "resolver/edns.h"
#include "resolver/wire.h"

enum query_verdict {
	QUERY_DROP, /* shorter than a header, or a response: answering could make two servers loop
		     */
	QUERY_FORMERR, /* not a message as RFC 1035 has it */
	QUERY_NOTIMP,  /* an opcode that is neither ours nor anybody's upstream */
	QUERY_BADVERS, /* an EDNS version that does not exist yet, RFC 6891 section 6.1.3 */
	QUERY_REFUSED, /* a class or a kind of transfer that is not served here */
	QUERY_CHAOS,   /* class CH: a question about this server */
	QUERY_OURS,    /* an ordinary question, to be looked up */
	QUERY_FORWARD, /* a conversation that is not meant for us: UPDATE, NOTIFY, signed messages
			*/
};

#define QUERY_NOBODYS UINT16_MAX

struct query {
	uint16_t id, flags;
	uint16_t qtype, qclass;
	uint16_t question_len; /* qname, qtype and qclass; 0: there is none that may be echoed */
	uint8_t qname_len;     /* of an UPDATE or a NOTIFY: its zone's, 0 when it has none */
	uint16_t block;        /* the number of whose it is (service.h), or QUERY_NOBODYS */
	uint16_t page;         /* where it is counted (stats_book.h) */
	bool verbatim;         /* QUERY_FORWARD: not an octet may change but the ID */
	struct edns edns;
	uint8_t qname[DNS_NAME_MAX]; /* lower-cased */
};

enum query_verdict query_parse(uint8_t *packet, size_t len, struct query *ret_query);

/* The most that may be sent back over UDP: what the client said it takes, between 512 and 4096. */
size_t query_udp_limit(const struct query *query);

#endif
