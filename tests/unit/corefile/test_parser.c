/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in, trees out: a tree is written as "key key{name word(name word)name}". */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "resolver/corefile/parser.h"

static void dump_lines(const struct corefile_line *line, FILE *out)
{
	for (; line; line = line->next) {
		for (size_t i = 0; i < line->n_words; i++)
			fprintf(out, "%s%s", i ? " " : "", line->words[i]);
		if (line->has_block) {
			fputc('(', out);
			dump_lines(line->lines, out);
			fputc(')', out);
		}
		if (line->next)
			fputc(';', out);
	}
}

/* The tree of a file's text, or "! " and the error. To be freed. */
static char *parse_as(const char *file, const char *text)
{
	struct arena arena = {.max = 1 << 22};
	struct corefile_tree tree;
	struct err err = {0};
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	log_set_level(LOG_LEVEL_ERROR);
	if (corefile_parse(&arena, file, text, strlen(text), &tree, &err) < 0)
		fprintf(out, "! %s", err.msg);
	else
		for (struct corefile_block *b = tree.blocks; b; b = b->next) {
			for (size_t i = 0; i < b->n_keys; i++)
				fprintf(out, "%s%s", i ? " " : "", b->keys[i]);
			fputc('{', out);
			dump_lines(b->lines, out);
			fputc('}', out);
		}
	fclose(out);
	arena_free(&arena);
	return result;
}

struct row {
	const char *text, *result;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *got = parse_as("Corefile", rows[i].text);

		cr_expect_str_eq(got, rows[i].result, "%s\n  gives  %s\n  not    %s", rows[i].text,
				 got, rows[i].result);
		free(got);
	}
}

