/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/iptables/plans.h"

Test(plan, addresses_are_sorted_single_and_without_scope)
{
	static const char *const in[] = {"fd00::2", "::1", "fe80::1", "fd00::2"};
	static const char *const out[] = {"::1", "fd00::2", "fe80::1"};
	cleanup_plan struct plan plan = {0};
	struct plan_set *set = plan_add_set(&plan, "six", AF_INET6);

	for (size_t i = 0; i < 4; i++) {
		struct addr addr = plans_addr(in[i]);

		addr.scope_id = (uint32_t)i;
		plan_add_addr(&plan, set, &addr);
	}
	cr_assert_eq(set->n_addrs, 3);
	for (size_t i = 0; i < 3; i++) {
		struct addr addr = plans_addr(out[i]);

		cr_expect(addr_equal(&set->addrs[i], &addr), "%s", out[i]);
	}
}

Test(plan, members_stay_where_they_are)
{
	cleanup_plan struct plan plan = {0};
	struct plan_chain *first = plan_add_chain(&plan, "c0", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, 0);
	char name[8];

	for (int i = 1; i < PLAN_CHAINS_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		cr_assert_not_null(
			plan_add_chain(&plan, name, PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, 0));
	}
	cr_expect_eq(plan_find_chain(&plan, "c0"), first);
	cr_expect_eq(plan_find_chain(&plan, "c15"), &plan.chains[15]);
	cr_expect_null(plan_find_chain(&plan, "c16"));
}

Test(plan, what_does_not_fit_is_remembered)
{
	cleanup_plan struct plan chains = {0}, addrs = {0}, name = {0};
	struct plan_chain *chain = NULL;
	struct plan_set *set;
	struct err err;

	for (int i = 0; i <= PLAN_CHAINS_MAX; i++)
		chain = plan_add_chain(&chains, "c", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, 0);
	cr_expect_null(chain);
	plan_add_rule(&chains, chain, &plans_zone);
	cr_expect_eq(plan_validate(&chains, &err), -E2BIG);

	set = plan_add_set(&addrs, "s", AF_INET);
	for (uint32_t i = 0; i <= PLAN_ADDRS_MAX; i++) {
		struct addr addr = {.family = AF_INET, .v4.s_addr = i};

		plan_add_addr(&addrs, set, &addr);
	}
	cr_expect_eq(plan_validate(&addrs, &err), -E2BIG);

	cr_expect_null(plan_add_set(&name, "12345678901234567890123456789012", AF_INET));
	cr_expect_eq(plan_validate(&name, &err), -E2BIG);
}

Test(plan, a_plan_with_every_word_is_valid)
{
	cleanup_plan struct plan plan = {0};
	struct err err = {0};

	plans_fill(&plan);
	cr_expect_eq(plan_validate(&plan, &err), 0, "%s", err.msg);
}

/* Validates a good plan to which `rule` has been added in that chain. */
static void refused(const char *chain, struct plan_rule rule, const char *why)
{
	cleanup_plan struct plan plan = {0};
	struct err err = {0};

	plans_fill(&plan);
	plan_add_rule(&plan, &plan.chains[plan_find_chain(&plan, chain) - plan.chains], &rule);
	cr_expect_eq(plan_validate(&plan, &err), -EINVAL, "accepted a rule that %s", why);
	cr_expect(strstr(err.msg, why), "expected \"%s\" in: %s", why, err.msg);
}

Test(plan, rules_that_mean_nothing_are_refused)
{
	struct plan_rule rule = plans_redirect;

	rule.sentence[0] = '\0';
	refused("nat", rule, "has no readable sentence");
	strcpy(rule.sentence, "two\nlines");
	refused("nat", rule, "has no readable sentence");

	rule = plans_return;
	rule.matches[0].kind = PLAN_MATCH_END;
	refused("nat", rule, "matches everything");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_FAMILY, .value = AF_UNIX};
	refused("nat", rule, "has no such family");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_PROTOCOL, .value = IPPROTO_ICMP};
	refused("nat", rule, "has no such protocol");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_UID, .value = UINT32_MAX};
	refused("nat", rule, "has no such uid or gid");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_KINDS, .value = 0};
	refused("nat", rule, "has an unknown match");

	rule = plans_zone;
	rule.matches[2] = rule.matches[1];
	refused("raw", rule, "matches the same thing twice");
	rule = plans_zone;
	rule.matches[1].value = 0;
	refused("raw", rule, "has no such port");
	rule.matches[1].value = 65536;
	refused("raw", rule, "has no such port");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_FAMILY, .value = AF_INET};
	refused("raw", rule, "has a port before its protocol");
}

