/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/options.h"

struct made_up {
	bool flag;
	const char *text;
	uint16_t port;
	uint32_t number;
	int calls;
	size_t items;
};

static int count_call(void *settings, const char *value, struct err *err)
{
	if (!strcmp(value, "bad"))
		return err_set(err, ERANGE, "that is bad");
	((struct made_up *)settings)->calls++;
	return 0;
}

static int count_item(void *settings, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	((struct made_up *)settings)->items++;
	return 0;
}

static int only_null(void *settings, const char *value, struct err *err)
{
	(void)settings;
	return value ? err_set(err, EINVAL, "no value here") : 0;
}

static const struct option_row rows[] = {
	{"flag", OPTION_BOOL, offsetof(struct made_up, flag), NULL, .help = "a flag"},
	{"text", OPTION_STRING, offsetof(struct made_up, text), "TEXT", .help = "some text"},
	{"port", OPTION_PORT, offsetof(struct made_up, port), "PORT", .help = "a port"},
	{"number", OPTION_NUMBER, offsetof(struct made_up, number), "N", .help = "a number",
	 .min = 2, .max = UINT32_MAX},
	{"call", OPTION_CALL, 0, "VALUE", .help = "called", .parse = count_call},
	{"hidden", OPTION_BOOL, offsetof(struct made_up, flag), NULL, .help = NULL},
	{0},
};

static int parse(struct made_up *m, int argc, const char **argv, int *words, struct err *err)
{
	*m = (struct made_up){0};
	return options_parse(rows, m, argc, (char **)argv, words, err);
}

#define PARSE(...)                                                               \
	parse(&m, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
	      (const char *[]){__VA_ARGS__}, &words, &err)

Test(options, both_ways_of_giving_a_value)
{
	struct made_up m;
	struct err err = {0};
	int words;

	cr_expect_eq(PARSE("--flag", "--text", "a=b", "--port=65535", "--call=1", "--call", "2"), 0,
		     "%s", err.msg);
	cr_expect(m.flag);
	cr_expect_str_eq(m.text, "a=b");
	cr_expect_eq(m.port, 65535);
	cr_expect_eq(m.calls, 2);
	cr_expect_eq(words, 0);
	cr_expect_eq(PARSE("--text="), 0);
	cr_expect_str_eq(m.text, "");
	cr_expect_eq(PARSE("--text", "--flag"), 0);
	cr_expect_str_eq(m.text, "--flag", "a value may look like an option");
	cr_expect_not(m.flag);
}

Test(options, one_dash_does_as_well)
{
	struct made_up m;
	struct err err = {0};
	int words;

	cr_expect_eq(PARSE("-flag", "-text", "-", "-port=1"), 0, "%s", err.msg);
	cr_expect(m.flag && m.port == 1 && words == 0);
	cr_expect_str_eq(m.text, "-");
	cr_expect_eq(PARSE("-flags"), -EINVAL);
}

Test(options, booleans)
{
	struct made_up m;
	struct err err;
	int words;

	cr_expect(PARSE("--flag=true") == 0 && m.flag);
	cr_expect(PARSE("--flag=1") == 0 && m.flag);
	cr_expect(PARSE("--flag", "--flag=false") == 0 && !m.flag, "the last one counts");
	cr_expect(PARSE("--flag", "--flag=0") == 0 && !m.flag);
	cr_expect_eq(PARSE("--flag=yes"), -EINVAL);
	cr_expect(PARSE("--flag", "false") == 0 && m.flag && words == 1, "no value of its own");
}

Test(options, words_come_to_the_front_in_order)
{
	const char *argv[] = {"one", "--flag", "two", "-", "--", "--three"};
	struct made_up m;
	struct err err;
	int words;

	cr_expect_eq(parse(&m, 6, argv, &words, &err), 0);
	cr_assert_eq(words, 4);
	cr_expect_str_eq(argv[0], "one");
	cr_expect_str_eq(argv[1], "two");
	cr_expect_str_eq(argv[2], "-");
	cr_expect_str_eq(argv[3], "--three");
}

