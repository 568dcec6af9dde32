/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/xt_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "version.h"

const char *xt_hook_chain(enum plan_hook hook)
{
	static const char *const builtins[PLAN_HOOKS] = {
		[PLAN_HOOK_OUTPUT] = "OUTPUT",
		[PLAN_HOOK_PREROUTING] = "PREROUTING",
	};

	return builtins[hook];
}

void xt_lines_free(struct xt_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->list[i].text);
	free(lines->list);
	*lines = (struct xt_lines){0};
}

int xt_lines_add(struct xt_lines *lines, struct xt_line line)
{
	if (line.text && lines->n == lines->size) {
		size_t size = lines->size ? 2 * lines->size : 32;
		struct xt_line *grown = reallocarray(lines->list, size, sizeof(*grown));

		if (grown) {
			lines->list = grown;
			lines->size = size;
		}
	}
	if (!line.text || lines->n == lines->size) {
		free(line.text);
		return -ENOMEM;
	}
	lines->list[lines->n++] = line;
	return 0;
}

/* --- from a plan --- */

static bool is_of_family(const struct plan_rule *rule, sa_family_t family)
{
	return plan_rule_match(rule, PLAN_MATCH_FAMILY)->value == family;
}

static bool has_rules(const struct plan_chain *chain, sa_family_t family)
{
	for (size_t i = 0; i < chain->n_rules; i++) {
		if (is_of_family(&chain->rules[i], family))
			return true;
	}
	return false;
}

/* A chain is in the table of the one on a hook that leads to it; one that nobody leads to is not.
 */
static enum xt_table table_of(const struct plan *plan, const struct plan_chain *chain)
{
	for (size_t i = 0; i < plan->n_chains && chain->hook == PLAN_HOOK_NONE; i++) {
		const struct plan_chain *from = &plan->chains[i];

		for (size_t j = 0; j < from->n_rules; j++) {
			const struct plan_action *action = &from->rules[j].action;

			if (action->kind == PLAN_ACTION_JUMP && !strcmp(action->name, chain->name))
				return table_of(plan, from);
		}
	}
	return chain->hook == PLAN_HOOK_NONE ? XT_TABLES : xt_table_of(chain);
}

/* "CHAIN" and the rule behind it, as text of its own. */
static char *rule_text(const char *chain, const struct plan_rule *rule)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(chain, out);
	xt_rule_print(rule, out);
	return fclose(out) == 0 ? text : NULL;
}

static char *hook_text(const struct plan *plan, const struct plan_chain *chain)
{
	struct plan_rule jump = {.action.kind = PLAN_ACTION_JUMP};

	snprintf(jump.action.name, sizeof(jump.action.name), "%s", chain->name);
	if (!plan->no_comments)
		snprintf(jump.sentence, sizeof(jump.sentence), "%s %s",
			 plan->version[0] ? plan->version : MESHDNS_VERSION,
			 chain->priority > PLAN_PRIORITY_DNAT ? XT_BEHIND_OTHERS
							      : XT_BEFORE_OTHERS);
	return rule_text(xt_hook_chain(chain->hook), &jump);
}

static int add_chain(const struct plan *plan, const struct plan_chain *chain, sa_family_t family,
		     size_t first[PLAN_HOOKS][XT_TABLES], struct xt_lines *lines)
{
	struct xt_line line = {.table = table_of(plan, chain)};
	char name[XT_CHAIN_MAX];
	int rc;

	if (line.table == XT_TABLES)
		return 0;
	line.text = strdup(xt_chain_name(chain->name, name));
	if ((rc = xt_lines_add(lines, line)) < 0)
		return rc;
	for (size_t i = 0; i < chain->n_rules; i++) {
		const struct plan_rule *rule = &chain->rules[i];

		if (!is_of_family(rule, family))
			continue;
		line = (struct xt_line){line.table, XT_LINE_RULE, .packets = rule->packets,
					.bytes = rule->bytes, .text = rule_text(name, rule)};
		if ((rc = xt_lines_add(lines, line)) < 0)
			return rc;
	}
	if (chain->hook == PLAN_HOOK_NONE)
		return 0;
	line = (struct xt_line){line.table, XT_LINE_HOOK, .text = hook_text(plan, chain)};
	if (chain->priority <= PLAN_PRIORITY_DNAT)
		line.position = ++first[chain->hook][line.table];
	return xt_lines_add(lines, line);
}

