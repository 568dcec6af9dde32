/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "redirector/settings.h"

/* Collects from words of at most 15, separated by spaces; static, for settings borrow from it. */
static int parse(const struct option_row *rows, const char *line, struct settings *ret,
		 struct err *err)
{
	static char copy[512];
	char *argv[16], *save = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return settings_collect(rows, argc, argv, ret, err);
}

static int parse_install(const char *line, struct settings *ret, struct err *err)
{
	int rc = parse(settings_install_rows, line, ret, err);

	return rc < 0 ? rc : settings_check_install(ret, err);
}

Test(settings, defaults_are_kumas)
{
	struct settings s;

	cr_assert_eq(parse_install("--redirect-dns", &s, NULL), 0);
	cr_expect(s.redirect_dns);
	cr_expect_not(s.redirect_all_dns);
	cr_expect_eq(s.dns_port, 15053);
	cr_expect_null(s.proxy_user);
	cr_expect_null(s.resolv_conf);
	cr_expect_null(s.netns);
	cr_expect_eq(s.family_mode, FAMILY_DUALSTACK);
	cr_expect_not(s.skip_zones || s.dry_run || s.json || s.verbose);
}

Test(settings, every_flag_arrives)
{
	struct settings s;

	cr_assert_eq(parse_install("--redirect-all-dns-traffic --redirect-dns-port 5300 "
				   "--proxy-user=envoy --ip-family-mode ipv6 --verbose "
				   "--skip-dns-conntrack-zone-split --netns blue --dry-run --json",
				   &s, NULL),
		     0);
	cr_expect(s.redirect_all_dns && s.skip_zones && s.dry_run && s.json && s.verbose);
	cr_expect_eq(s.dns_port, 5300);
	cr_expect_str_eq(s.proxy_user, "envoy");
	cr_expect_eq(s.family_mode, FAMILY_IPV6);
	cr_expect_str_eq(s.netns, "blue");
	cr_assert_eq(parse_install("--redirect-dns=true --redirect-all-dns-traffic=false "
				   "--kuma-dp-user 1001 --ip-family-mode ipv4 --resolv-conf /r",
				   &s, NULL),
		     0);
	cr_expect_str_eq(s.proxy_user, "1001");
	cr_expect_str_eq(s.resolv_conf, "/r");
	cr_expect_eq(s.family_mode, FAMILY_IPV4);
}

static void refused(const char *line, const char *why)
{
	struct settings s;
	struct err err = {0};

	cr_expect_eq(parse_install(line, &s, &err), -EINVAL, "%s", line);
	cr_expect(strstr(err.msg, why), "%s: expected \"%s\" in: %s", line, why, err.msg);
}

Test(settings, every_flag_of_the_proxy_arrives)
{
	struct settings s;

	cr_assert_eq(parse_install("--redirect-inbound --redirect-outbound "
				   "--redirect-inbound-port 1 --redirect-outbound-port=2 "
				   "--redirect-inbound-insert-instead-of-append "
				   "--redirect-outbound-insert-instead-of-append "
				   "--drop-invalid-packets --iptables-logs --disable-comments "
				   "--redirect-dns-tcp=false",
				   &s, NULL),
		     0);
	cr_expect(s.redirect_inbound && s.redirect_outbound && s.insert_inbound &&
		  s.insert_outbound && s.drop_invalid && s.log && s.no_comments);
	cr_expect(s.inbound_port == 1 && s.outbound_port == 2 && !s.redirect_dns_tcp);
	cr_assert_eq(parse_install("transparent-proxy --exclude-inbound-ports 1 "
				   "--exclude-outbound-ports 2,3 --include-inbound-ports 4 "
				   "--include-outbound-ports=5-6 --exclude-inbound-ips ::1 "
				   "--exclude-outbound-ips 10.0.0.1",
				   &s, NULL),
		     0);
	cr_expect_eq(s.exclude_inbound_ports.list[0].first, 1);
	cr_expect_eq(s.exclude_outbound_ports.list[0].last, 3);
	cr_expect_eq(s.include_inbound_ports.list[0].first, 4);
	cr_expect_eq(s.include_outbound_ports.list[0].last, 6);
	cr_expect_eq(s.exclude_inbound_ips.list[0].len, 128);
	cr_expect_eq(s.exclude_outbound_ips.list[0].len, 32);
	cr_assert_eq(parse_install("transparent-proxy --redirect-vips 240.0.0.0/4 "
				   "--redirect-vips fd00::/8 --vnet br+:10.0.0.0/8 "
				   "--exclude-outbound-ports-for-uids tcp:80:1 "
				   "--exclude-outbound-ports-for-uids 2",
				   &s, NULL),
		     0);
	cr_expect(s.redirect_vips.n == 2 && s.n_vnets == 1 && s.n_uid_exclusions == 2);
}

