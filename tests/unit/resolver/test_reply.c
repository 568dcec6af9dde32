/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/reply.h"
#include "tests/unit/resolver/packets.h"

#define SENT_ID 0xabcd

static struct message asked;
static struct query query;
static enum dns_rcode rcode;
static bool exact_case;

static void setup(void)
{
	message_question(&asked, "wWw.example.com", DNS_TYPE_A);
	cr_assert_eq(message_parse(&asked, &query), QUERY_OURS);
}

TestSuite(reply, .init = setup);

/* A reply's beginning; records may follow. */
static void begin(struct message *m, uint16_t flags, uint16_t answers, const char *name)
{
	message_init(m, flags, 1, answers, 0, 0);
	put_question(m, name, DNS_TYPE_A, DNS_CLASS_IN);
	m->bytes[0] = SENT_ID >> 8;
	m->bytes[1] = SENT_ID & 0xff;
}

static enum reply_verdict check(struct message *m)
{
	return reply_check(&query, asked.bytes, SENT_ID, exact_case, m->bytes, m->w.pos, &rcode);
}

Test(reply, the_clients_id_and_case_come_back)
{
	struct message m;
	uint8_t before[64];

	begin(&m, 0x8180, 1, "www.EXAMPLE.com");
	put_rr(&m, "www.example.com", DNS_TYPE_A, 1, 60, "\1\2\3\4", 4);
	cr_assert_eq(check(&m), REPLY_WHOLE);
	memcpy(before, m.bytes + 33, m.w.pos - 33);
	reply_restore(&query, asked.bytes + DNS_HEADER_LEN, false, m.bytes, m.w.pos);
	cr_expect_arr_eq(m.bytes, "\x12\x34\x81\x80", 4);
	cr_expect_arr_eq(m.bytes + 12, asked.bytes + 12, query.question_len);
	cr_expect_arr_eq(m.bytes + 33, before, m.w.pos - 33, "the rest is untouched");
}

Test(reply, what_is_no_answer_to_the_question_is_ignored)
{
	struct message m;

	begin(&m, 0x8180, 0, "www.example.org");
	cr_expect_eq(check(&m), REPLY_OTHER, "another name");
	begin(&m, 0x0100, 0, "www.example.com");
	cr_expect_eq(check(&m), REPLY_OTHER, "a query");
	begin(&m, 0xa180, 0, "www.example.com");
	cr_expect_eq(check(&m), REPLY_OTHER, "another opcode");
	begin(&m, 0x8180, 0, "www.example.com");
	m.bytes[1] ^= 1;
	cr_expect_eq(check(&m), REPLY_OTHER, "another ID");
	begin(&m, 0x8180, 0, "www.example.com");
	m.bytes[m.w.pos - 3] = DNS_TYPE_AAAA;
	cr_expect_eq(check(&m), REPLY_OTHER, "another type");
	begin(&m, 0x8180, 0, "www.example.com");
	m.bytes[m.w.pos - 1] = DNS_CLASS_CH;
	cr_expect_eq(check(&m), REPLY_OTHER, "another class");
}

Test(reply, damaged_is_as_if_it_had_not_come)
{
	struct message m;

	begin(&m, 0x8180, 1, "www.example.com");
	put_rr(&m, "www.example.com", DNS_TYPE_A, 1, 60, "\1\2\3\4", 4);
	for (size_t whole = m.w.pos--; m.w.pos > 0; m.w.pos--)
		cr_expect_eq(check(&m), REPLY_OTHER, "%zu of %zu octets", m.w.pos, whole);
}

Test(reply, octets_behind_the_end_are_damage)
{
	struct message m;

	begin(&m, 0x8180, 0, "www.example.com");
	cr_expect_eq(check(&m), REPLY_WHOLE);
	wire_put_u8(&m.w, 0);
	cr_expect_eq(check(&m), REPLY_OTHER);
}

Test(reply, two_opts_are_damage)
{
	struct message m;

	begin(&m, 0x8180, 0, "www.example.com");
	m.bytes[11] = 1;
	put_opt(&m, 4096, 0, false);
	cr_expect_eq(check(&m), REPLY_WHOLE);
	m.bytes[11] = 2;
	put_opt(&m, 4096, 0, false);
	cr_expect_eq(check(&m), REPLY_OTHER);
}

