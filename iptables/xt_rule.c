/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each match is an option with one value, some behind the name of the module that brings it. The
 * table has them in the order of iptables-save; both directions read it.
 */
#include "iptables/xt_rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define LOG_LEVEL_OTHER 4 /* the one that iptables-save leaves out */
#define VALUE_MAX       CGROUP_PATH_MAX

static const struct option {
	enum plan_match_kind kind;
	const char *module; /* NULL: none; "": the protocol's */
	const char *flag;
} options[] = {
	{PLAN_MATCH_SPREFIX, NULL, "-s"},
	{PLAN_MATCH_DPREFIX, NULL, "-d"},
	{PLAN_MATCH_IIF, NULL, "-i"},
	{PLAN_MATCH_OIF, NULL, "-o"},
	{PLAN_MATCH_PROTOCOL, NULL, "-p"},
	{PLAN_MATCH_DPORT, "", "--dport"},
	{PLAN_MATCH_UID, "owner", "--uid-owner"},
	{PLAN_MATCH_GID, "owner", "--gid-owner"},
	{PLAN_MATCH_CGROUP, "cgroup", "--path"},
	{PLAN_MATCH_MARK, "mark", "--mark"},
	{PLAN_MATCH_INVALID, "conntrack", "--ctstate"},
};

static const char *const modules[] = {"tcp",  "udp",       "owner",  "cgroup",
				      "mark", "conntrack", "comment"};

static const struct {
	uint32_t number;
	const char *name;
} protocols[] = {{IPPROTO_UDP, "udp"}, {IPPROTO_TCP, "tcp"}};

static const char *protocol_name(uint32_t number)
{
	return number == IPPROTO_UDP ? "udp" : "tcp";
}

/* --- tables and chains --- */

const char *xt_table_name(enum xt_table table)
{
	static const char *const names[XT_TABLES] = {
		[XT_RAW] = "raw",
		[XT_MANGLE] = "mangle",
		[XT_NAT] = "nat",
	};

	return (unsigned int)table < XT_TABLES ? names[table] : NULL;
}

enum xt_table xt_table_of(const struct plan_chain *chain)
{
	if (chain->type == PLAN_CHAIN_NAT)
		return XT_NAT;
	if (chain->priority == PLAN_PRIORITY_RAW)
		return XT_RAW;
	return chain->priority == PLAN_PRIORITY_MANGLE ? XT_MANGLE : XT_TABLES;
}

const char *xt_chain_name(const char *name, char buf[XT_CHAIN_MAX])
{
	snprintf(buf, XT_CHAIN_MAX, XT_CHAIN_PREFIX "%s", name);
	for (char *c = buf; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return buf;
}

bool xt_chain_parse(const char *text, char ret_name[PLAN_NAME_MAX])
{
	static const char prefix[] = XT_CHAIN_PREFIX;

	if (strncmp(text, prefix, strlen(prefix)) != 0 || strlen(text) >= PLAN_NAME_MAX)
		return false;
	snprintf(ret_name, PLAN_NAME_MAX, "%s", text + strlen(prefix));
	for (char *c = ret_name; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	return true;
}

/* --- the order of iptables-save --- */

static size_t rank(enum plan_match_kind kind)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(options) && options[i].kind != kind)
		i++;
	return kind == PLAN_MATCH_FAMILY ? 0 : i + 1;
}

static int compare_matches(const void *a, const void *b)
{
	size_t ra = rank(((const struct plan_match *)a)->kind);
	size_t rb = rank(((const struct plan_match *)b)->kind);

	return (ra > rb) - (ra < rb);
}

static size_t count_matches(const struct plan_rule *rule)
{
	size_t n = 0;

	while (rule->matches[n].kind)
		n++;
	return n;
}

void xt_rule_sort(struct plan_rule *rule)
{
	qsort(rule->matches, count_matches(rule), sizeof(rule->matches[0]), compare_matches);
}

bool xt_rule_has_word(enum plan_match_kind kind)
{
	return rank(kind) <= ARRAY_SIZE(options);
}

