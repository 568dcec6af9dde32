/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "redirector/host.h"

/* The nameservers of a resolv.conf as packets name them, joined by spaces. */
static struct host nameservers(const char *text, const char *expected)
{
	char all[1024] = "", addr[ADDR_TEXT_MAX];
	struct resolvconf conf;
	struct host host = {0};
	size_t used = 0;

	resolvconf_parse(text, &conf);
	host_set_nameservers(&host, &conf, NULL);
	for (size_t i = 0; i < host.n_nameservers; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? " " : "",
					 addr_format(&host.nameservers[i], addr));
	cr_expect_str_eq(all, expected);
	return host;
}

Test(host, nameservers_are_what_packets_carry)
{
	nameservers("nameserver 10.0.0.2\nnameserver fd00::2\n", "10.0.0.2 fd00::2");
	nameservers("nameserver ::ffff:10.0.0.2\nnameserver 10.0.0.2\n", "10.0.0.2");
	nameservers("nameserver 0.0.0.0\nnameserver ::\n", "127.0.0.1 ::1");
	nameservers("nameserver ::ffff:0.0.0.0\n", "127.0.0.1");
}

Test(host, whom_systemd_resolved_asks_comes_behind)
{
	struct resolvconf conf, behind;
	struct host host = {0};

	resolvconf_parse("nameserver 127.0.0.53\nnameserver 10.0.0.2\n", &conf);
	resolvconf_parse("nameserver 10.0.0.2\nnameserver fe80::1\nnameserver fd00::2\n", &behind);
	host_set_nameservers(&host, &conf, &behind);
	cr_expect_eq(host.n_nameservers, 3);
	cr_expect_eq(host.nameservers[2].family, AF_INET6);
	cr_expect(host.link_local_left_out);
}

Test(host, link_local_nameservers_are_left_out)
{
	struct host host = nameservers("nameserver fe80::1%lo\nnameserver 10.0.0.2\n", "10.0.0.2");

	cr_expect(host.link_local_left_out && !host.nameservers_assumed);
	host = nameservers("nameserver fe80::1%no-such-link\n", "");
	cr_expect(host.link_local_left_out && !host.nameservers_assumed);
	host = nameservers("nameserver 169.254.20.10\n", "169.254.20.10");
	cr_expect_not(host.link_local_left_out);
}

Test(host, without_nameserver_programs_ask_themselves)
{
	struct host host = nameservers("", "127.0.0.1 ::1");

	cr_expect(host.nameservers_assumed);
	host = nameservers("search example.org\nnameserver nonsense\n", "127.0.0.1 ::1");
	cr_expect(host.nameservers_assumed);
	host = nameservers("nameserver 10.0.0.2\n", "10.0.0.2");
	cr_expect_not(host.nameservers_assumed);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

Test(host, facts_come_from_where_the_settings_say)
{
	char path[] = "/tmp/meshdns-unit-XXXXXX";
	struct settings settings = settings_default;
	struct host host;
	struct err err = {0};

	close(mkstemp(path));
	write_file(path, "nameserver 192.0.2.1\n");
	settings.redirect_dns = true;
	settings.proxy_user = "4000000000";
	settings.resolv_conf = path;
	settings.netns = "meshdns-no-such-namespace"; /* --resolv-conf beats it */
	cr_expect_eq(host_read(&settings, &host, &err), 0, "%s", err.msg);
	cr_expect_eq(host.owners.list[0].value, 4000000000);
	cr_expect_str_eq(host.resolv_conf, path);
	cr_expect_eq(host.n_nameservers, 1);
	unlink(path);

	cr_expect_eq(host_read(&settings, &host, &err), -ENOENT);
	cr_expect(strstr(err.msg, path), "%s", err.msg);

	settings.redirect_dns = false;
	settings.redirect_all_dns = true;
	cr_expect_eq(host_read(&settings, &host, &err), 0, "not read when it does not matter");
	cr_expect_str_eq(host.resolv_conf, "");
}

Test(host, a_missing_user_is_named)
{
	struct settings settings = settings_default;
	struct host host;
	struct err err = {0};

	settings.redirect_all_dns = true;
	settings.proxy_user = "no-such-user";
	cr_expect_eq(host_read(&settings, &host, &err), -ENOENT);
	cr_expect(strstr(err.msg, "--proxy-user") && strstr(err.msg, "no-such-user"), "%s",
		  err.msg);
}

Test(host, a_process_has_a_resolv_conf_of_its_own)
{
	struct settings settings = settings_default;
	struct host host;
	struct err err = {0};
	char pid[16], path[64];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(path, sizeof(path), "/proc/%s/root/etc/resolv.conf", pid);
	settings.redirect_dns = true;
	settings.proxy_user = "0";
	settings.netns = pid;
	if (host_read(&settings, &host, &err) == 0)
		cr_expect_str_eq(host.resolv_conf, path);
	else
		cr_expect(strstr(err.msg, path), "%s", err.msg);

	settings.netns = "4194305"; /* beyond the largest pid */
	cr_expect_eq(host_read(&settings, &host, &err), -ENOENT);
	cr_expect(strstr(err.msg, "4194305"), "%s", err.msg);
}
