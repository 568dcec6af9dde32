/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static int pipe_fds[2];

static void redirect_stderr(void)
{
	unsetenv("JOURNAL_STREAM");
	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_geq(dup2(pipe_fds[1], STDERR_FILENO), 0);
	close(pipe_fds[1]);
}

TestSuite(log, .init = redirect_stderr);

static void written(const char *expected)
{
	char text[4096];
	ssize_t n;

	close(STDERR_FILENO);
	n = read(pipe_fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	cr_expect_str_eq(text, expected);
}

Test(log, a_program_leads_its_lines)
{
	log_set_program("tool");
	log_warning("it is late", "hour=%d", 23);
	log_error("100% wrong", NULL);
	log_debug("not at this level", NULL);
	written("tool: warning: it is late hour=23\ntool: error: 100% wrong\n");
}

Test(log, the_journal_takes_the_level_for_itself)
{
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_set_program("tool");
	log_error("no", NULL);
	written("<3>error: no\n");
}

Test(log, a_line_stays_one_line)
{
	log_set_program("tool");
	log_info("two", "text=\"%s\"", "a\nb\x1b[31m\x7f");
	written("tool: info: two text=\"a?b?[31m?\"\n");
}

Test(log, long_lines_are_cut)
{
	char text[3000], expected[1100];

	log_set_program("tool");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(text, "more=%s", text);
	snprintf(expected, sizeof(expected), "tool: info: %.*s\n", 1023 - 12, text);
	written(expected);
}

Test(log, levels_have_names)
{
	enum log_level level;

	cr_expect(log_level_parse("error", &level) && level == LOG_LEVEL_ERROR);
	cr_expect(log_level_parse("debug", &level) && level == LOG_LEVEL_DEBUG);
	cr_expect_not(log_level_parse("Debug", &level));
	cr_expect_not(log_level_parse("", &level));
}

Test(log, limits_let_one_through_and_count_the_rest)
{
	struct log_limit limit = {0};
	uint32_t suppressed = 9;

	cr_expect(log_limit_pass(&limit, 1000, &suppressed));
	cr_expect_eq(suppressed, 0);
	cr_expect_not(log_limit_pass(&limit, 1001, &suppressed));
	cr_expect_not(log_limit_pass(&limit, 999 + LOG_LIMIT_MS, &suppressed));
	cr_expect(log_limit_pass(&limit, 1000 + LOG_LIMIT_MS, &suppressed));
	cr_expect_eq(suppressed, 2);
}
