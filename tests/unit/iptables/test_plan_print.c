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
		"  tcp to port 65535 ipv6 to six -> redirect to port 15053\n"
		"\n"
		"chain late (output hook, type nat, priority -90):\n"
		"  # everything\n"
		"  -> log \"OUT:\" at level 7\n"
		"  # in a chain of its own\n"
		"  tcp -> go through sub\n"
		"\n"
		"chain pre (prerouting hook, type filter, priority -150):\n"
		"  # of a kind of interface\n"
		"  in by docker* invalid -> drop\n"
		"\n"
		"chain sub:\n"
		"  # all that has a range\n"
		"  tcp to ports 1000-2000 ipv4 from 127.0.0.6/32 not to 10.0.0.0/9 "
		"of uids 0-4000000000 out by lo -> redirect to port 15001\n");
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
		"    'action': {'redirect': 15053}, 'comment': 'to a set'}]},"
		"  {'name': 'late', 'hook': 'output', 'type': 'nat', 'priority': -90, 'rules': ["
		"   {'match': {}, 'action': {'log': 'OUT:', 'level': 7}, 'comment': 'everything'},"
		"   {'match': {'protocol': 'tcp'}, 'action': {'jump': 'sub'},"
		"    'comment': 'in a chain of its own'}]},"
		"  {'name': 'pre', 'hook': 'prerouting', 'type': 'filter', 'priority': -150, "
		"'rules': ["
		"   {'match': {'iif': 'docker*', 'invalid': true}, 'action': {'drop': true},"
		"    'comment': 'of a kind of interface'}]},"
		"  {'name': 'sub', 'rules': ["
		"   {'match': {'protocol': 'tcp', 'dport': '1000-2000', 'family': 'ipv4',"
		"              'saddr': '127.0.0.6/32', 'not_daddr': '10.0.0.0/9',"
		"              'uid': '0-4000000000', 'oif': 'lo'},"
		"    'action': {'redirect': 15001}, 'comment': 'all that has a range'}]}]}";
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

Test(plan_print, owners)
{
	static const char line[] =
		"of gids 5678-5700 of cgroup mesh.slice/envoy.service of mark 0x10/0xf0 -> return";
	char text[PLAN_RULE_TEXT_MAX], match[PLAN_MATCH_TEXT_MAX], *json;
	cleanup_plan struct plan plan = {0};

	cr_expect_str_eq(plan_rule_format(&plans_owners, text), line);
	cr_expect_str_eq(plan_match_format(&plans_zone.matches[2], match), "of uid 4000000000");
	plan_add_rule(&plan, plan_add_subchain(&plan, "x"), &plans_owners);
	plan.chains[0].rules[0].matches[0].last = 0;
	plan.chains[0].rules[0].matches[2].mask = UINT32_MAX;
	json = plans_text(&plan, plan_print_json);
	cr_expect(strstr(json, "\"gid\": 5678"), "%s", json);
	cr_expect(strstr(json, "\"cgroup\": \"mesh.slice/envoy.service\""), "%s", json);
	cr_expect(strstr(json, "\"mark\": \"0x10\""), "%s", json);
	free(json);
}

/* Whatever somebody has put into the kernel: nothing is longer than what is made for it. */
Test(plan_print, many_long_words_fit)
{
	struct plan_rule rule = {.action = {PLAN_ACTION_LOG, .value = 7}};
	char text[PLAN_RULE_TEXT_MAX];

	memset(rule.action.name, 'x', sizeof(rule.action.name) - 1);
	for (int i = 0; i < PLAN_MATCHES_MAX; i++) {
		rule.matches[i].kind = PLAN_MATCH_CGROUP;
		memset(rule.matches[i].cgroup, 'x', CGROUP_PATH_MAX - 1);
	}
	cr_expect(strstr(plan_rule_format(&rule, text), "xxx\" at level 7"));
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
	struct plan_match longest = {PLAN_MATCH_DPREFIX, .negated = true, .prefix.len = 128};
	struct plan_rule rule = plans_redirect;
	char text[PLAN_RULE_TEXT_MAX];

	longest.prefix.addr = plans_addr("fd00:1111:2222:3333:4444:5555:6666:7777");
	for (size_t i = 0; i < PLAN_MATCHES_MAX; i++)
		rule.matches[i] = longest;
	plan_rule_format(&rule, text);
	cr_expect(strstr(text, "-> redirect to port 15053"), "%s", text);
}
