/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/loop.h"
#include "resolver/outbound.h"
#include "tests/unit/resolver/packets.h"

/* The message as it goes upstream; its bytes are `out`. */
static struct outbound outbound_of(struct message *m, uint8_t out[512])
{
	struct outbound o;
	struct query q;

	cr_assert_eq(query_parse(m->bytes, m->w.pos, &q), QUERY_OURS);
	cr_assert(outbound_write(&q, m->bytes, out, 512, &o));
	return o;
}

/* A question with an OPT that carries `options`. */
static void ask(struct message *m, const char *name, uint16_t flags, uint16_t size, bool dnssec_ok,
		const char *options, uint16_t len)
{
	message_init(m, flags, 1, 0, 0, 1);
	put_question(m, name, DNS_TYPE_A, DNS_CLASS_IN);
	put_rr(m, "", DNS_TYPE_OPT, size, dnssec_ok ? 0x8000 : 0, options, len);
}

static bool is_equal(struct message *a, struct message *b)
{
	uint8_t x[512], y[512];
	struct outbound p = outbound_of(a, x), q = outbound_of(b, y);

	return outbound_equal(&p, &q, 11);
}

Test(outbound, case_id_and_size_make_no_difference)
{
	struct message a, b;

	ask(&a, "a.example", DNS_FLAG_RD, 4096, false, "", 0);
	ask(&b, "A.eXample", DNS_FLAG_RD, 1232, false, "", 0);
	b.bytes[0] ^= 1;
	cr_expect(is_equal(&a, &b));
}

Test(outbound, whatever_can_change_the_answer_does)
{
	struct message a, b;

	ask(&a, "a.example", DNS_FLAG_RD, 1232, false, "", 0);
	ask(&b, "b.example", DNS_FLAG_RD, 1232, false, "", 0);
	cr_expect_not(is_equal(&a, &b), "the name");
	ask(&b, "a.example", DNS_FLAG_RD, 1232, true, "", 0);
	cr_expect_not(is_equal(&a, &b), "DO");
	ask(&b, "a.example", DNS_FLAG_RD | DNS_FLAG_CD, 1232, false, "", 0);
	cr_expect_not(is_equal(&a, &b), "CD");
	ask(&b, "a.example", 0, 1232, false, "", 0);
	cr_expect_not(is_equal(&a, &b), "RD");
	ask(&b, "a.example", DNS_FLAG_RD, 1232, false, "\0\x08\0\4\0\1\0\0", 8);
	cr_expect_not(is_equal(&a, &b), "ECS");
	message_question(&b, "a.example", DNS_TYPE_A);
	cr_expect_not(is_equal(&a, &b), "EDNS");
	ask(&b, "a.example", DNS_FLAG_RD, 1232, false, "", 0);
	b.bytes[DNS_HEADER_LEN + 11 + 1] = 33; /* 'A' and 'a' differ so, but types are no letters */
	cr_expect_not(is_equal(&a, &b), "the type");
}

Test(outbound, cookies_stay_here_and_the_rest_goes_along)
{
	struct message m;
	uint8_t out[512];
	struct outbound o;

	ask(&m, "a.example", DNS_FLAG_RD, 4096, false, "\0\x0a\0\2ab\xfd\xe9\0\1x", 11);
	o = outbound_of(&m, out);
	cr_expect_eq(o.len, DNS_HEADER_LEN + 15 + EDNS_OPT_LEN + 5);
	cr_expect_eq(o.plain_len, DNS_HEADER_LEN + 15);
	cr_expect_arr_eq(out + o.plain_len, "\0\0\x29\x04\xd0\0\0\0\0\0\5\xfd\xe9\0\1x",
			 EDNS_OPT_LEN + 5);
}

Test(outbound, rd_ad_and_cd_go_along_and_no_other_flag)
{
	struct message m;
	uint8_t out[512];

	ask(&m, "a.example", 0x07ff, 1232, false, "", 0);
	outbound_of(&m, out);
	cr_expect_arr_eq(out + 2, "\1\x30", 2);
	ask(&m, "a.example", 0, 1232, false, "", 0);
	outbound_of(&m, out);
	cr_expect_arr_eq(out + 2, "\0\0", 2);
}

Test(outbound, a_loop_probe_is_known_by_its_nonce)
{
	uint8_t name[DNS_NAME_MAX];
	struct query q = {.qtype = DNS_TYPE_HINFO};
	uint16_t page;

	q.qname_len = (uint8_t)loop_write_name(0x1234567890abcdef, 0x01fe, 7, name);
	memcpy(q.qname, name, q.qname_len);
	cr_expect(loop_is_probe(&q, 0x1234567890abcdef, &page));
	cr_expect_eq(page, 0x01fe);
	cr_expect_not(loop_is_probe(&q, 0x1234567890abcdee, &page), "another process's");
	q.qtype = DNS_TYPE_A;
	cr_expect_not(loop_is_probe(&q, 0x1234567890abcdef, &page));
}
