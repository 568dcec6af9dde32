/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/gotemplate.h"

typedef struct gotemplate_value value;

#define TEXT(s)                                                            \
	{                                                                  \
		.kind = GOTEMPLATE_STRING, .text = (s), .n = sizeof(s) - 1 \
	}
#define INT(i)                                        \
	{                                             \
		.kind = GOTEMPLATE_INT, .number = (i) \
	}
#define BOOL(b)                                         \
	{                                               \
		.kind = GOTEMPLATE_BOOL, .boolean = (b) \
	}

static const value matches[] = {TEXT("ip-10-1-2-3"), TEXT("10")};
static const struct gotemplate_field groups[] = {{"a", TEXT("10")}, {"hex", TEXT("0a5F")}};
static const struct gotemplate_field question[] = {{"Name", TEXT("q.mesh.")}, {"Qtype", INT(28)}};
static const struct gotemplate_field fields[] = {
	{"Port", INT(15053)},
	{"Zero", INT(0)},
	{"On", BOOL(true)},
	{"Off", BOOL(false)},
	{"Name", TEXT("redis.mesh.")},
	{"Empty", TEXT("")},
	{"Match", {.kind = GOTEMPLATE_LIST, .items = matches, .n = 2}},
	{"Group", {.kind = GOTEMPLATE_MAP, .fields = groups, .n = 2}},
	{"Question", {.kind = GOTEMPLATE_STRUCT, .fields = question, .n = 2}},
};
static const value data = {.kind = GOTEMPLATE_STRUCT, .fields = fields, .n = ARRAY_SIZE(fields)};

static const struct gotemplate_dialect dialect = {.is_coredns = true};

/* The result of `source`, or the error. */
static const char *run(const char *source, char out[1024])
{
	struct gotemplate *template = NULL;
	struct err err = {0};
	size_t len = 0;

	if (gotemplate_compile(source, strlen(source), (struct gotemplate_place){"f", 1}, &dialect,
			       &template, &err) < 0 ||
	    gotemplate_execute(template, &data, out, 1023, &len, &err) < 0)
		len = (size_t)snprintf(out, 1024, "! %s", err.msg);
	out[len] = '\0';
	gotemplate_free(template);
	return out;
}

struct row {
	const char *source, *result;
};

static void check(const struct row *rows, size_t n)
{
	char out[1024];

	for (size_t i = 0; i < n; i++) {
		run(rows[i].source, out);
		cr_expect_str_eq(out, rows[i].result, "%s\n  gives  %s\n  not    %s",
				 rows[i].source, out, rows[i].result);
	}
}

