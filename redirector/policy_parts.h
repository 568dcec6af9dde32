/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of policy share: policy.c lays out the chains and says what is left alone,
 * policy_dns.c captures queries, policy_proxy.c captures TCP connections.
 */
#ifndef MESHDNS_REDIRECTOR_POLICY_PARTS_H
#define MESHDNS_REDIRECTOR_POLICY_PARTS_H

#include "redirector/policy.h"

#define POLICY_DNS_PORT 53

/* Whose queries are captured; at most one target a family. */
struct policy_target {
	sa_family_t family; /* AF_UNSPEC: both */
	const char *set;    /* of destinations; NULL: any */
	const char *servers;
};

struct policy {
	const struct settings *settings;
	const struct host *host;
	struct plan *plan;
	size_t n_targets; /* 0: no queries are captured */
	struct policy_target targets[2];
};

/* The one family that is wanted, AF_UNSPEC for both. */
sa_family_t policy_family(const struct policy *policy);
bool policy_wants(const struct policy *policy, sa_family_t family);

/* Queries of that family are captured. */
bool policy_captures_dns(const struct policy *policy, sa_family_t family);

/* Fills in the targets. -ENODATA when queries are to be captured and there is no target. */
int policy_find_targets(struct policy *policy, struct err *err);

/* The zones, in a chain of their own; the rules for queries, in the chain that is given. */
void policy_add_zones(const struct policy *policy);
void policy_add_dns(const struct policy *policy, struct plan_chain *chain);

/*
 * Hands the TCP connections in that chain to the chains `outbound` and `inbound`, which these make.
 * policy_add_outbound(): -EINVAL when none of the VIPs is of a wanted family.
 */
int policy_add_outbound(const struct policy *policy, struct plan_chain *chain, struct err *err);
void policy_add_inbound(const struct policy *policy, struct plan_chain *chain);

/* Queries and connections of the guests that come in by the virtual networks' interfaces. */
void policy_add_vnets(const struct policy *policy, struct plan_chain *chain);

/*
 * The excluded uids and destinations, first in a chain: each rule begins with the matches of `what`
 * (a protocol or none, a port or none), and returns. `link_local`: link-local destinations too.
 */
void policy_add_exclusions(const struct policy *policy, struct plan_chain *chain,
			   const struct plan_rule *what, bool link_local);

/* --- rules, match by match; the order is the price of a packet that is not meant ----------------
 */

struct plan_rule policy_rule(enum plan_action_kind action, uint16_t value);
void policy_match(struct plan_rule *rule, enum plan_match_kind kind, uint32_t value);
void policy_match_range(struct plan_rule *rule, enum plan_match_kind kind, uint32_t first,
			uint32_t last);
void policy_match_family(struct plan_rule *rule, sa_family_t family); /* none if AF_UNSPEC */
/* With its family in front, unless the rule has one. */
void policy_match_prefix(struct plan_rule *rule, enum plan_match_kind kind,
			 const struct prefix *prefix, bool negated);

/* Gives the rule its sentence and appends it. */
void policy_say(const struct policy *policy, struct plan_chain *chain, struct plan_rule *rule,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
