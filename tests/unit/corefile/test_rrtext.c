/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/rrtext.h"

/* The record in hex behind its owner, type, class, TTL and length; or "! " and the error. */
static const char *convert(const char *text, char out[2048])
{
	uint8_t bytes[600];
	struct wire w = wire_over(bytes, sizeof(bytes));
	struct err err = {0};

	if (!rrtext_put(&w, text, strlen(text), &err)) {
		snprintf(out, 2048, "! %s", err.msg);
		return out;
	}
	out[0] = '\0';
	for (size_t i = 0; i < w.pos; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
	return out;
}

struct row {
	const char *text, *result;
};

#define X       "0178"                  /* label x */
#define HEAD(t) X "00" t "00010000003c" /* owner x., type, IN, TTL 60 */

static const struct row types[] = {
	{"x. 60 IN A 10.0.0.1", HEAD("0001") "00040a000001"},
	{"x 60 A 10.0.0.1", HEAD("0001") "00040a000001"},
	{"x. IN 60 a 10.0.0.1", HEAD("0001") "00040a000001"},
	{"x. 1m A 10.0.0.1 ; comment", HEAD("0001") "00040a000001"},
	{"x. A 10.0.0.1", "0178000001000100000e1000040a000001"},
	{"X. 60 IN AAAA ::1", "015800001c00010000003c001000000000000000000000000000000001"},
	{"x. 60 IN CNAME a.B", HEAD("0005") "00050161014200"},
	{"x. 60 IN NS .", HEAD("0002") "000100"},
	{"x. 60 IN MX 10 a.", HEAD("000f") "0005000a016100"},
	{"x. 60 IN SRV 1 2 80 a.", HEAD("0021") "0009000100020050016100"},
	{"x. 60 IN TXT \"a b\" c \"d\\\"e\" \\065", HEAD("0010") "000c036120620163036422650141"},
	{"x. 60 IN TXT \"\"", HEAD("0010") "000100"},
	{"x. 60 IN SOA a. b. ( 1 2h 3 4\n 1w1d ) ",
	 HEAD("0006") "001a0161000162000000000100001c200000000300000004000a8c00"},
	{"x. 60 IN CAA 0 issue \"ca.org\"", HEAD("0101") "000d0005697373756563612e6f7267"},
	{"x. 60 IN PTR a\\.b.c.", HEAD("000c") "000703612e62016300"},
	{"x. 60 IN HINFO cpu os", HEAD("000d") "000703637075026f73"},
	{"x. 60 IN NAPTR 1 2 \"u\" \"s\" \"\" .", HEAD("0023") "000a00010002017501730000"},
	{"x. 60 IN DS 1 8 2 aabb cc", HEAD("002b") "000700010802aabbcc"},
	{"x. 60 IN DNSKEY 257 3 8 AQID BA==", HEAD("0030") "00080101030801020304"},
	{"x. 60 IN HTTPS 1 . port=443 alpn=\"h2,h3\" ipv4hint=10.0.0.1",
	 HEAD("0041") "001b000100000100060268320268330003000201bb000400040a000001"},
	{"x. 60 IN SVCB 0 a.", HEAD("0040") "00050000016100"},
	{"x. 60 IN HTTPS 1 . no-default-alpn key65000=ab mandatory=alpn,port alpn=h2",
	 HEAD("0041") "001c00010000000004000100030001000302683200020000fde800026162"},
	{"x. 60 IN TYPE731 \\# 3 abcd ef", "01780002db00010000003c0003abcdef"},
	{"x. 60 IN A \\# 4 0a000001", HEAD("0001") "00040a000001"},
	{"x. 60 CLASS3 TYPE1 \\# 0", "017800000100030000003c0000"},
	{". 60 IN A 1.2.3.4", "00000100010000003c000401020304"},
};

Test(rrtext, types)
{
	char out[2048];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		convert(types[i].text, out);
		cr_expect_str_eq(out, types[i].result, "%s\n  gives  %s\n  not    %s",
				 types[i].text, out, types[i].result);
	}
}

Test(rrtext, errors)
{
	static const struct row rows[] = {
		{"", "no record"},
		{"x.", "a record without a type"},
		{"x. 60 IN", "a record without a type"},
		{"x. 60 IN WHAT 1", "not a type: \"WHAT\""},
		{"x. 60 IN A", "the record's data ends too early"},
		{"x. 60 IN A 10.0.0", "not an IPv4 address: \"10.0.0\""},
		{"x. 60 IN A 10.0.0.1 2", "more data than the type has: \"2\""},
		{"x. 60 IN AAAA 10.0.0.1", "not an IPv6 address"},
		{"x. 60 IN MX 65536 a.", "not a number, or too large a one: \"65536\""},
		{"x. 60 IN MX ten a.", "not a number"},
		{"a..b. A 1.2.3.4", "not a name: \"a..b.\""},
		{"\"\" A 1.2.3.4", "not a name"},
		{"x. IN TXT a\\", "a wrong \\"},
		{"x. IN TXT \\999", "a wrong \\"},
		{"x. IN LOC 1", "has to be written as \\# LENGTH HEX"},
		{"x. IN A \\# 5 0a000001", "is not as long as"},
		{"x. IN A \\# 4 0a00000", "half an octet"},
		{"x. IN ANY \\# 0", "not a type of records"},
		{"x. IN HTTPS 1 . port=443 port=1", "a parameter given twice"},
		{"x. IN HTTPS 1 . what=1", "not the key of a parameter"},
		{"x. IN HTTPS 1 . port", "a parameter without its value"},
		{"x. IN HTTPS 1 . no-default-alpn=1", "no-default-alpn has no value"},
		{"{{ .Name }} 60 IN A 1.2.3.4", "not a type"},
	};
	char out[2048];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		convert(rows[i].text, out);
		cr_expect(out[0] == '!' && strstr(out, rows[i].result),
			  "%s\n  gives  %s\n  not    %s", rows[i].text, out, rows[i].result);
	}
}

Test(rrtext, limits)
{
	char text[1200], out[2048];
	uint8_t bytes[20];
	struct wire w = wire_over(bytes, sizeof(bytes));
	struct err err;

	memset(text, 'a', 1000);
	strcpy(text + 64, ". A 1.2.3.4");
	cr_expect_not_null(strstr(convert(text, out), "not a name"));
	memset(text, 'a', 1000);
	for (int i = 63; i < 1000; i += 64)
		text[i] = '.';
	strcpy(text + 256, " A 1.2.3.4");
	cr_expect_not_null(strstr(convert(text, out), "not a name"));
	strcpy(text + 253, ". A 1.2.3.4");
	cr_expect_neq(out[0], '\0');
	cr_expect_neq(convert(text, out)[0], '!', "%s", out);
	memcpy(text, "x. TXT ", 7);
	memset(text + 7, 'a', 256);
	text[7 + 256] = '\0';
	cr_expect_not_null(strstr(convert(text, out), "more than 255"));
	cr_expect_not(rrtext_put(&w, "x. 60 IN TXT abcdefghij", 23, &err));
	cr_expect_str_eq(err.msg, "no room for the record");
}
