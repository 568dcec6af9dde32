/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What iptables-save prints: to lines, and from lines to a plan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "iptables/xt_lines.h"

#define WORDS_MAX 48 /* more than the longest rule has */

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
		if (strlen(xt_hook_chain((enum plan_hook)i)) == len &&
		    !strncmp(xt_hook_chain((enum plan_hook)i), rule, len))
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
	return xt_lines_add(save->lines, line);
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
		return xt_lines_add(save->lines, (struct xt_line){save->table, XT_LINE_CHAIN,
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
	bool first = ends_in(jump->sentence, " " XT_BEFORE_OTHERS, &len);

	if (line->table != XT_NAT)
		return line->table == XT_RAW ? PLAN_PRIORITY_RAW : PLAN_PRIORITY_MANGLE;
	if (!first && !ends_in(jump->sentence, " " XT_BEHIND_OTHERS, &len))
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
	if (line->table != XT_NAT && ends_in(jump.sentence, " " XT_BEFORE_OTHERS, &len))
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
				       family == AF_INET ? "IPv4" : "IPv6",
				       xt_hook_chain(read->hook), chain->text);
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
