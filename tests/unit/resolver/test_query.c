/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/resolver/packets.h"

Test(query, plain_question)
{
	struct message m;
	struct query q;

	message_question(&m, "ReDiS.mesh", DNS_TYPE_AAAA);
	cr_assert_eq(message_parse(&m, &q), QUERY_OURS);
	cr_expect_eq(q.id, 0x1234);
	cr_expect_eq(q.qtype, DNS_TYPE_AAAA);
	cr_expect_eq(q.qname_len, 12);
	cr_expect_eq(q.question_len, 16);
	cr_expect_arr_eq(q.qname, "\5redis\4mesh", 12);
	cr_expect_not(q.edns.present);
}

Test(query, shorter_than_a_header_is_dropped)
{
	struct message m;
	struct query q;

	message_question(&m, "redis.mesh", DNS_TYPE_A);
	for (size_t len = 0; len < DNS_HEADER_LEN; len++)
		cr_expect_eq(parse_guarded(m.bytes, len, &q), QUERY_DROP);
}

Test(query, every_cut_is_a_formerr)
{
	struct message m;
	struct query q;

	message_init(&m, DNS_FLAG_RD, 1, 0, 0, 1);
	put_question(&m, "redis.mesh", DNS_TYPE_A, DNS_CLASS_IN);
	put_opt(&m, 1232, 0, false);
	cr_assert_eq(message_parse(&m, &q), QUERY_OURS);
	for (size_t len = DNS_HEADER_LEN; len < m.w.pos; len++)
		cr_expect_eq(parse_guarded(m.bytes, len, &q), QUERY_FORMERR, "cut at %zu", len);
}

Test(query, broken_question_is_not_echoed)
{
	struct message m;
	struct query q;

	message_question(&m, "redis.mesh", DNS_TYPE_A);
	cr_expect_eq(parse_guarded(m.bytes, m.w.pos - 1, &q), QUERY_FORMERR);
	cr_expect_eq(q.question_len, 0);
}

static enum query_verdict verdict_of(uint16_t flags, uint16_t type, uint16_t class)
{
	struct message m;
	struct query q;

	message_init(&m, flags, 1, 0, 0, 0);
	put_question(&m, "redis.mesh", type, class);
	return message_parse(&m, &q);
}

Test(query, header_rules)
{
	cr_expect_eq(verdict_of(DNS_FLAG_QR, DNS_TYPE_A, 1), QUERY_DROP);
	cr_expect_eq(verdict_of(1 << 11, DNS_TYPE_A, 1), QUERY_NOTIMP, "IQUERY");
	cr_expect_eq(verdict_of(2 << 11, DNS_TYPE_A, 1), QUERY_NOTIMP, "STATUS");
	cr_expect_eq(verdict_of(4 << 11, DNS_TYPE_SOA, 1), QUERY_FORWARD, "NOTIFY");
	cr_expect_eq(verdict_of(5 << 11, DNS_TYPE_SOA, 1), QUERY_FORWARD, "UPDATE");
	cr_expect_eq(verdict_of(0x07ff, DNS_TYPE_A, 1), QUERY_OURS, "AA TC RA Z AD rcode: ignored");
}

Test(query, classes_and_types)
{
	cr_expect_eq(verdict_of(0, DNS_TYPE_TXT, DNS_CLASS_CH), QUERY_CHAOS);
	cr_expect_eq(verdict_of(0, DNS_TYPE_A, 4), QUERY_REFUSED);
	cr_expect_eq(verdict_of(0, DNS_TYPE_A, 255), QUERY_REFUSED);
	cr_expect_eq(verdict_of(0, DNS_TYPE_AXFR, 1), QUERY_REFUSED);
	for (uint16_t type = DNS_TYPE_MAILB; type <= DNS_TYPE_MAILA; type++)
		cr_expect_eq(verdict_of(0, type, 1), QUERY_REFUSED);
	cr_expect_eq(verdict_of(0, DNS_TYPE_TKEY, 1), QUERY_FORWARD);
	cr_expect_eq(verdict_of(0, 0, 1), QUERY_FORMERR);
	cr_expect_eq(verdict_of(0, DNS_TYPE_OPT, 1), QUERY_FORMERR);
	cr_expect_eq(verdict_of(0, DNS_TYPE_TSIG, 1), QUERY_FORMERR);
	cr_expect_eq(verdict_of(0, 65280, 1), QUERY_OURS,
		     "unknown types are questions like others");
}

Test(query, question_count_must_be_one)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 0, 0, 0, 0);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
	message_init(&m, 0, 2, 0, 0, 0);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_question(&m, "b.mesh", DNS_TYPE_A, 1);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
}

