/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "iptables/xt_rule.h"

#define LOG_PREFIX_MAX 29 /* characters, iptables' limit */

/* The name survives the way there and back. */
static bool chain_name_ok(const char *name)
{
	char text[XT_CHAIN_MAX], back[PLAN_NAME_MAX];

	return strlen(XT_CHAIN_PREFIX) + strlen(name) < XT_CHAIN_MAX &&
	       xt_chain_parse(xt_chain_name(name, text), back) && !strcmp(back, name);
}

/* What there is no word for; NULL when there is one. */
static const char *rule_fault(const struct plan_rule *rule)
{
	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		bool interface = m->kind == PLAN_MATCH_IIF || m->kind == PLAN_MATCH_OIF;

		if (interface && strchr(m->interface, '+'))
			return "names an interface with a '+' in it";
		if (m->kind != PLAN_MATCH_FAMILY && m->kind != PLAN_MATCH_DADDR &&
		    !xt_rule_has_word(m->kind))
			return "has a match";
	}
	if (rule->action.kind == PLAN_ACTION_LOG && strlen(rule->action.name) > LOG_PREFIX_MAX)
		return "has a log prefix of more than 29 characters";
	return NULL;
}

static void express_address(struct plan *plan, struct plan_chain *chain,
			    const struct plan_rule *rule, const struct addr *addr)
{
	struct plan_rule copy = *rule;

	for (struct plan_match *m = copy.matches; m->kind; m++) {
		if (m->kind == PLAN_MATCH_DADDR)
			*m = (struct plan_match){
				.kind = PLAN_MATCH_DPREFIX,
				.prefix = {*addr, (uint8_t)(8 * addr_len(addr))},
			};
	}
	xt_rule_sort(&copy);
	plan_add_rule(plan, chain, &copy);
}

/* A prefix of no bits says nothing, and iptables-save leaves it out. True: it says "never". */
static bool drop_empty_prefixes(struct plan_rule *rule)
{
	struct plan_match *kept = rule->matches;
	bool never = false;

	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		bool prefix = m->kind == PLAN_MATCH_SPREFIX || m->kind == PLAN_MATCH_DPREFIX;

		never = never || (prefix && !m->prefix.len && m->negated);
		if (!prefix || m->prefix.len)
			*kept++ = *m;
	}
	*kept = (struct plan_match){0};
	return never;
}

/* The rule for one family, as many times as its set has addresses. */
static int express_rule(const struct plan *from, const struct plan_rule *rule, sa_family_t family,
			struct plan *plan, struct plan_chain *chain, struct err *err)
{
	const struct plan_match *of = plan_rule_match(rule, PLAN_MATCH_FAMILY);
	const struct plan_match *in = plan_rule_match(rule, PLAN_MATCH_DADDR);
	const char *fault = rule_fault(rule);
	struct plan_rule copy = *rule;

	if ((of && of->value != family) || drop_empty_prefixes(&copy))
		return 0;
	if (fault)
		return err_set(err, EOPNOTSUPP,
			       "the rule \"%s\" %s, which iptables cannot say; use --backend "
			       "nftables",
			       rule->sentence, fault);
	if (from->no_comments)
		copy.sentence[0] = '\0';
	if (!of)
		plan_add_match(&copy, (struct plan_match){PLAN_MATCH_FAMILY, .value = family});
	xt_rule_sort(&copy);
	if (!in) {
		plan_add_rule(plan, chain, &copy);
		return 0;
	}
	for (const struct plan_set *set = plan_find_set(from, in->set); set; set = NULL) {
		for (size_t i = 0; i < set->n_addrs; i++)
			express_address(plan, chain, &copy, &set->addrs[i]);
	}
	return 0;
}

static int express_chain(const struct plan *from, const struct plan_chain *chain, bool ipv6,
			 struct plan *plan, struct err *err)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	struct plan_chain *copy;
	int rc = 0;

	if (!chain_name_ok(chain->name) ||
	    (chain->hook != PLAN_HOOK_NONE && xt_table_of(chain) == XT_TABLES))
		return err_set(err, EOPNOTSUPP,
			       "iptables has no place for the chain %s; use --backend nftables",
			       chain->name);
	copy = plan_add_chain(plan, chain->name, chain->hook, chain->type, chain->priority);
	for (size_t f = 0; f < (ipv6 ? 2 : 1); f++) {
		for (size_t i = 0; i < chain->n_rules && rc == 0; i++)
			rc = express_rule(from, &chain->rules[i], families[f], plan, copy, err);
	}
	return rc;
}

int xt_express(const struct plan *plan, bool ipv6, struct plan *ret_expressed, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < plan->n_chains && rc == 0; i++)
		rc = express_chain(plan, &plan->chains[i], ipv6, ret_expressed, err);
	ret_expressed->no_comments = plan->no_comments;
	memcpy(ret_expressed->version, plan->version, sizeof(plan->version));
	if (rc == 0 && ret_expressed->error)
		rc = err_set(err, ret_expressed->error, "out of memory for the rules");
	if (rc < 0)
		plan_free(ret_expressed);
	return rc;
}
