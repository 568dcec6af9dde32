/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains there are, and what is left alone.
 *
 *	prerouting-mangle  -150  drops what conntrack finds invalid
 *	prerouting-nat      ±10  guests of virtual networks; then go through inbound
 *	output-raw         -300  zones for queries
 *	output-nat          -10  queries; then, with insert_outbound, go through outbound
 *	output-nat-late     +10  otherwise: go through outbound
 *
 * Ours stand beside other tools' NAT chains, ±10 around the priority of these: the first rule that
 * translates a connection decides. Queries are captured in front of all others, for on a container
 * Docker's own rules send the queries to 127.0.0.11 to a random port of that address: applications'
 * queries must be ours before, and the resolver's own, which we return, come to Docker's rules
 * next. TCP is captured behind them, as Kuma appends its rules, so that what others translate stays
 * theirs; or, if the settings say so, in front.
 *
 * A return in one chain leaves a packet to the next one. That is why what is excluded is said in
 * each of the three that would do something to it.
 */
#include "redirector/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "redirector/policy_parts.h"

/* --- rules --------------------------------------------------------------------------------------
 */

struct plan_rule policy_rule(enum plan_action_kind action, uint16_t value)
{
	return (struct plan_rule){.action = {action, .value = value}};
}

void policy_match(struct plan_rule *rule, enum plan_match_kind kind, uint32_t value)
{
	plan_add_match(rule, (struct plan_match){kind, .value = value});
}

void policy_match_range(struct plan_rule *rule, enum plan_match_kind kind, uint32_t first,
			uint32_t last)
{
	struct plan_match match = {kind, .value = first};

	match.last = last > first ? last : 0;
	plan_add_match(rule, match);
}

void policy_match_family(struct plan_rule *rule, sa_family_t family)
{
	if (family != AF_UNSPEC && !plan_rule_match(rule, PLAN_MATCH_FAMILY))
		policy_match(rule, PLAN_MATCH_FAMILY, family);
}

void policy_match_prefix(struct plan_rule *rule, enum plan_match_kind kind,
			 const struct prefix *prefix, bool negated)
{
	policy_match_family(rule, prefix->addr.family);
	plan_add_match(rule, (struct plan_match){kind, .negated = negated, .prefix = *prefix});
}

void policy_say(const struct policy *policy, struct plan_chain *chain, struct plan_rule *rule,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rule->sentence, sizeof(rule->sentence), fmt, ap);
	va_end(ap);
	plan_add_rule(policy->plan, chain, rule);
}

sa_family_t policy_family(const struct policy *policy)
{
	switch (policy->settings->family_mode) {
	case FAMILY_IPV4: return AF_INET;
	case FAMILY_IPV6: return AF_INET6;
	case FAMILY_DUALSTACK: break;
	}
	return AF_UNSPEC;
}

bool policy_wants(const struct policy *policy, sa_family_t family)
{
	return policy_family(policy) == AF_UNSPEC || policy_family(policy) == family;
}

/* --- what is left alone -------------------------------------------------------------------------
 */

/* The port that every rule like `what` is about, 0 for any. */
static uint32_t port_of(const struct plan_rule *what)
{
	const struct plan_match *port = plan_rule_match(what, PLAN_MATCH_DPORT);

	return port ? port->value : 0;
}

static bool ports_contain(const struct port_list *ports, uint32_t port)
{
	for (size_t i = 0; i < ports->n; i++) {
		if (ports->list[i].first <= port && port <= ports->list[i].last)
			return true;
	}
	return !ports->n;
}

static void exclude_uids(const struct policy *policy, struct plan_chain *chain,
			 const struct plan_rule *what, const struct uid_exclusion *exclusion,
			 const struct port_range *ports)
{
	const struct uid_range *uids = &exclusion->uids;
	struct plan_rule rule = *what;

	if (ports)
		policy_match_range(&rule, PLAN_MATCH_DPORT, ports->first, ports->last);
	policy_match_range(&rule, PLAN_MATCH_UID, uids->first, uids->last);
	if (uids->first == uids->last)
		policy_say(policy, chain, &rule, "uid %u is excluded from redirection",
			   uids->first);
	else
		policy_say(policy, chain, &rule, "uids %u to %u are excluded from redirection",
			   uids->first, uids->last);
}

/* One protocol of it, the one of `what`. */
static void add_uid_exclusion(const struct policy *policy, struct plan_chain *chain,
			      const struct plan_rule *what, const struct uid_exclusion *exclusion)
{
	const struct plan_match *protocol = plan_rule_match(what, PLAN_MATCH_PROTOCOL);
	const struct port_list *ports = &exclusion->ports;

	if (!(protocol->value == IPPROTO_UDP ? exclusion->udp : exclusion->tcp))
		return;
	if (port_of(what)) {
		if (ports_contain(ports, port_of(what)))
			exclude_uids(policy, chain, what, exclusion, NULL);
		return;
	}
	for (size_t i = 0; i < ports->n; i++)
		exclude_uids(policy, chain, what, exclusion, &ports->list[i]);
	if (!ports->n)
		exclude_uids(policy, chain, what, exclusion, NULL);
}

