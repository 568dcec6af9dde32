/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions that go on from one group of servers to another. */
#include "tests/unit/resolver/forward_lab.h"

static struct upstream_group other_group;
static struct service_alternate alternate;

/* The first group has server 0, the one for these rcodes server 1. */
static void begin_chain(uint32_t rcodes)
{
	begin(1);
	alternate = (struct service_alternate){.rcodes = rcodes, .group = &other_group};
	block.alternates = &alternate;
	block.n_alternates = 1;
	other_group.number = 1;
	add_server_to(&other_group, 1);
	take_over();
}

Test(forward_groups, an_rcode_that_another_group_is_for_goes_there, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN) | COREFILE_RCODE(DNS_RCODE_NOTIMP));
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), -1);
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	cr_assert(ask(8, "b.example") && gets(0));
	answer(0, DNS_RCODE_REFUSED);
	cr_expect_eq(told(), TOLD(8, DNS_RCODE_REFUSED), "not among the rcodes");
	cr_expect_not(gets(1));
}

Test(forward_groups, the_other_groups_word_is_the_last, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	answer(1, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_NXDOMAIN));
	cr_expect_not(gets(0));
}

Test(forward_groups, a_silent_group_leaves_time_for_the_other, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_SERVFAIL));
	cr_assert(ask(7, "a.example") && gets(0));
	for (int ms = 0; ms < FORWARD_FIRST_MS - 100; ms += 100)
		pass(100);
	cr_expect_not(gets(1), "too early");
	pass(200);
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
}

Test(forward_groups, equal_questions_stay_together_on_the_way_to_the_other_group, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	cr_assert(ask(7, "a.example") && ask(8, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	cr_expect_not(gets(1), "asked once");
	cr_assert(ask(9, "a.example"));
	cr_expect_not(gets(0), "who comes later waits along");
	answer(1, 0);
	for (int i = 0; i < 3; i++)
		cr_expect_neq(told(), -1);
}

Test(forward_groups, without_servers_of_a_route_the_table_has_the_word, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	route.group = NULL;
	cr_assert(ask(7, "a.example"));
	cr_expect_not(gets(0));
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	block.n_alternates = 0;
	cr_expect_not(ask(8, "b.example"));
	cr_expect_not(gets(1));
}

Test(forward_groups, a_group_takes_so_many_questions_at_a_time, .fini = end)
{
	static struct corefile_errors errors;
	static const struct corefile_server with_errors = {.errors = &errors};

	begin(1);
	block.corefile = &with_errors;
	group.max_concurrent = 2;
	group.max_busy = 1;
	cr_assert(ask(7, "a.example") && gets(0));
	cr_expect_not(ask(8, "b.example"));
	cr_expect_str_eq(worker.chain.err.msg, "concurrent queries exceeded maximum 2");
	answer(0, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	cr_expect(ask(9, "c.example"));
}

Test(forward_groups, the_next_route_is_asked_after_its_rcodes, .fini = end)
{
	static struct service_route routes[2];

	begin(1);
	add_server_to(&other_group, 1);
	other_group.number = 1;
	routes[0] = route;
	routes[0].next = COREFILE_RCODE(DNS_RCODE_NXDOMAIN);
	routes[1] = (struct service_route){.from.len = 1, .group = &other_group};
	block.routes = routes;
	block.n_routes = 2;
	take_over();
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	answer(1, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_NXDOMAIN), "there is none behind it");
}
