/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/resolved.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void says(const char *text, const char *key, const char *expected)
{
	char value[RESOLVED_VALUE_MAX] = "nothing";

	cr_expect_eq(resolved_setting(text, key, value), expected != NULL, "%s", text);
	cr_expect_str_eq(value, expected ? expected : "nothing", "%s", text);
}

Test(resolved, settings_as_systemd_reads_them)
{
	says("[Resolve]\nDNSOverTLS=yes\n", "DNSOverTLS", "yes");
	says("[Resolve]\n  DNS = 10.0.0.1 fd00::1 \t\r\nDNSSEC=no", "DNS", "10.0.0.1 fd00::1");
	says("DNSSEC=no\nDNSSEC=allow-downgrade\n", "DNSSEC", "allow-downgrade");
	says("DNSSEC=yes\nDNSSEC=\n", "DNSSEC", "");
	says("DNSOVERTLS=opportunistic\n", "DNSOverTLS", "opportunistic");
	says("#DNSSEC=yes\n;DNSSEC=yes\n", "DNSSEC", NULL);
	says("DNSSECS=yes\nXDNSSEC=yes\nDNSSEC\n", "DNSSEC", NULL);
	says("", "DNSSEC", NULL);
	says("DNSSEC\n=yes\n", "DNSSEC", NULL);
}

Test(resolved, a_long_value_is_cut)
{
	char text[1024] = "DNS=", value[RESOLVED_VALUE_MAX];

	memset(text + 4, 'x', 1000);
	cr_expect(resolved_setting(text, "DNS", value));
	cr_expect_eq(strlen(value), RESOLVED_VALUE_MAX - 1);
}

Test(resolved, ports_of_servers)
{
	static const char *const standard[] = {
		"",          "10.0.0.1",          "fd00::1 10.0.0.1", "10.0.0.1:53",
		"[fd00::1]", "[fd00::1]:53%eth0", "fe80::1%eth0",     "1.1.1.1#one.example",
		"[",         "10.0.0.1#x:5353",
	};
	static const char *const others[] = {"10.0.0.1:5353", "10.0.0.1 [fd00::1]:5353#name",
					     "1.1.1.1:853%eth0#one.example", "10.0.0.1:"};

	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		cr_expect_not(resolved_has_other_port(standard[i]), "%s", standard[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect(resolved_has_other_port(others[i]), "%s", others[i]);
}
