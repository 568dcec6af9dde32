/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/xt_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "version.h"

#define WORDS_MAX 48 /* more than the longest rule has */

static const char *const builtins[PLAN_HOOKS] = {
	[PLAN_HOOK_OUTPUT] = "OUTPUT",
	[PLAN_HOOK_PREROUTING] = "PREROUTING",
};

/* Behind the version in a hook's comment: where among the rules of others it was put. */
#define BEFORE_OTHERS "before other rules"
#define BEHIND_OTHERS "behind other rules"

void xt_lines_free(struct xt_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->list[i].text);
	free(lines->list);
	*lines = (struct xt_lines){0};
}

/* Takes the text, also when it fails. */
static int add_line(struct xt_lines *lines, struct xt_line line)
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
			 chain->priority > PLAN_PRIORITY_DNAT ? BEHIND_OTHERS : BEFORE_OTHERS);
	return rule_text(builtins[chain->hook], &jump);
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
	if ((rc = add_line(lines, line)) < 0)
		return rc;
	for (size_t i = 0; i < chain->n_rules; i++) {
		const struct plan_rule *rule = &chain->rules[i];

		if (!is_of_family(rule, family))
			continue;
		line = (struct xt_line){line.table, XT_LINE_RULE, .packets = rule->packets,
					.bytes = rule->bytes, .text = rule_text(name, rule)};
		if ((rc = add_line(lines, line)) < 0)
			return rc;
	}
	if (chain->hook == PLAN_HOOK_NONE)
		return 0;
	line = (struct xt_line){line.table, XT_LINE_HOOK, .text = hook_text(plan, chain)};
	if (chain->priority <= PLAN_PRIORITY_DNAT)
		line.position = ++first[chain->hook][line.table];
	return add_line(lines, line);
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

/* --- from iptables-save --- */

/* Where we are in its output. */
struct save {
	struct xt_lines *lines;
	enum xt_table table; /* XT_TABLES: none of those that we use */
	/* Rules seen in each built-in chain of this table, or its direct one: all, and others'. */
	size_t rules[PLAN_HOOKS][2], others[PLAN_HOOKS][2];
};

static bool is_our_chain(const char *word)
{
	return !strncmp(word, XT_CHAIN_PREFIX, strlen(XT_CHAIN_PREFIX));
}

/* True when the rule jumps, or goes, to a chain of ours. */
static bool leads_to_us(const char *rule)
{
	const char *target = strstr(rule, " -j " XT_CHAIN_PREFIX);

	if (!target)
		target = strstr(rule, " -g " XT_CHAIN_PREFIX);
	return target && !strchr(target, '"'); /* not within a comment */
}

/*
 * The built-in chain that the rule is in. firewalld has a chain of its own, such as OUTPUT_direct,
 * for direct rules in a built-in one, which it jumps to: it counts as the same, but is a list of
 * its own.
 */
static enum plan_hook find_builtin(const char *rule, bool *ret_direct)
{
	static const char direct[] = "_direct";
	size_t len = strcspn(rule, " "), tail = strlen(direct);

	*ret_direct = len > tail && !strncmp(rule + len - tail, direct, tail);
	len -= *ret_direct ? tail : 0;
	for (size_t i = PLAN_HOOK_NONE + 1; i < PLAN_HOOKS; i++) {
		if (strlen(builtins[i]) == len && !strncmp(builtins[i], rule, len))
			return (enum plan_hook)i;
	}
	return PLAN_HOOK_NONE;
}

static bool leads_to_direct(const char *rule)
{
	return strstr(rule, " -j OUTPUT_direct") || strstr(rule, " -j PREROUTING_direct");
}

static void begin_table(struct save *save, const char *name)
{
	*save = (struct save){.lines = save->lines, .table = XT_RAW};
	while (save->table < XT_TABLES && strcmp(xt_table_name(save->table), name) != 0)
		save->table++;
}

/* Another rule of others: it stands behind all hooks of this chain so far. */
static void count_other(const struct save *save, enum plan_hook hook, bool direct)
{
	bool of_direct;

	for (size_t i = 0; i < save->lines->n; i++) {
		struct xt_line *line = &save->lines->list[i];

		if (line->kind == XT_LINE_HOOK && line->table == save->table &&
		    find_builtin(line->text, &of_direct) == hook && of_direct == direct)
			line->others_behind++;
	}
}

