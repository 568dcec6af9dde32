/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/resolvconf.h"

static void servers(const char *text, const char *expected)
{
	char all[2048] = "", buf[ADDR_TEXT_MAX];
	struct resolvconf conf;
	size_t used = 0;

	resolvconf_parse(text, &conf);
	for (size_t i = 0; i < conf.n_servers; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? " " : "",
					 addr_format(&conf.servers[i], buf));
	cr_expect_str_eq(all, expected, "of \"%s\" took \"%s\"", text, all);
}

Test(resolvconf, as_resolvers_read_it)
{
	servers("", "");
	servers("nameserver 10.0.0.1", "10.0.0.1");
	servers("nameserver 10.0.0.1\r\nnameserver\t10.0.0.2   # first\n", "10.0.0.1 10.0.0.2");
	servers("  nameserver 10.0.0.1 10.0.0.2\n", "10.0.0.1");
	servers("# nameserver 10.0.0.1\n;nameserver 10.0.0.2\n#\n\n", "");
	servers("nameserver\nnameserver \nnameserver10.0.0.1\nNAMESERVER 10.0.0.1\n", "");
	servers("nameserver 10.0.0.1\nsearch a b\noptions ndots:5\nnameserver 10.0.0.1\n",
		"10.0.0.1");
	servers("nameserver ns.example.org\nnameserver 300.1.1.1\nnameserver ::1\n", "::1");
}

Test(resolvconf, a_scope_that_is_unknown_here_is_left_out)
{
	servers("nameserver fe80::1%lo\n", "fe80::1%lo");
	servers("nameserver fe80::1%no-such-link\n", "fe80::1");
	servers("nameserver fe80::1%\n", "fe80::1");
	servers("nameserver 10.0.0.1%lo\n", "");
	servers("nameserver %lo\n", "");
}

Test(resolvconf, sixteen_servers_and_no_more)
{
	char text[2048];
	struct resolvconf conf;
	size_t used = 0;

	for (int i = 1; i <= 20; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "nameserver 10.0.0.%d\n",
					 i);
	resolvconf_parse(text, &conf);
	cr_expect_eq(conf.n_servers, RESOLVCONF_SERVERS_MAX);
	cr_expect_str_eq(addr_format(&conf.servers[15], (char[ADDR_TEXT_MAX]){0}), "10.0.0.16");
}

Test(resolvconf, long_lines_do_not_spill_into_others)
{
	char text[1024];

	memset(text, 'x', 400);
	snprintf(text + 400, sizeof(text) - 400, " nameserver 10.0.0.1\nnameserver 10.0.0.2\n");
	servers(text, "10.0.0.2");
}

Test(resolvconf, a_file_that_cannot_be_read_is_named)
{
	struct resolvconf conf;
	struct err err;

	cr_expect_eq(resolvconf_read("/no/such/file", &conf, &err), -ENOENT);
	cr_expect(strstr(err.msg, "/no/such/file"), "%s", err.msg);
	cr_expect_eq(resolvconf_read("/etc", &conf, &err), -EINVAL);
}

Test(resolvconf, options_are_read_within_their_bounds)
{
	struct resolvconf conf;

	resolvconf_parse("nameserver 10.0.0.1\noptions timeout:2 attempts:99 rotate ndots:5\n",
			 &conf);
	cr_expect_eq(conf.timeout_s, 2);
	cr_expect_eq(conf.attempts, 5);
	cr_expect(conf.rotate);
	resolvconf_parse("nameserver 10.0.0.1\noptions timeout: attempts:x\n", &conf);
	cr_expect_eq(conf.timeout_s, 0);
	cr_expect_eq(conf.attempts, 0);
	cr_expect_not(conf.rotate);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

/* What is asked in the end, and after which file; `resolved` NULL: there is none. */
static void behind(const char *text, const char *resolved, const char *expected, bool is_resolved)
{
	char path[] = "/tmp/meshdns-unit-XXXXXX", other[] = "/tmp/meshdns-unit-XXXXXX";
	char all[2048] = "", buf[ADDR_TEXT_MAX];
	struct resolvconf conf;
	const char *source;
	struct err err = {0};
	size_t used = 0;

	close(mkstemp(path));
	close(mkstemp(other));
	write_file(path, text);
	write_file(other, resolved ? resolved : "");
	if (!resolved)
		unlink(other);
	cr_assert_eq(resolvconf_read_behind_stub(path, other, &conf, &source, &err), 0, "%s",
		     err.msg);
	for (size_t i = 0; i < conf.n_servers; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? " " : "",
					 addr_format(&conf.servers[i], buf));
	cr_expect_str_eq(all, expected, "of \"%s\" took \"%s\"", text, all);
	cr_expect_eq(source, is_resolved ? other : path, "of \"%s\"", text);
	unlink(path);
	unlink(other);
}

Test(resolvconf, servers_take_the_place_of_the_stub)
{
	const char *real = "nameserver 10.0.0.1\nnameserver fd00::1\n";

	behind("nameserver 127.0.0.53\n", real, "10.0.0.1 fd00::1", true);
	behind("nameserver 127.0.0.54\n", real, "10.0.0.1 fd00::1", true);
	behind("nameserver ::ffff:127.0.0.53\n", real, "10.0.0.1 fd00::1", true);
	behind("nameserver 10.0.0.9\nnameserver 127.0.0.53\nnameserver 10.0.0.1\n", real,
	       "10.0.0.9 10.0.0.1 fd00::1", true);
	behind("nameserver 127.0.0.53\nnameserver 127.0.0.54\n", real, "10.0.0.1 fd00::1", true);
}

Test(resolvconf, without_a_stub_it_is_the_file_alone)
{
	behind("nameserver 127.0.0.1\n", "nameserver 10.0.0.1\n", "127.0.0.1", false);
	behind("nameserver 10.0.0.53\n", NULL, "10.0.0.53", false);
	behind("", "nameserver 10.0.0.1\n", "", false);
}

Test(resolvconf, the_stub_stays_where_nobody_is_behind_it)
{
	behind("nameserver 127.0.0.53\n", NULL, "127.0.0.53", false);
	behind("nameserver 127.0.0.53\n", "# nobody\n", "127.0.0.53", false);
	behind("nameserver 127.0.0.53\n", "nameserver 127.0.0.53\n", "127.0.0.53", false);
}

Test(resolvconf, a_file_with_a_stub_must_be_there)
{
	struct resolvconf conf;
	const char *source;
	struct err err;

	cr_expect_eq(
		resolvconf_read_behind_stub("/no/such/file", "/etc/hosts", &conf, &source, &err),
		-ENOENT);
	cr_expect(strstr(err.msg, "/no/such/file"), "%s", err.msg);
}
