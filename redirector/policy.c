/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How DNS is captured.
 *
 *	application ── port 53 of a nameserver ──► nat output: redirect ──► resolver, port 15053
 *	resolver    ── port 53 of a nameserver ──► nat output: return ────► the nameserver
 *
 * The two are told apart by the owner of the socket, the proxy user. Answers need no rule:
 * conntrack turns them back by itself. UDP and TCP are captured alike: a truncated answer is
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
 * The order of matches is the price of a packet that is no DNS: protocol and port first.
 */
#include "redirector/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/cleanup.h"

#define DNS_PORT 53

static const struct {
	uint32_t number;
	const char *name;
} protocols[] = {{IPPROTO_UDP, "UDP"}, {IPPROTO_TCP, "TCP"}};

/* Whose queries are captured; at most one target a family. */
struct target {
	sa_family_t family; /* AF_UNSPEC: both */
	const char *set;    /* of destinations; NULL: any */
	const char *servers;
};

struct targets {
	size_t n;
	struct target list[2];
};

static bool family_wanted(const struct settings *settings, sa_family_t family)
{
	switch (settings->family_mode) {
	case FAMILY_IPV4: return family == AF_INET;
	case FAMILY_IPV6: return family == AF_INET6;
	case FAMILY_DUALSTACK: break;
	}
	return true;
}

/* Every destination: one target for both families where both are wanted. */
static void target_all(const struct settings *settings, struct targets *targets)
{
	static const struct target all[] = {
		[FAMILY_DUALSTACK] = {AF_UNSPEC, NULL, "any server"},
		[FAMILY_IPV4] = {AF_INET, NULL, "any IPv4 server"},
		[FAMILY_IPV6] = {AF_INET6, NULL, "any IPv6 server"},
	};

	targets->list[targets->n++] = all[settings->family_mode];
}

/* The nameservers of one family, as a set of the plan. */
static void target_nameservers(const struct settings *settings, const struct host *host,
			       const struct target *target, struct plan *plan,
			       struct targets *targets)
{
	struct plan_set *set = NULL;

	if (!family_wanted(settings, target->family))
		return;
	for (size_t i = 0; i < host->n_nameservers; i++) {
		if (host->nameservers[i].family != target->family)
			continue;
		if (!set)
			set = plan_add_set(plan, target->set, target->family);
		plan_add_addr(plan, set, &host->nameservers[i]);
	}
	if (set)
		targets->list[targets->n++] = *target;
}

static int find_targets(const struct settings *settings, const struct host *host, struct plan *plan,
			struct targets *targets, struct err *err)
{
	static const struct target nameservers[] = {
		{AF_INET, "nameservers4", "the IPv4 nameservers"},
		{AF_INET6, "nameservers6", "the IPv6 nameservers"},
	};

	if (settings->redirect_all_dns) {
		target_all(settings, targets);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(nameservers); i++)
		target_nameservers(settings, host, &nameservers[i], plan, targets);
	if (targets->n == 0)
		return err_set(err, ENODATA,
			       "%s has no nameserver that can be captured, only link-local ones or "
			       "none of the family that --ip-family-mode leaves; use another mode, "
			       "--resolv-conf or --redirect-all-dns-traffic",
			       host->resolv_conf);
	return 0;
}

/* --- rules --- */

static struct plan_rule dns_rule(uint32_t protocol, enum plan_action_kind action, uint16_t value)
{
	struct plan_rule rule = {.action = {action, .value = value}};

	plan_add_match(&rule, (struct plan_match){PLAN_MATCH_PROTOCOL, .value = protocol});
	plan_add_match(&rule, (struct plan_match){PLAN_MATCH_DPORT, .value = DNS_PORT});
	return rule;
}

static void match_owner(struct plan_rule *rule, const struct host *host)
{
	plan_add_match(rule, (struct plan_match){PLAN_MATCH_UID, .value = host->proxy_user.uid});
}

static void match_target(struct plan_rule *rule, const struct target *target)
{
	if (target->family)
		plan_add_match(rule,
			       (struct plan_match){PLAN_MATCH_FAMILY, .value = target->family});
	if (target->set) {
		struct plan_match set = {.kind = PLAN_MATCH_DADDR};

		snprintf(set.set, sizeof(set.set), "%s", target->set);
		plan_add_match(rule, set);
	}
}

static void add_zones(const struct host *host, const struct targets *targets, struct plan *plan)
{
	struct plan_chain *chain = plan_add_chain(plan, "output-raw", PLAN_HOOK_OUTPUT,
						  PLAN_CHAIN_FILTER, PLAN_PRIORITY_RAW);
	struct plan_rule rule = dns_rule(IPPROTO_UDP, PLAN_ACTION_ZONE, POLICY_ZONE_RESOLVER);

	match_owner(&rule, host);
	snprintf(rule.sentence, sizeof(rule.sentence),
		 "the resolver's own queries are tracked apart from those that are captured");
	plan_add_rule(plan, chain, &rule);

	for (size_t i = 0; i < targets->n; i++) {
		rule = dns_rule(IPPROTO_UDP, PLAN_ACTION_ZONE, POLICY_ZONE_APPLICATIONS);
		match_target(&rule, &targets->list[i]);
		snprintf(rule.sentence, sizeof(rule.sentence),
			 "queries to %s are tracked apart from the resolver's own",
			 targets->list[i].servers);
		plan_add_rule(plan, chain, &rule);
	}
}

static void add_redirects(const struct settings *settings, const struct host *host,
			  const struct targets *targets, struct plan *plan)
{
	struct plan_chain *chain = plan_add_chain(plan, "output-nat", PLAN_HOOK_OUTPUT,
						  PLAN_CHAIN_NAT, PLAN_PRIORITY_DNAT);
	struct plan_rule rule;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule = dns_rule(protocols[i].number, PLAN_ACTION_RETURN, 0);
		match_owner(&rule, host);
		snprintf(rule.sentence, sizeof(rule.sentence),
			 "the resolver's own queries over %s go where it sends them",
			 protocols[i].name);
		plan_add_rule(plan, chain, &rule);
	}
	for (size_t t = 0; t < targets->n; t++) {
		for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
			rule = dns_rule(protocols[i].number, PLAN_ACTION_REDIRECT,
					settings->dns_port);
			match_target(&rule, &targets->list[t]);
			snprintf(rule.sentence, sizeof(rule.sentence),
				 "queries over %s to %s go to the resolver", protocols[i].name,
				 targets->list[t].servers);
			plan_add_rule(plan, chain, &rule);
		}
	}
}

int policy_plan(const struct settings *settings, const struct host *host, struct plan *ret_plan,
		struct err *err)
{
	struct targets targets = {0};
	int rc;

	if ((rc = settings_check_install(settings, err)) < 0 ||
	    (rc = find_targets(settings, host, ret_plan, &targets, err)) < 0)
		return rc;
	if (!settings->skip_zones)
		add_zones(host, &targets, ret_plan);
	add_redirects(settings, host, &targets, ret_plan);
	return plan_validate(ret_plan, err);
}
