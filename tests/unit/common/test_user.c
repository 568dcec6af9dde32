/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/user.h"

Test(user, by_name_and_by_number)
{
	struct user user;

	cr_assert_eq(user_resolve("root", &user, NULL), 0);
	cr_expect_eq(user.uid, 0);
	cr_assert_eq(user_resolve("0", &user, NULL), 0);
	cr_expect_str_eq(user.name, "root");
}

Test(user, a_uid_needs_no_entry)
{
	struct user user;

	cr_assert_eq(user_resolve("4294967294", &user, NULL), 0);
	cr_expect_eq(user.uid, 4294967294);
	cr_expect_eq(user.gid, 4294967294);
	cr_expect_str_eq(user.name, "");
}

static void refused(const char *text, int code)
{
	struct user user;
	struct err err = {0};

	cr_expect_eq(user_resolve(text, &user, &err), code, "%s", text);
	cr_expect(strstr(err.msg, text), "%s", err.msg);
}

Test(user, nobody_else)
{
	refused("no-such-user", -ENOENT);
	refused("4294967295", -EINVAL); /* the kernel's "no uid" */
	refused("4294967296", -EINVAL);
	refused("99999999999999999999", -EINVAL);
	refused("12x", -EINVAL);
	refused("-1", -ENOENT);
}

Test(user, a_uid_alone_is_a_number)
{
	uid_t uid;

	cr_expect(user_parse_uid("0", &uid) && uid == 0);
	cr_expect(user_parse_uid("4294967294", &uid) && uid == 4294967294u);
	for (size_t i = 0; i < 8; i++) {
		static const char *const none[] = {
			"", "-1", "+1", "1x", " 1", "4294967295", "root", "99999999999999999999"};

		cr_expect_not(user_parse_uid(none[i], &uid), "%s", none[i]);
	}
}