Test(settings, a_word_asks_for_kumas_defaults)
{
	struct settings s;

	cr_expect_eq(parse_install("transparent-proxy", &s, NULL), 0);
	cr_expect(s.redirect_inbound && s.redirect_outbound);
	cr_expect_not(s.redirect_dns || s.redirect_all_dns);
	cr_expect_eq(parse_install("--redirect-inbound=false transparent-proxy", &s, NULL), 0);
	cr_expect(!s.redirect_inbound && s.redirect_outbound);
	cr_expect_eq(parse_install("--redirect-dns", &s, NULL), 0);
	cr_expect_not(s.redirect_inbound || s.redirect_outbound);
	cr_expect_eq(parse(settings_uninstall_rows, "transparent-proxy --verbose", &s, NULL), 0);
	cr_expect(s.verbose);
}

/* --- places --- */

static const char *write_file(int n, const char *text)
{
	static char paths[2][64];
	FILE *out;

	snprintf(paths[n], sizeof(paths[n]), "/tmp/meshdns-test-%d.%d", getpid(), n);
	cr_assert((out = fopen(paths[n], "w")));
	fputs(text, out);
	fclose(out);
	return paths[n];
}

/* Two files, given both ways; then a variable; then a flag. */
static void collect(const char *first, const char *second, const char *flags, struct settings *ret)
{
	struct err err = {0};
	char line[256];

	snprintf(line, sizeof(line), "--config %s,%s %s", write_file(0, first),
		 write_file(1, second), flags);
	cr_expect_eq(parse_install(line, ret, &err), 0, "%s: %s", line, err.msg);
	snprintf(line, sizeof(line), "%s --config=%s --config %s", flags, write_file(0, first),
		 write_file(1, second));
	cr_expect_eq(parse_install(line, ret, &err), 0, "%s: %s", line, err.msg);
	unlink(write_file(0, ""));
	unlink(write_file(1, ""));
}

Test(settings, a_later_place_wins)
{
	const char *first = "redirect: {dns: {enabled: true, port: 1}, outbound: {port: 2}}";
	struct settings s;

	collect(first, "", "", &s);
	cr_expect(s.dns_port == 1 && s.outbound_port == 2 && s.redirect_dns);
	cr_expect_eq(s.inbound_port, 15006, "no place said anything");
	collect(first, "redirect: {dns: {port: 3}}", "", &s);
	cr_expect(s.dns_port == 3 && s.outbound_port == 2 && s.redirect_dns, "deep merge");
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_DNS_PORT", "4", 1);
	collect(first, "redirect: {dns: {port: 3}}", "", &s);
	cr_expect(s.dns_port == 4 && s.outbound_port == 2);
	collect(first, "redirect: {dns: {port: 3}}", "--redirect-dns-port 5", &s);
	cr_expect_eq(s.dns_port, 5);
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_DNS_ENABLED", "false", 1);
	collect(first, "redirect: {inbound: {enabled: true}}", "", &s);
	cr_expect(!s.redirect_dns && s.redirect_inbound, "off, too, is an answer");
	settings_free(&s);
}

static uint16_t only_port(const struct settings *s)
{
	cr_expect_eq(s->exclude_outbound_ports.n, 1);
	return s->exclude_outbound_ports.list[0].first;
}

Test(settings, a_later_place_replaces_a_list)
{
	const char *first = "redirect: {dns: {captureAll: true}, outbound: {excludePorts: [1, 9]}}";
	const char *second = "redirect: {outbound: {excludePorts: [2]}}";
	struct settings s;

	collect(first, "", "", &s);
	cr_expect_eq(s.exclude_outbound_ports.n, 2);
	collect(first, second, "", &s);
	cr_expect_eq(only_port(&s), 2);
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_OUTBOUND_EXCLUDE_PORTS", "3", 1);
	collect(first, second, "", &s);
	cr_expect_eq(only_port(&s), 3);
	collect(first, second, "--exclude-outbound-ports 4", &s);
	cr_expect_eq(only_port(&s), 4);
	collect(first, second, "--exclude-outbound-ports 4 --exclude-outbound-ports=6,8", &s);
	cr_expect_eq(s.exclude_outbound_ports.n, 3, "within a place they add up");
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_OUTBOUND_EXCLUDE_PORTS", "", 1);
	collect(first, second, "", &s);
	cr_expect_eq(s.exclude_outbound_ports.n, 0, "an empty list is a list");
}

