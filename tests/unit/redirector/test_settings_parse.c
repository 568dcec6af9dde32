/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "redirector/settings_parse.h"

static void says(const struct err *err, int rc, const char *text, const char *why)
{
	cr_expect_lt(rc, 0, "%s", text);
	cr_expect(strstr(err->msg, why), "%s: expected \"%s\" in: %s", text, why, err->msg);
}

/* --- ports --- */

static const char *ports_text(const struct port_list *ports)
{
	static char text[1024];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ports->n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u-%u", i ? " " : "",
					 ports->list[i].first, ports->list[i].last);
	return text;
}

static void ports_are(const char *value, const char *expected)
{
	struct port_list ports = {0};
	struct err err = {0};

	cr_expect_eq(settings_parse_ports(&ports, value, &err), 0, "%s: %s", value, err.msg);
	cr_expect_str_eq(ports_text(&ports), expected, "%s", value);
}

Test(settings_parse, ports)
{
	ports_are("", "");
	ports_are(" , ", "");
	ports_are("80", "80-80");
	ports_are("1,65535", "1-1 65535-65535");
	ports_are(" 443 , 80 ", "80-80 443-443");
	ports_are("8000-8999,22", "22-22 8000-8999");
	ports_are("80,80,80", "80-80");
	ports_are("80,81", "80-81");
	ports_are("81,80", "80-81");
	ports_are("10-20,30-40,15-35", "10-40");
	ports_are("10-20,30-40,50-60,21-29", "10-40 50-60");
	ports_are("10-20,12-14", "10-20");
	ports_are("5,1-65535,7", "1-65535");
}

Test(settings_parse, bad_ports)
{
	static const char *const bad[] = {"0",    "65536", "-1",   "1-",    "-",  "9-8",
					  "80 1", "80;81", "http", "1-2-3", "+1", "0x50"};
	struct port_list ports;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ports = (struct port_list){0};
		says(&err, settings_parse_ports(&ports, bad[i], &err), bad[i], "neither a port");
	}
}

Test(settings_parse, as_many_ports_as_there_is_room_for)
{
	struct port_list ports = {0};
	struct err err;
	char port[8];

	for (int i = 0; i < SETTINGS_PORTS_MAX; i++) {
		snprintf(port, sizeof(port), "%d", 1000 - 2 * i);
		cr_assert_eq(settings_parse_ports(&ports, port, &err), 0);
	}
	cr_expect_eq(settings_parse_ports(&ports, "1000", &err), 0, "it is there");
	says(&err, settings_parse_ports(&ports, "2000", &err), "2000", "more than 64");
	cr_expect_eq(settings_parse_ports(&ports, "999", &err), 0, "makes room");
	cr_expect_eq(settings_parse_ports(&ports, "2000", &err), 0);
}

/* --- prefixes --- */

static void prefixes_are(const char *value, const char *expected)
{
	struct prefix_list prefixes = {0};
	char text[1024] = "", addr[ADDR_TEXT_MAX];
	struct err err = {0};
	size_t used = 0;

	cr_expect_eq(settings_parse_prefixes(&prefixes, value, &err), 0, "%s: %s", value, err.msg);
	for (size_t i = 0; i < prefixes.n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s/%u", i ? " " : "",
					 addr_format(&prefixes.list[i].addr, addr),
					 prefixes.list[i].len);
	cr_expect_str_eq(text, expected, "%s", value);
}

Test(settings_parse, prefixes)
{
	prefixes_are("", "");
	prefixes_are("10.0.0.1", "10.0.0.1/32");
	prefixes_are("::1", "::1/128");
	prefixes_are("10.0.0.0/8, fd00::/8", "10.0.0.0/8 fd00::/8");
	prefixes_are("10.1.2.3/8", "10.0.0.0/8");
	prefixes_are("10.255.2.3/9", "10.128.0.0/9");
	prefixes_are("fd12:3456::1/20", "fd12:3000::/20");
	prefixes_are("1.2.3.4/0,::/0", "0.0.0.0/0 ::/0");
	prefixes_are("10.0.0.0/8,10.1.0.0/16", "10.0.0.0/8");
	prefixes_are("10.1.0.0/16,11.0.0.0/8,10.2.0.1,10.0.0.0/8", "11.0.0.0/8 10.0.0.0/8");
	prefixes_are("10.0.0.1,10.0.0.1", "10.0.0.1/32");
	prefixes_are("::ffff:1.2.3.4", "::ffff:1.2.3.4/128");
}

Test(settings_parse, bad_prefixes)
{
	static const char *const bad[] = {"10",          "10.0.0.0/33", "::/129",
					  "10.0.0.0/",   "/8",          "fe80::1%lo",
					  "10.0.0.1/-1", "host",        "1.2.3.4/+8",
					  "[::1]",       "::1/8/8",     "10.0.0.1 10.0.0.2"};
	struct prefix_list prefixes = {0};
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		says(&err, settings_parse_prefixes(&prefixes, bad[i], &err), bad[i],
		     "neither an address nor a prefix");
	for (int i = 0; i < SETTINGS_PREFIXES_MAX; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.0.%d.0/24", i);
		cr_assert_eq(settings_parse_prefixes(&prefixes, text, &err), 0);
	}
	says(&err, settings_parse_prefixes(&prefixes, "::1", &err), "::1", "more than 128");
}

/* --- exclusions by uid --- */