/* --- words --- */

void xt_word_print(const char *word, FILE *out)
{
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_./:+!,")]) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			fputc('\\', out);
		fputc(*word, out);
	}
	fputc('"', out);
}

size_t xt_words(char *line, size_t max, char **ret_words)
{
	size_t n = 0;

	while (*(line += strspn(line, " \t\n"))) {
		char *end = line;
		bool quoted = false;

		if (n == max)
			return max + 1;
		ret_words[n++] = line;
		for (; *line && (quoted || !strchr(" \t\n", *line)); line++) {
			if (*line == '"') {
				quoted = !quoted;
				continue;
			}
			if (quoted && *line == '\\' && line[1])
				line++;
			*end++ = *line;
		}
		if (quoted)
			return max + 1;
		line += *line != '\0';
		*end = '\0';
	}
	return n;
}

/* --- plan to text --- */

static void format_number(const struct plan_match *m, char between, char buf[VALUE_MAX])
{
	if (m->last)
		snprintf(buf, VALUE_MAX, "%u%c%u", m->value, between, m->last);
	else
		snprintf(buf, VALUE_MAX, "%u", m->value);
}

static void format_mark(const struct plan_match *m, char buf[VALUE_MAX])
{
	if (m->mask == UINT32_MAX)
		snprintf(buf, VALUE_MAX, "0x%x", m->value);
	else
		snprintf(buf, VALUE_MAX, "0x%x/0x%x", m->value, m->mask);
}

static void format_value(const struct plan_match *m, char buf[VALUE_MAX])
{
	char addr[ADDR_TEXT_MAX];

	switch (m->kind) {
	case PLAN_MATCH_SPREFIX:
	case PLAN_MATCH_DPREFIX:
		snprintf(buf, VALUE_MAX, "%s/%u", addr_format(&m->prefix.addr, addr),
			 m->prefix.len);
		break;
	case PLAN_MATCH_IIF:
	case PLAN_MATCH_OIF:
		snprintf(buf, VALUE_MAX, "%s%s", m->interface, m->begins ? "+" : "");
		break;
	case PLAN_MATCH_PROTOCOL: snprintf(buf, VALUE_MAX, "%s", protocol_name(m->value)); break;
	case PLAN_MATCH_DPORT: format_number(m, ':', buf); break;
	case PLAN_MATCH_INVALID: snprintf(buf, VALUE_MAX, "INVALID"); break;
	case PLAN_MATCH_CGROUP: snprintf(buf, VALUE_MAX, "%s", m->cgroup); break;
	case PLAN_MATCH_MARK: format_mark(m, buf); break;
	default: format_number(m, '-', buf); break;
	}
}

static void print_action(const struct plan_action *action, FILE *out)
{
	char chain[XT_CHAIN_MAX];

	switch (action->kind) {
	case PLAN_ACTION_RETURN: fputs(" -j RETURN", out); break;
	case PLAN_ACTION_DROP: fputs(" -j DROP", out); break;
	case PLAN_ACTION_REDIRECT: fprintf(out, " -j REDIRECT --to-ports %u", action->value); break;
	case PLAN_ACTION_ZONE: fprintf(out, " -j CT --zone-orig %u", action->value); break;
	case PLAN_ACTION_JUMP: fprintf(out, " -j %s", xt_chain_name(action->name, chain)); break;
	case PLAN_ACTION_LOG:
		fputs(" -j LOG --log-prefix ", out);
		xt_word_print(action->name, out);
		fprintf(out, " --log-level %u", action->value);
		break;
	case PLAN_ACTION_KINDS: break;
	}
}