/* "CHAIN ..." */
static int take_rule(struct save *save, const char *rule, uint64_t packets, uint64_t bytes)
{
	bool direct;
	enum plan_hook hook = find_builtin(rule, &direct);
	struct xt_line line = {save->table, XT_LINE_RULE, .packets = packets, .bytes = bytes};

	if (hook != PLAN_HOOK_NONE) {
		line.kind = XT_LINE_HOOK;
		line.position = ++save->rules[hook][direct];
		line.others_before = save->others[hook][direct];
		if (!leads_to_us(rule) && !leads_to_direct(rule)) {
			save->others[hook][direct]++;
			count_other(save, hook, direct);
		}
		if (!leads_to_us(rule))
			return 0;
	} else if (!is_our_chain(rule)) {
		return 0;
	}
	line.text = strdup(rule);
	return add_line(save->lines, line);
}

static int take_line(struct save *save, char *text)
{
	uint64_t packets = 0, bytes = 0;

	if (*text == '*') {
		begin_table(save, text + 1);
		return 0;
	}
	if (save->table == XT_TABLES)
		return 0;
	if (*text == ':') {
		if (!is_our_chain(text + 1))
			return 0;
		text[1 + strcspn(text + 1, " ")] = '\0';
		return add_line(save->lines, (struct xt_line){save->table, XT_LINE_CHAIN,
							      .text = strdup(text + 1)});
	}
	if (*text == '[') {
		packets = strtoull(text + 1, &text, 10);
		bytes = *text == ':' ? strtoull(text + 1, &text, 10) : 0;
		if (strncmp(text, "] ", 2) != 0)
			return -EBADMSG;
		text += 2;
	}
	return strncmp(text, "-A ", 3) != 0 ? 0 : take_rule(save, text + 3, packets, bytes);
}

int xt_lines_of_save(char *text, struct xt_lines *ret_lines, struct err *err)
{
	struct save save = {.lines = ret_lines, .table = XT_TABLES};
	char *rest = text, *line;
	int rc = 0;

	while (rc == 0 && (line = strsep(&rest, "\n")))
		rc = take_line(&save, line);
	if (rc == -ENOMEM)
		return err_set(err, rc, "out of memory for the rules");
	return rc < 0 ? err_set(err, rc, "cannot make sense of iptables-save's \"%.64s\"", line)
		      : 0;
}

/* --- to a plan --- */

struct reading {
	struct plan *plan;
	sa_family_t family;
	bool hooked[PLAN_CHAINS_MAX]; /* chains of the plan, in this family */
	bool foreign;
	struct err *err;
};

static void foreign(struct reading *reading, const char *what, const struct xt_line *line)
{
	if (!reading->foreign)
		err_set(reading->err, EBADMSG, "%s of the %s table, %s, is not ours: %.200s", what,
			xt_table_name(line->table), reading->family == AF_INET ? "IPv4" : "IPv6",
			line->text);
	reading->foreign = true;
}

/* The words of the line, and its chain; the caller frees *ret_copy. */
static size_t split(const struct xt_line *line, char **ret_copy, char *words[WORDS_MAX])
{
	*ret_copy = strdup(line->text);
	return *ret_copy ? xt_words(*ret_copy, WORDS_MAX, words) : 0;
}