Test(options, mistakes_are_named)
{
	struct made_up m;
	struct err err;
	int words;

	cr_expect_eq(PARSE("--flog"), -EINVAL);
	cr_expect_str_eq(err.msg, "unknown option --flog; did you mean --flag?");
	cr_expect_eq(PARSE("--something-else=1"), -EINVAL);
	cr_expect_str_eq(err.msg, "unknown option --something-else; --help lists them all");
	cr_expect_eq(PARSE("-f"), -EINVAL);
	cr_expect_eq(PARSE("--text"), -EINVAL);
	cr_expect_str_eq(err.msg, "--text wants a value: --text TEXT");
	cr_expect_eq(PARSE("--port", "0"), -EINVAL);
	cr_expect_eq(PARSE("--port", "65536"), -EINVAL);
	cr_expect_eq(PARSE("--port", "53x"), -EINVAL);
	cr_expect_eq(PARSE("--port", "-1"), -EINVAL);
	cr_expect_eq(PARSE("--call", "bad"), -ERANGE);
	cr_expect_str_eq(err.msg, "--call: that is bad");
}

Test(options, help_has_every_row_but_the_hidden)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	options_print_help(rows, out);
	fclose(out);
	cr_expect(strstr(text, "  --text TEXT                     some text\n"), "%s", text);
	cr_expect(strstr(text, "--flag") && strstr(text, "--port PORT"), "%s", text);
	cr_expect_not(strstr(text, "hidden"), "%s", text);
	free(text);
}

Test(options, numbers)
{
	uint64_t n;

	cr_expect(options_parse_number("0", 0, 10, &n) && n == 0);
	cr_expect(options_parse_number("18446744073709551615", 0, UINT64_MAX, &n) &&
		  n == UINT64_MAX);
	cr_expect_not(options_parse_number("18446744073709551616", 0, UINT64_MAX, &n));
	cr_expect_not(options_parse_number("11", 0, 10, &n));
	cr_expect_not(options_parse_number("1", 2, 10, &n));
	cr_expect_not(options_parse_number(" 1", 0, 10, &n));
	cr_expect_not(options_parse_number("+1", 0, 10, &n));
	cr_expect_not(options_parse_number("1 ", 0, 10, &n));
	cr_expect_not(options_parse_number("", 0, 10, &n));
}

static const struct option_row all_places[] = {
	{"", OPTION_TITLE, .help = "Some"},
	{"port", OPTION_PORT, offsetof(struct made_up, port), "PORT", .help = "a port",
	 .env = "A_PORT"},
	{"list", OPTION_LIST, offsetof(struct made_up, items), "ITEM", .help = "a list",
	 .parse = count_item, .env = "LIST"},
	{"", OPTION_BOOL, offsetof(struct made_up, flag), NULL, .help = "no flag", .env = "FLAG"},
	{"unused", OPTION_UNUSED, 0, "X", .help = "taken", .env = "UNUSED"},
	{"picky", OPTION_UNUSED, 0, NULL, .help = "taken", .parse = only_null, .env = "PICKY"},
	{"old", OPTION_REMOVED, .help = "use --port", .env = "OLD"},
	{0},
};

static int parse_env(struct made_up *m, const char *variable, struct err *err)
{
	char *variables[] = {(char *)"HOME=/", (char *)variable, (char *)"X_A_POR", NULL};

	return options_parse_env(all_places, m, "X_", variables, err);
}

Test(options, variables)
{
	struct made_up m = {.items = 7};
	struct err err = {0};

	cr_expect_eq(parse_env(&m, "X_A_PORT=80", &err), 0);
	cr_expect_eq(m.port, 80);
	cr_expect_eq(parse_env(&m, "X_FLAG=TRUE", &err), 0);
	cr_expect(m.flag);
	cr_expect_eq(parse_env(&m, "X_LIST=a", &err), 0);
	cr_expect_eq(m.items, 1, "what was there is replaced");
	cr_expect_eq(parse_env(&m, "X_UNUSED=x", &err), 0);
	cr_expect_eq(parse_env(&m, "X_A_PRT=1", &err), 0, "perhaps somebody else's");
	cr_expect_eq(parse_env(&m, "X_OLD=1", &err), 0);
	cr_expect_eq(parse_env(&m, "X_=1", &err), 0);
	cr_expect_eq(parse_env(&m, "A_PORT=1", &err), 0);
	cr_expect_eq(m.port, 80);
	cr_expect_eq(parse_env(&m, "X_A_PORT=x", &err), -EINVAL);
	cr_expect_str_eq(err.msg, "X_A_PORT: \"x\" is not a port (1 to 65535)");
	cr_expect_eq(parse_env(&m, "X_FLAG=", &err), -EINVAL);
	cr_expect_str_eq(err.msg, "X_FLAG: \"\" is neither true nor false");
}

