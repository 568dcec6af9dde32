/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

static char dir[] = "/tmp/meshdns-unit-XXXXXX", path[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(file, .init = make_dir, .fini = remove_dir);

static void write_bytes(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

Test(file, all_bytes_and_a_nul_behind)
{
	char *data = NULL;
	size_t len;

	write_bytes("a\0b", 3);
	cr_assert_eq(file_read(path, 3, &data, &len, NULL), 0);
	cr_expect_eq(len, 3);
	cr_expect_arr_eq(data, "a\0b", 4);
	free(data);

	write_bytes("", 0);
	cr_assert_eq(file_read(path, 3, &data, &len, NULL), 0);
	cr_expect_eq(len, 0);
	cr_expect_str_eq(data, "");
	free(data);
}

Test(file, files_that_name_no_size_are_read_whole)
{
	char *data = NULL;
	size_t len;

	cr_assert_eq(file_read("/proc/self/status", 1 << 20, &data, &len, NULL), 0);
	cr_expect(len > 100 && strstr(data, "Pid:"));
	free(data);
}

static void refused(const char *name, size_t max, int code)
{
	char *data = NULL;
	size_t len;
	struct err err = {0};

	cr_expect_eq(file_read(name, max, &data, &len, &err), code, "%s", err.msg);
	cr_expect(strstr(err.msg, name), "%s", err.msg);
	cr_expect_null(data);
}

Test(file, what_cannot_be_read_is_named)
{
	write_bytes("four", 4);
	refused(path, 3, -EFBIG);
	refused("/proc/self/status", 3, -EFBIG);
	refused(dir, 100, -EINVAL);
	unlink(path);
	refused(path, 100, -ENOENT);
	cr_assert_eq(mkfifo(path, 0600), 0);
	refused(path, 100, -EINVAL); /* and does not wait for a writer */
}

Test(file, rewriting_keeps_whose_it_is_and_what_others_have_written)
{
	char *data = NULL;
	struct err err = {0};
	struct stat st;
	size_t len;

	cr_assert_eq(file_rewrite(path, NULL, "one", 0600, &err), 0, "%s", err.msg);
	cr_assert_eq(chmod(path, 0640), 0);
	cr_assert_eq(file_rewrite(path, "one", "second", 0600, &err), 0, "%s", err.msg);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
	cr_expect_eq(file_rewrite(path, "one", "third", 0600, &err), -EAGAIN);
	cr_expect_eq(file_rewrite(path, "secon", "third", 0600, &err), -EAGAIN);
	cr_expect_eq(file_rewrite(path, "seconds", "third", 0600, &err), -EAGAIN);
	cr_expect(strstr(err.msg, path) && strstr(err.msg, "somebody else"), "%s", err.msg);
	cr_assert_eq(file_read(path, 100, &data, &len, &err), 0);
	cr_expect_str_eq(data, "second");
	free(data);
	unlink(path);
	cr_expect_eq(file_rewrite(path, "second", "third", 0600, &err), -EAGAIN);
	cr_expect_eq(rmdir(dir), 0, "something was left");
}

Test(file, replacing_is_whole_and_leaves_nothing_else)
{
	char *data = NULL;
	struct err err = {0};
	struct stat st;
	size_t len;

	cr_assert_eq(file_replace(path, "one", 3, 0600, &err), 0, "%s", err.msg);
	cr_assert_eq(file_replace(path, "second", 6, 0755, &err), 0, "%s", err.msg);
	cr_assert_eq(file_read(path, 100, &data, &len, &err), 0);
	cr_expect_str_eq(data, "second");
	free(data);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0755);
	cr_expect_lt(file_replace("/nowhere/f", "x", 1, 0600, &err), 0);
	cr_expect(strstr(err.msg, "/nowhere/f"));
	unlink(path);
	cr_expect_eq(rmdir(dir), 0, "something was left");
}
