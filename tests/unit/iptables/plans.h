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
	.action = {PLAN_ACTION_ZONE, .value = 1},
	.sentence = "of a large uid",
};

static const struct plan_rule plans_return = {
	.matches = {{PLAN_MATCH_FAMILY, .value = AF_INET}},
	.action = {PLAN_ACTION_RETURN, .value = 0},
	.sentence = "one match is enough",
};

static const struct plan_rule plans_redirect = {
	.matches = {{PLAN_MATCH_PROTOCOL, .value = IPPROTO_TCP},
		    {PLAN_MATCH_DPORT, .value = 65535},
		    {PLAN_MATCH_FAMILY, .value = AF_INET6},
		    {PLAN_MATCH_DADDR, .set = "six"}},
	.action = {PLAN_ACTION_REDIRECT, .value = 15053},
	.sentence = "to a set",
};

#define PLANS_PREFIX4(a, b, c, d, bits)                                           \
	{                                                                         \
		.addr = {.family = AF_INET, .bytes = {a, b, c, d}}, .len = (bits) \
	}

static const struct plan_rule plans_ranges = {
	.matches = {{PLAN_MATCH_PROTOCOL, .value = IPPROTO_TCP},
		    {PLAN_MATCH_DPORT, .value = 1000, .last = 2000},
		    {PLAN_MATCH_FAMILY, .value = AF_INET},
		    {PLAN_MATCH_SPREFIX, .prefix = PLANS_PREFIX4(127, 0, 0, 6, 32)},
		    {PLAN_MATCH_DPREFIX, .negated = true, .prefix = PLANS_PREFIX4(10, 0, 0, 0, 9)},
		    {PLAN_MATCH_UID, .value = 0, .last = 4000000000},
		    {PLAN_MATCH_OIF, .interface = "lo"}},
	.action = {PLAN_ACTION_REDIRECT, .value = 15001},
	.sentence = "all that has a range",
};

/* Not in plans_fill(): no backend but nftables' reads a cgroup back as its path. */
static const struct plan_rule plans_owners = {
	.matches = {{PLAN_MATCH_GID, .value = 5678, .last = 5700},
		    {PLAN_MATCH_CGROUP, .cgroup = "mesh.slice/envoy.service"},
		    {PLAN_MATCH_MARK, .value = 0x10, .mask = 0xf0}},
	.action = {.kind = PLAN_ACTION_RETURN},
	.sentence = "of everything but a uid",
};

static const struct plan_rule plans_log = {
	.action = {PLAN_ACTION_LOG, .value = 7, .name = "OUT:"},
	.sentence = "everything",
};

static const struct plan_rule plans_jump = {
	.matches = {{PLAN_MATCH_PROTOCOL, .value = IPPROTO_TCP}},
	.action = {PLAN_ACTION_JUMP, .name = "sub"},
	.sentence = "in a chain of its own",
};

static const struct plan_rule plans_drop = {
	.matches = {{PLAN_MATCH_IIF, .begins = true, .interface = "docker"},
		    {.kind = PLAN_MATCH_INVALID}},
	.action = {.kind = PLAN_ACTION_DROP},
	.sentence = "of a kind of interface",
};

static inline void plans_fill(struct plan *plan)
{
	static const char *const six[] = {"fd00::2", "::1", "fd00::1"};
	struct plan_set *set = plan_add_set(plan, "six", AF_INET6);
	struct plan_chain *raw =
		plan_add_chain(plan, "raw", PLAN_HOOK_OUTPUT, PLAN_CHAIN_FILTER, PLAN_PRIORITY_RAW);
	struct plan_chain *nat =
		plan_add_chain(plan, "nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, PLAN_PRIORITY_DNAT);
	struct plan_chain *late = plan_add_chain(plan, "late", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT,
						 PLAN_PRIORITY_AFTER_DNAT);
	struct plan_chain *pre = plan_add_chain(plan, "pre", PLAN_HOOK_PREROUTING,
						PLAN_CHAIN_FILTER, PLAN_PRIORITY_MANGLE);
	struct plan_chain *sub = plan_add_subchain(plan, "sub");

	for (size_t i = 0; i < 3; i++) {
		struct addr addr = plans_addr(six[i]);

		plan_add_addr(plan, set, &addr);
	}
	plan_add_rule(plan, raw, &plans_zone);
	plan_add_rule(plan, nat, &plans_return);
	plan_add_rule(plan, nat, &plans_redirect);
	plan_add_rule(plan, late, &plans_log);
	plan_add_rule(plan, late, &plans_jump);
	plan_add_rule(plan, pre, &plans_drop);
	plan_add_rule(plan, sub, &plans_ranges);
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
