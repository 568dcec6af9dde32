/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <net/if.h>

#include "common/addr.h"

static void same_text(const char *in, const char *out)
{
	char buf[ADDR_TEXT_MAX];
	struct addr addr;

	cr_assert(addr_parse(in, &addr), "%s", in);
	cr_expect_str_eq(addr_format(&addr, buf), out);
}

Test(addr, text_to_address_and_back)
{
	same_text("10.0.0.1", "10.0.0.1");
	same_text("FD00:0::1", "fd00::1");
	same_text("::ffff:10.0.0.1", "::ffff:10.0.0.1");
	same_text("fe80::1%lo", "fe80::1%lo");
	same_text("fe80::1%4294967295", "fe80::1%4294967295");
}

Test(addr, nonsense_is_refused)
{
	static const char *const nonsense[] = {
		"",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.1 ",
		"10.0.0.1%lo",
		"fd00::1%",
		"fe80::1%-1",
		"fe80::1%no-link",
		"[::1]",
		"localhost",
		"::1/128",
		"0x7f.0.0.1",
		"fe80::1%4294967296",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
	};
	struct addr addr;

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		cr_expect_not(addr_parse(nonsense[i], &addr), "%s", nonsense[i]);
}

Test(addr, order_is_family_then_bytes_then_scope)
{
	static const char *const ascending[] = {
		"0.0.0.0", "10.0.0.1", "10.0.0.2",  "255.0.0.0", "::",
		"::1",     "fe80::1",  "fe80::1%1", "fe80::1%2", "ff02::1",
	};
	const size_t n = sizeof(ascending) / sizeof(ascending[0]);
	struct addr a, b;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			int order;

			cr_assert(addr_parse(ascending[i], &a) && addr_parse(ascending[j], &b));
			order = addr_compare(&a, &b);
			cr_expect_eq((order > 0) - (order < 0), (i > j) - (i < j), "%s %s",
				     ascending[i], ascending[j]);
			cr_expect_eq(addr_equal(&a, &b), i == j);
		}
	}
}

Test(addr, loopback_and_unspecified)
{
	struct addr addr;

	cr_expect(addr_parse("127.0.0.53", &addr) && addr_is_loopback(&addr));
	cr_expect(addr_parse("::1", &addr) && addr_is_loopback(&addr));
	cr_expect(addr_parse("128.0.0.1", &addr) && !addr_is_loopback(&addr));
	cr_expect(addr_parse("0.0.0.0", &addr) && addr_is_unspecified(&addr));
	cr_expect(addr_parse("::", &addr) && addr_is_unspecified(&addr));
	cr_expect(addr_parse("::1", &addr) && !addr_is_unspecified(&addr));
}

static void endpoint(const char *in, const char *out)
{
	char buf[ENDPOINT_TEXT_MAX];
	struct endpoint ep, back;
	struct sockaddr_storage ss;

	cr_assert(endpoint_parse(in, 53, &ep), "%s", in);
	cr_expect_str_eq(endpoint_format(&ep, buf), out);
	cr_expect_eq(endpoint_to_sockaddr(&ep, &ss), ep.addr.family == AF_INET
							     ? sizeof(struct sockaddr_in)
							     : sizeof(struct sockaddr_in6));
	cr_assert(endpoint_from_sockaddr(&ss, &back));
	cr_expect(addr_equal(&back.addr, &ep.addr) && back.port == ep.port, "%s", in);
}

Test(addr, endpoints)
{
	static const char *const nonsense[] = {
		"",        "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:+5",
		"[::1]53", "[::1",     "[::1]:",    ":53",           "1.2.3.4:5x"};
	struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};
	struct endpoint ep;

	endpoint("1.2.3.4", "1.2.3.4:53");
	endpoint("1.2.3.4:5300", "1.2.3.4:5300");
	endpoint("::1", "[::1]:53");
	endpoint("[::1]", "[::1]:53");
	endpoint("[fe80::1%lo]:65535", "[fe80::1%lo]:65535");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		cr_expect_not(endpoint_parse(nonsense[i], 53, &ep), "%s", nonsense[i]);
	cr_expect_not(endpoint_from_sockaddr(&unix_socket, &ep));
}

static void prefix(const char *in, const char *out)
{
	char buf[PREFIX_TEXT_MAX];
	struct prefix prefix;

	cr_assert(prefix_parse(in, &prefix), "%s", in);
	cr_expect(prefix_is_sound(&prefix), "%s", in);
	cr_expect_str_eq(prefix_format(&prefix, buf), out);
}

Test(addr, prefixes)
{
	static const char *const nonsense[] = {"",       "/8",     "10.0.0.0/",  "10.0.0.0/33",
					       "::/129", "10/8",   "10.0.0.0/x", "10.0.0.0/8/8",
					       "::1%lo", "10.0/8", "::1/-1"};
	struct prefix prefixed;

	prefix("10.0.0.1", "10.0.0.1/32");
	prefix("10.255.3.4/9", "10.128.0.0/9");
	prefix("1.2.3.4/0", "0.0.0.0/0");
	prefix("fd00::1/8", "fd00::/8");
	prefix("::1", "::1/128");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		cr_expect_not(prefix_parse(nonsense[i], &prefixed), "%s", nonsense[i]);
}

Test(addr, prefixes_within_one_another)
{
	struct prefix wide, narrow, six;

	cr_assert(prefix_parse("10.0.0.0/8", &wide) && prefix_parse("10.1.0.0/16", &narrow) &&
		  prefix_parse("a00::/8", &six));
	cr_expect(prefix_contains(&wide, &narrow) && !prefix_contains(&narrow, &wide));
	cr_expect(prefix_contains(&wide, &wide) && prefix_equal(&wide, &wide));
	cr_expect_not(prefix_contains(&wide, &six) || prefix_equal(&wide, &narrow));
	narrow.len = 15;
	cr_expect_not(prefix_is_sound(&narrow));
	six.len = 129;
	cr_expect_not(prefix_is_sound(&six));
}
