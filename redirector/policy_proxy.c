/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How TCP connections reach the proxy, and how they get out of it again.
 *
 *	application ── any port ──► outbound: redirect ──► proxy, port 15001 ── as its user ──► out
 *	outside ── any port ──► inbound: redirect ──► proxy, port 15006 ── from 127.0.0.6 ──► the
 *	                                                                    application's port
 *
 * The proxy's own connections must not come back to it, and there are three kinds of them:
 *
 *	to the outside		go out by its user;
 *	to an application here	that an inbound connection was for: from 127.0.0.6 or ::6 by lo, the
 *				address that the proxy takes for just these;
 *	to this host's own	what an application wanted from a service whose endpoint is this
 *very address			host: as inbound as a connection from outside, and handled there.
 *
 * Applications' connections by lo stay among themselves: that is 127.0.0.0/8, and a host's own
 * addresses. (Kuma means 127.0.0.1 alone, and makes the proxy's call to 127.0.0.53 an inbound one.)
 *
 * Where a redirection lands: on output at 127.0.0.1 and ::1, on prerouting at the address of the
 * interface that the packet came in by. So what serves guests must listen on every address.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "redirector/policy_parts.h"

#define LOOPBACK "lo"

/* What is particular to a family. */
static const struct family {
	sa_family_t number;
	struct prefix passthrough; /* what the proxy connects from, to applications here */
	struct prefix loopback;
} families[] = {
	{
		AF_INET,
		{.addr = {.family = AF_INET, .bytes = {127, 0, 0, 6}}, .len = 32},
		{.addr = {.family = AF_INET, .bytes = {127}}, .len = 8},
	},
	{
		AF_INET6,
		{.addr = {.family = AF_INET6, .bytes = {[15] = 6}}, .len = 128},
		{.addr = {.family = AF_INET6, .bytes = {[15] = 1}}, .len = 128},
	},
};

static struct plan_rule tcp_rule(enum plan_action_kind action, uint16_t value)
{
	struct plan_rule rule = policy_rule(action, value);

	policy_match(&rule, PLAN_MATCH_PROTOCOL, IPPROTO_TCP);
	return rule;
}

static void match_out_by_loopback(struct plan_rule *rule)
{
	plan_add_match(rule, (struct plan_match){PLAN_MATCH_OIF, .interface = LOOPBACK});
}

/* A chain of its own for TCP, in which nobody need ask for the family mode any more. */
static struct plan_chain *add_tcp_chain(const struct policy *policy, struct plan_chain *from,
					const char *name, const char *whose)
{
	struct plan_rule rule = tcp_rule(PLAN_ACTION_JUMP, 0);

	snprintf(rule.action.name, sizeof(rule.action.name), "%s", name);
	policy_match_family(&rule, policy_family(policy));
	policy_say(policy, from, &rule, "whether a TCP connection %s goes to the proxy", whose);
	return plan_add_subchain(policy->plan, name);
}

/* The end of a chain: the ports that are wanted, or every one. */
static void add_redirects(const struct policy *policy, struct plan_chain *chain,
			  const struct port_list *include, uint16_t port, const char *what)
{
	struct plan_rule rule = tcp_rule(PLAN_ACTION_REDIRECT, port);

	if (!include->n)
		policy_say(policy, chain, &rule, "%s go to the proxy", what);
	for (size_t i = 0; i < include->n; i++) {
		rule = tcp_rule(PLAN_ACTION_REDIRECT, port);
		policy_match_range(&rule, PLAN_MATCH_DPORT, include->list[i].first,
				   include->list[i].last);
		policy_say(policy, chain, &rule, "%s to these ports go to the proxy", what);
	}
}

/* Which count for nothing where it is said what to include. */
static void add_excluded_ports(const struct policy *policy, struct plan_chain *chain,
			       const struct port_list *exclude, const struct port_list *include)
{
	for (size_t i = 0; i < exclude->n && !include->n; i++) {
		struct plan_rule rule = tcp_rule(PLAN_ACTION_RETURN, 0);

		policy_match_range(&rule, PLAN_MATCH_DPORT, exclude->list[i].first,
				   exclude->list[i].last);
		policy_say(policy, chain, &rule, "these ports are excluded from redirection");
	}
}

/* --- outbound -----------------------------------------------------------------------------------
 */

static void add_dns_guard(const struct policy *policy, struct plan_chain *chain)
{
	for (size_t i = 0; i < policy->n_targets; i++) {
		struct plan_rule rule = tcp_rule(PLAN_ACTION_RETURN, 0);

		policy_match(&rule, PLAN_MATCH_DPORT, POLICY_DNS_PORT);
		policy_match_family(&rule, policy->targets[i].family);
		policy_say(policy, chain, &rule,
			   "queries are for the resolver or for their server, never for the proxy");
	}
}

static void add_loop_guards(const struct policy *policy, struct plan_chain *chain)
{
	const struct owners *owners = &policy->host->owners;
	struct plan_rule rule;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *family = &families[i];

		if (!policy_wants(policy, family->number))
			continue;
		rule = tcp_rule(PLAN_ACTION_RETURN, 0);
		policy_match_prefix(&rule, PLAN_MATCH_SPREFIX, &family->passthrough, false);
		match_out_by_loopback(&rule);
		policy_say(policy, chain, &rule,
			   "what the proxy passes on to an application here has arrived");
		for (size_t j = 0; j < owners->n && policy->settings->redirect_inbound; j++) {
			rule = tcp_rule(PLAN_ACTION_REDIRECT, policy->settings->inbound_port);
			plan_add_match(&rule, owners->list[j]);
			policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &family->loopback, true);
			match_out_by_loopback(&rule);
			policy_say(policy, chain, &rule,
				   "the proxy's calls to this host's own address are inbound ones");
		}
	}
	rule = tcp_rule(PLAN_ACTION_RETURN, 0);
	match_out_by_loopback(&rule);
	policy_say(policy, chain, &rule, "what stays on this host needs no proxy");
	for (size_t j = 0; j < owners->n; j++) {
		rule = tcp_rule(PLAN_ACTION_RETURN, 0);
		plan_add_match(&rule, owners->list[j]);
		policy_say(policy, chain, &rule,
			   "the proxy's own connections go where it sends them");
	}
}

