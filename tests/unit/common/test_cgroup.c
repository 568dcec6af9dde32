/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cgroup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void normal(const char *in, const char *out)
{
	char path[CGROUP_PATH_MAX];

	cr_expect_eq(cgroup_normalize(in, path), out != NULL, "%s", in);
	if (out)
		cr_expect_str_eq(path, out);
}

Test(cgroup, paths)
{
	char path[CGROUP_PATH_MAX], longest[CGROUP_PATH_MAX + 1];

	normal("a", "a");
	normal("/system.slice/envoy.service", "system.slice/envoy.service");
	normal("//a///b c/", "a/b c");
	normal("...", "...");
	normal("", NULL);
	normal("/", NULL);
	normal("a/../b", NULL);
	normal("./a", NULL);
	normal("a\nb", NULL);
	memset(longest, 'x', sizeof(longest));
	longest[CGROUP_PATH_MAX - 2] = '\0';
	cr_expect(cgroup_normalize(longest, path));
	cr_expect_str_eq(path, longest);
	longest[CGROUP_PATH_MAX - 2] = 'x';
	longest[CGROUP_PATH_MAX] = '\0';
	cr_expect_not(cgroup_normalize(longest, path));
}

static void mounted(const char *line, const char *point)
{
	char path[PATH_MAX];

	cr_expect_eq(cgroup_parse_mount(line, path), point != NULL, "%s", line);
	if (point)
		cr_expect_str_eq(path, point);
}

Test(cgroup, the_mount_of_the_whole_hierarchy)
{
	mounted("41 31 0:38 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw", "/sys/fs/cgroup");
	mounted("41 31 0:38 / /a\\040b\\134 rw shared:9 master:1 - cgroup2 none rw", "/a b\\");
	mounted("41 31 0:38 /part /x rw - cgroup2 cgroup2 rw", NULL);
	mounted("32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu", NULL);
	mounted("32 31 0:29 / - cgroup2 x y", NULL);
	mounted("32 31 0:29 /", NULL);
	mounted(" - cgroup2 ", NULL);
	mounted("", NULL);
}

Test(cgroup, what_is_not_there_is_not_found)
{
	const struct cgroup none = {UINT64_MAX, 1};
	char path[CGROUP_PATH_MAX];
	struct cgroup cgroup;
	struct err err = {0};

	cr_expect_eq(cgroup_resolve("meshdns-no-such-cgroup", &cgroup, &err), -ENOENT);
	cr_expect(strstr(err.msg, "cgroup"), "%s", err.msg);
	cr_expect_eq(cgroup_find(&none, path), -ENOENT);
	cr_expect_eq(cgroup_join("meshdns-no-such-cgroup"), -ENOENT);
}
