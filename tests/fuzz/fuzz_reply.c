/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any reply of an upstream to a fixed question. What is relayed must be the client's: its ID, its
 * question in its case, and records to the last octet.
 */
#include <stdlib.h>

#include "resolver/reply.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_restored(uint8_t *reply, size_t len, const uint8_t *asked, size_t asked_len)
{
	struct wire w = wire_over(reply, len);
	struct wire_header h;
	struct wire_rr rr;

	wire_get_header(&w, &h);
	must(h.id == 0x1234 && h.qdcount == 1);
	must(!memcmp(wire_take(&w, asked_len - DNS_HEADER_LEN), asked + DNS_HEADER_LEN,
		     asked_len - DNS_HEADER_LEN));
	for (int n = h.ancount + h.nscount + h.arcount; n > 0; n--)
		must(wire_get_rr(&w, &rr));
	must(wire_left(&w) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The literal's own NUL would be one octet too many. */
	static const uint8_t asked[33] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
					 "\3wWw\7example\3com\0\0\1\0\1";
	enum dns_rcode rcode;
	struct query query;
	uint8_t *reply;

	must(query_parse((uint8_t *)asked, sizeof(asked), &query) == QUERY_OURS);
	reply = malloc(size + 1 + REPLY_GROWTH);
	must(reply);
	memcpy(reply, data, size);
	if (reply_check(&query, asked, 0xabcd, false, reply, size, &rcode) == REPLY_WHOLE) {
		size = reply_cleanse(&query, reply, size);
		reply_restore(&query, asked + DNS_HEADER_LEN, true, reply, size);
		must(rcode != DNS_RCODE_NXDOMAIN || !(reply[3] & DNS_RCODE_MASK));
		check_restored(reply, size, asked, sizeof(asked));
		if (size > DNS_UDP_MIN_SIZE) {
			size = reply_truncate(&query, reply, size, DNS_UDP_MIN_SIZE);
			must(size <= DNS_UDP_MIN_SIZE);
			check_restored(reply, size, asked, sizeof(asked));
		}
	}
	free(reply);
	return 0;
}
