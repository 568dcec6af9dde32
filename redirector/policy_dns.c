/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How DNS is captured.
 *
 *	application ── port 53 of a nameserver ──► nat output: redirect ──► resolver, port 15053
 *	resolver    ── port 53 of a nameserver ──► nat output: return ────► the nameserver
 *
 * The two are told apart by their owners (owner.h), commonly by the proxy user. Answers need no
 * rule: conntrack turns them back by itself. UDP and TCP are captured alike: a truncated answer is
 * asked again over TCP, and must be asked of the same server.
 *
 * Zones. conntrack knows a UDP flow by its addresses and ports for some 30 to 120 seconds, and
 * decides about NAT when it sees the first packet. Source ports are used again sooner than that.
 * A resolver's query from the port that an application just used, to the same nameserver, would
 * be taken for the application's flow and redirected: to the resolver itself. The other way round
 * an application's query would slip past it. So each side's queries are looked up in a zone of
 * their own.
 *
 * Only the original direction has a zone. A reply is looked up in the default zone, as if there
 * were no zones, and finds its flow whichever zone that began in. Kuma and Istio put both
 * directions into the zone and so need a rule that guesses the zone of each reply: everything
 * that comes in from port 53. On a host that forwards for others (a VM with containers) that
 * takes away their connections' replies; and replies from a nameserver on loopback need further
 * rules. Without the guess there is nothing to get wrong, and no rule on any hook but output.
 *
 * TCP has no zones. It does not need them: connect() takes no pair of ports that the socket table
 * still holds, and conntrack begins a finished connection anew when it sees a SYN. And it could
 * not have them: the FINs of a closed socket and the acknowledgements of TIME_WAIT belong to no
 * user any more, so a zone chosen by user for each packet would split one connection in two.
 *
 * Packets that come in have no zones either, guests' queries (policy_add_vnets()) included. What
 * the zones keep apart are two flows of this host that differ in their owner alone. A guest's
 * query has the guest's address: the resolver's own can never be taken for it, nor can two guests'.
 * And a zone chosen by interface would hold for nothing but the first hook: the same flow, when it
 * is forwarded and masqueraded, is seen by no other rule of ours.
 *
 * Link-local destinations (fe80::/10) are left alone: their sources are link-local, too, and mean
 * nothing on the loopback interface, so that the resolver could not answer. Better past it than
 * dead.
 *
 * TCP to port 53 is for the resolver or for the server itself, never for the proxy: an answer over
 * TCP must be the one that UDP would have given. policy_add_outbound() sees to it, whatever the
 * order of the chains is.
 *
 * The order of matches is the price of a packet that is no DNS: protocol and port first.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "redirector/policy_parts.h"

static const struct {
	uint32_t number;
	const char *name;
} protocols[] = {{IPPROTO_UDP, "UDP"}, {IPPROTO_TCP, "TCP"}};

/* --- whose queries ------------------------------------------------------------------------------
 */

/* Whose nameservers they are; a path that is too long is left open. */
static void say_source(struct plan_set *set, const struct host *host)
{
	static const char open_end[] = "...";
	bool both = host->resolved_conf[0];
	char *end;

	if (!set)
		return;
	end = set->sentence + sizeof(set->sentence) - sizeof(open_end);
	if (snprintf(set->sentence, sizeof(set->sentence), "nameservers of %s%s%s",
		     host->resolv_conf, both ? ", and of " : "",
		     both ? host->resolved_conf : "") >= (int)sizeof(set->sentence))
		memcpy(end, open_end, sizeof(open_end));
}

/* The nameservers of one family, as a set of the plan. */
static void target_nameservers(struct policy *policy, const struct policy_target *target)
{
	const struct host *host = policy->host;
	struct plan_set *set = NULL;

	if (!policy_wants(policy, target->family))
		return;
	for (size_t i = 0; i < host->n_nameservers; i++) {
		if (host->nameservers[i].family != target->family)
			continue;
		if (!set)
			say_source(set = plan_add_set(policy->plan, target->set, target->family),
				   host);
		plan_add_addr(policy->plan, set, &host->nameservers[i]);
	}
	if (set)
		policy->targets[policy->n_targets++] = *target;
}

