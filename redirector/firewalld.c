/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct rules are ordered by their priorities, not by when they came, and those in a built-in
 * chain come before all other rules there. A hook that belongs behind them is a passthrough: a
 * command line for iptables, which is run when the rules are there.
 */
#include "redirector/firewalld.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "iptables/plan_json.h"
#include "iptables/xt_exec.h"
#include "iptables/xt_lines.h"

#define DIRECT_FILE "/etc/firewalld/direct.xml"
#define FILE_MAX    ((size_t)16 << 20)
#define ANSWER_MAX  ((size_t)16 << 20)
#define WORDS_MAX   64
#define IN_FRONT    (-1000000) /* a priority before those that people give, from 0 */
#define SIGNATURE   "(a(sss)a(sssias)a(sas))"

static const char *const families[] = {"ipv4", "ipv6"};

/* The three parts of the configuration, in the order of D-Bus. */
enum part { CHAINS, RULES, PASSTHROUGHS, PARTS };

bool firewalld_has_rules(void)
{
	cleanup_free char *text = NULL;
	size_t len;

	return access(DIRECT_FILE, R_OK) == 0 &&
	       file_read(DIRECT_FILE, FILE_MAX, &text, &len, NULL) == 0 &&
	       strstr(text, XT_CHAIN_PREFIX);
}

/* --- busctl ---
 *
 * A list of words that grows. What does not fit makes it NULL, which busctl_call() reports.
 */

struct words {
	size_t n, size;
	const char **list;
	json_t *kept; /* numbers as text */
	bool failed;
};

static void words_free(struct words *words)
{
	free(words->list);
	json_decref(words->kept);
}

static void add_word(struct words *words, const char *word)
{
	if (words->n + 1 >= words->size) {
		size_t size = words->size ? 2 * words->size : 256;
		const char **grown = reallocarray(words->list, size, sizeof(*grown));

		if (!grown) {
			words->failed = true;
			return;
		}
		words->list = grown;
		words->size = size;
	}
	words->failed = words->failed || !word;
	words->list[words->n++] = word;
	words->list[words->n] = NULL;
}

static void add_number(struct words *words, long long number)
{
	json_t *text = json_sprintf("%lld", number);

	words->failed = json_array_append_new(words->kept, text) < 0 || words->failed;
	add_word(words, json_string_value(text));
}

/* As busctl takes a value: of an array the number of its members first, of a structure just these.
 */
static void add_value(struct words *words, const json_t *value, bool is_array)
{
	const json_t *item;
	size_t i;

	if (json_is_integer(value))
		add_number(words, json_integer_value(value));
	else if (!json_is_array(value))
		add_word(words, json_string_value(value));
	if (!json_is_array(value))
		return;
	if (is_array)
		add_number(words, (long long)json_array_size(value));
	/* Arrays hold structures or strings here, structures hold strings, numbers and arrays. */
	json_array_foreach(value, i, item) add_value(words, item, !is_array);
}

/* Calls a method of the direct configuration; *ret_answer is its result, a list, or NULL. */
static int call(const char *method, const json_t *settings, json_t **ret_answer, struct err *err)
{
	static const char *const head[] = {
		"/usr/bin/busctl",
		"--json=short",
		"--timeout=30",
		"--",
		"call",
		"org.fedoraproject.FirewallD1",
		"/org/fedoraproject/FirewallD1/config",
		"org.fedoraproject.FirewallD1.config.direct",
	};
	__attribute__((cleanup(words_free))) struct words words = {.kept = json_array()};
	struct xt_result result;
	cleanup_json json_t *answer = NULL;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		add_word(&words, head[i]);
	add_word(&words, method);
	if (settings) {
		add_word(&words, SIGNATURE);
		add_value(&words, settings, false);
	}
	if (words.failed)
		return err_set(err, ENOMEM, "out of memory for firewalld's configuration");
	if ((rc = xt_run(words.list, NULL, ANSWER_MAX, &result, err)) < 0) {
		err_wrap(err, "--store-firewalld");
		return rc == -ENOENT ? -EOPNOTSUPP : rc;
	}
	answer = result.output ? json_loads(result.output, 0, NULL) : NULL;
	free(result.output);
	if (result.status != 0)
		return err_set(err, EOPNOTSUPP,
			       "firewalld cannot be asked, is it running? (systemctl start "
			       "firewalld): %s",
			       result.complaint);
	if (ret_answer)
		*ret_answer = json_incref(json_object_get(answer, "data"));
	return 0;
}

/* --- the configuration --- */

