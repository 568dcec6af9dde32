/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message of a client, as it goes upstream: it is a question again, with the same name in the
 * same case, with an OPT exactly if the client had one, and in that nothing that is hop by hop. To
 * make it takes no more room than forward.c gives it, and it is the same question as itself only.
 */
#include <stdlib.h>

#include "resolver/outbound.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_options(const struct edns *out, const struct edns *in)
{
	struct wire w = wire_over(out->options, out->options_len);

	must(out->present == in->present && out->dnssec_ok == in->dnssec_ok);
	must(!in->present || (out->version == 0 && out->udp_size == EDNS_UDP_SIZE));
	must(out->options_len <= in->options_len);
	while (wire_left(&w) > 0) {
		must(!edns_is_hop_by_hop(wire_get_u16(&w)));
		wire_take(&w, wire_get_u16(&w));
	}
	must(!w.failed);
}

static void check(const struct query *query, const uint8_t *packet, struct outbound *out)
{
	struct query again, plain;

	must(query_parse(out->packet, out->len, &again) == QUERY_OURS);
	must(again.id == 0 && again.question_len == query->question_len);
	must(!memcmp(out->packet + DNS_HEADER_LEN, packet + DNS_HEADER_LEN, query->question_len));
	must(!(again.flags & ~(DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD)));
	check_options(&again.edns, &query->edns);
	must(outbound_equal(out, out, query->qname_len));

	/* As a server is asked that does not know EDNS: see prepare() in attempt.c. */
	must(out->plain_len == DNS_HEADER_LEN + query->question_len);
	out->packet[DNS_HEADER_LEN - 1] = 0;
	must(query_parse(out->packet, out->plain_len, &plain) == QUERY_OURS && !plain.edns.present);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet = malloc(size + 1), *to = malloc(size + EDNS_OPT_LEN + 1);
	struct outbound out, cut;
	struct query query;

	must(packet && to);
	if (size > 0)
		memcpy(packet, data, size);
	if (query_parse(packet, size, &query) == QUERY_OURS) {
		must(outbound_write(&query, packet, to, size + EDNS_OPT_LEN, &out));
		must(!outbound_write(&query, packet, to, out.len - 1u, &cut));
		must(outbound_write(&query, packet, to, out.len, &out));
		check(&query, packet, &out);
	}
	free(to);
	free(packet);
	return 0;
}