int policy_find_targets(struct policy *policy, struct err *err)
{
	static const struct policy_target nameservers[] = {
		{AF_INET, "nameservers4", "the IPv4 nameservers"},
		{AF_INET6, "nameservers6", "the IPv6 nameservers"},
	};
	static const struct policy_target all[] = {
		[FAMILY_DUALSTACK] = {AF_UNSPEC, NULL, "any server"},
		[FAMILY_IPV4] = {AF_INET, NULL, "any IPv4 server"},
		[FAMILY_IPV6] = {AF_INET6, NULL, "any IPv6 server"},
	};

	if (policy->settings->redirect_all_dns) {
		policy->targets[policy->n_targets++] = all[policy->settings->family_mode];
		return 0;
	}
	if (!policy->settings->redirect_dns)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(nameservers); i++)
		target_nameservers(policy, &nameservers[i]);
	if (policy->n_targets == 0)
		return err_set(err, ENODATA,
			       "%s has no nameserver that can be captured, only link-local ones or "
			       "none of the family that --ip-family-mode leaves; use another mode, "
			       "--resolv-conf or --redirect-all-dns-traffic",
			       policy->host->resolv_conf);
	return 0;
}

bool policy_captures_dns(const struct policy *policy, sa_family_t family)
{
	for (size_t i = 0; i < policy->n_targets; i++) {
		if (policy->targets[i].family == AF_UNSPEC || policy->targets[i].family == family)
			return true;
	}
	return false;
}

/* --- rules --------------------------------------------------------------------------------------
 */

static struct plan_rule dns_rule(uint32_t protocol, enum plan_action_kind action, uint16_t value)
{
	struct plan_rule rule = policy_rule(action, value);

	policy_match(&rule, PLAN_MATCH_PROTOCOL, protocol);
	policy_match(&rule, PLAN_MATCH_DPORT, POLICY_DNS_PORT);
	return rule;
}

static void match_target(struct plan_rule *rule, const struct policy_target *target)
{
	struct plan_match set = {.kind = PLAN_MATCH_DADDR};

	policy_match_family(rule, target->family);
	if (!target->set)
		return;
	snprintf(set.set, sizeof(set.set), "%s", target->set);
	plan_add_match(rule, set);
}

/* UDP, and TCP where that is captured as well. */
static size_t n_protocols(const struct policy *policy)
{
	return policy->settings->redirect_dns_tcp ? 2 : 1;
}

void policy_add_zones(const struct policy *policy)
{
	struct plan_chain *chain = plan_add_chain(policy->plan, "output-raw", PLAN_HOOK_OUTPUT,
						  PLAN_CHAIN_FILTER, PLAN_PRIORITY_RAW);
	struct plan_rule rule = dns_rule(IPPROTO_UDP, PLAN_ACTION_RETURN, 0);

	policy_add_exclusions(policy, chain, &rule, policy->settings->redirect_all_dns);
	for (size_t i = 0; i < policy->host->owners.n; i++) {
		rule = dns_rule(IPPROTO_UDP, PLAN_ACTION_ZONE, POLICY_ZONE_RESOLVER);
		plan_add_match(&rule, policy->host->owners.list[i]);
		policy_say(policy, chain, &rule,
			   "the resolver's own queries are tracked apart from those that are "
			   "captured");
	}

	for (size_t i = 0; i < policy->n_targets; i++) {
		rule = dns_rule(IPPROTO_UDP, PLAN_ACTION_ZONE, POLICY_ZONE_APPLICATIONS);
		match_target(&rule, &policy->targets[i]);
		policy_say(policy, chain, &rule,
			   "queries to %s are tracked apart from the resolver's own",
			   policy->targets[i].servers);
	}
}

void policy_add_dns(const struct policy *policy, struct plan_chain *chain)
{
	const struct owners *owners = &policy->host->owners;
	struct plan_rule rule;

	for (size_t i = 0; i < n_protocols(policy); i++) {
		rule = dns_rule(protocols[i].number, PLAN_ACTION_RETURN, 0);
		policy_add_exclusions(policy, chain, &rule, policy->settings->redirect_all_dns);
	}
	for (size_t i = 0; i < n_protocols(policy) * owners->n; i++) {
		rule = dns_rule(protocols[i / owners->n].number, PLAN_ACTION_RETURN, 0);
		plan_add_match(&rule, owners->list[i % owners->n]);
		policy_say(policy, chain, &rule,
			   "the resolver's own queries over %s go where it sends them",
			   protocols[i / owners->n].name);
	}
	for (size_t t = 0; t < policy->n_targets; t++) {
		for (size_t i = 0; i < n_protocols(policy); i++) {
			rule = dns_rule(protocols[i].number, PLAN_ACTION_REDIRECT,
					policy->settings->dns_port);
			match_target(&rule, &policy->targets[t]);
			policy_say(policy, chain, &rule, "queries over %s to %s go to the resolver",
				   protocols[i].name, policy->targets[t].servers);
		}
	}
}
