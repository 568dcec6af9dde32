/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan as JSON for scripts:
 *
 *	{"sets":   [{"name": "...", "family": "ipv4", "addresses": ["..."],
 *	             "comment": "..."}],
 *	 "chains": [{"name": "...", "hook": "output", "type": "nat", "priority": -100, "rules":
 *	             [{"match": {"protocol": "udp", "dport": 53, "daddr": "@set", "uid": 5678,
 *	                         "family": "ipv4"},
 *	               "action": {"redirect": 15053}, "comment": "..."}]}]}
 *
 * A chain that is jumped to has no hook, type and priority. A match that a rule does not have is
 * absent; the others are "gid", "cgroup" with a path, "mark" ("0x1", "0x1/0xff" with a mask),
 *"saddr" and "daddr" with a prefix ("10.0.0.0/8"), "not_daddr", "iif" and "oif" ("docker*": all
 *that begin so), "invalid": true. A range of ports or uids is "1000-2000". Actions: {"return":
 *true}, {"redirect": PORT}, {"zone": N}, {"jump": "chain"}, {"drop": true},
 * {"log": "prefix", "level": N}. The rules of a plan that was read back also have "packets" and
 * "bytes". Scripts rely on this: members are added, not changed.
 */
#include "iptables/plan_json.h"

#include <errno.h>

#include "common/cleanup.h"

static const char *family_name(uint32_t family)
{
	return family == AF_INET ? "ipv4" : "ipv6";
}

static json_t *range_json(const struct plan_match *m)
{
	return m->last ? json_sprintf("%u-%u", m->value, m->last) : json_integer(m->value);
}

static json_t *prefix_json(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_MAX];

	return json_string(prefix_format(prefix, text));
}

static json_t *mark_json(const struct plan_match *m)
{
	return m->mask == UINT32_MAX ? json_sprintf("0x%x", m->value)
				     : json_sprintf("0x%x/0x%x", m->value, m->mask);
}

static json_t *interface_json(const struct plan_match *m)
{
	return json_sprintf("%s%s", m->interface, m->begins ? "*" : "");
}

/*
 * json_object_set_new() and json_array_append_new() take NULL for a failed value and return -1;
 * what they are given is theirs either way.
 */
static int put_match(json_t *object, const struct plan_match *m)
{
	switch (m->kind) {
	case PLAN_MATCH_FAMILY:
		return json_object_set_new(object, "family", json_string(family_name(m->value)));
	case PLAN_MATCH_PROTOCOL:
		return json_object_set_new(object, "protocol",
					   json_string(m->value == IPPROTO_UDP ? "udp" : "tcp"));
	case PLAN_MATCH_DPORT: return json_object_set_new(object, "dport", range_json(m));
	case PLAN_MATCH_DADDR:
		return json_object_set_new(object, "daddr", json_sprintf("@%s", m->set));
	case PLAN_MATCH_SPREFIX:
		return json_object_set_new(object, "saddr", prefix_json(&m->prefix));
	case PLAN_MATCH_DPREFIX:
		return json_object_set_new(object, m->negated ? "not_daddr" : "daddr",
					   prefix_json(&m->prefix));
	case PLAN_MATCH_UID: return json_object_set_new(object, "uid", range_json(m));
	case PLAN_MATCH_GID: return json_object_set_new(object, "gid", range_json(m));
	case PLAN_MATCH_CGROUP:
		return json_object_set_new(object, "cgroup", json_string(m->cgroup));
	case PLAN_MATCH_MARK: return json_object_set_new(object, "mark", mark_json(m));
	case PLAN_MATCH_IIF: return json_object_set_new(object, "iif", interface_json(m));
	case PLAN_MATCH_OIF: return json_object_set_new(object, "oif", interface_json(m));
	case PLAN_MATCH_INVALID: return json_object_set_new(object, "invalid", json_true());
	case PLAN_MATCH_END:
	case PLAN_MATCH_KINDS: break;
	}
	return -1;
}

static json_t *action_json(const struct plan_action *action)
{
	switch (action->kind) {
	case PLAN_ACTION_RETURN: return json_pack("{s:b}", "return", 1);
	case PLAN_ACTION_REDIRECT: return json_pack("{s:i}", "redirect", (int)action->value);
	case PLAN_ACTION_ZONE: return json_pack("{s:i}", "zone", (int)action->value);
	case PLAN_ACTION_JUMP: return json_pack("{s:s}", "jump", action->name);
	case PLAN_ACTION_DROP: return json_pack("{s:b}", "drop", 1);
	case PLAN_ACTION_LOG:
		return json_pack("{s:s, s:i}", "log", action->name, "level", (int)action->value);
	case PLAN_ACTION_KINDS: break;
	}
	return NULL;
}

static json_t *rule_json(const struct plan_rule *rule, bool installed)
{
	cleanup_json json_t *match = json_object(), *json = NULL;

	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		if (put_match(match, m) < 0)
			return NULL;
	}
	json = json_pack("{s:O, s:o, s:s}", "match", match, "action", action_json(&rule->action),
			 "comment", rule->sentence);
	if (!json ||
	    (installed &&
	     (json_object_set_new(json, "packets", json_integer((json_int_t)rule->packets)) < 0 ||
	      json_object_set_new(json, "bytes", json_integer((json_int_t)rule->bytes)) < 0)))
		return NULL;
	return take_ptr(&json);
}

static json_t *chain_json(const struct plan_chain *chain, bool installed)
{
	cleanup_json json_t *rules = json_array();

	for (size_t i = 0; i < chain->n_rules; i++) {
		if (json_array_append_new(rules, rule_json(&chain->rules[i], installed)) < 0)
			return NULL;
	}
	if (chain->hook == PLAN_HOOK_NONE)
		return json_pack("{s:s, s:O}", "name", chain->name, "rules", rules);
	return json_pack("{s:s, s:s, s:s, s:i, s:O}", "name", chain->name, "hook",
			 plan_hook_name(chain->hook), "type", plan_chain_type_name(chain->type),
			 "priority", (int)chain->priority, "rules", rules);
}

static json_t *set_json(const struct plan_set *set)
{
	cleanup_json json_t *addrs = json_array();
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < set->n_addrs; i++) {
		if (json_array_append_new(addrs, json_string(addr_format(&set->addrs[i], text))) <
		    0)
			return NULL;
	}
	return json_pack("{s:s, s:s, s:O, s:s*}", "name", set->name, "family",
			 family_name(set->family), "addresses", addrs, "comment",
			 set->sentence[0] ? set->sentence : NULL);
}

json_t *plan_json(const struct plan *plan)
{
	cleanup_json json_t *sets = json_array(), *chains = json_array();

	for (size_t i = 0; i < plan->n_sets; i++) {
		if (json_array_append_new(sets, set_json(&plan->sets[i])) < 0)
			return NULL;
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		if (json_array_append_new(chains, chain_json(&plan->chains[i], plan->installed)) <
		    0)
			return NULL;
	}
	return json_pack("{s:O, s:O}", "sets", sets, "chains", chains);
}

int plan_json_print(json_t *json, FILE *out, struct err *err)
{
	if (!json)
		return err_set(err, ENOMEM, "out of memory for what there is to print");
	errno = 0;
	if (json_dumpf(json, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF ||
	    fflush(out) == EOF)
		return err_set(err, errno ? errno : EIO, "cannot write JSON: %s",
			       err_text(errno ? errno : EIO));
	return 0;
}

int plan_print_json(const struct plan *plan, FILE *out, struct err *err)
{
	cleanup_json json_t *json = plan_json(plan);

	return plan_json_print(json, out, err);
}