Test(plan, sets_must_be_there_and_of_the_rules_family)
{
	struct plan_rule rule = plans_redirect;

	strcpy(rule.matches[3].set, "seven");
	refused("nat", rule, "names a set that is not there");
	rule = plans_redirect;
	rule.matches[2].value = AF_INET;
	refused("nat", rule, "another family");
	rule.matches[2] = plans_redirect.matches[3];
	rule.matches[3] = plans_redirect.matches[2];
	refused("nat", rule, "another family");
}

Test(plan, actions_must_fit_their_chain)
{
	struct plan_rule rule = plans_redirect;

	refused("raw", rule, "redirects outside a NAT chain");
	rule.action.value = 0;
	refused("nat", rule, "redirects to port 0");
	rule = plans_return;
	rule.action = (struct plan_action){PLAN_ACTION_REDIRECT, .value = 15053};
	refused("nat", rule, "without matching a protocol");
	refused("nat", plans_zone, "when conntrack has already looked");
	rule = plans_zone;
	rule.action.value = 0;
	refused("raw", rule, "zone 0");
	rule.action.kind = PLAN_ACTION_KINDS;
	refused("raw", rule, "has an unknown action");
}

Test(plan, ranges_prefixes_and_interfaces_are_checked)
{
	struct plan_rule rule = plans_ranges;

	rule.matches[1].last = 1000;
	refused("nat", rule, "has no such port");
	rule.matches[1].last = 65536;
	refused("nat", rule, "has no such port");
	rule = plans_ranges;
	rule.matches[5].last = UINT32_MAX;
	refused("nat", rule, "has no such uid");
	rule = plans_ranges;
	rule.matches[3].prefix.len = 33;
	refused("nat", rule, "has a prefix that is none");
	rule.matches[3].prefix.len = 30;
	refused("nat", rule, "has a prefix that is none");
	rule = plans_ranges;
	rule.matches[3].prefix.addr.family = AF_INET6;
	refused("nat", rule, "another family");
	rule.matches[2] = (struct plan_match){.kind = PLAN_MATCH_INVALID};
	refused("nat", rule, "another family");
	rule = plans_ranges;
	rule.matches[3].negated = true;
	refused("nat", rule, "cannot be negated");
	rule = plans_ranges;
	strcpy(rule.matches[6].interface, "sixteen-and-more");
	refused("nat", rule, "has no such interface");
	rule.matches[6].interface[0] = '\0';
	refused("nat", rule, "has no such interface");
}

Test(plan, what_a_hook_does_not_know_is_refused)
{
	struct plan_rule uid = plans_zone;

	uid.action = (struct plan_action){.kind = PLAN_ACTION_DROP};
	refused("pre", uid, "owner of what comes from outside");
	refused("pre", plans_ranges, "owner of what comes from outside");
	refused("nat", plans_drop, "interface that is not known");
	uid = plans_drop;
	uid.matches[0].kind = PLAN_MATCH_OIF;
	refused("pre", uid, "interface that is not known");
	uid.matches[0] = uid.matches[1];
	uid.matches[1].kind = PLAN_MATCH_END;
	refused("raw", uid, "before it has looked");
}

Test(plan, jumps_lead_somewhere)
{
	cleanup_plan struct plan plan = {0};
	struct plan_rule rule = plans_jump;
	struct err err;

	strcpy(rule.action.name, "nowhere");
	refused("nat", rule, "jumps to nowhere");
	strcpy(rule.action.name, "raw");
	refused("nat", rule, "jumps to nowhere");
	refused("sub", plans_jump, "in a circle");
	refused("raw", plans_jump, "redirects outside a NAT chain");
	plans_fill(&plan);
	plan_add_subchain(&plan, "lost");
	cr_expect_eq(plan_validate(&plan, &err), -EINVAL);
	cr_expect(strstr(err.msg, "nothing leads to"), "%s", err.msg);
}

Test(plan, log_lines_are_checked)
{
	struct plan_rule rule = plans_log;

	rule.action.value = 8;
	refused("nat", rule, "no such prefix or level");
	rule = plans_log;
	rule.action.name[0] = '\0';
	refused("nat", rule, "no such prefix or level");
}

