/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/netns.h"

static void means(const char *spec, enum netns_kind expected_kind, const char *expected)
{
	enum netns_kind kind;
	char path[PATH_MAX];

	cr_assert_eq(netns_path(spec, &kind, path, NULL), 0, "%s", spec);
	cr_expect_eq(kind, expected_kind, "%s", spec);
	cr_expect_str_eq(path, expected);
}

Test(netns, path_name_and_pid)
{
	means("/var/run/netns/blue", NETNS_PATH, "/var/run/netns/blue");
	means("./blue", NETNS_PATH, "./blue");
	means("blue", NETNS_NAME, "/run/netns/blue");
	means("42", NETNS_PID, "/proc/42/ns/net");
	means("42a", NETNS_NAME, "/run/netns/42a");
}

static void refused(const char *spec, int code, const char *why)
{
	struct err err = {0};

	cr_expect_eq(netns_enter(spec, &err), code, "%s: %s", spec, err.msg);
	cr_expect(strstr(err.msg, why), "%s", err.msg);
}

Test(netns, what_is_none_is_named)
{
	refused("", -EINVAL, "is not a network namespace");
	refused("..", -EINVAL, "is not a network namespace");
	refused("meshdns-no-such", -ENOENT, "ip netns list");
	refused("4194305", -ENOENT, "no process 4194305");
	refused("/no/such/path", -ENOENT, "/no/such/path");
	refused("/dev/null", -EINVAL, "/dev/null is not a network namespace");
}
