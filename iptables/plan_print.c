/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan as text for people. Stable: the golden cases of the tests are made of it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "iptables/plan.h"

/* "port 53" or "ports 1000-2000". */
static int format_range(const char *what, const struct plan_match *m, char *buf, size_t size)
{
	if (m->last)
		return snprintf(buf, size, "%ss %u-%u", what, m->value, m->last);
	return snprintf(buf, size, "%s %u", what, m->value);
}

static int format_prefix(const char *what, const struct plan_match *m, char *buf, size_t size)
{
	char text[PREFIX_TEXT_MAX];

	return snprintf(buf, size, "%s%s %s", m->negated ? "not " : "", what,
			prefix_format(&m->prefix, text));
}

static int format_mark(const struct plan_match *m, char *buf, size_t size)
{
	if (m->mask == UINT32_MAX)
		return snprintf(buf, size, "of mark 0x%x", m->value);
	return snprintf(buf, size, "of mark 0x%x/0x%x", m->value, m->mask);
}

static int format_match(const struct plan_match *m, char *buf, size_t size)
{
	switch (m->kind) {
	case PLAN_MATCH_FAMILY:
		return snprintf(buf, size, "%s", m->value == AF_INET ? "ipv4" : "ipv6");
	case PLAN_MATCH_PROTOCOL:
		return snprintf(buf, size, "%s", m->value == IPPROTO_UDP ? "udp" : "tcp");
	case PLAN_MATCH_DPORT: return format_range("to port", m, buf, size);
	case PLAN_MATCH_DADDR: return snprintf(buf, size, "to %s", m->set);
	case PLAN_MATCH_SPREFIX: return format_prefix("from", m, buf, size);
	case PLAN_MATCH_DPREFIX: return format_prefix("to", m, buf, size);
	case PLAN_MATCH_UID: return format_range("of uid", m, buf, size);
	case PLAN_MATCH_GID: return format_range("of gid", m, buf, size);
	case PLAN_MATCH_CGROUP: return snprintf(buf, size, "of cgroup %s", m->cgroup);
	case PLAN_MATCH_MARK: return format_mark(m, buf, size);
	case PLAN_MATCH_IIF:
		return snprintf(buf, size, "in by %s%s", m->interface, m->begins ? "*" : "");
	case PLAN_MATCH_OIF:
		return snprintf(buf, size, "out by %s%s", m->interface, m->begins ? "*" : "");
	case PLAN_MATCH_INVALID: return snprintf(buf, size, "invalid");
	case PLAN_MATCH_END:
	case PLAN_MATCH_KINDS: break;
	}
	return 0;
}

const char *plan_match_format(const struct plan_match *m, char buf[PLAN_MATCH_TEXT_MAX])
{
	buf[0] = '\0';
	format_match(m, buf, PLAN_MATCH_TEXT_MAX);
	return buf;
}

static void format_action(const struct plan_action *action, char *buf, size_t size)
{
	switch (action->kind) {
	case PLAN_ACTION_RETURN: snprintf(buf, size, "return"); break;
	case PLAN_ACTION_REDIRECT: snprintf(buf, size, "redirect to port %u", action->value); break;
	case PLAN_ACTION_ZONE:
		snprintf(buf, size, "conntrack zone %u (original direction)", action->value);
		break;
	case PLAN_ACTION_JUMP: snprintf(buf, size, "go through %s", action->name); break;
	case PLAN_ACTION_DROP: snprintf(buf, size, "drop"); break;
	case PLAN_ACTION_LOG:
		snprintf(buf, size, "log \"%s\" at level %u", action->name, action->value);
		break;
	case PLAN_ACTION_KINDS: break;
	}
}

const char *plan_rule_format(const struct plan_rule *rule, char buf[PLAN_RULE_TEXT_MAX])
{
	size_t used = 0;

	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		char text[PLAN_MATCH_TEXT_MAX];

		used += (size_t)snprintf(buf + used, PLAN_RULE_TEXT_MAX - used, "%s%s",
					 used ? " " : "", plan_match_format(m, text));
	}
	used += (size_t)snprintf(buf + used, PLAN_RULE_TEXT_MAX - used, "%s-> ", used ? " " : "");
	format_action(&rule->action, buf + used, PLAN_RULE_TEXT_MAX - used);
	return buf;
}

const char *plan_chain_format(const struct plan_chain *chain, char buf[PLAN_CHAIN_TEXT_MAX])
{
	if (chain->hook == PLAN_HOOK_NONE)
		snprintf(buf, PLAN_CHAIN_TEXT_MAX, "chain %s", chain->name);
	else if (chain->priority == PLAN_PRIORITY_UNKNOWN)
		snprintf(buf, PLAN_CHAIN_TEXT_MAX, "chain %s (%s hook, type %s)", chain->name,
			 plan_hook_name(chain->hook), plan_chain_type_name(chain->type));
	else
		snprintf(buf, PLAN_CHAIN_TEXT_MAX, "chain %s (%s hook, type %s, priority %d)",
			 chain->name, plan_hook_name(chain->hook),
			 plan_chain_type_name(chain->type), chain->priority);
	return buf;
}

int plan_print(const struct plan *plan, FILE *out, struct err *err)
{
	char text[PLAN_RULE_TEXT_MAX];

	for (size_t i = 0; i < plan->n_sets; i++) {
		const struct plan_set *set = &plan->sets[i];

		if (set->sentence[0])
			fprintf(out, "# %s\n", set->sentence);
		fprintf(out, "set %s:", set->name);
		for (size_t j = 0; j < set->n_addrs; j++)
			fprintf(out, " %s", addr_format(&set->addrs[j], text));
		fputc('\n', out);
	}
	for (size_t i = 0; i < plan->n_chains; i++) {
		const struct plan_chain *chain = &plan->chains[i];

		fprintf(out, "%s%s:\n", i || plan->n_sets ? "\n" : "",
			plan_chain_format(chain, text));
		for (size_t j = 0; j < chain->n_rules; j++) {
			const struct plan_rule *rule = &chain->rules[j];

			if (rule->sentence[0])
				fprintf(out, "  # %s\n", rule->sentence);
			fprintf(out, "  %s", plan_rule_format(rule, text));
			if (plan->installed)
				fprintf(out, " (%" PRIu64 " packets, %" PRIu64 " bytes)",
					rule->packets, rule->bytes);
			fputc('\n', out);
		}
	}
	if (fflush(out) == EOF || ferror(out))
		return err_set(err, errno ? errno : EIO, "cannot write the plan: %s",
			       err_text(errno ? errno : EIO));
	return 0;
}