Test(corefile_parser, shapes)
{
	static const struct row rows[] = {
		{"", ""},
		{"# only a comment", ""},
		{". {\n}\n", ".{}"},
		{". {\n  errors\n  forward . 1.1.1.1 {\n    max_fails 3\n  }\n}\n",
		 ".{errors;forward . 1.1.1.1(max_fails 3)}"},
		{".:53\n{\n log\n}", ".:53{log}"},
		{"example.org example.net:1053 {\n log\n}", "example.org example.net:1053{log}"},
		{"a, b,\nc {\n}", "a b c{}"},
		{"a,b {\n}", "a,b{}"},
		{". {\n}\nb. {\n log\n}\n", ".{}b.{log}"},
		{".:53\nerrors\nlog\n", ".:53{errors;log}"},
		{".", ".{}"},
		{". {\n a {\n b {\n c d\n }\n }\n}", ".{a(b(c d))}"},
		{". {\n a {\n }\n b }\n}", "! Corefile:4: b: expected } on a line of its own"},
		{". {\n a { b\n c\n} }", ".{a(b;c)}"},
		{". {\n a { }\n}", ".{a()}"},
		{"\"\" . {\n}", ".{}"},
		{".:53{\n log\n}", "! Corefile:3: a } without its {"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile_parser, words)
{
	static const struct row rows[] = {
		{". {\n a \"b c\" \"\" \"d\\\"e\" \"f\\g\\\\\"\n}", ".{a b c  d\"e f\\g\\\\}"},
		{". {\n a \"b\nc\" d\n e\n}", ".{a b\nc d;e}"},
		{". {\n a 127.0.0.1#53 # b\n c\n}", ".{a 127.0.0.1;c}"},
		{". {\n a b\"c\"\n}", ".{a b\"c\"}"},
		{". {\n a \"b\"c\n}", ".{a b c}"},
		{". {\r\n a\rb\r\n}\r\n", ".{ab}"},
		{"\xef\xbb\xbf. {\n}", ".{}"},
		{". {\n a\xc2\xa0"
		 "b\xe2\x80\x83"
		 "c\xe3\x80\x80"
		 "d\n}",
		 ".{a b c d}"},
		{". {\n a 'b c'\n}", ".{a 'b c'}"},
		{". \"{\"\n a\n}", ".{a}"},
		{". {\n a \"b\n}", "! Corefile:2: a quote without its end"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile_parser, variables)
{
	static const struct row rows[] = {
		{".:{$CF_PORT} {\n a {%CF_PORT%} \"x{$CF_PORT}y\" {$CF_NONE}\n}",
		 ".:53{a 53 x53y }"},
		{". {\n a {$} {$CF_TWO} {{$x}}\n}", ".{a {$} 53-b c {}}"},
		{". {\n {$CF_PORT} b\n}", ".{53 b}"},
		{". {\n a {$CF_NONE}}\n}", "! Corefile:2: expected no brace out of a variable"},
		{". {\n a {$CF_LOOP}\n}", "! Corefile:2: the variables in it never end"},
	};

	setenv("CF_PORT", "53", 1);
	setenv("CF_TWO", "{$CF_PORT}-b c", 1);
	setenv("CF_LOOP", "x{$CF_LOOP}", 1);
	unsetenv("CF_NONE");
	check(rows, ARRAY_SIZE(rows));
}

Test(corefile_parser, snippets)
{
	static const struct row rows[] = {
		{"(s) {\n log\n errors\n}\n. {\n import s\n a\n import s\n}",
		 ".{log;errors;a;log;errors}"},
		{"(s) {\n max_fails 1\n}\n. {\n forward . 1 {\n import s\n expire 1s\n }\n}",
		 ".{forward . 1(max_fails 1;expire 1s)}"},
		{"(s) { log\n}\n. {\n import s\n}", ".{log}"},
		{"(s) {\n}\n. {\n import s\n a\n}", ".{a}"},
		{"(s) {\n a {\n b\n }\n}\n(t) {\n import s\n}\n. {\n import t\n}", ".{a(b)}"},
		{"(s) {\n}\n(s) {\n}", "! Corefile:3: the snippet (s) was there before"},
		{"(s)", "! Corefile:1: (s): expected a { behind it"},
		{"(s) {\n a {\n }\n", "! Corefile:1: (s): expected a } for its {"},
		{"(s) {\n import s\n}\n. {\n import s\n}",
		 "! Corefile:2: import: too many, or too many in each other: does one import "
		 "itself?"},
		{". {\n import\n}", "! Corefile:2: import: expected a snippet, a file or a glob"},
		{". {\n import a b\n}", "! Corefile:2: import: expected nothing behind \"a\""},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile_parser, errors)
{
	static const struct row rows[] = {
		{". {\n log", "! Corefile:1: expected a } for this {"},
		{". {\n a {\n b\n}\n", "! Corefile:1: expected a } for this {"},
		{"{\n}", "! Corefile:1: expected a key as .:53 or example.org before the {"},
		{". {\n {\n}", "! Corefile:2: expected a directive or } but not {"},
		{". {\n}\n}", "! Corefile:3: a } without its {"},
		{". {\n} b", "! Corefile:2: expected nothing behind } but \"b\" is"},
		{"a,", "! Corefile:1: expected another key behind the comma"},
		{". {\n a { b }\n}", "! Corefile:2: b: expected } on a line of its own"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = parse_as("Corefile", rows[i].text);

		cr_expect_not_null(strstr(got, rows[i].result), "%s\n  gives  %s\n  not    %s",
				   rows[i].text, got, rows[i].result);
		free(got);
	}
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	cr_assert_not_null(file = fopen(path, "w"));
	fputs(text, file);
	fclose(file);
}

Test(corefile_parser, imports_are_relative_to_the_importing_file)
{
	char folder[] = "/tmp/corefile-test-XXXXXX", path[256], command[300];
	static const struct row rows[] = {
		{". {\n import one\n a\n}", ".{1;a}"},
		{". {\n import conf.*\n}", ".{a;b}"},
		{". {\n import none.*\n a\n}", ".{a}"},
		{"import block\n", "b{x}"},
		{". {\n import none\n}", "none: No such file or directory"},
		{". {\n import self\n}", "does one import itself?"},
		{". {\n import *.*\n}", "at most one * and one ?"},
		{". {\n import broken\n}", "broken:2: 1: expected } on a line of its own"},
	};

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Corefile", folder);
	write_file(folder, "one", "1");
	write_file(folder, "conf.a", "a\n");
	write_file(folder, "conf.b", "b\n");
	write_file(folder, "block", "b {\n x\n}\n");
	write_file(folder, "self", "import self\n");
	write_file(folder, "broken", "\n1 }\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = parse_as(path, rows[i].text);

		cr_expect_not_null(strstr(got, rows[i].result), "%s\n  gives  %s\n  not    %s",
				   rows[i].text, got, rows[i].result);
		free(got);
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

static void expect_error(const char *text, const char *part)
{
	char *got = parse_as("f", text);

	cr_expect_not_null(strstr(got, part), "%s", got);
	free(got);
}

Test(corefile_parser, hostile_files_end_in_errors)
{
	char *text = malloc(1 << 20);
	size_t len;

	/* Each snippet twice the one before: the words that come of it are limited. */
	len = (size_t)sprintf(text, "(s0) {\n a\n}\n");
	for (int i = 1; i < 40; i++)
		len += (size_t)sprintf(text + len, "(s%d) {\nimport s%d\nimport s%d\n}\n", i, i - 1,
				       i - 1);
	sprintf(text + len, ". {\nimport s39\n}\n");
	expect_error(text, "import: too many");

	len = (size_t)sprintf(text, ". {\n");
	for (int i = 0; i < 1000; i++)
		len += (size_t)sprintf(text + len, "a {\n");
	expect_error(text, "more than 16 blocks");

	len = (size_t)sprintf(text, ". {\n");
	for (int i = 0; i < 2000; i++)
		len += (size_t)sprintf(text + len, "a ");
	expect_error(text, "words on a line");
	free(text);
}