Test(settings, capture_all_of_a_file_is_more_than_enabled)
{
	struct settings s;

	collect("redirect: {dns: {enabled: true, captureAll: true}}", "", "", &s);
	cr_expect(s.redirect_all_dns && !s.redirect_dns);
	collect("redirect: {dns: {enabled: false, captureAll: true}}", "", "", &s);
	cr_expect(s.redirect_all_dns && !s.redirect_dns);
	collect("redirect: {dns: {captureAll: true}}", "",
		"--redirect-dns --redirect-all-dns-traffic=false", &s);
	cr_expect(s.redirect_dns && !s.redirect_all_dns);
}

Test(settings, uninstall_listens_to_flags_alone)
{
	struct settings s;

	setenv("KUMA_TRANSPARENT_PROXY_KUMA_DP_USER", "nobody-here", 1);
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_DNS_PORT", "bad", 1);
	cr_expect_eq(parse(settings_uninstall_rows, "", &s, NULL), 0);
	cr_expect_null(s.proxy_user);
	cr_expect_eq(parse(settings_uninstall_rows, "--proxy-user 1", &s, NULL), -EINVAL);
	cr_expect_eq(parse(settings_install_rows, "--help", &s, NULL), 0, "help is always there");
	cr_expect(s.help);
}

/* --- rows --- */

static int rows_with(const char *word, size_t field)
{
	int n = 0;

	for (const struct option_row *row = settings_install_rows; row->name; row++) {
		const char *other = *(const char *const *)((const char *)row + field);

		n += other && !strcmp(other, word);
	}
	return n;
}

Test(settings, rows_are_sound)
{
	const struct option_row *row = settings_install_rows;

	for (; row->name; row++) {
		if (*row->name)
			cr_expect_eq(rows_with(row->name, offsetof(struct option_row, name)), 1,
				     "--%s twice", row->name);
		if (row->env)
			cr_expect_eq(rows_with(row->env, offsetof(struct option_row, env)), 1,
				     "%s twice", row->env);
		if (row->key)
			cr_expect_eq(rows_with(row->key, offsetof(struct option_row, key)), 1,
				     "%s twice", row->key);
		if (row->kind == OPTION_CALL || row->kind == OPTION_LIST)
			cr_expect(row->parse, "--%s", row->name);
		if (row->kind == OPTION_REMOVED)
			cr_expect(row->help, "--%s", row->name);
		if (row->kind != OPTION_BOOL && row->kind < OPTION_UNUSED && *row->name)
			cr_expect(row->arg, "--%s wants a value", row->name);
	}
	cr_expect_leq(row - settings_install_rows, OPTIONS_MAX);
}

static void documented(const char *page, const char *macro, const char *word)
{
	char wanted[128];

	if (!word || !*word)
		return;
	snprintf(wanted, sizeof(wanted), "%s%s", macro, word);
	for (const char *at = page; (at = strstr(at, wanted)); at++) {
		if (strchr(" \n", at[strlen(wanted)]))
			return;
	}
	cr_expect(false, "the manual has no \"%s\"", wanted);
}

Test(settings, the_manual_has_every_row)
{
	char *page;
	size_t len;

	cr_assert_eq(file_read("redirector/meshdns-redirect.8", 100000, &page, &len, NULL), 0);
	for (const struct option_row *row = settings_install_rows; row->name; row++) {
		if (row->kind < OPTION_REMOVED)
			documented(page, "Fl -", row->name);
		if (row->kind < OPTION_UNUSED) {
			documented(page, "Li ", row->key);
			documented(page, "Ev ", row->env);
		}
	}
	free(page);
}

/* --- mistakes --- */

Test(settings, mistakes_are_named)
{
	refused("", "nothing to capture: give --redirect-dns");
	refused("--redirect-dns --redirect-all-dns-traffic", "exclude each other");
	refused("--redirect-dns --json", "--dry-run");
	refused("--redirect-dns --ip-family-mode ipv5", "none of dualstack, ipv4, ipv6");
	refused("--redirect-dns --redirect-dns-port 0", "not a port");
	refused("--redirect-dsn", "did you mean --redirect-dns?");
	refused("--redirect-dns tranparent-proxy", "what is \"tranparent-proxy\"?");
	refused("transparent-proxy install", "what is \"install\"?");
	refused("--redirect-dns --config", "--config wants a value");
	refused("--redirect-dns --config=", "file's name is missing");
	refused("--redirect-dns --store-firewalld --backend nftables", "leave out --backend");
	refused("--redirect-dns --store-firewalld --netns x", "not for --netns");
	refused("--redirect-dns --exclude-inbound-ports 0", "--exclude-inbound-ports: \"0\"");
	refused("--redirect-dns --netns", "--netns wants a value: --netns PATH|NAME|PID");
}

