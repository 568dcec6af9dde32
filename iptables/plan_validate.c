/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no backend could mean.
 *
 * A chain without a hook sees what is handed to it, so what its rules may do depends on who jumps
 * to it: each chain on a hook is checked with all that it leads to, as if that were written in it.
 */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "iptables/plan.h"

struct check {
	const struct plan *plan;
	const struct plan_chain *base; /* on whose hook we are */
	bool reached[PLAN_CHAINS_MAX];
	struct err *err;
};

static bool printable(const char *text)
{
	for (; *text; text++) {
		if (!isprint((unsigned char)*text))
			return false;
	}
	return true;
}

/* Nothing, or more than the first and no more than `max`. */
static bool range_ok(const struct plan_match *m, uint32_t max)
{
	return m->value <= max && m->last <= max && (!m->last || m->last > m->value);
}

static bool cgroup_ok(const char *path)
{
	char normal[CGROUP_PATH_MAX];

	return path[0] != PLAN_CGROUP_GONE && cgroup_normalize(path, normal) &&
	       !strcmp(path, normal);
}

static const char *address_fault(const struct plan *plan, const struct plan_rule *rule,
				 const struct plan_match *m)
{
	const struct plan_match *family = plan_rule_match(rule, PLAN_MATCH_FAMILY);
	const struct plan_set *set = NULL;
	sa_family_t wanted;

	if (m->kind == PLAN_MATCH_DADDR && !(set = plan_find_set(plan, m->set)))
		return "names a set that is not there";
	wanted = set ? set->family : m->prefix.addr.family;
	if (!family || family > m || family->value != wanted)
		return "has addresses of another family than its own";
	return set || prefix_is_sound(&m->prefix) ? NULL : "has a prefix that is none";
}

static const char *interface_fault(const struct check *check, const struct plan_match *m)
{
	enum plan_hook hook = m->kind == PLAN_MATCH_IIF ? PLAN_HOOK_PREROUTING : PLAN_HOOK_OUTPUT;
	size_t len = strnlen(m->interface, sizeof(m->interface));

	if (!len || len >= IFNAMSIZ || !printable(m->interface))
		return "has no such interface";
	return check->base->hook == hook ? NULL : "asks for an interface that is not known there";
}

/* What is wrong with one match, given those before it; NULL when nothing is. */
static const char *match_fault(const struct check *check, const struct plan_rule *rule,
			       const struct plan_match *m)
{
	const struct plan_match *protocol = plan_rule_match(rule, PLAN_MATCH_PROTOCOL);

	if (plan_rule_match(rule, m->kind) != m)
		return "matches the same thing twice";
	if (m->negated && m->kind != PLAN_MATCH_DPREFIX)
		return "negates what cannot be negated";
	switch (m->kind) {
	case PLAN_MATCH_FAMILY:
		return m->value == AF_INET || m->value == AF_INET6 ? NULL : "has no such family";
	case PLAN_MATCH_PROTOCOL:
		return m->value == IPPROTO_UDP || m->value == IPPROTO_TCP ? NULL
									  : "has no such protocol";
	case PLAN_MATCH_DPORT:
		if (!protocol || protocol > m)
			return "has a port before its protocol";
		return m->value && range_ok(m, UINT16_MAX) ? NULL : "has no such port";
	case PLAN_MATCH_UID:
	case PLAN_MATCH_GID:
		if (check->base->hook != PLAN_HOOK_OUTPUT)
			return "asks for the owner of what comes from outside";
		return range_ok(m, UINT32_MAX - 1) ? NULL : "has no such uid or gid";
	case PLAN_MATCH_CGROUP:
		if (check->base->hook != PLAN_HOOK_OUTPUT)
			return "asks for the owner of what comes from outside";
		return cgroup_ok(m->cgroup) ? NULL : "has no such cgroup";
	case PLAN_MATCH_MARK:
		return m->mask && !(m->value & ~m->mask) ? NULL : "has a mark that no packet has";
	case PLAN_MATCH_DADDR:
	case PLAN_MATCH_SPREFIX:
	case PLAN_MATCH_DPREFIX: return address_fault(check->plan, rule, m);
	case PLAN_MATCH_IIF:
	case PLAN_MATCH_OIF: return interface_fault(check, m);
	case PLAN_MATCH_INVALID:
		return check->base->priority > PLAN_PRIORITY_CONNTRACK
			       ? NULL
			       : "asks conntrack before it has looked";
	case PLAN_MATCH_END:
	case PLAN_MATCH_KINDS: break;
	}
	return "has an unknown match";
}

