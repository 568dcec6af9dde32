/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/limits.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static struct sockaddr_in6 client(uint32_t v4)
{
	struct sockaddr_in6 peer = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&peer;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(v4);
	return peer;
}

static struct limits *limits(struct limits_config config)
{
	struct limits *l;

	cr_assert(limits_new(&config, &l));
	return l;
}

Test(limits, none_by_default)
{
	struct sockaddr_in6 peer = client(1);
	struct limits *l = limits((struct limits_config){0});

	cr_expect_null(l);
	cr_expect_eq(limits_question(l, &peer, 0), LIMITS_PASS);
	cr_expect(limits_take(l, LIMITS_TCP, &peer));
	limits_release(l, LIMITS_TCP, &peer);
	limits_free(l);
}

Test(limits, a_seconds_worth_then_the_rate)
{
	struct sockaddr_in6 peer = client(1), other = client(2);
	struct limits *l = limits((struct limits_config){.rate = 10});
	int passed = 0, truncated = 0, dropped = 0;

	for (int i = 0; i < 30; i++) {
		switch (limits_question(l, &peer, 1000)) {
		case LIMITS_PASS: passed++; break;
		case LIMITS_TRUNCATE: truncated++; break;
		case LIMITS_DROP: dropped++; break;
		}
	}
	cr_expect_eq(passed, 10);
	cr_expect(truncated == 10 && dropped == 10);
	cr_expect_eq(limits_question(l, &other, 1000), LIMITS_PASS, "is none of its business");
	cr_expect_eq(limits_question(l, &peer, 101000), LIMITS_PASS, "a tenth of a second later");
	cr_expect_neq(limits_question(l, &peer, 101000), LIMITS_PASS);
	limits_free(l);
}

Test(limits, what_is_taken_is_released)
{
	struct sockaddr_in6 peer = client(1), other = client(2);
	struct limits *l = limits((struct limits_config){.max_tcp = 2});

	cr_expect(limits_take(l, LIMITS_TCP, &peer) && limits_take(l, LIMITS_TCP, &peer));
	cr_expect_not(limits_take(l, LIMITS_TCP, &peer));
	cr_expect(limits_take(l, LIMITS_TCP, &other));
	cr_expect(limits_take(l, LIMITS_INFLIGHT, &peer), "another kind, unlimited");
	limits_release(l, LIMITS_TCP, &peer);
	cr_expect(limits_take(l, LIMITS_TCP, &peer));
	cr_expect_not(limits_take(l, LIMITS_TCP, &peer));
	limits_free(l);
}

Test(limits, a_v6_client_is_its_64_and_few_are_mistaken)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0xfd, [15] = 1}};
	struct sockaddr_in6 b = a;
	struct limits *l = limits((struct limits_config){.max_inflight = 1});
	int refused = 0;

	b.sin6_addr.s6_addr[15] = 2;
	cr_expect(limits_take(l, LIMITS_INFLIGHT, &a));
	cr_expect_not(limits_take(l, LIMITS_INFLIGHT, &b));
	b.sin6_addr.s6_addr[7] = 1;
	cr_expect(limits_take(l, LIMITS_INFLIGHT, &b));
	for (uint32_t i = 0; i < 200; i++) {
		struct sockaddr_in6 peer = client(0x0a000000 + i);

		refused += !limits_take(l, LIMITS_INFLIGHT, &peer);
	}
	cr_expect_lt(refused, 5);
	limits_free(l);
}
