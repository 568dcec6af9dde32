/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/nametext.h"

#include <criterion/criterion.h>

#include "common/cleanup.h"

/* Both ways. */
static const struct {
	const char *text, *wire;
	size_t len;
} names[] = {
	{".", "", 1},
	{"redis.mesh.", "\5redis\4mesh", 12},
	{"ReDis.", "\5ReDis", 7},
	{"a\\.b.c.", "\3a.b\1c", 7},
	{"\\\\\\\"\\(\\)\\;\\@\\$.", "\7\\\"();@$", 9},
	{"\\000\\032\\255\\127.", "\4\0 \xff\x7f", 6},
};

Test(nametext, both_ways)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char text[NAMETEXT_MAX];
		uint8_t name[DNS_NAME_MAX];

		cr_expect_eq(nametext_write((const uint8_t *)names[i].wire, text),
			     strlen(names[i].text));
		cr_expect_str_eq(text, names[i].text);
		cr_expect_eq(nametext_read(text, strlen(text), name), names[i].len, "%s", text);
		cr_expect_arr_eq(name, names[i].wire, names[i].len);
	}
}

Test(nametext, read)
{
	static const char *const wrong[] = {"",    "..",     ".a",     "a..",    "a..b",  "\\",
					    "a\\", "a\\12.", "\\256.", "\\1a2.", "a\\.\\"};
	uint8_t name[DNS_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_eq(nametext_read(wrong[i], strlen(wrong[i]), name), 0, "%s", wrong[i]);
	cr_expect_eq(nametext_read("a.b", 3, name), 5, "the final dot is optional");
	cr_expect_eq(nametext_read("\\q\\046", 6, name), 4, "any octet may be escaped");
	cr_expect_arr_eq(name, "\2q.", 4);
}

/* 255 octets and no more; labels of 63 and no more. */
Test(nametext, limits)
{
	uint8_t longest[DNS_NAME_MAX], name[DNS_NAME_MAX];
	char text[NAMETEXT_MAX + 4];
	size_t len;

	memset(longest, 1, sizeof(longest));
	longest[0] = longest[64] = longest[128] = 63;
	longest[192] = 61;
	longest[254] = 0;
	len = nametext_write(longest, text);
	cr_expect_lt(len, NAMETEXT_MAX);
	cr_expect_eq(nametext_read(text, len, name), DNS_NAME_MAX);
	cr_expect_arr_eq(name, longest, DNS_NAME_MAX);
	cr_expect_eq(nametext_read(text, len - 1, name), DNS_NAME_MAX, "without the final dot");
	memcpy(text + len - 1, "x.", 3);
	cr_expect_eq(nametext_read(text, len + 1, name), 0, "256 octets");
	memset(text, 'x', 64);
	cr_expect_eq(nametext_read(text, 63, name), 65);
	cr_expect_eq(nametext_read(text, 64, name), 0);
}
