/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>

#include "tests/unit/iptables/plans.h"

Test(plan_print, text_is_stable)
{
	cleanup_plan struct plan plan = {0};
	char *text;

	plans_fill(&plan);
	text = plans_text(&plan, plan_print);
	cr_expect_str_eq(
		text,
		"set six: ::1 fd00::1 fd00::2\n"
		"\n"
		"chain raw (output hook, type filter, priority -300):\n"
		"  # of a large uid\n"
		"  udp to port 53 of uid 4000000000 -> conntrack zone 1 (original direction)\n"
		"\n"
		"chain nat (output hook, type nat, priority -100):\n"
		"  # one match is enough\n"
		"  ipv4 -> return\n"
		"  # to a set\n"
		"  tcp to port 65535 ipv6 to six -> redirect to port 15053\n");
	free(text);
}

Test(plan_print, counters_are_told_where_they_count)
{
	cleanup_plan struct plan plan = {0};
	char *text;

	plans_fill(&plan);
	plan.installed = true;
	plan.chains[1].rules[0].packets = 7;
	plan.chains[1].rules[0].bytes = 700;
	text = plans_text(&plan, plan_print);
	cr_expect(strstr(text, "  ipv4 -> return (7 packets, 700 bytes)\n"), "%s", text);
	free(text);
	text = plans_text(&plan, plan_print_json);
	cr_expect(strstr(text, "\"packets\": 7,"), "%s", text);
	cr_expect(strstr(text, "\"bytes\": 700"), "%s", text);
	free(text);
}

Test(plan_print, json_is_what_the_manual_says)
{
	static const char expected[] =
		"{'sets': [{'name': 'six', 'family': 'ipv6',"
		"  'addresses': ['::1', 'fd00::1', 'fd00::2']}],"
		" 'chains': ["
		"  {'name': 'raw', 'hook': 'output', 'type': 'filter', 'priority': -300, 'rules': ["
		"   {'match': {'protocol': 'udp', 'dport': 53, 'uid': 4000000000},"
		"    'action': {'zone': 1}, 'comment': 'of a large uid'}]},"
		"  {'name': 'nat', 'hook': 'output', 'type': 'nat', 'priority': -100, 'rules': ["
		"   {'match': {'family': 'ipv4'}, 'action': {'return': true},"
		"    'comment': 'one match is enough'},"
		"   {'match': {'protocol': 'tcp', 'dport': 65535, 'family': 'ipv6',"
		"              'daddr': '@six'},"
		"    'action': {'redirect': 15053}, 'comment': 'to a set'}]}]}";
	cleanup_plan struct plan plan = {0};
	char quoted[sizeof(expected)], *text;
	json_t *wanted, *printed;

	for (size_t i = 0; i < sizeof(expected); i++)
		quoted[i] = expected[i] == '\'' ? '"' : expected[i];
	plans_fill(&plan);
	text = plans_text(&plan, plan_print_json);
	wanted = json_loads(quoted, 0, NULL);
	printed = json_loads(text, 0, NULL);
	cr_assert(wanted);
	cr_assert(printed, "%s", text);
	cr_expect(json_equal(printed, wanted), "%s", text);
	json_decref(wanted);
	json_decref(printed);
	free(text);
}

Test(plan_print, an_empty_plan_prints_as_nothing)
{
	struct plan plan = {0};
	char *text = plans_text(&plan, plan_print);

	cr_expect_str_eq(text, "");
	free(text);
}

Test(plan_print, a_full_disk_is_an_error)
{
	cleanup_plan struct plan plan = {0};
	struct err err = {0};
	FILE *full = fopen("/dev/full", "w");

	cr_assert(full);
	plans_fill(&plan);
	cr_expect_eq(plan_print(&plan, full, &err), -ENOSPC);
	cr_expect(strstr(err.msg, "No space left"), "%s", err.msg);
	cr_expect_eq(plan_print_json(&plan, full, &err), -ENOSPC);
	fclose(full);
}

Test(plan_print, the_longest_rule_fits)
{
	struct plan_rule rule = plans_redirect;
	char text[PLAN_RULE_TEXT_MAX];

	memset(rule.matches[3].set, 'x', PLAN_NAME_MAX - 1);
	rule.matches[3].set[PLAN_NAME_MAX - 1] = '\0';
	for (size_t i = 0; i < PLAN_MATCHES_MAX; i++)
		rule.matches[i] = rule.matches[3];
	plan_rule_format(&rule, text);
	cr_expect(strstr(text, "-> redirect to port 15053"), "%s", text);
}
