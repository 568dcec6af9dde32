/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/upstreams.h"

static struct routes routes;

static void add(const char *suffix, uint8_t group)
{
	uint8_t name[DNS_NAME_MAX] = {0};
	size_t len = *suffix ? wire_name_from_text(suffix, strlen(suffix), name) : 1;

	cr_assert(route_add(&routes, name, len, group));
}

/* The group of a name, -1 for none. */
static int group_of(const char *text)
{
	uint8_t name[DNS_NAME_MAX];
	size_t len = wire_name_from_text(text, strlen(text), name);
	const struct route *route = route_find(&routes, name, len);

	return route ? route->group : -1;
}

Test(route, the_longest_suffix_wins_in_any_order)
{
	add("example", 1);
	add("", 0);
	add("corp.example", 2);
	cr_expect_eq(group_of("www.corp.example"), 2);
	cr_expect_eq(group_of("CORP.example"), 2);
	cr_expect_eq(group_of("www.example"), 1);
	cr_expect_eq(group_of("www.test"), 0);
}

Test(route, labels_are_compared_whole)
{
	add("corp.example", 1);
	cr_expect_eq(group_of("badcorp.example"), -1);
	cr_expect_eq(group_of("example"), -1);
}

Test(route, octets_that_look_like_a_label_are_none)
{
	/* "x\4corp\7example" as one label, under the root. */
	static const uint8_t name[] = "\16x\4corp\7example";

	add("corp.example", 1);
	cr_expect_null(route_find(&routes, name, sizeof(name)));
}

Test(route, a_server_of_two_suffixes_is_one_server)
{
	static struct upstreams u;
	static struct upstream_book book;
	struct endpoint a, b;

	cr_assert_eq(upstream_book_init(&book, 1, NULL), 0);
	cr_assert(endpoint_parse("10.0.0.1", 53, &a) && endpoint_parse("10.0.0.2", 53, &b));
	cr_expect_eq(upstreams_add(&u, &book, (const uint8_t *)"", 1, &a, NULL), 0);
	cr_expect_eq(upstreams_add(&u, &book, (const uint8_t *)"", 1, &a, NULL), 0);
	cr_expect_eq(upstreams_add(&u, &book, (const uint8_t *)"", 1, &b, NULL), 0);
	cr_expect_eq(upstreams_add(&u, &book, (const uint8_t *)"\4corp", 6, &b, NULL), 0);
	cr_expect_eq(u.n_servers, 2);
	cr_expect_eq(u.n_groups, 2);
	cr_expect_eq(u.group[0].n, 2);
	cr_expect_eq(u.group[1].n, 1);
	upstream_book_free(&book);
}