static bool ends_in(const char *text, const char *end, size_t *ret_before)
{
	size_t len = strlen(text), end_len = strlen(end);

	*ret_before = len - end_len;
	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* The version, and where the hook should be; what it says is true as long as it is there. */
static int32_t hook_priority(const struct xt_line *line, const struct plan_rule *jump,
			     struct plan *plan)
{
	size_t len;
	bool first = ends_in(jump->sentence, " " BEFORE_OTHERS, &len);

	if (line->table != XT_NAT)
		return line->table == XT_RAW ? PLAN_PRIORITY_RAW : PLAN_PRIORITY_MANGLE;
	if (!first && !ends_in(jump->sentence, " " BEHIND_OTHERS, &len))
		return line->others_before && line->others_behind ? PLAN_PRIORITY_DNAT
								  : PLAN_PRIORITY_UNKNOWN;
	snprintf(plan->version, sizeof(plan->version), "%.*s", (int)len, jump->sentence);
	if (first ? line->others_before : line->others_behind)
		return PLAN_PRIORITY_DNAT;
	return first ? PLAN_PRIORITY_BEFORE_DNAT : PLAN_PRIORITY_AFTER_DNAT;
}

/* A hook makes a chain what it is; the same is said in each family. */
static int read_hook(struct reading *reading, const struct xt_line *line)
{
	cleanup_free char *copy = NULL;
	char *words[WORDS_MAX];
	size_t n = split(line, &copy, words), len;
	struct plan_chain *chain;
	struct plan_rule jump;
	int32_t priority;
	bool direct;

	if (!copy)
		return -ENOMEM;
	if (n < 2 || n > WORDS_MAX || !xt_rule_parse(n - 1, words + 1, reading->family, &jump) ||
	    jump.action.kind != PLAN_ACTION_JUMP || jump.matches[1].kind) {
		foreign(reading, "a jump to a chain", line);
		return 0;
	}
	priority = hook_priority(line, &jump, reading->plan);
	if (line->table != XT_NAT && ends_in(jump.sentence, " " BEFORE_OTHERS, &len))
		snprintf(reading->plan->version, sizeof(reading->plan->version), "%.*s", (int)len,
			 jump.sentence);
	if ((chain = plan_get_chain(reading->plan, jump.action.name))) {
		bool *hooked = &reading->hooked[chain - reading->plan->chains];

		if (*hooked)
			foreign(reading, "a second jump", line);
		*hooked = true;
		chain->hook = find_builtin(line->text, &direct);
		chain->type = line->table == XT_NAT ? PLAN_CHAIN_NAT : PLAN_CHAIN_FILTER;
		/* Out of its place in one family is out of its place. */
		if (chain->priority != PLAN_PRIORITY_DNAT)
			chain->priority = priority;
	}
	return 0;
}

static int read_rule(struct reading *reading, const struct xt_line *line)
{
	cleanup_free char *copy = NULL;
	char *words[WORDS_MAX], name[PLAN_NAME_MAX];
	size_t n = split(line, &copy, words);
	struct plan_rule rule;

	if (!copy)
		return -ENOMEM;
	if (n < 2 || n > WORDS_MAX || !xt_chain_parse(words[0], name) ||
	    !xt_rule_parse(n - 1, words + 1, reading->family, &rule)) {
		foreign(reading, "a rule", line);
		return 0;
	}
	rule.packets = line->packets;
	rule.bytes = line->bytes;
	plan_add_rule(reading->plan, plan_get_chain(reading->plan, name), &rule);
	return 0;
}

/* The other family may have it already. */
static void read_chain(struct reading *reading, const struct xt_line *line)
{
	char name[PLAN_NAME_MAX];

	if (!xt_chain_parse(line->text, name))
		foreign(reading, "a chain", line);
	else if (!plan_find_chain(reading->plan, name))
		plan_add_subchain(reading->plan, name);
}

static bool has_hook(const struct xt_lines *lines, const struct xt_line *chain)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct xt_line *line = &lines->list[i];
		size_t before;

		if (line->kind == XT_LINE_HOOK && line->table == chain->table &&
		    ends_in(line->text, chain->text, &before) && line->text[before - 1] == ' ')
			return true;
	}
	return false;
}

/* A chain that hangs in one family must hang in the other, where it is there. */
int xt_lines_check_hooks(const struct xt_lines *lines, sa_family_t family, const struct plan *plan,
			 struct err *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct xt_line *chain = &lines->list[i];
		const struct plan_chain *read;
		char name[PLAN_NAME_MAX];

		if (chain->kind != XT_LINE_CHAIN || !xt_chain_parse(chain->text, name) ||
		    !(read = plan_find_chain(plan, name)) || read->hook == PLAN_HOOK_NONE)
			continue;
		if (!has_hook(lines, chain))
			return err_set(err, EBADMSG, "the %s %s chain does not jump to %s any more",
				       family == AF_INET ? "IPv4" : "IPv6", builtins[read->hook],
				       chain->text);
	}
	return 0;
}

int xt_lines_to_plan(const struct xt_lines *lines, sa_family_t family, struct plan *plan,
		     struct err *err)
{
	struct reading reading = {.plan = plan, .family = family, .err = err};
	int rc = 0;

	for (size_t i = 0; i < lines->n && rc == 0; i++) {
		switch (lines->list[i].kind) {
		case XT_LINE_CHAIN: read_chain(&reading, &lines->list[i]); break;
		case XT_LINE_RULE: rc = read_rule(&reading, &lines->list[i]); break;
		case XT_LINE_HOOK: rc = read_hook(&reading, &lines->list[i]); break;
		}
	}
	if (rc < 0 || plan->error)
		return err_set(err, rc < 0 ? rc : plan->error, "out of memory for the rules");
	return reading.foreign ? -EBADMSG : 0;
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
