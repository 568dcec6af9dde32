/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Corefiles in rows: the inside of a block `.:53 { ... }`, and either how the effective
 * configuration is printed or what the error says. What was printed must come out the same when it
 * is read again.
 */
#ifndef MESHDNS_TESTS_COREFILE_ROWS_H
#define MESHDNS_TESTS_COREFILE_ROWS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "resolver/corefile/corefile.h"

/* The effective configuration, or "! " and the error; to be freed. */
static inline char *effective(const char *text)
{
	struct corefile *corefile = NULL;
	struct err err = {0};
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (corefile_read_text("Corefile", text, strlen(text), 53, &corefile, &err) < 0)
		fprintf(out, "! %s", err.msg);
	else
		corefile_print(corefile, out);
	fclose(out);
	corefile_free(corefile);
	return result;
}

struct row {
	const char *inside, *result; /* NULL: as it stands */
};

static inline void check_row(const char *inside, const char *result)
{
	char *text = NULL, *wanted = NULL, *got, *again;

	if (!result)
		result = inside;
	cr_assert_gt(asprintf(&text, ".:53 {\n%s\n}\n", inside), 0);
	cr_assert_gt(asprintf(&wanted, *result ? ".:53 {\n%s\n}\n" : ".:53 {\n%s}\n", result), 0);
	got = effective(text);
	if (*result == '!') {
		cr_expect(*got == '!' && strstr(got, result + 2), "%s\n  gives  %s\n  not    %s",
			  inside, got, result);
	} else {
		cr_expect_str_eq(got, wanted, "%s\n  gives  %s\n  not    %s", inside, got, wanted);
		again = effective(got);
		cr_expect_str_eq(again, got, "%s\n  again  %s", got, again);
		free(again);
	}
	free(text);
	free(wanted);
	free(got);
}

static inline void check(const struct row *rows, size_t n)
{
	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < n; i++)
		check_row(rows[i].inside, rows[i].result);
}

#endif
