/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/access.h"

#include <criterion/criterion.h>

static bool allows(const struct access *access, const char *from)
{
	struct endpoint ep = {.port = 1};
	struct sockaddr_storage ss;

	cr_assert(addr_parse(from, &ep.addr));
	endpoint_to_sockaddr(&ep, &ss);
	return access_allows(access, (const struct sockaddr_in6 *)(const void *)&ss);
}

static void add(struct access *access, const char *text)
{
	struct access_prefix prefix;
	struct err err = {0};

	cr_assert(access_parse(text, &prefix), "%s", text);
	cr_assert_eq(access_add(access, &prefix, &err), 0);
}

Test(access, prefixes)
{
	static struct access access;

	add(&access, "10.1.0.0/20");
	add(&access, "192.0.2.7");
	add(&access, "fd00:1::/33");
	cr_expect(allows(&access, "10.1.15.255") && allows(&access, "10.1.0.0"));
	cr_expect_not(allows(&access, "10.1.16.0") || allows(&access, "10.0.255.255"));
	cr_expect(allows(&access, "192.0.2.7") && allows(&access, "::ffff:192.0.2.7"));
	cr_expect_not(allows(&access, "192.0.2.6") || allows(&access, "192.0.2.8"));
	cr_expect(allows(&access, "fd00:1:7fff::1"));
	cr_expect_not(allows(&access, "fd00:1:8000::1") || allows(&access, "::1"));
	add(&access, "0.0.0.0/0");
	cr_expect(allows(&access, "203.0.113.1"));
	cr_expect_not(allows(&access, "::1"));
}

Test(access, what_is_no_network)
{
	static const char *const bad[] = {"",       "/",    "10.0.0.0/",   "10.0.0.0/33",
					  "::/129", "10/8", "10.0.0.0/-1", "10.0.0.0/8/8",
					  "name"};
	struct access_prefix prefix;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(access_parse(bad[i], &prefix), "%s", bad[i]);
}

Test(access, this_host_and_its_interfaces)
{
	static struct access own, lo;
	struct err err = {0};

	cr_assert_eq(access_add_own(&own, &err), 0);
	cr_expect(allows(&own, "127.0.0.1") && allows(&own, "127.9.9.9") && allows(&own, "::1"));
	cr_expect_not(allows(&own, "203.0.113.1"));
	cr_expect_lt(access_add_interface(&lo, "no-such-one", &err), 0);
}

Test(access, there_is_an_end)
{
	static struct access access;
	struct access_prefix prefix;
	struct err err = {0};

	for (size_t i = 0; i < ACCESS_MAX; i++)
		add(&access, "192.0.2.1");
	access_parse("192.0.2.1", &prefix);
	cr_expect_lt(access_add(&access, &prefix, &err), 0);
}
