/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/iptables/plans.h"

static void collect(char sign, const char *text, void *arg)
{
	fprintf(arg, "%c %s\n", sign, text);
}

/* The differences as text are `expected`, and as many as its lines. */
static void differs(const struct plan *found, const struct plan *wanted, const char *expected)
{
	size_t len, n, lines = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	n = plan_diff(found, wanted, collect, out);
	fclose(out);
	for (const char *p = expected; *p; p++)
		lines += *p == '\n';
	cr_expect_str_eq(text, expected);
	cr_expect_eq(n, lines);
	cr_expect_eq(plan_diff(found, wanted, NULL, NULL), lines);
	free(text);
}

Test(plan_diff, the_same_plan_does_not_differ)
{
	cleanup_plan struct plan a = {0}, b = {0};

	plans_fill(&a);
	plans_fill(&b);
	differs(&a, &b, "");
}

Test(plan_diff, against_nothing_everything_differs)
{
	static const char all[] =
		"+ set six of ipv6 addresses\n"
		"+ set six: ::1\n"
		"+ set six: fd00::1\n"
		"+ set six: fd00::2\n"
		"+ chain raw (output hook, type filter, priority -300)\n"
		"+ chain raw: udp to port 53 of uid 4000000000 -> conntrack zone 1 (original "
		"direction) # of a large uid\n"
		"+ chain nat (output hook, type nat, priority -100)\n"
		"+ chain nat: ipv4 -> return # one match is enough\n"
		"+ chain nat: tcp to port 65535 ipv6 to six -> redirect to port 15053 # to a set\n"
		"+ chain late (output hook, type nat, priority -90)\n"
		"+ chain late: -> log \"OUT:\" at level 7 # everything\n"
		"+ chain late: tcp -> go through sub # in a chain of its own\n"
		"+ chain pre (prerouting hook, type filter, priority -150)\n"
		"+ chain pre: in by docker* invalid -> drop # of a kind of interface\n"
		"+ chain sub\n"
		"+ chain sub: tcp to ports 1000-2000 ipv4 from 127.0.0.6/32 not to 10.0.0.0/9 of "
		"uids "
		"0-4000000000 out by lo -> redirect to port 15001 # all that has a range\n";
	cleanup_plan struct plan plan = {0};
	struct plan nothing = {0};
	char gone[sizeof(all)];

	plans_fill(&plan);
	differs(&nothing, &plan, all);
	memcpy(gone, all, sizeof(all));
	for (char *p = gone; *p; p++) {
		if (*p == '+' && (p == gone || p[-1] == '\n'))
			*p = '-';
	}
	differs(&plan, &nothing, gone);
}

Test(plan_diff, one_rule_more_is_one_difference)
{
	cleanup_plan struct plan found = {0}, wanted = {0};
	struct plan_chain *nat;

	plans_fill(&found);
	plans_fill(&wanted);
	nat = &found.chains[1];
	plan_add_rule(&found, nat, &nat->rules[1]); /* return, redirect, redirect ... */
	nat->rules[1] = plans_zone;                 /* ... return, zone, redirect */
	differs(&found, &wanted,
		"- chain nat: udp to port 53 of uid 4000000000 -> conntrack zone 1 (original "
		"direction) # of a large uid\n");
}

Test(plan_diff, the_order_of_rules_counts)
{
	cleanup_plan struct plan found = {0}, wanted = {0};

	plans_fill(&found);
	plans_fill(&wanted);
	found.chains[1].rules[0] = plans_redirect;
	found.chains[1].rules[1] = plans_return;
	cr_expect_eq(plan_diff(&found, &wanted, NULL, NULL), 4);
}

Test(plan_diff, the_order_of_chains_does_not)
{
	cleanup_plan struct plan found = {0}, wanted = {0};
	struct plan_chain first;

	plans_fill(&found);
	plans_fill(&wanted);
	first = found.chains[0];
	found.chains[0] = found.chains[1];
	found.chains[1] = first;
	differs(&found, &wanted, "");
}

Test(plan_diff, sets_and_places_of_chains_differ_one_by_one)
{
	cleanup_plan struct plan found = {0}, wanted = {0};
	struct addr extra = plans_addr("fd00::3");

	plans_fill(&found);
	plans_fill(&wanted);
	plan_add_addr(&found, &found.sets[0], &extra);
	plan_add_addr(&wanted, &wanted.sets[0], &(struct addr){.family = AF_INET6});
	found.chains[0].priority = -299;
	differs(&found, &wanted,
		"- set six: fd00::3\n"
		"+ set six: ::\n"
		"- chain raw (output hook, type filter, priority -299)\n"
		"+ chain raw (output hook, type filter, priority -300)\n");
}

Test(plan_diff, a_set_of_another_family_is_another_set)
{
	cleanup_plan struct plan found = {0}, wanted = {0};
	struct addr four = plans_addr("10.0.0.1"), six = plans_addr("::1");

	plan_add_addr(&found, plan_add_set(&found, "s", AF_INET), &four);
	plan_add_addr(&wanted, plan_add_set(&wanted, "s", AF_INET6), &six);
	differs(&found, &wanted,
		"- set s of ipv4 addresses\n- set s: 10.0.0.1\n"
		"+ set s of ipv6 addresses\n+ set s: ::1\n");
}