void xt_rule_print(const struct plan_rule *rule, FILE *out)
{
	const struct plan_match *protocol = plan_rule_match(rule, PLAN_MATCH_PROTOCOL);

	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		const struct option *option;
		char value[VALUE_MAX];

		if (m->kind == PLAN_MATCH_FAMILY)
			continue;
		option = &options[rank(m->kind) - 1];
		if (option->module)
			fprintf(out, " -m %s",
				*option->module ? option->module : protocol_name(protocol->value));
		format_value(m, value);
		fprintf(out, "%s %s ", m->negated ? " !" : "", option->flag);
		xt_word_print(value, out);
	}
	if (rule->sentence[0]) {
		char comment[sizeof(PLAN_COMMENT_PREFIX) + PLAN_SENTENCE_MAX];

		snprintf(comment, sizeof(comment), PLAN_COMMENT_PREFIX "%s", rule->sentence);
		fputs(" -m comment --comment ", out);
		xt_word_print(comment, out);
	}
	print_action(&rule->action, out);
}

/* --- text to plan --- */

static bool parse_number(const char *text, uint32_t *ret_value)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	*ret_value = (uint32_t)value;
	return isdigit((unsigned char)*text) && !*end && !errno && value <= UINT32_MAX;
}

static bool parse_range(char *text, char between, struct plan_match *m)
{
	char *last = strchr(text, between);

	if (last)
		*last++ = '\0';
	return parse_number(text, &m->value) &&
	       (!last || (parse_number(last, &m->last) && m->last > m->value));
}

static bool parse_prefix(char *text, sa_family_t family, struct plan_match *m)
{
	char *slash = strchr(text, '/');
	uint32_t len;

	if (slash)
		*slash++ = '\0';
	if (!addr_parse(text, &m->prefix.addr) || m->prefix.addr.family != family)
		return false;
	len = (uint32_t)(8 * addr_len(&m->prefix.addr));
	if (slash && (!parse_number(slash, &len) || len > 8 * addr_len(&m->prefix.addr)))
		return false;
	m->prefix.len = (uint8_t)len;
	return true;
}

static bool parse_interface(const char *text, struct plan_match *m)
{
	size_t len = strlen(text);

	m->begins = len && text[len - 1] == '+';
	len -= m->begins;
	if (!len || len >= IFNAMSIZ)
		return false;
	memcpy(m->interface, text, len);
	return true;
}

static bool parse_protocol(const char *text, struct plan_match *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!strcmp(protocols[i].name, text)) {
			m->value = protocols[i].number;
			return true;
		}
	}
	return false;
}

static bool parse_hex(const char *text, uint32_t *ret_value)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 16);

	*ret_value = (uint32_t)value;
	return isxdigit((unsigned char)*text) && !*end && value <= UINT32_MAX;
}

static bool parse_mark(char *text, struct plan_match *m)
{
	char *mask = strchr(text, '/');

	if (mask)
		*mask++ = '\0';
	m->mask = UINT32_MAX;
	return parse_hex(text, &m->value) && (!mask || parse_hex(mask, &m->mask)) && m->mask &&
	       !(m->value & ~m->mask);
}

static bool parse_value(char *text, sa_family_t family, struct plan_match *m)
{
	switch (m->kind) {
	case PLAN_MATCH_SPREFIX:
	case PLAN_MATCH_DPREFIX: return parse_prefix(text, family, m);
	case PLAN_MATCH_IIF:
	case PLAN_MATCH_OIF: return parse_interface(text, m);
	case PLAN_MATCH_PROTOCOL: return parse_protocol(text, m);
	case PLAN_MATCH_DPORT: return parse_range(text, ':', m);
	case PLAN_MATCH_INVALID: return !strcmp(text, "INVALID");
	case PLAN_MATCH_CGROUP:
		return cgroup_normalize(text, m->cgroup) && !strcmp(m->cgroup, text);
	case PLAN_MATCH_MARK: return parse_mark(text, m);
	default: return parse_range(text, '-', m);
	}
}

static bool parse_match(const char *flag, char *value, bool negated, sa_family_t family,
			struct plan_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct plan_match m = {.kind = options[i].kind, .negated = negated};

		if (strcmp(options[i].flag, flag) != 0)
			continue;
		if (plan_rule_match(rule, m.kind) || !parse_value(value, family, &m))
			return false;
		plan_add_match(rule, m);
		return true;
	}
	return false;
}