static int parse_places(struct made_up *m, const char *one, const char *two, struct err *err)
{
	const char *argv[] = {one, two};
	int words;

	*m = (struct made_up){.items = 7};
	return options_parse(all_places, m, two ? 2 : 1, (char **)argv, &words, err);
}

Test(options, kinds_of_flags)
{
	struct made_up m;
	struct err err = {0};

	cr_expect_eq(parse_places(&m, "--list=a", "--list=b", &err), 0);
	cr_expect_eq(m.items, 2, "flags add up");
	cr_expect_eq(parse_places(&m, "--unused", "x", &err), 0);
	cr_expect_eq(parse_places(&m, "--picky", NULL, &err), 0);
	cr_expect_eq(parse_places(&m, "--picky=x", NULL, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "--picky: no value here");
	cr_expect_eq(parse_places(&m, "--old", NULL, &err), -EINVAL);
	cr_expect_str_eq(err.msg, "--old: this was removed: use --port");
	cr_expect_eq(parse_places(&m, "--=x", NULL, &err), -EINVAL);
	cr_expect_eq(parse_places(&m, "--oldd", NULL, &err), -EINVAL);
	cr_expect_not(strstr(err.msg, "--old?"), "what was removed is not offered: %s", err.msg);
}

Test(options, help_has_titles_and_leaves_out_what_has_no_flag)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	options_print_help(all_places, out);
	fclose(out);
	cr_expect(strstr(text, "\nSome:\n  --port PORT") == text, "%s", text);
	cr_expect_not(strstr(text, "no flag") || strstr(text, "--old"), "%s", text);
	free(text);
}

Test(options, a_row_for_one_command_is_refused_by_the_others)
{
	static const struct option_row shared[] = {
		{"port", OPTION_PORT, 0, "PORT", .help = "everybody's"},
		{"only-here", OPTION_PORT, 0, "PORT", .help = "of one", .only = "here"},
		{0},
	};
	struct option_row own[OPTIONS_MAX + 1];
	char flag[] = "--only-here=5", *argv[] = {flag}, *help;
	uint16_t port = 0;
	struct err err = {0};
	int words;
	size_t size;
	FILE *out;

	options_rows_for(shared, "here", own);
	cr_expect_eq(options_parse(own, &port, 1, argv, &words, &err), 0, "%s", err.msg);
	cr_expect_eq(port, 5);
	options_rows_for(shared, "there", own);
	cr_expect_lt(options_parse(own, &port, 1, argv, &words, &err), 0);
	cr_expect_str_eq(err.msg, "--only-here: this is for here alone");
	out = open_memstream(&help, &size);
	options_print_help(own, out);
	fclose(out);
	cr_expect(strstr(help, "--port") && !strstr(help, "only-here"), "%s", help);
	free(help);
}

Test(options, numbers_have_bounds)
{
	struct made_up m;
	struct err err;
	int words;

	cr_expect_eq(PARSE("--number", "2"), 0);
	cr_expect_eq(m.number, 2);
	cr_expect_eq(PARSE("--number=4294967295"), 0);
	cr_expect_eq(m.number, UINT32_MAX);
	cr_expect_eq(PARSE("--number", "1"), -EINVAL);
	cr_expect_eq(PARSE("--number", "4294967296"), -EINVAL);
	cr_expect_str_eq(err.msg, "--number: \"4294967296\" is not a number from 2 to 4294967295");
	cr_expect_eq(PARSE("--number", "2x"), -EINVAL);
}