static const char *jump_fault(const struct check *check, const struct plan_action *action)
{
	const struct plan_chain *chain = plan_find_chain(check->plan, action->name);

	return chain && chain->hook == PLAN_HOOK_NONE ? NULL : "jumps to nowhere";
}

static const char *action_fault(const struct check *check, const struct plan_rule *rule)
{
	const struct plan_action *action = &rule->action;

	switch (action->kind) {
	case PLAN_ACTION_RETURN:
	case PLAN_ACTION_DROP: return NULL;
	case PLAN_ACTION_REDIRECT:
		if (check->base->type != PLAN_CHAIN_NAT)
			return "redirects outside a NAT chain";
		if (!plan_rule_match(rule, PLAN_MATCH_PROTOCOL))
			return "redirects to a port without matching a protocol";
		return action->value ? NULL : "redirects to port 0";
	case PLAN_ACTION_ZONE:
		if (check->base->priority >= PLAN_PRIORITY_CONNTRACK)
			return "sets a zone when conntrack has already looked";
		return action->value ? NULL : "sets zone 0, the default";
	case PLAN_ACTION_JUMP: return jump_fault(check, action);
	case PLAN_ACTION_LOG:
		return action->name[0] && printable(action->name) && action->value <= 7
			       ? NULL
			       : "logs with no such prefix or level";
	case PLAN_ACTION_KINDS: break;
	}
	return "has an unknown action";
}

static const char *rule_fault(const struct check *check, const struct plan_rule *rule)
{
	const char *fault;

	/* A log line for everything can be meant; anything else is a mistake (a lost match). */
	if (!rule->matches[0].kind && rule->action.kind != PLAN_ACTION_LOG)
		return "matches everything";
	if (rule->matches[PLAN_MATCHES_MAX].kind)
		return "has too many matches";
	if (!rule->sentence[0] || !printable(rule->sentence))
		return "has no readable sentence";
	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		if ((fault = match_fault(check, rule, m)))
			return fault;
	}
	return action_fault(check, rule);
}

/* Checks the chain and all that it leads to; `depth` jumps have led to it. */
static int check_rules(struct check *check, const struct plan_chain *chain, size_t depth)
{
	const char *fault;
	int rc;

	if (depth == PLAN_CHAINS_MAX)
		return err_set(check->err, EINVAL, "the plan jumps in a circle at the chain %s",
			       chain->name);
	check->reached[chain - check->plan->chains] = true;
	for (size_t i = 0; i < chain->n_rules; i++) {
		const struct plan_rule *rule = &chain->rules[i];

		if ((fault = rule_fault(check, rule)))
			return err_set(check->err, EINVAL, "rule %zu of %s, \"%s\", %s", i + 1,
				       chain->name, rule->sentence, fault);
		if (rule->action.kind == PLAN_ACTION_JUMP &&
		    (rc = check_rules(check, plan_find_chain(check->plan, rule->action.name),
				      depth + 1)) < 0)
			return rc;
	}
	return 0;
}

static int check_set(const struct plan *plan, const struct plan_set *set, struct err *err)
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

static int check_chain(struct check *check, const struct plan_chain *chain)
{
	if (plan_find_chain(check->plan, chain->name) != chain)
		return err_set(check->err, EINVAL, "the plan has the chain %s twice", chain->name);
	if (chain->hook == PLAN_HOOK_NONE && chain->name[0])
		return 0; /* its rules are checked where it is jumped to */
	if (!chain->name[0] || !plan_hook_name(chain->hook) || !plan_chain_type_name(chain->type))
		return err_set(check->err, EINVAL, "the plan's chain \"%s\" hangs nowhere",
			       chain->name);
	if (chain->type == PLAN_CHAIN_NAT && chain->priority <= PLAN_PRIORITY_CONNTRACK)
		return err_set(check->err, EINVAL, "the plan's NAT chain %s comes before conntrack",
			       chain->name);
	check->base = chain;
	return check_rules(check, chain, 0);
}

int plan_validate(const struct plan *plan, struct err *err)
{
	struct check check = {.plan = plan, .err = err};
	int rc;

	if (plan->error)
		return err_set(err, plan->error,
			       plan->error == -ENOMEM ? "out of memory for the plan"
						      : "the plan has more than it can hold");
	for (size_t i = 0; i < plan->n_sets; i++) {
		if ((rc = check_set(plan, &plan->sets[i], err)) < 0)
			return rc;
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		if ((rc = check_chain(&check, &plan->chains[i])) < 0)
			return rc;
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		if (!check.reached[i])
			return err_set(err, EINVAL, "nothing leads to the plan's chain %s",
				       plan->chains[i].name);
	}
	return 0;
}