/* Every destination, or the VIPs alone; through a chain, for each VIP has all the ports. */
static int add_outbound_redirects(const struct policy *policy, struct plan_chain *chain,
				  struct err *err)
{
	const struct settings *settings = policy->settings;
	const struct prefix_list *vips = &settings->redirect_vips;
	char text[PREFIX_TEXT_MAX];
	size_t wanted = 0;

	for (size_t i = 0; i < vips->n; i++) {
		struct plan_rule rule = tcp_rule(PLAN_ACTION_JUMP, 0);

		if (!policy_wants(policy, vips->list[i].addr.family))
			continue;
		wanted++;
		snprintf(rule.action.name, sizeof(rule.action.name), "outbound-vips");
		policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &vips->list[i], false);
		policy_say(policy, chain, &rule, "virtual addresses %s are the proxy's to reach",
			   prefix_format(&vips->list[i], text));
	}
	if (vips->n && !wanted)
		return err_set(err, EINVAL,
			       "none of the prefixes of --redirect-vips is of the family that "
			       "--ip-family-mode leaves");
	if (vips->n)
		chain = plan_add_subchain(policy->plan, "outbound-vips");
	add_redirects(policy, chain, &settings->include_outbound_ports, settings->outbound_port,
		      "applications' connections");
	return 0;
}

int policy_add_outbound(const struct policy *policy, struct plan_chain *chain, struct err *err)
{
	const struct settings *settings = policy->settings;
	struct plan_rule tcp = tcp_rule(PLAN_ACTION_RETURN, 0);

	chain = add_tcp_chain(policy, chain, "outbound", "of this host");
	policy_add_exclusions(policy, chain, &tcp, true);
	add_dns_guard(policy, chain);
	add_excluded_ports(policy, chain, &settings->exclude_outbound_ports,
			   &settings->include_outbound_ports);
	add_loop_guards(policy, chain);
	return add_outbound_redirects(policy, chain, err);
}

/* --- inbound ------------------------------------------------------------------------------------
 */

