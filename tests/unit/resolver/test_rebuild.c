/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/rebuild.h"

#include <criterion/criterion.h>

#include "common/cleanup.h"
#include "tests/unit/corefile/message_text.h"

/* Copies a whole message, and compares what it says. */
static size_t copy_message(const uint8_t *message, size_t len, uint8_t *out, size_t size)
{
	struct wire in = wire_over((void *)message, len), head = wire_over(out, size);
	struct wire_header h;
	struct rebuild r;
	uint8_t name[DNS_NAME_MAX];
	size_t name_len;

	wire_get_header(&in, &h);
	name_len = wire_follow_name(&in, name);
	wire_take(&in, 4);
	rebuild_begin(&r, head, message + DNS_HEADER_LEN, name_len + 4, name_len);
	for (int i = h.ancount + h.nscount + h.arcount; i > 0; i--) {
		if (!rebuild_copy(&r, &in))
			return 0;
	}
	wire_put_header(&head, &h);
	return r.out.pos;
}

/* "www.example.com CNAME web.example.com", SOA and so on, with pointers wherever they may be. */
static const uint8_t message[] =
	"\x12\x34\x81\x80\0\1\0\3\0\1\0\3"
	"\3www\7example\3com\0\0\1\0\1"
	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3wEb\xc0\x10"               /* web at 45 */
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"                    /* */
	"\xc0\x2d\0\x21\0\1\0\0\0\x3c\0\x0a\0\1\0\2\0\3\1s\xc0\x10" /* SRV, s at 85 */
	"\xc0\x10\0\6\0\1\0\0\0\x3c\0\x1b\2ns\xc0\x2d\xc0\x55\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"
	"\5"
	"\xc0\x18\0\x10\0\1\0\0\0\x3c\0\4\3abc"      /* TXT */
	"\xc0\x18\0\xff\xaa\1\0\0\0\x3c\0\2\xc0\x0c" /* unknown: as it is */
	"\0\0\x29\4\xd0\0\0\x80\0\0\0";              /* OPT */

Test(rebuild, same)
{
	uint8_t out[600], again[600];
	char before[2048];
	size_t len = copy_message(message, sizeof(message) - 1, out, sizeof(out)), len_again;

	cr_assert(len);
	snprintf(before, sizeof(before), "%s", message_text(message, sizeof(message) - 1));
	cr_expect_str_eq(message_text(out, len), before);
	/* SRV's target may not be a pointer, RFC 2782. */
	cr_expect_eq(len, sizeof(message) - 1 + 11);
	len_again = copy_message(out, len, again, sizeof(again));
	cr_expect_eq(len_again, len);
	cr_expect_arr_eq(again, out, len);
}

/* Every shorter buffer, and every shorter message, is one too short. */
Test(rebuild, room)
{
	uint8_t out[600];
	size_t len = copy_message(message, sizeof(message) - 1, out, sizeof(out));

	for (size_t size = DNS_HEADER_LEN; size < len; size++)
		cr_expect_eq(copy_message(message, sizeof(message) - 1, out, size), 0, "%zu", size);
	cr_expect_eq(copy_message(message, sizeof(message) - 1, out, len), len);
	for (size_t size = DNS_HEADER_LEN + 21; size < sizeof(message) - 1; size++)
		cr_expect_eq(copy_message(message, size, out, sizeof(out)), 0, "%zu", size);
}

/* Data that ends within its fields. */
Test(rebuild, short_data)
{
	static const struct {
		uint16_t type, len;
		const char *data;
	} rows[] = {{6, 2, "\xc0\x0c"},    {15, 1, "\0"},          {15, 2, "\0\1"},
		    {33, 5, "\0\0\0\0\0"}, {35, 6, "\0\0\0\0\4a"}, {5, 3, "\3ab"},
		    {2, 2, "\xc0\x40"}};
	struct message m;
	uint8_t out[600];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		message_question(&m, "a.org", DNS_TYPE_A);
		m.bytes[7] = 1;
		put_rr(&m, "a.org", rows[i].type, DNS_CLASS_IN, 60, rows[i].data, rows[i].len);
		cr_expect_eq(copy_message(m.bytes, m.w.pos, out, sizeof(out)), 0, "%zu", i);
	}
	message_question(&m, "a.org", DNS_TYPE_A);
	m.bytes[7] = 1;
	put_rr(&m, "a.org", DNS_TYPE_CNAME, 254, 0, "", 0); /* as UPDATE has it */
	cr_expect_eq(copy_message(m.bytes, m.w.pos, out, sizeof(out)), m.w.pos - 5);
}

/* A name that begins where a pointer can still lead, but whose end does not. */
Test(rebuild, at_the_last_place)
{
	static uint8_t in[40000], out[40000];
	struct wire w = wire_over(in, sizeof(in));
	struct wire_header h = {0x1234, DNS_FLAG_QR, 1, 4, 0, 0};
	static const char *const owners[] = {"", "first-label-of-it.some.end", "x.some.end",
					     "y.some.end"};
	static const uint16_t lengths[] = {0x3ff8 - 17 - 11, 4, 4, 4};
	size_t len;

	wire_put_header(&w, &h);
	put_name(&w, "");
	wire_put_u32(&w, 0x00010001);
	for (size_t i = 0; i < 4; i++) {
		put_name(&w, owners[i]);
		wire_put_u32(&w, 0x00100001);
		wire_put_u32(&w, 60);
		wire_put_u16(&w, lengths[i]);
		wire_take(&w, lengths[i]);
	}
	cr_assert_not(w.failed);
	len = copy_message(in, w.pos, out, sizeof(out));
	cr_expect_eq(len, w.pos, "nothing is shorter");
	cr_expect_not_null(strstr(message_text(out, len), " | = x.some.end. 60 TXT 00000000"));
}

/* All ends are the question's, however far away. */
Test(rebuild, far)
{
	static uint8_t in[40000], out[40000];
	struct wire w = wire_over(in, sizeof(in));
	struct wire_header h = {0x1234, DNS_FLAG_QR, 1, 1000, 0, 0};
	uint8_t name[] = "\7example\3org", label[6] = "\5aaaaa";
	size_t len;

	wire_put_header(&w, &h);
	wire_put_bytes(&w, name, sizeof(name));
	wire_put_u32(&w, 0x00010001);
	for (int i = 0; i < 1000; i++) {
		snprintf((char *)label + 1, 5, "%04d", i);
		label[5] = 'x';
		wire_put_bytes(&w, label, sizeof(label));
		wire_put_bytes(&w, name, sizeof(name));
		wire_put_u32(&w, 0x00010001);
		wire_put_u32(&w, 60);
		wire_put_u16(&w, 4);
		wire_put_u32(&w, 0x01020304);
	}
	cr_assert_not(w.failed);
	len = copy_message(in, w.pos, out, sizeof(out));
	cr_expect_eq(len, w.pos - 1000 * (sizeof(name) - 2), "all ends are the question's");
	message_text(out, len);
}