Test(query, records_where_none_belong)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 1, 0, 0);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_rr(&m, "a.mesh", DNS_TYPE_A, 1, 0, "\1\2\3\4", 4);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
	message_init(&m, 0, 1, 0, 1, 0);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_rr(&m, "a.mesh", DNS_TYPE_SOA, 1, 0, "\0\0", 2);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
	message_init(&m, 0, 1, 0, 1, 0);
	put_question(&m, "a.mesh", DNS_TYPE_IXFR, 1);
	put_rr(&m, "a.mesh", DNS_TYPE_SOA, 1, 0, "\0\0", 2);
	cr_expect_eq(message_parse(&m, &q), QUERY_REFUSED, "but an IXFR has a SOA there");
	m.bytes[9] = 2;
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR, "and nothing else");
}

Test(query, octets_after_the_end)
{
	struct message m;
	struct query q;

	message_question(&m, "a.mesh", DNS_TYPE_A);
	wire_put_u8(&m.w, 0);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
	cr_expect_eq(q.question_len, 12, "the question is whole and may be echoed");
}

Test(query, edns)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 1);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_opt(&m, 1400, 0, true);
	cr_assert_eq(message_parse(&m, &q), QUERY_OURS);
	cr_expect(q.edns.present && q.edns.dnssec_ok);
	cr_expect_eq(query_udp_limit(&q), 1400);
	q.edns.udp_size = 100;
	cr_expect_eq(query_udp_limit(&q), 512);
	q.edns.udp_size = 65535;
	cr_expect_eq(query_udp_limit(&q), 4096);
	q.edns.present = false;
	cr_expect_eq(query_udp_limit(&q), 512);
}

Test(query, edns_version_one_is_badvers)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 1);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_opt(&m, 1232, 1, false);
	cr_expect_eq(message_parse(&m, &q), QUERY_BADVERS);
}

Test(query, two_opts_are_a_formerr)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 2);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_opt(&m, 1232, 0, false);
	put_opt(&m, 1232, 0, false);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
	cr_expect_not(q.edns.present, "an OPT in the answer to a broken one would be a guess");
}

static enum query_verdict with_options(const void *options, uint16_t len, const char *owner)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 1);
	put_question(&m, "a.mesh", DNS_TYPE_A, 1);
	put_rr(&m, owner, DNS_TYPE_OPT, 1232, 0, options, len);
	return message_parse(&m, &q);
}

Test(query, edns_options_are_checked_for_form)
{
	cr_expect_eq(with_options("\0\12\0\2ab", 6, ""), QUERY_OURS);
	cr_expect_eq(with_options("\0\12\0\3ab", 6, ""), QUERY_FORMERR);
	cr_expect_eq(with_options("\0\12\0", 3, ""), QUERY_FORMERR);
	cr_expect_eq(with_options("", 0, "a"), QUERY_FORMERR, "an OPT belongs to the root");
}

Test(query, signed_messages_are_passed_on)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 2);
	put_question(&m, "redis.mesh", DNS_TYPE_A, 1);
	put_opt(&m, 1232, 0, false);
	put_rr(&m, "key", DNS_TYPE_TSIG, 255, 0, "\0\0", 2);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORWARD);
	message_init(&m, 0, 1, 0, 0, 2);
	put_question(&m, "redis.mesh", DNS_TYPE_A, 1);
	put_rr(&m, "key", DNS_TYPE_TSIG, 255, 0, "\0\0", 2);
	put_opt(&m, 1232, 0, false);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR, "a signature comes last");
}

Test(query, counts_that_lie_cost_nothing)
{
	struct message m;
	struct query q;

	message_init(&m, 0, 1, 0, 0, 65535);
	put_question(&m, "redis.mesh", DNS_TYPE_A, 1);
	put_opt(&m, 1232, 0, false);
	cr_expect_eq(message_parse(&m, &q), QUERY_FORMERR);
}

Test(query, the_zone_of_an_update_is_known)
{
	struct message m;
	struct query q;

	message_init(&m, 5 << 11, 1, 0, 0, 0);
	put_question(&m, "Zone.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	cr_assert_eq(message_parse(&m, &q), QUERY_FORWARD);
	cr_expect_eq(q.qname_len, 14);
	cr_expect_arr_eq(q.qname, "\4zone\7example", 14);
	cr_expect_eq(q.question_len, 0, "nothing to echo or to compare");
	for (size_t len = DNS_HEADER_LEN; len < DNS_HEADER_LEN + 14; len++) {
		cr_assert_eq(parse_guarded(m.bytes, len, &q), QUERY_FORWARD);
		cr_expect_eq(q.qname_len, 0, "cut at %zu", len);
	}
	m.bytes[5] = 0;
	cr_assert_eq(message_parse(&m, &q), QUERY_FORWARD);
	cr_expect_eq(q.qname_len, 0, "what is there is no zone");
}
