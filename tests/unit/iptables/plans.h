/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan with every word of the model in it, and ways to look at plans. */
#ifndef MESHDNS_TESTS_PLANS_H
#define MESHDNS_TESTS_PLANS_H

#include <criterion/criterion.h>
#include <string.h>

#include "iptables/plan.h"

static inline struct addr plans_addr(const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, &addr), "%s", text);
	return addr;
}

static const struct plan_rule plans_zone = {
	.matches = {{PLAN_MATCH_PROTOCOL, .value = IPPROTO_UDP},
		    {PLAN_MATCH_DPORT, .value = 53},
		    {PLAN_MATCH_UID, .value = 4000000000}},
	.action = {PLAN_ACTION_ZONE, 1},
	.sentence = "of a large uid",
};

static const struct plan_rule plans_return = {
	.matches = {{PLAN_MATCH_FAMILY, .value = AF_INET}},
	.action = {PLAN_ACTION_RETURN, 0},
	.sentence = "one match is enough",
};

static const struct plan_rule plans_redirect = {
	.matches = {{PLAN_MATCH_PROTOCOL, .value = IPPROTO_TCP},
		    {PLAN_MATCH_DPORT, .value = 65535},
		    {PLAN_MATCH_FAMILY, .value = AF_INET6},
		    {PLAN_MATCH_DADDR, .set = "six"}},
	.action = {PLAN_ACTION_REDIRECT, 15053},
	.sentence = "to a set",
};

static inline void plans_fill(struct plan *plan)
{
	static const char *const six[] = {"fd00::2", "::1", "fd00::1"};
	struct plan_set *set = plan_add_set(plan, "six", AF_INET6);
	struct plan_chain *raw =
		plan_add_chain(plan, "raw", PLAN_HOOK_OUTPUT, PLAN_CHAIN_FILTER, PLAN_PRIORITY_RAW);
	struct plan_chain *nat =
		plan_add_chain(plan, "nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, PLAN_PRIORITY_DNAT);

	for (size_t i = 0; i < 3; i++) {
		struct addr addr = plans_addr(six[i]);

		plan_add_addr(plan, set, &addr);
	}
	plan_add_rule(plan, raw, &plans_zone);
	plan_add_rule(plan, nat, &plans_return);
	plan_add_rule(plan, nat, &plans_redirect);
}

/* What a printer writes; to be freed. */
static inline char *plans_text(const struct plan *plan,
			       int (*print)(const struct plan *, FILE *, struct err *))
{
	struct err err = {0};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(print(plan, out, &err), 0, "%s", err.msg);
	fclose(out);
	return text;
}

#endif
