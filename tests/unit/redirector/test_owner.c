/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "redirector/owner.h"

static struct owners find(const struct settings *settings)
{
	struct owners owners;
	struct err err = {0};

	cr_assert_eq(owners_find(settings, &owners, &err), 0, "%s", err.msg);
	return owners;
}

static void refused(const struct settings *settings, const char *message)
{
	struct owners owners;
	struct err err = {0};

	cr_expect_lt(owners_find(settings, &owners, &err), 0, "%s", message);
	cr_expect(strstr(err.msg, message), "%s", err.msg);
}

Test(owner, a_user)
{
	struct settings s = {.proxy_user = "4000000000"};
	struct owners owners = find(&s);

	cr_assert_eq(owners.n, 1);
	cr_expect(owners.list[0].kind == PLAN_MATCH_UID && owners.list[0].value == 4000000000u);
	cr_expect(owners_have(&owners, PLAN_MATCH_UID, 4000000000u));
	cr_expect_not(owners_have(&owners, PLAN_MATCH_UID, 5678));
	s.proxy_user = "root";
	owners = find(&s);
	cr_expect(owners.n == 1 && owners.list[0].value == 0);
}

Test(owner, a_range_of_users)
{
	struct settings s = {.proxy_user = "5678-5700"};
	struct owners owners = find(&s);

	cr_expect(owners.list[0].value == 5678 && owners.list[0].last == 5700);
	cr_expect(owners_have(&owners, PLAN_MATCH_UID, 5678) &&
		  owners_have(&owners, PLAN_MATCH_UID, 5700));
	cr_expect_not(owners_have(&owners, PLAN_MATCH_UID, 5701));
	s.proxy_user = "7-7";
	owners = find(&s);
	cr_expect(owners.list[0].value == 7 && owners.list[0].last == 0);
	for (size_t i = 0; i < 5; i++) {
		static const char *const none[] = {"9-8", "5-", "5-x", "1-4294967295", "5x"};

		s.proxy_user = none[i];
		refused(&s, "--proxy-user: \"");
	}
}

Test(owner, a_group_and_a_mark_need_no_user)
{
	struct settings s = {.proxy_group = "root", .proxy_mark = "0x10/0xf0"};
	struct owners owners = find(&s);

	cr_assert_eq(owners.n, 2);
	cr_expect(owners.list[0].kind == PLAN_MATCH_GID && owners.list[0].value == 0);
	cr_expect(owners.list[1].kind == PLAN_MATCH_MARK && owners.list[1].value == 0x10 &&
		  owners.list[1].mask == 0xf0);
	s = (struct settings){.proxy_mark = "17"};
	owners = find(&s);
	cr_expect(owners.n == 1 && owners.list[0].value == 17 && owners.list[0].mask == UINT32_MAX);
	s.proxy_user = "1";
	cr_expect_eq(find(&s).n, 2);
}

Test(owner, what_is_no_owner)
{
	refused(&(struct settings){.proxy_group = "no-such-group"}, "no group \"no-such-group\"");
	refused(&(struct settings){.proxy_group = "1-"}, "--proxy-group: \"1-\"");
	refused(&(struct settings){.proxy_cgroup = "/"}, "--proxy-cgroup: \"/\" is no path");
	refused(&(struct settings){.proxy_cgroup = "a/../b"}, "is no path");
	refused(&(struct settings){.proxy_cgroup = "no/such"}, "--proxy-cgroup: ");
	refused(&(struct settings){.proxy_mark = "0x100/0xf0"}, "within its mask");
	refused(&(struct settings){.proxy_mark = "1/0"}, "--proxy-mark");
	refused(&(struct settings){.proxy_mark = "-1"}, "--proxy-mark");
	refused(&(struct settings){.proxy_mark = "1/"}, "--proxy-mark");
	refused(&(struct settings){.proxy_mark = "1/2/3"}, "--proxy-mark");
	refused(&(struct settings){.proxy_mark = "4294967296"}, "--proxy-mark");
}

Test(owner, who_is_one_of_them)
{
	struct settings s = {.proxy_user = "10-12", .proxy_group = "4000000000"};
	struct owners owners = find(&s);

	cr_expect(owners_have(&owners, PLAN_MATCH_UID, 10));
	cr_expect(owners_have(&owners, PLAN_MATCH_UID, 12));
	cr_expect_not(owners_have(&owners, PLAN_MATCH_UID, 13));
	cr_expect_not(owners_have(&owners, PLAN_MATCH_UID, 4000000000));
	cr_expect(owners_have(&owners, PLAN_MATCH_GID, 4000000000));
	cr_expect_not(owners_have(&owners, PLAN_MATCH_GID, 10));
}
