/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/wire.h"

Test(wire, error_is_sticky_and_reads_give_zero)
{
	uint8_t bytes[3] = {0x12, 0x34, 0x56};
	struct wire w = wire_over(bytes, sizeof(bytes));

	cr_expect_eq(wire_get_u16(&w), 0x1234);
	cr_expect_eq(wire_get_u16(&w), 0);
	cr_expect(w.failed);
	cr_expect_eq(wire_get_u8(&w), 0, "the byte that is left must not be given after a failure");
	cr_expect_null(wire_take(&w, 0));
}

Test(wire, writes_past_the_end_change_nothing)
{
	uint8_t bytes[4] = {1, 2, 3, 4};
	struct wire w = wire_over(bytes, 3);

	wire_put_u16(&w, 0xaabb);
	wire_put_u16(&w, 0xccdd);
	wire_put_u8(&w, 0xee);
	cr_expect(w.failed);
	cr_expect_arr_eq(bytes, ((uint8_t[]){0xaa, 0xbb, 3, 4}), 4);
}

static size_t get_name(const char *bytes, size_t len, uint8_t ret[DNS_NAME_MAX])
{
	struct wire w = wire_over((void *)bytes, len);
	size_t n = wire_get_name(&w, ret);

	cr_expect_eq(w.failed, n == 0);
	return n;
}

Test(wire, name_is_lower_cased_but_not_beyond_letters)
{
	static const char in[] = "\5Re@[Z\3\xc1_A";
	uint8_t name[DNS_NAME_MAX];

	cr_assert_eq(get_name(in, sizeof(in), name), sizeof(in));
	cr_expect_arr_eq(name, "\5re@[z\3\xc1_a", sizeof(in));
}

Test(wire, bad_names_fail)
{
	uint8_t name[DNS_NAME_MAX];

	cr_expect_eq(get_name("\5redis", 6, name), 0, "no root label");
	cr_expect_eq(get_name("\5redi", 5, name), 0, "label past the end");
	cr_expect_eq(get_name("\xc0\x0c", 2, name), 0, "a pointer has nothing to point to");
	cr_expect_eq(get_name("\x80", 2, name), 0, "label type 10");
	cr_expect_eq(get_name("\x40"
			      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			      66, name),
		     0, "label of 64");
	cr_expect_eq(get_name("", 0, name), 0);
}

/* `last` octets in the fourth label make a name of 194 + last octets. */
static size_t long_name(size_t last)
{
	uint8_t bytes[512] = {0}, name[DNS_NAME_MAX];

	for (size_t i = 0; i < 3; i++)
		bytes[i * 64] = 63;
	bytes[192] = (uint8_t)last;
	return get_name((char *)bytes, 194 + last, name);
}

Test(wire, name_of_255_octets_is_the_longest)
{
	cr_expect_eq(long_name(61), 255);
	cr_expect_eq(long_name(62), 0);
}

static bool skips(const char *bytes, size_t len, size_t start, size_t end)
{
	struct wire w = wire_over((void *)bytes, len);

	w.pos = start;
	wire_skip_name(&w);
	cr_expect(w.failed || w.pos == end);
	return !w.failed;
}

Test(wire, pointers_lead_strictly_backwards_and_not_into_the_header)
{
	static const char m[] = "............\1a\0\xc0\x0c\1b\xc0\x0c\xc0\x15\xc0\x0b\xc0\xff\xc0";

	cr_expect(skips(m, sizeof(m) - 1, 15, 17), "to the question");
	cr_expect(skips(m, sizeof(m) - 1, 17, 21), "label and pointer");
	cr_expect_not(skips(m, sizeof(m) - 1, 21, 0), "forward or to itself");
	cr_expect_not(skips(m, sizeof(m) - 1, 23, 0), "into the header");
	cr_expect_not(skips(m, sizeof(m) - 1, 25, 0), "past the end");
	cr_expect_not(skips(m, sizeof(m) - 1, 27, 0), "half a pointer");
}

Test(wire, names_from_text)
{
	uint8_t name[DNS_NAME_MAX];
	char longest[254];

	cr_assert_eq(wire_name_from_text("Echo_Svc-1.mesh", 15, name), 17);
	cr_expect_arr_eq(name, "\12echo_svc-1\4mesh", 17);
	cr_expect_eq(wire_name_from_text("a.mesh.", 7, name), 8, "a final dot is no label");
	cr_expect_eq(wire_name_from_text("", 0, name), 0);
	cr_expect_eq(wire_name_from_text(".", 1, name), 0);
	cr_expect_eq(wire_name_from_text("a..b", 4, name), 0);
	cr_expect_eq(wire_name_from_text(".a", 2, name), 0);
	cr_expect_eq(wire_name_from_text("a b", 3, name), 0);
	cr_expect_eq(wire_name_from_text("a\0b", 3, name), 0);
	cr_expect_eq(wire_name_from_text("*.mesh", 6, name), 0, "no wildcards yet");

	memset(longest, 'a', sizeof(longest));
	cr_expect_eq(wire_name_from_text(longest, 63, name), 65);
	cr_expect_eq(wire_name_from_text(longest, 64, name), 0);
	for (size_t i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	cr_expect_eq(wire_name_from_text(longest, 253, name), 255);
	cr_expect_eq(wire_name_from_text(longest, 254, name), 0);
}
