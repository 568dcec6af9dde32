/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/service.h"

static struct corefile_zone zone(const char *text)
{
	struct corefile_zone z = {.len = 1};

	if (*text)
		z.len = (uint8_t)wire_name_from_text(text, strlen(text), z.name);
	cr_assert(z.len);
	return z;
}

static struct upstream_group groups[4];
static struct service_route routes[4];
static struct block block = {.routes = routes};

static void setup(void)
{
	for (uint8_t i = 0; i < 4; i++)
		groups[i].number = i;
	block.n_routes = 0;
}

TestSuite(service, .init = setup);

static void add(const char *from, uint8_t group)
{
	routes[block.n_routes++] =
		(struct service_route){.from = zone(from), .group = &groups[group]};
}

/* The group of a name, -1 for none. */
static int group_of(const char *text)
{
	struct corefile_zone name = zone(text);
	const struct service_route *route = service_find_route(&block, routes, name.name, name.len);

	return route ? route->group->number : -1;
}

Test(service, the_first_route_that_takes_a_name_has_it)
{
	add("corp.example", 2);
	add("example", 1);
	add("", 0);
	cr_expect_eq(group_of("www.corp.example"), 2);
	cr_expect_eq(group_of("CORP.example"), 2);
	cr_expect_eq(group_of("www.example"), 1);
	cr_expect_eq(group_of("www.test"), 0);
}

Test(service, labels_are_compared_whole)
{
	add("corp.example", 1);
	cr_expect_eq(group_of("badcorp.example"), -1);
	cr_expect_eq(group_of("example"), -1);
}

Test(service, octets_that_look_like_a_label_are_none)
{
	/* "x\4corp\7example" as one label, under the root. */
	static const uint8_t name[] = "\16x\4corp\7example";

	add("corp.example", 1);
	cr_expect_null(service_find_route(&block, routes, name, sizeof(name)));
}

Test(service, what_a_route_excepts_goes_to_the_next)
{
	struct corefile_zone except = zone("lab.example");

	add("example", 1);
	routes[0].except = (struct corefile_zones){&except, 1};
	add("", 0);
	cr_expect_eq(group_of("www.example"), 1);
	cr_expect_eq(group_of("www.lab.example"), 0);
	cr_expect_eq(group_of("lab.example"), 0);
}

Test(service, the_table_is_asked_but_for_what_routes_ahead_take)
{
	struct corefile_zone mesh = zone("mesh"), corp = zone("www.corp.mesh"),
			     other = zone("x.test");

	block.table = TABLE_SOME;
	block.table_zones = (struct corefile_zones){&mesh, 1};
	add("corp.mesh", 1);
	add("", 0);
	block.n_ahead = 1;
	cr_expect(service_asks_table(&block, mesh.name, mesh.len));
	cr_expect_not(service_asks_table(&block, corp.name, corp.len));
	cr_expect_not(service_asks_table(&block, other.name, other.len));
}

static struct block blocks[] = {{.number = 0}, {.number = 1}, {.number = 2}};
static const struct service_place served[] = {
	{.block = &blocks[0]}, {.block = &blocks[1]}, {.block = &blocks[2]}};
static struct service_listen listening = {.places = served, .n_places = 3};

static int block_of(const char *text, uint16_t qtype)
{
	struct corefile_zone name = zone(text);
	const struct service_place *found =
		service_find_place(&listening, name.name, name.len, qtype);

	return found ? found->block->number : -1;
}

Test(service, the_innermost_block_has_the_name_and_ds_its_parent)
{
	blocks[0].zone = zone("corp.example");
	blocks[1].zone = zone("example");
	blocks[2].zone = zone("mesh");
	cr_expect_eq(block_of("www.corp.example", DNS_TYPE_A), 0);
	cr_expect_eq(block_of("corp.example", DNS_TYPE_A), 0);
	cr_expect_eq(block_of("corp.example", DNS_TYPE_DS), 1);
	cr_expect_eq(block_of("www.corp.example", DNS_TYPE_DS), 0);
	cr_expect_eq(block_of("badcorp.example", DNS_TYPE_A), 1);
	cr_expect_eq(block_of("mesh", DNS_TYPE_DS), 2, "there is no parent here");
	cr_expect_eq(block_of("test", DNS_TYPE_A), -1);
	cr_expect_eq(block_of("", DNS_TYPE_A), -1);
}

Test(service, a_server_of_two_groups_is_one_server)
{
	static struct upstream_book book;
	struct upstream_group one = {0}, two = {0};
	struct endpoint a, b;

	cr_assert_eq(upstream_book_init(&book, 1, NULL), 0);
	cr_assert(endpoint_parse("10.0.0.1", 53, &a) && endpoint_parse("10.0.0.2", 53, &b));
	cr_expect_eq(upstream_group_add(&one, &book, &a, NULL), 0);
	cr_expect_eq(upstream_group_add(&one, &book, &a, NULL), 0);
	cr_expect_eq(upstream_group_add(&one, &book, &b, NULL), 1);
	cr_expect_eq(upstream_group_add(&two, &book, &b, NULL), 1);
	cr_expect_eq(one.n, 2);
	cr_expect_eq(two.n, 1);
	cr_expect_eq(book.n_pages, 2);
	upstream_book_free(&book);
}

Test(service, the_first_alternate_with_the_rcode_is_it)
{
	struct service_alternate alternates[] = {
		{COREFILE_RCODE(DNS_RCODE_NXDOMAIN), false, &groups[1]},
		{COREFILE_RCODE(DNS_RCODE_SERVFAIL) | COREFILE_RCODE(DNS_RCODE_NXDOMAIN), false,
		 &groups[2]},
	};
	struct block b = {.alternates = alternates, .n_alternates = 2};

	cr_expect_eq(service_find_alternate(&b, DNS_RCODE_NXDOMAIN), &alternates[0]);
	cr_expect_eq(service_find_alternate(&b, DNS_RCODE_SERVFAIL), &alternates[1]);
	cr_expect_null(service_find_alternate(&b, DNS_RCODE_REFUSED));
}
