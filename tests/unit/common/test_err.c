/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"

Test(err, codes_are_negative_whatever_the_sign_given)
{
	struct err err;

	cr_expect_eq(err_set(&err, ENOENT, "no %s", "file"), -ENOENT);
	cr_expect_eq(err.code, -ENOENT);
	cr_expect_str_eq(err.msg, "no file");
	cr_expect_eq(err_set(&err, -EPERM, "x"), -EPERM);
	cr_expect_eq(err_set(NULL, EPERM, "nobody asks"), -EPERM);
}

Test(err, wrapping_keeps_code_and_message)
{
	struct err err;

	err_set(&err, EACCES, "cannot open it");
	cr_expect_eq(err_wrap(&err, "--flag %d", 1), -EACCES);
	cr_expect_str_eq(err.msg, "--flag 1: cannot open it");
}

Test(err, long_messages_are_cut_within_the_buffer)
{
	char text[2000];
	struct err err;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, EIO, "%s", text);
	cr_expect_eq(strlen(err.msg), sizeof(err.msg) - 1);
	cr_expect_eq(err_wrap(&err, "%s", text), -EIO);
	cr_expect_eq(strlen(err.msg), sizeof(err.msg) - 1);
}

Test(err, texts_of_either_sign)
{
	cr_expect_str_eq(err_text(ENOENT), "No such file or directory");
	cr_expect_str_eq(err_text(-ENOENT), "No such file or directory");
	cr_expect_str_eq(err_text(99999), "unknown error");
}