Test(reply, truncated_within_a_record_is_truncated_all_the_same)
{
	struct message m;

	begin(&m, 0x8380, 1, "www.example.com");
	put_rr(&m, "www.example.com", DNS_TYPE_A, 1, 60, "\1\2\3\4", 4);
	cr_expect_eq(check(&m), REPLY_WHOLE);
	m.w.pos--;
	cr_expect_eq(check(&m), REPLY_CUT);
}

Test(reply, bare_errors_count_by_their_rcode)
{
	struct message m;

	message_init(&m, 0x8185, 0, 0, 0, 0);
	m.bytes[0] = SENT_ID >> 8;
	m.bytes[1] = SENT_ID & 0xff;
	cr_expect_eq(check(&m), REPLY_BARE);
	cr_expect_eq(rcode, DNS_RCODE_REFUSED);
	m.bytes[3] = 0x80;
	cr_expect_eq(check(&m), REPLY_OTHER, "NOERROR without a question answers nothing");
}

Test(reply, a_shadowing_name_exists)
{
	struct message m;

	begin(&m, 0x8183, 0, "www.example.com");
	cr_assert_eq(check(&m), REPLY_WHOLE);
	cr_expect_eq(rcode, DNS_RCODE_NXDOMAIN);
	reply_restore(&query, asked.bytes + DNS_HEADER_LEN, true, m.bytes, m.w.pos);
	cr_expect_eq(m.bytes[3] & DNS_RCODE_MASK, DNS_RCODE_NOERROR);
	begin(&m, 0x8182, 0, "www.example.com");
	reply_restore(&query, asked.bytes + DNS_HEADER_LEN, true, m.bytes, m.w.pos);
	cr_expect_eq(m.bytes[3] & DNS_RCODE_MASK, DNS_RCODE_SERVFAIL, "other errors stay");
}

Test(reply, the_case_counts_where_it_was_random)
{
	struct message m;

	exact_case = true;
	begin(&m, 0x8180, 0, "www.example.com");
	cr_expect_eq(check(&m), REPLY_OTHER);
	begin(&m, 0x8180, 0, "wWw.example.com");
	cr_expect_eq(check(&m), REPLY_WHOLE);
}