Test(gotemplate, text_fields_and_trimming)
{
	static const struct row rows[] = {
		{"", ""},
		{"plain { text } \n", "plain { text } \n"},
		{".:{{ .Port }} {", ".:15053 {"},
		{"{{.Port}}{{.Zero}}{{.On}}{{.Off}}", "150530truefalse"},
		{"a \n {{- .Port -}} \n b", "a15053b"},
		{"a {{- /* a comment }} here */ -}} b", "ab"},
		{"a {{/* c */}} b{{/* d */}}", "a  b"},
		{"{{.Question.Name}} {{ .Question.Qtype }}", "q.mesh. 28"},
		{"{{$.Question.Name}}{{with .Question}}{{.Qtype}}{{$.Port}}{{end}}",
		 "q.mesh.2815053"},
		{"{{ .Group.a }}|{{ .Group.none }}|{{ .Match }}|{{ .Group }}",
		 "10|<no value>|[ip-10-1-2-3 10]|map[a:10 hex:0a5F]"},
		{"{{ `{{ .Name }}` }} \"{{ `raw \\n` }}\"", "{{ .Name }} \"raw \\n\""},
		{"{{ \"a\\\"\\t\\x41\\u00e9\\101\" }}", "a\"\tA\303\251A"},
		{"{{ 0x1f }} {{ -3 }} {{ 017 }} {{ 1_000 }} {{ 'a' }} {{ '\\n' }}",
		 "31 -3 15 1000 97 10"},
		{"{{ 3\n}}", "3"},
		{"{{- 3}}{{3 -}}", "33"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(gotemplate, blocks_and_variables)
{
	static const struct row rows[] = {
		{"{{if .On}}a{{else}}b{{end}}", "a"},
		{"{{if .Off}}a{{else}}b{{end}}", "b"},
		{"{{if .Zero}}a{{end}}{{if .Empty}}b{{end}}{{if .Name}}c{{end}}", "c"},
		{"{{if .Off}}a{{else if .Zero}}b{{else if .On}}c{{else}}d{{end}}", "c"},
		{"{{if .Off}}a{{else if .Zero}}b{{else}}d{{end}}.", "d."},
		{"{{with .Name}}{{.}}{{else}}none{{end}}", "redis.mesh."},
		{"{{with .Empty}}{{.}}{{else}}{{.Port}}{{end}}", "15053"},
		{"{{with $x := .Name}}{{$x}}{{end}}", "redis.mesh."},
		{"{{$x := 1}}{{if .On}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}", "32"},
		{"{{if and .On .Name}}a{{end}}{{if or .Off .Zero}}b{{end}}", "a"},
		{"{{and .On 7}} {{or .Zero .Empty .Port}} {{and .Off .Question.None}}",
		 "7 15053 false"},
		{"{{not .On}} {{not .Zero}}", "false true"},
		{"{{if not (or .Off .Zero)}}x{{end}}", "x"},
		{"{{.Zero | or .Port}} {{.On | and .Off}}", "15053 false"},
		{"{{with .Question}}{{with .Name}}{{.}}{{end}}{{.Qtype}}{{end}}{{.Port}}",
		 "q.mesh.2815053"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(gotemplate, functions)
{
	static const struct row rows[] = {
		{"{{eq .Port 15053}} {{eq .Port 1 2 15053}} {{ne .Name \"x\"}}", "true true true"},
		{"{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge \"b\" \"a\"}}", "truetruefalsetrue"},
		{"{{len .Name}} {{len .Match}} {{.Name | len}}", "11 2 11"},
		{"{{index .Match 1}} {{index .Group \"a\"}} [{{index .Group \"none\"}}]",
		 "10 10 []"},
		{"{{print 1 2 \"a\" 3 .On .Off}}|{{println \"a\" 1}}", "1 2a3 true false|a 1\n"},
		{"{{printf \"%d-%s-%v-%q\" .Port .Name .On \"x\\\"\"}}",
		 "15053-redis.mesh.-true-\"x\\\"\""},
		{"{{printf \"%05d|%-5d|%5s|%x|%X|%#x|%.2s|%c|%t|%%\" 42 42 \"ab\" 255 \"az\" 10 "
		 "\"abc\" 'z' true}}",
		 "00042|42   |   ab|ff|617A|0xa|ab|z|true|%"},
		{"{{printf \"%d %s\" \"a\"}}", "%!d(string=a) %!s(MISSING)"},
		{"{{printf \"x\" 1 \"b\"}}", "x%!(EXTRA int=1, string=b)"},
		{"{{\"x\" | printf \"%s-%s\" \"y\"}}", "y-x"},
		{"{{parseInt .Group.hex 16 32}} {{printf \"%d.%d\" (parseInt \"a\" 16 8) 3}}",
		 "2655 10.3"},
		{"{{(index .Match 0) | len}}", "11"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(gotemplate, errors_say_where_and_what)
{
	static const struct row rows[] = {
		{"\n{{ .None }}", "! f:2: there is no field .None"},
		{"{{ .Question.None }}", "! f:1: there is no field .None"},
		{"{{ .Port.X }}", "! f:1: .X: that has no fields"},
		{"a\n\n{{ printff 1 }}",
		 "! f:3: there is no such function; did you mean printf, at \"printff\""},
		{"{{ if .On }}", "! f:1: {{if}} without {{end}}"},
		{"{{ end }}", "! f:1: {{end}} of nothing"},
		{"{{ else }}", "! f:1: {{else}} of nothing"},
		{"{{if .On}}{{else}}{{else}}{{end}}", "! f:1: a second else"},
		{"{{ .Port", "! f:1: {{ without }}"},
		{"{{ /* a", "! f:1: a comment without */"},
		{"{{ \"a }}", "! f:1: a string without its closing quote"},
		{"{{ `a }}", "! f:1: a raw string without its closing `"},
		{"{{ $x }}", "! f:1: there is no such variable, at \"$x\""},
		{"{{ $x = 1 }}", "! f:1: there is no such variable, at \"$x\""},
		{"{{if .On}}{{$x := 1}}{{end}}{{$x}}",
		 "! f:1: there is no such variable, at \"$x\""},
		{"{{ range .Match }}{{end}}", "! f:1: not supported here, at \"range\""},
		{"{{ not 1 2 }}", "! f:1: not takes 1 argument, at \"2\""},
		{"{{ eq 1 }}", "! f:1: eq wants 2 arguments, there is 1"},
		{"{{ eq 1 \"a\" }}", "! f:1: only things of one kind can be compared"},
		{"{{ index .Match 2 }}", "! f:1: index: out of range"},
		{"{{ .Port 3 }}", "! f:1: only a function takes arguments, at \"3\""},
		{"{{ 1 | .Port }}", "! f:1: only a function can stand behind a |, at \".Port\""},
		{"{{ (1 }}", "! f:1: expected )"},
		{"{{ 1.5 }}", "! f:1: only whole numbers are supported"},
		{"{{ 99999999999999999999 }}", "! f:1: the number is too large"},
		{"{{ parseInt \"256\" 10 8 }}", "! f:1: parseInt: the number is too large"},
		{"{{ parseInt \"\" 10 8 }}", "! f:1: parseInt: the text is empty"},
		{"{{ nil }}", "! f:1: nil is no command, at \"nil\""},
		{"{{}}", "! f:1: expected a value"},
		{"{{ % }}", "! f:1: no such sign here, at \"%\""},
	};
	char out[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		run(rows[i].source, out);
		cr_expect(!strncmp(out, rows[i].result, strlen(rows[i].result)),
			  "%s\n  gives  %s\n  not    %s", rows[i].source, out, rows[i].result);
	}
}

Test(gotemplate, fields_can_be_checked_before)
{
	static const char *const known[] = {"Name", "Question", NULL};
	static const struct gotemplate_dialect strict = {.fields = known};
	static const struct row rows[] = {
		{"{{ .Name }}{{ .Question.What }}{{with .Question}}{{.Name}}{{end}}", NULL},
		{"{{if .Name}}{{ .Port }}{{end}}", "f:7: there is no such field, at \".Port\""},
		{"{{with .Name}}\n{{ $.Port }}{{end}}",
		 "f:8: there is no such field, at \".Port\""},
		{"{{ parseInt \"1\" 10 8 }}", "f:7: there is no such function"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gotemplate *template = NULL;
		struct err err = {0};
		int rc = gotemplate_compile(rows[i].source, strlen(rows[i].source),
					    (struct gotemplate_place){"f", 7}, &strict, &template,
					    &err);

		cr_expect_eq(rc, rows[i].result ? -EINVAL : 0, "%s: %s", rows[i].source, err.msg);
		if (rows[i].result)
			cr_expect_not_null(strstr(err.msg, rows[i].result), "%s", err.msg);
		gotemplate_free(template);
	}
}

/* `n` times `piece`, with `middle` in between and `n` times `end`. */
static char *deep(const char *piece, const char *middle, const char *end, size_t n)
{
	char *text = calloc(1, n * (strlen(piece) + strlen(end)) + strlen(middle) + 1);

	for (size_t i = 0; i < n; i++)
		strcat(text, piece);
	strcat(text, middle);
	for (size_t i = 0; i < n; i++)
		strcat(text, end);
	return text;
}

Test(gotemplate, hostile_depth_ends_in_an_error)
{
	char *texts[] = {
		deep("{{if .On}}", "", "{{end}}", 5000),
		deep("{{with .On}}", "", "{{end}}", 5000),
		deep("{{else if .On}}", "{{end}}", "", 5000),
		deep("{{ ((((((((((((((((((((((((((((((((((", "1", "", 1),
		deep("(", "1", ")", 5000),
	};
	char out[1024];
	char *nested = calloc(1, 1 << 16);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(nested, 1 << 16, "%s%s", i == 4 ? "{{" : "", texts[i]);
		cr_expect_eq(run(nested, out)[0], '!', "%zu", i);
		free(texts[i]);
	}
	free(nested);
}

Test(gotemplate, output_and_scratch_are_bounded)
{
	char *big = deep("{{.Name}}", "", "", 200), out[1024];

	cr_expect_not_null(strstr(run(big, out), "the result is larger than 1023 bytes"));
	free(big);
	big = deep("{{$x := printf \"%999d\" 1}}", "", "", 12);
	cr_expect_not_null(strstr(run(big, out), "printf: the text is too long"), "%s", out);
	free(big);
}
