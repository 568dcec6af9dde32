/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance of `errors`: what is told at once, what is counted, and when the count is told. */
#include "resolver/corefile/errors_log.h"

#include "common/cleanup.h"
#include "tests/unit/corefile/message_text.h"

static const uint8_t name[] = "\5redis\4mesh";

struct bench {
	struct corefile *corefile;
	struct errors_log *log;
	char line[ERRORS_LINE_MAX];
	enum corefile_level level;
};

static void open_bench(struct bench *b, const char *directive)
{
	char *text = NULL;

	cr_assert_gt(asprintf(&text, ". {\n%s\n}\n", directive), 0);
	b->corefile = corefile_of(text);
	free(text);
	b->log = errors_new(b->corefile->servers->errors);
	cr_assert_not_null(b->log);
}

static void close_bench(struct bench *b)
{
	errors_free(b->log);
	corefile_free(b->corefile);
}

static bool note(struct bench *b, int64_t now_ms, const char *message)
{
	return errors_note(b->log, now_ms, 2, name, DNS_TYPE_A, message, b->line, &b->level);
}

static bool summary(struct bench *b, int64_t now_ms)
{
	return errors_summary(b->log, now_ms, b->line, &b->level);
}

Test(errors_log, without_patterns)
{
	struct bench b;

	open_bench(&b, "errors");
	cr_expect(note(&b, 0, "i/o timeout"));
	cr_expect_str_eq(b.line, "2 redis.mesh. A: i/o timeout");
	cr_expect_eq(b.level, COREFILE_ERROR);
	cr_expect_eq(errors_due_ms(b.log), INT64_MAX);
	cr_expect_not(summary(&b, INT64_MAX));
	close_bench(&b);
}

Test(errors_log, consolidates)
{
	struct bench b;

	open_bench(&b, "errors {\n consolidate 5m \".* timeout$\" warning\n consolidate 30s .*\n}");
	for (int i = 0; i < 7; i++)
		cr_expect_not(note(&b, 1000 + i, "i/o timeout"));
	cr_expect_not(note(&b, 2000, "other"), "the first pattern that matches takes it");
	cr_expect_eq(errors_due_ms(b.log), 32000);
	cr_expect_not(summary(&b, 31999));
	cr_expect(summary(&b, 32000));
	cr_expect_str_eq(b.line, "1 errors like '.*' occurred in last 30s");
	cr_expect_eq(b.level, COREFILE_ERROR);
	cr_expect_not(summary(&b, 32000));
	cr_expect_eq(errors_due_ms(b.log), 301000, "the period begins with the first error");
	cr_expect(summary(&b, 301000));
	cr_expect_str_eq(b.line, "7 errors like '.* timeout$' occurred in last 5m0s");
	cr_expect_eq(b.level, COREFILE_WARNING);
	cr_expect_not(summary(&b, INT64_MAX));
	cr_expect_not(note(&b, 400000, "i/o timeout"));
	cr_expect_eq(errors_due_ms(b.log), 700000, "and the next one with the next");
	cr_expect(summary(&b, INT64_MAX), "at the end there is no waiting");
	close_bench(&b);
}

Test(errors_log, shows_the_first)
{
	struct bench b;

	open_bench(&b, "errors {\n consolidate 1h1m500ms timeout info show_first\n}");
	cr_expect(note(&b, 0, "timeout"));
	cr_expect_eq(b.level, COREFILE_INFO);
	cr_expect_str_eq(b.line, "2 redis.mesh. A: timeout");
	cr_expect_not(summary(&b, INT64_MAX), "it alone needs no summary");
	cr_expect(note(&b, 0, "timeout"), "a new period, and its first");
	cr_expect_not(note(&b, 1, "timeout"));
	cr_expect(summary(&b, INT64_MAX));
	cr_expect_str_eq(b.line, "2 errors like 'timeout' occurred in last 1h1m0.5s");
	cr_expect(note(&b, 0, "refused"), "what does not match is told each time");
	cr_expect(note(&b, 0, "refused"));
	cr_expect_eq(b.level, COREFILE_ERROR);
	close_bench(&b);
}

Test(errors_log, hostile_messages)
{
	struct bench b;

	open_bench(&b, "errors {\n consolidate 500ms \"a\nb\"\n}");
	cr_expect(note(&b, 0, "not an address: \"\033[2J\nERROR\""));
	cr_expect_str_eq(b.line, "2 redis.mesh. A: not an address: \"?[2J?ERROR\"");
	cr_expect_not(note(&b, 0, "a\nb"));
	cr_expect(summary(&b, 500));
	cr_expect_str_eq(b.line, "1 errors like 'a?b' occurred in last 500ms");
	close_bench(&b);
}
