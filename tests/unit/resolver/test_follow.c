/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/follow.h"
#include "tests/unit/resolver/packets.h"

static struct message first, second;
static struct query query;
static size_t target;

/* alias.example is a CNAME to www.test; second is what www.test has. */
static void setup(void)
{
	struct message asked;

	message_question(&asked, "aLias.example", DNS_TYPE_A);
	cr_assert_eq(message_parse(&asked, &query), QUERY_OURS);
	message_init(&first, DNS_FLAG_QR | DNS_FLAG_AA, 1, 1, 0, 0);
	put_question(&first, "aLias.example", DNS_TYPE_A, DNS_CLASS_IN);
	put_rr(&first, "alias.example", DNS_TYPE_CNAME, 1, 60, "\3www\4test", 10);
	target = first.w.pos - 10;
	message_init(&second, DNS_FLAG_QR, 1, 2, 1, 0);
	put_question(&second, "www.test", DNS_TYPE_A, DNS_CLASS_IN);
	put_rr(&second, "www.test", DNS_TYPE_A, 1, 60, "\1\2\3\4", 4);
	put_rr(&second, "www.test", DNS_TYPE_A, 1, 60, "\1\2\3\5", 4);
	put_rr(&second, "test", DNS_TYPE_NS, 1, 60, "\2ns\4test", 9);
}

TestSuite(follow, .init = setup);

Test(follow, the_question_becomes_that_for_the_target)
{
	uint8_t packet[512];
	size_t len = first.w.pos;

	query.block = 7;
	memcpy(packet, first.bytes, len);
	cr_assert(follow_ask(&query, packet, target, &len));
	cr_expect_eq(len, DNS_HEADER_LEN + 10u + 4);
	cr_expect_arr_eq(query.qname, "\3www\4test", 10);
	cr_expect_eq(query.qtype, DNS_TYPE_A);
	cr_expect_eq(query.block, 7);
	cr_expect_eq(packet[2] & 0x80, 0, "it is a question");
}

Test(follow, the_targets_addresses_come_behind_the_alias)
{
	uint8_t out[512];
	struct edns edns = {.present = true, .udp_size = 1232};
	size_t len = follow_append(first.bytes, first.w.pos, second.bytes, second.w.pos, &edns, out,
				   sizeof(out));
	struct wire w = wire_over(out, len);
	struct wire_header h;
	struct wire_rr rr;

	wire_get_header(&w, &h);
	cr_expect_eq(h.ancount, 3);
	cr_expect_eq(h.nscount, 0);
	cr_expect_eq(h.arcount, 1);
	cr_expect(h.flags & DNS_FLAG_AA);
	cr_expect_arr_eq(wire_take(&w, 15 + 4), "\5aLias\7example\0\0\1\0\1", 19);
	for (int i = 0; i < 4; i++)
		cr_expect(wire_get_rr(&w, &rr));
	cr_expect_eq(rr.type, DNS_TYPE_OPT);
	cr_expect_eq(wire_left(&w), 0);
}

Test(follow, what_does_not_fit_is_cut)
{
	uint8_t out[512];
	struct edns edns = {0};
	size_t whole = follow_append(first.bytes, first.w.pos, second.bytes, second.w.pos, &edns,
				     out, sizeof(out));
	struct wire w;
	struct wire_header h;

	cr_expect_leq(follow_append(first.bytes, first.w.pos, second.bytes, second.w.pos, &edns,
				    out, whole - 1),
		      whole - 1);
	w = wire_over(out, whole);
	wire_get_header(&w, &h);
	cr_expect_eq(h.ancount, 2);
	cr_expect(h.flags & DNS_FLAG_TC);
}

Test(follow, an_answer_that_is_not_whole_is_none)
{
	uint8_t out[512];
	struct edns edns = {0};

	cr_expect_eq(follow_append(first.bytes, first.w.pos, second.bytes, DNS_HEADER_LEN + 20,
				   &edns, out, sizeof(out)),
		     0);
	cr_expect_eq(follow_append(first.bytes, DNS_HEADER_LEN + 3, second.bytes, second.w.pos,
				   &edns, out, sizeof(out)),
		     0);
}