void policy_add_exclusions(const struct policy *policy, struct plan_chain *chain,
			   const struct plan_rule *what, bool link_local)
{
	static const struct prefix fe80 = {.addr = {.family = AF_INET6, .bytes = {0xfe, 0x80}},
					   .len = 10};
	const struct settings *settings = policy->settings;
	const struct prefix_list *ips = &settings->exclude_outbound_ips;
	char text[PREFIX_TEXT_MAX];
	struct plan_rule rule;

	for (size_t i = 0; i < settings->n_uid_exclusions; i++)
		add_uid_exclusion(policy, chain, what, &settings->uid_exclusions[i]);
	for (size_t i = 0; i < ips->n; i++) {
		if (!policy_wants(policy, ips->list[i].addr.family))
			continue;
		rule = *what;
		policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &ips->list[i], false);
		policy_say(policy, chain, &rule, "destination %s is excluded from redirection",
			   prefix_format(&ips->list[i], text));
	}
	if (link_local && policy_wants(policy, AF_INET6)) {
		rule = *what;
		policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &fe80, false);
		policy_say(policy, chain, &rule,
			   "link-local destinations are left alone: a redirected packet's source "
			   "could not be answered");
	}
}

/* --- chains -------------------------------------------------------------------------------------
 */

static void add_log(const struct policy *policy, struct plan_chain *chain, const char *prefix)
{
	struct plan_rule rule = policy_rule(PLAN_ACTION_LOG, policy->settings->log_level);

	if (!policy->settings->log)
		return;
	snprintf(rule.action.name, sizeof(rule.action.name), "%s", prefix);
	policy_match_family(&rule, policy_family(policy));
	policy_say(policy, chain, &rule, "each new connection is logged");
}

static int add_output(const struct policy *policy, struct err *err)
{
	const struct settings *settings = policy->settings;
	bool insert = settings->redirect_outbound && settings->insert_outbound;
	struct plan_chain *chain = NULL;

	if (policy->n_targets && !settings->skip_zones)
		policy_add_zones(policy);
	if (policy->n_targets || settings->log || insert)
		chain = plan_add_chain(policy->plan, "output-nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT,
				       PLAN_PRIORITY_BEFORE_DNAT);
	add_log(policy, chain, "OUTPUT:");
	if (policy->n_targets)
		policy_add_dns(policy, chain);
	if (!settings->redirect_outbound)
		return 0;
	if (!insert)
		chain = plan_add_chain(policy->plan, "output-nat-late", PLAN_HOOK_OUTPUT,
				       PLAN_CHAIN_NAT, PLAN_PRIORITY_AFTER_DNAT);
	return policy_add_outbound(policy, chain, err);
}

static void add_prerouting(const struct policy *policy)
{
	const struct settings *settings = policy->settings;
	struct plan_rule rule = policy_rule(PLAN_ACTION_DROP, 0);
	struct plan_chain *chain;

	if (settings->drop_invalid) {
		chain = plan_add_chain(policy->plan, "prerouting-mangle", PLAN_HOOK_PREROUTING,
				       PLAN_CHAIN_FILTER, PLAN_PRIORITY_MANGLE);
		policy_match_family(&rule, policy_family(policy));
		plan_add_match(&rule, (struct plan_match){.kind = PLAN_MATCH_INVALID});
		policy_say(policy, chain, &rule,
			   "packets that belong to no connection would reset the proxy's");
	}
	if (!settings->redirect_inbound && !settings->n_vnets && !settings->log)
		return;
	chain = plan_add_chain(policy->plan, "prerouting-nat", PLAN_HOOK_PREROUTING, PLAN_CHAIN_NAT,
			       settings->insert_inbound || settings->n_vnets
				       ? PLAN_PRIORITY_BEFORE_DNAT
				       : PLAN_PRIORITY_AFTER_DNAT);
	add_log(policy, chain, "PREROUTING:");
	policy_add_vnets(policy, chain);
	if (settings->redirect_inbound)
		policy_add_inbound(policy, chain);
}

int policy_plan(const struct settings *settings, const struct host *host, struct plan *ret_plan,
		struct err *err)
{
	struct policy policy = {.settings = settings, .host = host, .plan = ret_plan};
	int rc;

	if ((rc = settings_check_install(settings, err)) < 0 ||
	    (rc = policy_find_targets(&policy, err)) < 0)
		return rc;
	ret_plan->no_comments = settings->no_comments;
	add_prerouting(&policy);
	if ((rc = add_output(&policy, err)) < 0)
		return rc;
	return plan_validate(ret_plan, err);
}