Test(settings, contradictions_are_named)
{
	refused("--redirect-dns --redirect-vips 240.0.0.0/4", "give --redirect-outbound too");
	refused("--redirect-inbound --vnet br+:10.0.0.0/8", "give --redirect-dns");
	refused("transparent-proxy --redirect-inbound=false --redirect-outbound=false",
		"nothing to capture");
	refused("transparent-proxy --redirect-inbound-port 15001",
		"--redirect-inbound-port and --redirect-outbound-port are both 15001");
	refused("--redirect-outbound --redirect-dns --redirect-dns-port 15001",
		"--redirect-dns-port and --redirect-outbound-port are both 15001");
}

Test(settings, ports_may_be_the_same_where_nothing_clashes)
{
	struct settings s;

	cr_expect_eq(parse_install("--redirect-outbound --redirect-inbound-port 15001", &s, NULL),
		     0);
	cr_expect_eq(parse_install("--redirect-dns --redirect-dns-port 15001", &s, NULL), 0);
	cr_expect_eq(parse_install("--redirect-outbound --redirect-dns --redirect-dns-port 15001 "
				   "--redirect-dns-tcp=false",
				   &s, NULL),
		     0);
}

Test(settings, kumas_removed_names_say_what_to_use)
{
	refused("--kuma-dp-uid 1", "--kuma-dp-uid: this was removed: use --proxy-user");
	refused("--skip-resolv-conf", "leave it out");
	refused("--kuma-cp-ip 1.2.3.4", "leave it out");
	refused("--redirect-inbound-port-v6 15010", "use --redirect-inbound-port");
	refused("--exclude-outbound-tcp-ports-for-uids 1:2", "for-uids tcp:PORTS:UIDS");
	refused("--exclude-outbound-udp-ports-for-uids 1:2", "for-uids udp:PORTS:UIDS");
	refused("--config-file x", "use --config");
	refused("--ebpf-enabled", "leave it out");
	refused("--ebpf-enabled=1", "leave it out");
	refused("--ebpf-instance-ip=1.2.3.4", "leave it out");
	refused("--ebpf-programs-source-path /x", "leave it out");
	refused("--ebpf-bpffs-path /x", "leave it out");
	refused("--ebpf-cgroup-path /x", "leave it out");
	refused("--ebpf-tc-attach-iface x", "leave it out");
}

Test(settings, kumas_iptables_options_have_no_effect)
{
	struct settings s, plain;

	cr_assert_eq(parse_install("--redirect-dns", &plain, NULL), 0);
	setenv("KUMA_TRANSPARENT_PROXY_REDIRECT_OUTBOUND_CHAIN_NAME", "X", 1);
	setenv("KUMA_TRANSPARENT_PROXY_CNI_MODE", "true", 1);
	cr_assert_eq(parse_install("--redirect-dns --wait 5 --wait-interval=0 --max-retries 4 "
				   "--sleep-between-retries 2s --store-firewalld=false "
				   "--iptables-executables iptables:/sbin/iptables",
				   &s, NULL),
		     0);
	cr_expect_arr_eq(&s, &plain, sizeof(s));
}

Test(settings, durations)
{
	struct settings s;

	cr_assert_eq(parse_install("--redirect-dns", &s, NULL), 0);
	cr_expect_eq(s.rollback_after, 0);
	cr_assert_eq(parse_install("--redirect-dns --rollback-after 60s", &s, NULL), 0);
	cr_expect_eq(s.rollback_after, 60);
	cr_assert_eq(parse_install("--redirect-dns --rollback-after 2m", &s, NULL), 0);
	cr_expect_eq(s.rollback_after, 120);
	cr_assert_eq(parse_install("--redirect-dns --rollback-after 24h", &s, NULL), 0);
	cr_expect_eq(s.rollback_after, 86400);
	refused("--redirect-dns --rollback-after 0s", "no time from 1s to 24h");
	refused("--redirect-dns --rollback-after 25h", "no time");
	refused("--redirect-dns --rollback-after 86401s", "no time");
	refused("--redirect-dns --rollback-after 60", "no time");
	refused("--redirect-dns --rollback-after m", "no time");
	refused("--redirect-dns --rollback-after 1d", "no time");
	refused("--redirect-dns --rollback-after -1s", "no time");
	refused("--redirect-dns --rollback-after 00000000000001s", "no time");
}

Test(settings, uninstall_takes_what_concerns_it)
{
	struct settings s;
	struct err err;

	cr_assert_eq(parse(settings_uninstall_rows, "--netns 42 --dry-run --verbose", &s, &err), 0);
	cr_expect(s.dry_run && s.verbose);
	cr_expect_str_eq(s.netns, "42");
	cr_expect_eq(parse(settings_uninstall_rows, "--redirect-dns", &s, &err), -EINVAL);
}