static bool begins_as_ours(const json_t *word)
{
	const char *text = json_string_value(word);

	return text && !strncmp(text, XT_CHAIN_PREFIX, strlen(XT_CHAIN_PREFIX));
}

/* A chain of ours, a rule in one, or one that jumps to one. */
static bool is_ours(const json_t *entry)
{
	const json_t *words = json_array_get(entry, json_array_size(entry) - 1), *word;
	size_t i;

	if (!json_is_array(words))
		return begins_as_ours(words);
	json_array_foreach(words, i, word)
	{
		if (begins_as_ours(word))
			return true;
	}
	return begins_as_ours(json_array_get(entry, 2));
}

/* Others' entries, in a configuration of its own. */
static json_t *without_ours(const json_t *settings)
{
	cleanup_json json_t *kept = json_pack("[[],[],[]]");
	const json_t *entry;
	size_t part, i;

	for (part = 0; part < PARTS; part++) {
		json_array_foreach(json_array_get(settings, part), i, entry)
		{
			if (!is_ours(entry) && json_array_append_new(json_array_get(kept, part),
								     json_deep_copy(entry)) < 0)
				return NULL;
		}
	}
	return take_ptr(&kept);
}

static json_t *word_list(char *const *words, size_t n)
{
	cleanup_json json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(list, json_string(words[i])) < 0)
			return NULL;
	}
	return take_ptr(&list);
}

/* One line of ours; rules count up in `priority`. */
static int add_line(json_t *settings, const char *ip, const struct xt_line *line, int priority)
{
	const char *table = xt_table_name(line->table);
	cleanup_free char *copy = strdup(line->text);
	char *words[WORDS_MAX];
	size_t n = copy ? xt_words(copy, WORDS_MAX, words) : 0;
	json_t *args;

	if (n == 0 || n > WORDS_MAX)
		return -1;
	if (line->kind == XT_LINE_CHAIN)
		return json_array_append_new(json_array_get(settings, CHAINS),
					     json_pack("[sss]", ip, table, words[0]));
	args = word_list(words + 1, n - 1);
	if (line->kind == XT_LINE_HOOK)
		priority = IN_FRONT + (int)line->position;
	if (line->kind == XT_LINE_RULE || line->position)
		return json_array_append_new(
			json_array_get(settings, RULES),
			json_pack("[sssio]", ip, table, words[0], priority, args));
	if (json_array_insert_new(args, 0, json_string("-t")) < 0 ||
	    json_array_insert_new(args, 1, json_string(table)) < 0 ||
	    json_array_insert_new(args, 2, json_string("-A")) < 0 ||
	    json_array_insert_new(args, 3, json_string(words[0])) < 0) {
		json_decref(args);
		return -1;
	}
	return json_array_append_new(json_array_get(settings, PASSTHROUGHS),
				     json_pack("[so]", ip, args));
}

static int add_plan(json_t *settings, const struct plan *expressed, struct err *err)
{
	static const sa_family_t numbers[] = {AF_INET, AF_INET6};
	int rc = 0;

	for (size_t f = 0; f < ARRAY_SIZE(numbers) && rc == 0; f++) {
		cleanup_xt_lines struct xt_lines lines = {0};

		rc = xt_lines_of_plan(expressed, numbers[f], &lines, err);
		for (size_t i = 0; i < lines.n && rc == 0; i++) {
			if (add_line(settings, families[f], &lines.list[i], (int)i) < 0)
				rc = err_set(err, ENOMEM, "out of memory for firewalld's rules");
		}
	}
	return rc;
}

int firewalld_open(struct firewalld *ret_firewalld, struct err *err)
{
	cleanup_json json_t *answer = NULL;
	int rc;

	if ((rc = call("getSettings", NULL, &answer, err)) < 0)
		return rc;
	if (json_array_size(json_array_get(answer, 0)) != PARTS)
		return err_set(err, EBADMSG, "cannot make sense of firewalld's configuration");
	ret_firewalld->before = json_incref(json_array_get(answer, 0));
	return 0;
}

void firewalld_close(struct firewalld *firewalld)
{
	json_decref(take_ptr(&firewalld->before));
}

int firewalld_store(const struct firewalld *firewalld, const struct plan *expressed,
		    struct err *err)
{
	cleanup_json json_t *settings = without_ours(firewalld->before);
	int rc;

	if (!settings)
		return err_set(err, ENOMEM, "out of memory for firewalld's configuration");
	if (expressed && (rc = add_plan(settings, expressed, err)) < 0)
		return rc;
	return call("update", settings, NULL, err);
}

int firewalld_restore(const struct firewalld *firewalld, struct err *err)
{
	return call("update", firewalld->before, NULL, err);
}