static void exclusions_are(const char *value, const char *expected)
{
	static struct settings s;
	char text[1024] = "";
	struct err err = {0};
	size_t used = 0;

	s.n_uid_exclusions = 0;
	cr_expect_eq(settings_parse_uid_exclusions(&s, value, &err), 0, "%s: %s", value, err.msg);
	for (size_t i = 0; i < s.n_uid_exclusions; i++) {
		const struct uid_exclusion *e = &s.uid_exclusions[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s:%s:%u-%u",
					 i ? "; " : "", e->tcp ? "t" : "", e->udp ? "u" : "",
					 ports_text(&e->ports), e->uids.first, e->uids.last);
	}
	cr_expect_str_eq(text, expected, "%s", value);
}

Test(settings_parse, uid_exclusions)
{
	exclusions_are("", "");
	exclusions_are("1000", "tu::1000-1000");
	exclusions_are("1000-2000", "tu::1000-2000");
	exclusions_are("0", "tu::0-0");
	exclusions_are("4294967294", "tu::4294967294-4294967294");
	exclusions_are("80:1002", "tu:80-80:1002-1002");
	exclusions_are("*:1002", "tu::1002-1002");
	exclusions_are(":1002", "tu::1002-1002");
	exclusions_are("tcp:22:1000-2000", "t:22-22:1000-2000");
	exclusions_are("udp:53:1001", "u:53-53:1001-1001");
	exclusions_are("tcp,udp:*:1", "tu::1-1");
	exclusions_are("*:53,3000-5000:106-108", "tu:53-53 3000-5000:106-108");
	exclusions_are(":53:1", "tu:53-53:1-1");
	exclusions_are("tcp::1", "t::1-1");
	exclusions_are("tcp:80:1;udp:53:2 ; 3", "t:80-80:1-1; u:53-53:2-2; tu::3-3");
	exclusions_are("1000,1002", "tu::1000-1000; tu::1002-1002");
}

Test(settings_parse, bad_uid_exclusions)
{
	static const struct {
		const char *value, *why;
	} bad[] = {
		{"root", "neither a uid"},
		{"*", "neither a uid"},
		{"-1", "neither a uid"},
		{"4294967295", "neither a uid"},
		{"2-1", "neither a uid"},
		{"80:", "a uid is missing"},
		{"tcp:80:", "a uid is missing"},
		{"icmp:80:1", "none of tcp, udp, *"},
		{"TCP:80:1", "none of tcp, udp, *"},
		{"tcp:http:1", "neither a port"},
		{"tcp:1", "neither a port"},
		{"tcp:80:1:2", "too many parts"},
		{"tcp:80:1,udp:53:2", "too many parts"},
	};
	static struct settings s;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		says(&err, settings_parse_uid_exclusions(&s, bad[i].value, &err), bad[i].value,
		     bad[i].why);
	s.n_uid_exclusions = SETTINGS_EXCLUSIONS_MAX;
	says(&err, settings_parse_uid_exclusions(&s, "1", &err), "1", "more than 64");
}

/* --- virtual networks --- */

Test(settings_parse, vnets)
{
	static struct settings s;
	char addr[ADDR_TEXT_MAX];
	struct err err = {0};

	cr_assert_eq(settings_parse_vnets(&s, "docker0:172.17.0.0/16,br+:172.18.0.0/16", &err), 0,
		     "%s", err.msg);
	cr_assert_eq(settings_parse_vnets(&s, "iface:::1/64", &err), 0, "%s", err.msg);
	cr_assert_eq(settings_parse_vnets(&s, "fifteen-letters:fd00::/8", &err), 0);
	cr_assert_eq(s.n_vnets, 4);
	cr_expect_str_eq(s.vnets[0].interface, "docker0");
	cr_expect_eq(s.vnets[0].network.len, 16);
	cr_expect_str_eq(s.vnets[1].interface, "br+");
	cr_expect_str_eq(s.vnets[2].interface, "iface");
	cr_expect_str_eq(addr_format(&s.vnets[2].network.addr, addr), "::");
	cr_expect_eq(s.vnets[2].network.len, 64);
	cr_expect_str_eq(s.vnets[3].interface, "fifteen-letters");
}

Test(settings_parse, bad_vnets)
{
	static const char *const bad[] = {"docker0",
					  ":10.0.0.0/8",
					  "docker0:",
					  "docker0:net",
					  "sixteen-letters!:10.0.0.0/8",
					  "a b:10.0.0.0/8",
					  "a/b:10.0.0.0/8",
					  "b+r:10.0.0.0/8",
					  "br*:10.0.0.0/8",
					  "fd00::/8"};
	static struct settings s;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		says(&err, settings_parse_vnets(&s, bad[i], &err), bad[i], "not INTERFACE:CIDR");
	s.n_vnets = SETTINGS_VNETS_MAX;
	says(&err, settings_parse_vnets(&s, "a:::/0", &err), "a", "more than 32");
}

/* --- single values --- */

Test(settings_parse, log_levels)
{
	struct settings s = settings_default;
	struct err err;

	cr_expect(settings_parse_log_level(&s, "0", &err) == 0 && s.log_level == 0);
	cr_expect(settings_parse_log_level(&s, "7", &err) == 0 && s.log_level == 7);
	says(&err, settings_parse_log_level(&s, "8", &err), "8", "not a syslog level");
	says(&err, settings_parse_log_level(&s, "debug", &err), "debug", "not a syslog level");
}

Test(settings_parse, an_item_without_end)
{
	static char text[2048];
	struct port_list ports = {0};
	struct err err;

	memset(text, '1', sizeof(text) - 1);
	says(&err, settings_parse_ports(&ports, text, &err), "1111", "too long for one item");
}