static bool is_module(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!strcmp(modules[i], name))
			return true;
	}
	return false;
}

static bool parse_comment(const char *text, struct plan_rule *rule)
{
	static const char prefix[] = PLAN_COMMENT_PREFIX;

	if (strncmp(text, prefix, strlen(prefix)) != 0 ||
	    strlen(text + strlen(prefix)) >= sizeof(rule->sentence))
		return false;
	snprintf(rule->sentence, sizeof(rule->sentence), "%s", text + strlen(prefix));
	return true;
}

static bool parse_u16(const char *text, uint16_t *ret_value)
{
	uint32_t value;

	if (!parse_number(text, &value) || value > UINT16_MAX)
		return false;
	*ret_value = (uint16_t)value;
	return true;
}

/* The options of a target that has some. */
static bool parse_target_option(const char *flag, const char *value, struct plan_action *action)
{
	if (action->kind == PLAN_ACTION_REDIRECT && !strcmp(flag, "--to-ports"))
		return parse_u16(value, &action->value);
	if (action->kind == PLAN_ACTION_ZONE && !strcmp(flag, "--zone-orig"))
		return parse_u16(value, &action->value);
	if (action->kind != PLAN_ACTION_LOG)
		return false;
	if (!strcmp(flag, "--log-level"))
		return parse_u16(value, &action->value);
	if (strcmp(flag, "--log-prefix") != 0 || strlen(value) >= sizeof(action->name))
		return false;
	snprintf(action->name, sizeof(action->name), "%s", value);
	return true;
}

static bool parse_target(size_t n_words, char *const *words, struct plan_action *action)
{
	static const struct {
		const char *name;
		struct plan_action action;
	} targets[] = {
		{"RETURN", {.kind = PLAN_ACTION_RETURN}},
		{"DROP", {.kind = PLAN_ACTION_DROP}},
		{"REDIRECT", {.kind = PLAN_ACTION_REDIRECT}},
		{"CT", {.kind = PLAN_ACTION_ZONE}},
		{"LOG", {.kind = PLAN_ACTION_LOG, .value = LOG_LEVEL_OTHER}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, words[0]) != 0)
			continue;
		*action = targets[i].action;
		for (size_t w = 1; w < n_words; w += 2) {
			if (w + 1 == n_words ||
			    !parse_target_option(words[w], words[w + 1], action))
				return false;
		}
		return true;
	}
	action->kind = PLAN_ACTION_JUMP;
	return n_words == 1 && xt_chain_parse(words[0], action->name);
}

static bool parse_word(const char *flag, char *value, sa_family_t family, struct plan_rule *rule)
{
	if (!strcmp(flag, "-m"))
		return is_module(value);
	if (!strcmp(flag, "--comment"))
		return parse_comment(value, rule);
	return parse_match(flag, value, false, family, rule);
}

bool xt_rule_parse(size_t n_words, char *const *words, sa_family_t family,
		   struct plan_rule *ret_rule)
{
	*ret_rule = (struct plan_rule){0};
	plan_add_match(ret_rule, (struct plan_match){PLAN_MATCH_FAMILY, .value = family});
	for (size_t i = 0; i + 1 < n_words; i += 2) {
		if (!strcmp(words[i], "-j")) {
			xt_rule_sort(ret_rule);
			if (plan_rule_match(ret_rule, PLAN_MATCH_DPORT) &&
			    !plan_rule_match(ret_rule, PLAN_MATCH_PROTOCOL))
				return false;
			return parse_target(n_words - i - 1, words + i + 1, &ret_rule->action);
		}
		if (!strcmp(words[i], "!") && i + 2 < n_words) {
			i++;
			if (!parse_match(words[i], words[i + 1], true, family, ret_rule))
				return false;
		} else if (!parse_word(words[i], words[i + 1], family, ret_rule)) {
			return false;
		}
	}
	return false;
}
