/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of one plan is not in another.
 *
 * Two lists of rules are compared by setting aside what they have in common at the head and at the
 * tail: all between is a difference. That is not the shortest list of changes, but it is one, it
 * respects order, and a plan that somebody has added a rule to reads as that one rule.
 */
#include <stdio.h>
#include <string.h>

#include "iptables/plan.h"

#define LINE_BYTES (PLAN_RULE_TEXT_MAX + PLAN_SENTENCE_MAX + PLAN_NAME_MAX + 8)

struct diff {
	size_t n;
	plan_diff_fn *report;
	void *arg;
};

static void differ(struct diff *diff, char sign, const char *text)
{
	diff->n++;
	if (diff->report)
		diff->report(sign, text, diff->arg);
}

static bool has_addr(const struct plan_set *set, const struct addr *addr)
{
	for (size_t i = 0; set && i < set->n_addrs; i++) {
		if (addr_equal(&set->addrs[i], addr))
			return true;
	}
	return false;
}

/* Reports what `set` has and the set of the same name in `other` has not. */
static void diff_set(struct diff *diff, char sign, const struct plan_set *set,
		     const struct plan *other)
{
	const struct plan_set *there = plan_find_set(other, set->name);
	char line[LINE_BYTES], addr[ADDR_TEXT_MAX];

	if (!there || there->family != set->family) {
		snprintf(line, sizeof(line), "set %s of %s addresses", set->name,
			 set->family == AF_INET ? "ipv4" : "ipv6");
		differ(diff, sign, line);
		there = NULL;
	}
	for (size_t i = 0; i < set->n_addrs; i++) {
		if (has_addr(there, &set->addrs[i]))
			continue;
		snprintf(line, sizeof(line), "set %s: %s", set->name,
			 addr_format(&set->addrs[i], addr));
		differ(diff, sign, line);
	}
}

static void differ_chain(struct diff *diff, char sign, const struct plan_chain *chain)
{
	char line[PLAN_CHAIN_TEXT_MAX];

	differ(diff, sign, plan_chain_format(chain, line));
}

static void differ_rules(struct diff *diff, char sign, const struct plan_chain *chain, size_t from,
			 size_t to)
{
	char line[LINE_BYTES], text[PLAN_RULE_TEXT_MAX];

	for (size_t i = from; i < to; i++) {
		snprintf(line, sizeof(line), "chain %s: %s%s%s", chain->name,
			 plan_rule_format(&chain->rules[i], text),
			 chain->rules[i].sentence[0] ? " # " : "", chain->rules[i].sentence);
		differ(diff, sign, line);
	}
}

static void diff_rules(struct diff *diff, const struct plan_chain *found,
		       const struct plan_chain *wanted)
{
	size_t head = 0, f = found->n_rules, w = wanted->n_rules;

	while (head < f && head < w && plan_rule_equal(&found->rules[head], &wanted->rules[head]))
		head++;
	while (f > head && w > head && plan_rule_equal(&found->rules[f - 1], &wanted->rules[w - 1]))
		f--, w--;
	differ_rules(diff, '-', found, head, f);
	differ_rules(diff, '+', wanted, head, w);
}

static bool same_place(const struct plan_chain *a, const struct plan_chain *b)
{
	return a->hook == b->hook && a->type == b->type &&
	       (a->priority == b->priority || a->priority == PLAN_PRIORITY_UNKNOWN ||
		b->priority == PLAN_PRIORITY_UNKNOWN);
}

static void diff_chains(struct diff *diff, const struct plan *found, const struct plan *wanted)
{
	static const struct plan_chain none;

	for (size_t i = 0; i < found->n_chains; i++) {
		const struct plan_chain *chain = &found->chains[i];

		if (plan_find_chain(wanted, chain->name))
			continue;
		differ_chain(diff, '-', chain);
		diff_rules(diff, chain, &none);
	}
	for (size_t i = 0; i < wanted->n_chains; i++) {
		const struct plan_chain *chain = &wanted->chains[i];
		const struct plan_chain *there = plan_find_chain(found, chain->name);

		if (there && !same_place(there, chain))
			differ_chain(diff, '-', there);
		if (!there || !same_place(there, chain))
			differ_chain(diff, '+', chain);
		diff_rules(diff, there ? there : &none, chain);
	}
}

size_t plan_diff(const struct plan *found, const struct plan *wanted, plan_diff_fn *report,
		 void *arg)
{
	struct diff diff = {.report = report, .arg = arg};

	for (size_t i = 0; i < found->n_sets; i++)
		diff_set(&diff, '-', &found->sets[i], wanted);
	for (size_t i = 0; i < wanted->n_sets; i++)
		diff_set(&diff, '+', &wanted->sets[i], found);
	diff_chains(&diff, found, wanted);
	return diff.n;
}
