/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "redirector/settings.h"

/* Parses words of at most 15, separated by spaces; static, for settings borrow from it. */
static int parse(const struct option_row *rows, const char *line, struct settings *ret,
		 struct err *err)
{
	static char copy[512];
	char *argv[16], *save = NULL;
	int argc = 0, words;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	*ret = settings_default;
	return options_parse(rows, ret, argc, argv, &words, err);
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

Test(settings, mistakes_are_named)
{
	refused("", "nothing to capture: give --redirect-dns");
	refused("--redirect-dns --redirect-all-dns-traffic", "exclude each other");
	refused("--redirect-dns --json", "--dry-run");
	refused("--redirect-dns --ip-family-mode ipv5", "none of dualstack, ipv4, ipv6");
	refused("--redirect-dns --redirect-dns-port 0", "not a port");
	refused("--redirect-dsn", "did you mean --redirect-dns?");
	refused("--redirect-dns --netns", "--netns wants a value: --netns PATH|NAME|PID");
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
