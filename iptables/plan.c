/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/plan.h"

#include <ctype.h>
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
	if (a->kind != b->kind)
		return false;
	if (a->kind == PLAN_MATCH_DADDR)
		return !strcmp(a->set, b->set);
	return a->value == b->value;
}

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b)
{
	const struct plan_match *ma = a->matches, *mb = b->matches;

	for (; ma->kind && match_equal(ma, mb); ma++)
		mb++;
	return !ma->kind && !mb->kind && a->action.kind == b->action.kind &&
	       a->action.value == b->action.value && !strcmp(a->sentence, b->sentence);
}

const char *plan_hook_name(enum plan_hook hook)
{
	static const char *const names[PLAN_HOOKS] = {[PLAN_HOOK_OUTPUT] = "output"};

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

/* What is wrong with one match, given those before it; NULL when nothing is. */
static const char *match_fault(const struct plan *plan, const struct plan_rule *rule,
			       const struct plan_match *m)
{
	const struct plan_match *family = plan_rule_match(rule, PLAN_MATCH_FAMILY);
	const struct plan_match *protocol = plan_rule_match(rule, PLAN_MATCH_PROTOCOL);
	const struct plan_set *set;

	if (plan_rule_match(rule, m->kind) != m)
		return "matches the same thing twice";
	switch (m->kind) {
	case PLAN_MATCH_FAMILY:
		return m->value == AF_INET || m->value == AF_INET6 ? NULL : "has no such family";
	case PLAN_MATCH_PROTOCOL:
		return m->value == IPPROTO_UDP || m->value == IPPROTO_TCP ? NULL
									  : "has no such protocol";
	case PLAN_MATCH_DPORT:
		if (!protocol || protocol > m)
			return "has a port before its protocol";
		return m->value && m->value <= UINT16_MAX ? NULL : "has no such port";
	case PLAN_MATCH_DADDR:
		if (!(set = plan_find_set(plan, m->set)))
			return "names a set that is not there";
		if (!family || family > m || family->value != set->family)
			return "has a set of another family than its own";
		return NULL;
	case PLAN_MATCH_UID: return m->value != UINT32_MAX ? NULL : "has no such uid";
	case PLAN_MATCH_END:
	case PLAN_MATCH_KINDS: break;
	}
	return "has an unknown match";
}

static const char *action_fault(const struct plan_chain *chain, const struct plan_rule *rule)
{
	switch (rule->action.kind) {
	case PLAN_ACTION_RETURN: return NULL;
	case PLAN_ACTION_REDIRECT:
		if (chain->type != PLAN_CHAIN_NAT)
			return "redirects outside a NAT chain";
		if (!plan_rule_match(rule, PLAN_MATCH_PROTOCOL))
			return "redirects to a port without matching a protocol";
		return rule->action.value ? NULL : "redirects to port 0";
	case PLAN_ACTION_ZONE:
		if (chain->priority >= PLAN_PRIORITY_CONNTRACK)
			return "sets a zone when conntrack has already looked";
		return rule->action.value ? NULL : "sets zone 0, the default";
	case PLAN_ACTION_KINDS: break;
	}
	return "has an unknown action";
}

static bool printable(const char *text)
{
	for (; *text; text++) {
		if (!isprint((unsigned char)*text))
			return false;
	}
	return true;
}

static const char *rule_fault(const struct plan *plan, const struct plan_chain *chain,
			      const struct plan_rule *rule)
{
	const char *fault;

	if (!rule->matches[0].kind)
		return "matches everything";
	if (rule->matches[PLAN_MATCHES_MAX].kind)
		return "has too many matches";
	if (!rule->sentence[0] || !printable(rule->sentence))
		return "has no readable sentence";
	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		if ((fault = match_fault(plan, rule, m)))
			return fault;
	}
	return action_fault(chain, rule);
}

static int validate_set(const struct plan *plan, const struct plan_set *set, struct err *err)
{
	if (!set->name[0] || plan_find_set(plan, set->name) != set)
		return err_set(err, EINVAL, "the plan has the set \"%s\" twice", set->name);
	if (!set->n_addrs)
		return err_set(err, EINVAL, "the plan's set %s is empty", set->name);
	for (size_t i = 0; i < set->n_addrs; i++) {
		char text[ADDR_TEXT_MAX];

		if (set->addrs[i].family != set->family)
			return err_set(err, EINVAL, "%s is of the wrong family for the set %s",
				       addr_format(&set->addrs[i], text), set->name);
	}
	return 0;
}

static int validate_chain(const struct plan *plan, size_t index, struct err *err)
{
	const struct plan_chain *chain = &plan->chains[index];
	const char *fault;

	for (size_t i = 0; i < index; i++) {
		if (!strcmp(plan->chains[i].name, chain->name))
			return err_set(err, EINVAL, "the plan has the chain %s twice", chain->name);
	}
	if (!chain->name[0] || !plan_hook_name(chain->hook) || !plan_chain_type_name(chain->type))
		return err_set(err, EINVAL, "the plan's chain \"%s\" hangs nowhere", chain->name);
	if (chain->type == PLAN_CHAIN_NAT && chain->priority <= PLAN_PRIORITY_CONNTRACK)
		return err_set(err, EINVAL, "the plan's NAT chain %s comes before conntrack",
			       chain->name);
	for (size_t i = 0; i < chain->n_rules; i++) {
		if ((fault = rule_fault(plan, chain, &chain->rules[i])))
			return err_set(err, EINVAL, "rule %zu of %s, \"%s\", %s", i + 1,
				       chain->name, chain->rules[i].sentence, fault);
	}
	return 0;
}

int plan_validate(const struct plan *plan, struct err *err)
{
	int rc;

	if (plan->error)
		return err_set(err, plan->error,
			       plan->error == -ENOMEM ? "out of memory for the plan"
						      : "the plan has more than it can hold");
	for (size_t i = 0; i < plan->n_sets; i++) {
		if ((rc = validate_set(plan, &plan->sets[i], err)) < 0)
			return rc;
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		if ((rc = validate_chain(plan, i, err)) < 0)
			return rc;
	}
	return 0;
}