static void ask_with_edns(bool dnssec_ok)
{
	message_init(&asked, DNS_FLAG_RD, 1, 0, 0, 1);
	put_question(&asked, "wWw.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	put_opt(&asked, 4096, 0, dnssec_ok);
	cr_assert_eq(message_parse(&asked, &query), QUERY_OURS);
}

Test(reply, there_is_an_opt_exactly_if_the_client_has_edns)
{
	struct message m;
	size_t len;

	begin(&m, 0x8180, 0, "www.example.com");
	len = m.w.pos;
	put_opt(&m, 4096, 0, false);
	m.bytes[11] = 1;
	cr_expect_eq(reply_cleanse(&query, m.bytes, m.w.pos), len, "not for who has none");
	cr_expect_eq(m.bytes[11], 0);
	ask_with_edns(true);
	cr_expect_eq(reply_cleanse(&query, m.bytes, len), len + EDNS_OPT_LEN, "added for who has");
	cr_expect_eq(m.bytes[11], 1);
	cr_expect_arr_eq(m.bytes + len, "\0\0\x29\x04\xd0\0\0\x80\0\0\0", EDNS_OPT_LEN);
}

Test(reply, an_opt_has_to_fit)
{
	static uint8_t reply[DNS_MESSAGE_MAX + REPLY_GROWTH];
	struct message m;

	ask_with_edns(false);
	begin(&m, 0x8180, 0, "www.example.com");
	memcpy(reply, m.bytes, m.w.pos);
	cr_expect_eq(reply_cleanse(&query, reply, DNS_MESSAGE_MAX - EDNS_OPT_LEN + 1),
		     DNS_MESSAGE_MAX - EDNS_OPT_LEN + 1);
	cr_expect_eq(reply_cleanse(&query, reply, DNS_MESSAGE_MAX - EDNS_OPT_LEN), DNS_MESSAGE_MAX);
}

Test(reply, what_is_hop_by_hop_stays_here)
{
	static const char options[] = "\0\x0a\0\x08 cookie \0\x0f\0\2\0\x16\0\x0c\0\1\0";
	struct message m;
	size_t len;

	ask_with_edns(false);
	begin(&m, 0x81e0, 0, "www.example.com");
	len = m.w.pos;
	put_rr(&m, "", DNS_TYPE_OPT, 4096, 0, options, sizeof(options) - 1);
	m.bytes[11] = 1;
	cr_expect_eq(reply_cleanse(&query, m.bytes, m.w.pos), len + EDNS_OPT_LEN + 6);
	cr_expect_arr_eq(m.bytes + len, "\0\0\x29\x04\xd0\0\0\0\0\0\6\0\x0f\0\2\0\x16",
			 EDNS_OPT_LEN + 6, "the extended error goes on");
	cr_expect_eq(m.bytes[3], 0x80, "AD is for those who ask, and Z for nobody");
	ask_with_edns(true);
	begin(&m, 0x81e0, 0, "www.example.com");
	reply_cleanse(&query, m.bytes, m.w.pos);
	cr_expect_eq(m.bytes[3], 0xa0, "by DO");
	ask_with_edns(false);
	query.flags |= DNS_FLAG_AD;
	begin(&m, 0x81e0, 0, "www.example.com");
	reply_cleanse(&query, m.bytes, m.w.pos);
	cr_expect_eq(m.bytes[3], 0xa0, "or by AD");
}

Test(reply, truncation_keeps_whole_records)
{
	struct message m;
	size_t len;

	begin(&m, 0x8180, 40, "www.example.com");
	for (int i = 0; i < 40; i++)
		put_rr(&m, "www.example.com", DNS_TYPE_A, 1, 60, "\1\2\3\4", 4);
	m.bytes[9] = 1;
	len = reply_truncate(&query, m.bytes, m.w.pos, 512);
	cr_expect_eq(len, 33 + 15 * 31u);
	cr_expect_eq(m.bytes[7], 15);
	cr_expect_eq(m.bytes[9], 0, "the authority went first");
	cr_expect(m.bytes[2] & 2, "TC");
	ask_with_edns(false);
	len = reply_truncate(&query, m.bytes, m.w.pos, 500);
	cr_expect_eq(len, 33 + 14 * 31u + EDNS_OPT_LEN, "the OPT has room");
}

/* A record of the question's name, by a pointer. */
static void put_pointed(struct message *m, uint16_t type, char last)
{
	const char data[] = {10, 0, 0, last};

	wire_put_u16(&m->w, 0xc00c);
	wire_put_u16(&m->w, type);
	wire_put_u16(&m->w, DNS_CLASS_IN);
	wire_put_u32(&m->w, 60);
	wire_put_u16(&m->w, sizeof(data));
	wire_put_bytes(&m->w, data, sizeof(data));
}

/* The last octets of all records, in their order. */
static const char *lasts(const struct message *m, size_t n)
{
	static char text[16];

	for (size_t i = 0; i < n; i++)
		text[i] = (char)m->bytes[query.question_len + DNS_HEADER_LEN + 16 * i + 15];
	text[n] = '\0';
	return text;
}

Test(reply, addresses_take_turns_and_others_stay)
{
	struct message m;

	begin(&m, 0x8180, 5, "www.example.com");
	put_pointed(&m, DNS_TYPE_TXT, 't');
	for (char c = 'a'; c <= 'c'; c++)
		put_pointed(&m, DNS_TYPE_A, c);
	put_pointed(&m, DNS_TYPE_TXT, 'u');
	reply_rotate(&query, m.bytes, m.w.pos, 0);
	cr_expect_str_eq(lasts(&m, 5), "tabcu");
	reply_rotate(&query, m.bytes, m.w.pos, 4);
	cr_expect_str_eq(lasts(&m, 5), "tbcau");
	reply_rotate(&query, m.bytes, m.w.pos - 1, 1);
	cr_expect_str_eq(lasts(&m, 5), "tcabu", "what is cut off matters to nobody");
}

Test(reply, addresses_at_the_end_take_turns_too)
{
	struct message m;

	begin(&m, 0x8180, 2, "www.example.com");
	put_pointed(&m, DNS_TYPE_A, 'a');
	put_pointed(&m, DNS_TYPE_A, 'b');
	reply_rotate(&query, m.bytes, m.w.pos, 1);
	cr_expect_str_eq(lasts(&m, 2), "ba");
}
