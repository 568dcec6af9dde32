/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/regex.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

static struct regex *compile(const char *pattern)
{
	struct regex *regex = NULL;
	struct err err = {0};

	if (regex_compile(pattern, &regex, &err) < 0)
		cr_assert_fail("%s: %s", pattern, err.msg);
	return regex;
}

static const struct {
	const char *pattern, *text;
	const char *groups; /* each with a | behind it; NULL: no match */
} rows[] = {
	{"b", "abc", "b|"},
	{"^b", "abc", NULL},
	{"^ip-([0-9]+)[.]x[.]$", "ip-42.x.", "ip-42.x.|42|"},
	{"(a)?(?P<second>b)", "b", "b||b|"},
	{"(a)|(b)", "a", "a|a||"},
	{"", "x", "|"},
	{"x$", "x\n", NULL},    /* Go's $ is the end, and not before a last newline either */
	{"X", "x", NULL},       /* case counts */
	{"(?i)X", "x", "x|"},   /* unless it is said that it does not */
	{".", "\xff", "\xff|"}, /* octets, not characters */
	{"a\\.b", "a.b", "a.b|"},
};

Test(regex, match)
{
	struct regex_scratch scratch = {0};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct regex *regex = compile(rows[i].pattern);
		struct regex_match match;
		char groups[128] = "", *at = groups;
		bool is = regex_match(regex, &scratch, rows[i].text, strlen(rows[i].text), &match);

		cr_expect_eq(is, rows[i].groups != NULL, "%s", rows[i].pattern);
		for (size_t j = 0; is && j < match.n; j++)
			at += sprintf(at, "%.*s|", (int)(match.group[j].end - match.group[j].begin),
				      rows[i].text + match.group[j].begin);
		if (is && rows[i].groups)
			cr_expect_str_eq(groups, rows[i].groups, "%s", rows[i].pattern);
		cr_expect_eq(regex_match(regex, &scratch, rows[i].text, strlen(rows[i].text), NULL),
			     is);
		regex_free(regex);
	}
	regex_scratch_free(&scratch);
	regex_scratch_free(&scratch);
}

/* The text ends where its length says, whatever lies behind it. */
Test(regex, length)
{
	struct regex *regex = compile("^a*$");
	struct regex_scratch scratch = {0};

	cr_expect(regex_match(regex, &scratch, "aaab", 3, NULL));
	cr_expect_not(regex_match(regex, &scratch, "aaab", 4, NULL));
	cr_expect(regex_match(regex, &scratch, "", 0, NULL));
	regex_scratch_free(&scratch);
	regex_free(regex);
}

Test(regex, names)
{
	struct regex *regex = compile("(x)(?P<year>y)(?<month>z)");

	cr_expect_eq(regex_groups(regex), 4);
	cr_expect_null(regex_group_name(regex, 0));
	cr_expect_null(regex_group_name(regex, 1));
	cr_expect_str_eq(regex_group_name(regex, 2), "year");
	cr_expect_str_eq(regex_group_name(regex, 3), "month");
	regex_free(regex);
}

static const struct {
	const char *pattern, *why;
} wrong[] = {
	{"(", "not a regular expression: missing closing parenthesis, at 1 of \"(\""},
	{"[a", "missing terminating ]"},
	{"(?P<a>x)(?P<a>y)", "two named subpatterns have the same name"},
	{"(((((((((((((((((((((((((((((((((x)))))))))))))))))))))))))))))))))",
	 "more than 31 groups"},
};

Test(regex, errors)
{
	char pattern[REGEX_PATTERN_MAX + 2];
	struct regex *regex = NULL;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cr_expect_eq(regex_compile(wrong[i].pattern, &regex, &err), -EINVAL);
		cr_expect_not_null(strstr(err.msg, wrong[i].why), "%s", err.msg);
	}
	memset(pattern, 'a', sizeof(pattern));
	pattern[REGEX_PATTERN_MAX + 1] = '\0';
	cr_expect_eq(regex_compile(pattern, &regex, &err), -EINVAL);
	cr_expect_null(regex);
	pattern[REGEX_PATTERN_MAX] = '\0';
	regex_free(compile(pattern));
}

/*
 * Backtracking that would double with every octet is given up: these would take years. The limit is
 * of steps, so it holds however slow the machine is; what an ordinary name takes stays below it.
 */
Test(regex, backtracking, .timeout = 60)
{
	static const char *const patterns[] = {"^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^([a-z]+)*[.]$",
					       "(x+x+)+y"};
	struct regex_scratch scratch = {0};
	struct regex *ordinary = compile("^(?:[a-z0-9-]+[.])*svc[.]cluster[.]local[.]$");
	char text[254], name[254];

	memset(text, 'a', sizeof(text));
	text[253] = '!';
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct regex *regex = compile(patterns[i]);

		memset(text, i == 4 ? 'x' : 'a', 253);
		for (size_t round = 0; round < 10; round++)
			cr_expect_not(regex_match(regex, &scratch, text, sizeof(text), NULL));
		regex_free(regex);
	}
	for (size_t i = 0; i < 234; i++)
		name[i] = i % 10 == 9 ? '.' : 'a';
	memcpy(name + 230, "svc.cluster.local.", 19);
	cr_expect(regex_match(ordinary, &scratch, name, 248, NULL));
	regex_free(ordinary);
	regex_scratch_free(&scratch);
}
