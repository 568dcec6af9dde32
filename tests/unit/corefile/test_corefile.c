/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance: the blocks, their keys and how they are served. */
#include "resolver/corefile/directives.h"
#include "tests/unit/corefile/rows.h"

Test(corefile, how_it_is_served)
{
	static const struct row rows[] = {
		{"", ""},
		{"reload", "    reload 30s 15s"},
		{"reload 10s", "    reload 10s 5s"},
		{"reload 10s 3s", "    reload 10s 3s"},
		{"reload 0", "    reload 0s"},
		{"reload 1s", "! expected an interval of 2s or more"},
		{"reload 10s 0", "    reload 10s 0s"},
		{"reload 10s 1ms", "! expected a jitter of 1s or more, or 0"},
		{"bufsize", "    bufsize 1232"},
		{"bufsize 511", "! bufsize: expected a number from 512 to 4096 but not \"511\""},
		{"bind 127.0.0.1 eth0\nbind lo {\n except ::1\n}",
		 "    bind 127.0.0.1 eth0\n    bind lo {\n        except ::1\n    }"},
		{"bind", "! expected bind ADDRESS|INTERFACE..."},
		{"debug\nany\nloop", "    debug\n    any\n    loop"},
		{"loadbalance", "    loadbalance"},
		{"loadbalance round_robin", "    loadbalance"},
		{"loadbalance weighted", "! expected round_robin"},
		{"debug 1", "! debug: expected nothing behind it but \"1\" is"},
	};

	check(rows, ARRAY_SIZE(rows));
}

/* The shortest interval of all blocks, up to half its jitter sooner or later. */
Test(corefile, reload_interval)
{
	static const struct {
		const char *text;
		uint32_t least, middle, most; /* ms */
	} rows[] = {
		{". {\n errors\n}", 0, 0, 0},
		{". {\n reload 0\n}", 0, 0, 0},
		{". {\n reload 10s 0\n}", 10000, 10000, 10000},
		{". {\n reload\n}", 22500, 30000, 37499},
		{". {\n reload 10s 2s\n}\na {\n reload 1m\n}", 9000, 10000, 10999},
		{"a {\n reload 1m\n}\n. {\n reload 2s\n}", 1500, 2000, 2499},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct corefile *corefile;
		struct err err;

		cr_assert_eq(corefile_read_text("test", rows[i].text, strlen(rows[i].text), 53,
						&corefile, &err),
			     0, "%s", err.msg);
		cr_expect_eq(corefile_reload_ms(corefile, 0), rows[i].least);
		cr_expect_eq(corefile_reload_ms(corefile, 0x8000), rows[i].middle);
		cr_expect_eq(corefile_reload_ms(corefile, UINT16_MAX), rows[i].most);
		corefile_free(corefile);
	}
}

Test(corefile, directives_are_known_once_and_in_coredns_order)
{
	static const struct row rows[] = {
		{"forward . 1.1.1.1\nerrors\nalternate NXDOMAIN . 2.2.2.2\nprometheus\nmesh\n"
		 "template IN A {\n rcode NXDOMAIN\n}\nlog\n",
		 "    prometheus 127.0.0.1:9153\n    errors\n    log\n    template IN A {\n        "
		 "rcode "
		 "NXDOMAIN\n    }\n    mesh {\n        domain mesh\n        ttl 60\n    }\n    "
		 "alternate "
		 "NXDOMAIN . 2.2.2.2:53\n    forward . 1.1.1.1:53"},
		{"fowrard . 1.1.1.1", "! Corefile:2: unknown directive \"fowrard\"; did you mean "
				      "forward? there are reload, bufsize, bind"},
		{"kubernetes", "! unknown directive \"kubernetes\"; there are reload"},
		{"Errors", "! unknown directive \"Errors\"; did you mean errors?"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, keys)
{
	static const struct row rows[] = {
		{".", ".:53 {\n}\n"},
		{":1053", ".:1053 {\n}\n"},
		{"Example.ORG dns://a.b.:1053", "example.org:53 a.b:1053 {\n}\n"},
		{"10.0.0.0/8", "10.in-addr.arpa:53 {\n}\n"},
		{"10.0.0.0/8:1053", "10.in-addr.arpa:1053 {\n}\n"},
		{"10.1.0.0/15", "0.10.in-addr.arpa:53 1.10.in-addr.arpa:53 {\n}\n"},
		{"10.1.2.3/30", "0.2.1.10.in-addr.arpa:53 1.2.1.10.in-addr.arpa:53 "
				"2.2.1.10.in-addr.arpa:53 3.2.1.10.in-addr.arpa:53 {\n}\n"},
		{"dns://fd12:8000::/18:1053",
		 "8.2.1.d.f.ip6.arpa:1053 9.2.1.d.f.ip6.arpa:1053 "
		 "a.2.1.d.f.ip6.arpa:1053 b.2.1.d.f.ip6.arpa:1053 {\n}\n"},
		{"0.0.0.0/0", "in-addr.arpa:53 {\n}\n"},
		{"fd00:fd00::/32", "0.0.d.f.0.0.d.f.ip6.arpa:53 {\n}\n"},
		{"fd00::/7", "c.f.ip6.arpa:53 d.f.ip6.arpa:53 {\n}\n"},
		{".:53{", "! Corefile:1: expected a port from 1 to 65535 in \".:53{\""},
		{"tls://.", "! Corefile:1: expected dns:// before a zone but not \"tls://\""},
		{"a..b",
		 "! Corefile:1: expected a zone as . or example.org:53 or 10.0.0.0/8 but not "
		 "\"a..b\""},
		{"a A.", "! Corefile:1: a:53 is served by the block of line 1 already"},
		{". {\n}\nb {\n}\n.:53 {\n}",
		 "! Corefile:5: .:53 is served by the block of line 1"},
		{".:53 {\nbind lo\n}\n.:53 {\n}", ".:53 {\n    bind lo\n}\n\n.:53 {\n}\n"},
		{"# nothing", "! Corefile: there is no block in it"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = effective(rows[i].inside);

		cr_expect(!strncmp(got, rows[i].result, strlen(rows[i].result)),
			  "%s\n  gives  %s\n  not    %s", rows[i].inside, got, rows[i].result);
		free(got);
	}
}

Test(corefile, durations)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} good[] = {{"0", 0},       {"1s", 1000},     {"500ms", 500},      {"1m30s", 90000},
		    {"1.5s", 1500}, {".5s", 500},     {"1.s", 1000},       {"1h", 3600000},
		    {"1500us", 1},  {"2000000ns", 2}, {"3000\xc2\xb5s", 3}};
	static const char *const bad[] = {"",    "5",     "s",  "-1s",          "1d",         "1s5",
					  "1 s", "5000h", ".s", "99999999999s", "9999999999h"};
	uint32_t ms;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_expect(duration_parse(good[i].text, &ms), "%s", good[i].text);
		cr_expect_eq(ms, good[i].ms, "%s: %u", good[i].text, ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_not(duration_parse(bad[i], &ms), "%s", bad[i]);
}