void policy_add_inbound(const struct policy *policy, struct plan_chain *chain)
{
	const struct settings *settings = policy->settings;
	const struct prefix_list *ips = &settings->exclude_inbound_ips;
	char text[PREFIX_TEXT_MAX];

	chain = add_tcp_chain(policy, chain, "inbound", "from outside");
	for (size_t i = 0; i < ips->n; i++) {
		struct plan_rule rule = tcp_rule(PLAN_ACTION_RETURN, 0);

		if (!policy_wants(policy, ips->list[i].addr.family))
			continue;
		policy_match_prefix(&rule, PLAN_MATCH_SPREFIX, &ips->list[i], false);
		policy_say(policy, chain, &rule, "source %s is excluded from redirection",
			   prefix_format(&ips->list[i], text));
	}
	add_excluded_ports(policy, chain, &settings->exclude_inbound_ports,
			   &settings->include_inbound_ports);
	add_redirects(policy, chain, &settings->include_inbound_ports, settings->inbound_port,
		      "connections from outside");
}

/* --- virtual networks ---------------------------------------------------------------------------
 */

static void match_in_by(struct plan_rule *rule, const struct vnet *vnet)
{
	struct plan_match match = {.kind = PLAN_MATCH_IIF};
	size_t len;

	len = (size_t)snprintf(match.interface, sizeof(match.interface), "%s", vnet->interface);
	if (len && match.interface[len - 1] == '+') {
		match.begins = true;
		match.interface[len - 1] = '\0';
	}
	plan_add_match(rule, match);
}

/* Queries of guests, to whatever server: the network's name servers are not in our resolv.conf. */
static void add_vnet_dns(const struct policy *policy, struct plan_chain *chain,
			 const struct vnet *vnet)
{
	static const uint32_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};
	bool tcp = policy->settings->redirect_dns_tcp;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct plan_rule rule =
			protocols[i] == IPPROTO_TCP && !tcp
				? policy_rule(PLAN_ACTION_RETURN, 0)
				: policy_rule(PLAN_ACTION_REDIRECT, policy->settings->dns_port);

		policy_match(&rule, PLAN_MATCH_PROTOCOL, protocols[i]);
		policy_match(&rule, PLAN_MATCH_DPORT, POLICY_DNS_PORT);
		policy_match_family(&rule, vnet->network.addr.family);
		match_in_by(&rule, vnet);
		policy_say(policy, chain, &rule,
			   rule.action.kind == PLAN_ACTION_RETURN
				   ? "queries over TCP from guests at %s are not for the proxy"
				   : "queries from guests at %s go to the resolver",
			   vnet->interface);
	}
}

static void add_vnet_tcp(const struct policy *policy, struct plan_chain *chain,
			 const struct vnet *vnet)
{
	const struct settings *settings = policy->settings;
	const struct prefix_list *vips = &settings->redirect_vips;
	struct plan_rule rule = tcp_rule(PLAN_ACTION_REDIRECT, settings->outbound_port);

	if (!vips->n) {
		policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &vnet->network, true);
		match_in_by(&rule, vnet);
		policy_say(policy, chain, &rule,
			   "what guests at %s send out of their network goes to the proxy",
			   vnet->interface);
	}
	for (size_t i = 0; i < vips->n; i++) {
		if (vips->list[i].addr.family != vnet->network.addr.family)
			continue;
		rule = tcp_rule(PLAN_ACTION_REDIRECT, settings->outbound_port);
		policy_match_prefix(&rule, PLAN_MATCH_DPREFIX, &vips->list[i], false);
		match_in_by(&rule, vnet);
		policy_say(policy, chain, &rule,
			   "what guests at %s send to virtual addresses goes to the proxy",
			   vnet->interface);
	}
}

void policy_add_vnets(const struct policy *policy, struct plan_chain *chain)
{
	const struct settings *settings = policy->settings;

	for (size_t i = 0; i < settings->n_vnets; i++) {
		const struct vnet *vnet = &settings->vnets[i];
		sa_family_t family = vnet->network.addr.family;

		if (policy_wants(policy, family) && policy_captures_dns(policy, family))
			add_vnet_dns(policy, chain, vnet);
		if (policy_wants(policy, family) && settings->redirect_outbound)
			add_vnet_tcp(policy, chain, vnet);
	}
}
