/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sets; i++)
		free(plan->sets[i].addrs);
	for (size_t i = 0; i < plan->n_chains; i++)
		free(plan->chains[i].rules);
	memset(plan, 0, sizeof(*plan));
}

static void fail(struct plan *plan, int error)
{
	if (!plan->error)
		plan->error = error;
}

struct plan_set *plan_add_set(struct plan *plan, const char *name, sa_family_t family)
{
	struct plan_set *set = &plan->sets[plan->n_sets];

	if (plan->n_sets == PLAN_SETS_MAX || strlen(name) >= sizeof(set->name)) {
		fail(plan, -E2BIG);
		return NULL;
	}
	plan->n_sets++;
	*set = (struct plan_set){.family = family};
	snprintf(set->name, sizeof(set->name), "%s", name);
	return set;
}

struct plan_chain *plan_add_chain(struct plan *plan, const char *name, enum plan_hook hook,
				  enum plan_chain_type type, int32_t priority)
{
	struct plan_chain *chain = &plan->chains[plan->n_chains];

	if (plan->n_chains == PLAN_CHAINS_MAX || strlen(name) >= sizeof(chain->name)) {
		fail(plan, -E2BIG);
		return NULL;
	}
	plan->n_chains++;
	*chain = (struct plan_chain){.hook = hook, .type = type, .priority = priority};
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	return chain;
}

struct plan_chain *plan_add_subchain(struct plan *plan, const char *name)
{
	return plan_add_chain(plan, name, PLAN_HOOK_NONE, PLAN_CHAIN_FILTER, 0);
}

void plan_add_addr(struct plan *plan, struct plan_set *set, const struct addr *addr)
{
	struct addr plain = *addr, *grown;
	size_t at = 0;

	if (!set)
		return;
	plain.scope_id = 0;
	while (at < set->n_addrs && addr_compare(&set->addrs[at], &plain) < 0)
		at++;
	if (at < set->n_addrs && addr_equal(&set->addrs[at], &plain))
		return;
	if (set->n_addrs == PLAN_ADDRS_MAX) {
		fail(plan, -E2BIG);
		return;
	}
	if (!(grown = reallocarray(set->addrs, set->n_addrs + 1, sizeof(*grown)))) {
		fail(plan, -ENOMEM);
		return;
	}
	set->addrs = grown;
	memmove(&grown[at + 1], &grown[at], (set->n_addrs - at) * sizeof(*grown));
	grown[at] = plain;
	set->n_addrs++;
}

void plan_add_match(struct plan_rule *rule, struct plan_match match)
{
	size_t n = 0;

	while (n < PLAN_MATCHES_MAX && rule->matches[n].kind)
		n++;
	rule->matches[n] = match;
}

void plan_add_rule(struct plan *plan, struct plan_chain *chain, const struct plan_rule *rule)
{
	struct plan_rule copy = *rule, *grown; /* it may be one of those that move */

	if (!chain)
		return;
	if (!(grown = reallocarray(chain->rules, chain->n_rules + 1, sizeof(*grown)))) {
		fail(plan, -ENOMEM);
		return;
	}
	chain->rules = grown;
	grown[chain->n_rules++] = copy;
}

void plan_copy(const struct plan *plan, struct plan *ret_copy)
{
	for (size_t i = 0; i < plan->n_sets; i++) {
		const struct plan_set *set = &plan->sets[i];
		struct plan_set *copy = plan_add_set(ret_copy, set->name, set->family);

		for (size_t j = 0; j < set->n_addrs; j++)
			plan_add_addr(ret_copy, copy, &set->addrs[j]);
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		const struct plan_chain *chain = &plan->chains[i];
		struct plan_chain *copy = plan_add_chain(ret_copy, chain->name, chain->hook,
							 chain->type, chain->priority);

		for (size_t j = 0; j < chain->n_rules; j++)
			plan_add_rule(ret_copy, copy, &chain->rules[j]);
	}
	ret_copy->no_comments = plan->no_comments;
	ret_copy->installed = plan->installed;
	memcpy(ret_copy->version, plan->version, sizeof(plan->version));
}

const struct plan_set *plan_find_set(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_sets; i++) {
		if (!strcmp(plan->sets[i].name, name))
			return &plan->sets[i];
	}
	return NULL;
}

const struct plan_chain *plan_find_chain(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_chains; i++) {
		if (!strcmp(plan->chains[i].name, name))
			return &plan->chains[i];
	}
	return NULL;
}

struct plan_chain *plan_get_chain(struct plan *plan, const char *name)
{
	const struct plan_chain *chain = plan_find_chain(plan, name);

	return chain ? &plan->chains[chain - plan->chains] : NULL;
}

const struct plan_match *plan_rule_match(const struct plan_rule *rule, enum plan_match_kind kind)
{
	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		if (m->kind == kind)
			return m;
	}
	return NULL;
}

static bool match_equal(const struct plan_match *a, const struct plan_match *b)
{
	if (a->kind != b->kind || a->negated != b->negated || a->begins != b->begins)
		return false;
	switch (a->kind) {
	case PLAN_MATCH_DADDR: return !strcmp(a->set, b->set);
	case PLAN_MATCH_IIF:
	case PLAN_MATCH_OIF: return !strcmp(a->interface, b->interface);
	case PLAN_MATCH_SPREFIX:
	case PLAN_MATCH_DPREFIX: return prefix_equal(&a->prefix, &b->prefix);
	case PLAN_MATCH_CGROUP: return !strcmp(a->cgroup, b->cgroup);
	case PLAN_MATCH_INVALID: return true;
	default: return a->value == b->value && a->last == b->last;
	}
}

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b)
{
	const struct plan_match *ma = a->matches, *mb = b->matches;

	for (; ma->kind && match_equal(ma, mb); ma++)
		mb++;
	return !ma->kind && !mb->kind && a->action.kind == b->action.kind &&
	       a->action.value == b->action.value && !strcmp(a->action.name, b->action.name) &&
	       !strcmp(a->sentence, b->sentence);
}

const char *plan_hook_name(enum plan_hook hook)
{
	static const char *const names[PLAN_HOOKS] = {
		[PLAN_HOOK_OUTPUT] = "output",
		[PLAN_HOOK_PREROUTING] = "prerouting",
	};

	return (unsigned int)hook < PLAN_HOOKS ? names[hook] : NULL;
}

const char *plan_chain_type_name(enum plan_chain_type type)
{
	static const char *const names[PLAN_CHAIN_TYPES] = {
		[PLAN_CHAIN_FILTER] = "filter",
		[PLAN_CHAIN_NAT] = "nat",
	};

	return (unsigned int)type < PLAN_CHAIN_TYPES ? names[type] : NULL;
}