Test(plan, sets_and_chains_are_checked)
{
	cleanup_plan struct plan twice = {0}, empty = {0}, mixed = {0}, chains = {0}, early = {0};
	struct addr four = plans_addr("10.0.0.1");
	struct err err;

	plans_fill(&twice);
	plan_add_addr(&twice, plan_add_set(&twice, "six", AF_INET), &four);
	cr_expect_eq(plan_validate(&twice, &err), -EINVAL);
	plan_add_set(&empty, "none", AF_INET);
	cr_expect_eq(plan_validate(&empty, &err), -EINVAL);
	plan_add_addr(&mixed, plan_add_set(&mixed, "six", AF_INET6), &four);
	cr_expect_eq(plan_validate(&mixed, &err), -EINVAL);
	plans_fill(&chains);
	plan_add_chain(&chains, "nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, 0);
	cr_expect_eq(plan_validate(&chains, &err), -EINVAL);
	plan_add_chain(&early, "nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, PLAN_PRIORITY_RAW);
	cr_expect_eq(plan_validate(&early, &err), -EINVAL);
}

Test(plan, rules_are_equal_when_nothing_differs)
{
	struct plan_rule other = plans_redirect;

	cr_expect(plan_rule_equal(&other, &plans_redirect));
	other.packets = 7;
	cr_expect(plan_rule_equal(&other, &plans_redirect), "it has only been used");
	other.sentence[0] = 'T';
	cr_expect_not(plan_rule_equal(&other, &plans_redirect));
	other = plans_redirect;
	other.matches[3].kind = PLAN_MATCH_END;
	cr_expect_not(plan_rule_equal(&other, &plans_redirect), "one match less");
	cr_expect_not(plan_rule_equal(&plans_redirect, &other), "one match more");
	other = plans_redirect;
	strcpy(other.matches[3].set, "sex");
	cr_expect_not(plan_rule_equal(&other, &plans_redirect), "another set");
	other = plans_redirect;
	other.action.value++;
	cr_expect_not(plan_rule_equal(&other, &plans_redirect), "another port");
	other = plans_zone;
	other.matches[2].value++;
	cr_expect_not(plan_rule_equal(&other, &plans_zone), "another uid");
	other = plans_ranges;
	other.matches[1].last++;
	cr_expect_not(plan_rule_equal(&other, &plans_ranges), "another range");
	other = plans_ranges;
	other.matches[3].prefix.addr.bytes[3]++;
	cr_expect_not(plan_rule_equal(&other, &plans_ranges), "another prefix");
	other = plans_ranges;
	other.matches[4].negated = false;
	cr_expect_not(plan_rule_equal(&other, &plans_ranges), "not negated");
	other = plans_drop;
	other.matches[0].begins = false;
	cr_expect_not(plan_rule_equal(&other, &plans_drop), "one interface");
	other = plans_jump;
	other.action.name[0]++;
	cr_expect_not(plan_rule_equal(&other, &plans_jump), "another chain");
}

Test(plan, owners_must_be_some)
{
	struct plan_rule rule = plans_owners;
	cleanup_plan struct plan plan = {0};
	struct err err = {0};

	plans_fill(&plan);
	plan_add_rule(&plan, &plan.chains[1], &rule);
	cr_expect_eq(plan_validate(&plan, &err), 0, "%s", err.msg);

	refused("pre", rule, "asks for the owner of what comes from outside");
	rule.matches[0] = rule.matches[1];
	rule.matches[1].kind = PLAN_MATCH_END;
	refused("pre", rule, "asks for the owner of what comes from outside");
	strcpy(rule.matches[0].cgroup, "/a");
	refused("nat", rule, "has no such cgroup");
	strcpy(rule.matches[0].cgroup, "");
	refused("nat", rule, "has no such cgroup");
	strcpy(rule.matches[0].cgroup, "?7/1");
	refused("nat", rule, "has no such cgroup");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_GID, .value = 1, .last = UINT32_MAX};
	refused("nat", rule, "has no such uid or gid");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_MARK, .value = 3, .mask = 1};
	refused("pre", rule, "has a mark that no packet has");
	rule.matches[0] = (struct plan_match){PLAN_MATCH_MARK, .value = 0, .mask = 0};
	refused("pre", rule, "has a mark that no packet has");
}