int xt_lines_of_plan(const struct plan *plan, sa_family_t family, struct xt_lines *ret_lines,
		     struct err *err)
{
	size_t first[PLAN_HOOKS][XT_TABLES] = {0}; /* hooks that come before others' rules */
	int rc = 0;

	for (size_t i = 0; i < plan->n_chains && rc == 0; i++) {
		if (has_rules(&plan->chains[i], family))
			rc = add_chain(plan, &plan->chains[i], family, first, ret_lines);
	}
	return rc < 0 ? err_set(err, rc, "out of memory for the rules") : 0;
}

/* --- to iptables-restore --- */

static bool has_lines(const struct xt_lines *lines, enum xt_table table)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (lines->list[i].table == table)
			return true;
	}
	return false;
}

static bool has_chain(const struct xt_lines *lines, const struct xt_line *chain)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct xt_line *line = &lines->list[i];

		if (line->kind == XT_LINE_CHAIN && line->table == chain->table &&
		    !strcmp(line->text, chain->text))
			return true;
	}
	return false;
}

typedef void print_fn(const struct xt_line *line, FILE *out);

static void for_each_line(const struct xt_lines *lines, enum xt_table table, enum xt_line_kind kind,
			  print_fn *print, FILE *out)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (lines->list[i].table == table && lines->list[i].kind == kind)
			print(&lines->list[i], out);
	}
}

/* Makes the chain, or empties it. */
static void print_chain(const struct xt_line *line, FILE *out)
{
	fprintf(out, ":%s - [0:0]\n", line->text);
}

static void print_unhook(const struct xt_line *line, FILE *out)
{
	fprintf(out, "-D %s\n", line->text);
}

static void print_counters(const struct xt_line *line, FILE *out)
{
	fprintf(out, "[%" PRIu64 ":%" PRIu64 "] ", line->packets, line->bytes);
}

static void print_rule(const struct xt_line *line, FILE *out)
{
	print_counters(line, out);
	fprintf(out, "-A %s\n", line->text);
}

static void print_hook(const struct xt_line *line, FILE *out)
{
	size_t len = strcspn(line->text, " ");

	print_counters(line, out);
	if (line->position)
		fprintf(out, "-I %.*s %zu%s\n", (int)len, line->text, line->position,
			line->text + len);
	else
		fprintf(out, "-A %s\n", line->text);
}

static void print_table(const struct xt_lines *there, const struct xt_lines *wanted,
			enum xt_table table, FILE *out)
{
	fprintf(out, "*%s\n", xt_table_name(table));
	for_each_line(there, table, XT_LINE_CHAIN, print_chain, out);
	for (size_t i = 0; i < wanted->n; i++) {
		const struct xt_line *line = &wanted->list[i];

		if (line->table == table && line->kind == XT_LINE_CHAIN && !has_chain(there, line))
			print_chain(line, out);
	}
	for_each_line(there, table, XT_LINE_HOOK, print_unhook, out);
	for_each_line(wanted, table, XT_LINE_RULE, print_rule, out);
	for_each_line(wanted, table, XT_LINE_HOOK, print_hook, out);
	for (size_t i = 0; i < there->n; i++) {
		const struct xt_line *line = &there->list[i];

		if (line->table == table && line->kind == XT_LINE_CHAIN && !has_chain(wanted, line))
			fprintf(out, "-X %s\n", line->text);
	}
	fputs("COMMIT\n", out);
}

void xt_lines_print(const struct xt_lines *there, const struct xt_lines *wanted, FILE *out)
{
	for (size_t i = 0; i < XT_TABLES; i++) {
		enum xt_table table = (enum xt_table)(wanted->n ? i : XT_TABLES - 1 - i);

		if (has_lines(there, table) || has_lines(wanted, table))
			print_table(there, wanted, table, out);
	}
}
