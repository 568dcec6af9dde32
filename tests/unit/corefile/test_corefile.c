/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conformance: what is taken, and what it means. A row is the inside of a block `.:53 { ... }`, and
 * either how the effective configuration is printed or what the error says. What was printed must
 * come out the same when it is read again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "resolver/corefile/corefile.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/render.h"

/* The effective configuration, or "! " and the error; to be freed. */
static char *effective(const char *text)
{
	struct corefile *corefile = NULL;
	struct err err = {0};
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (corefile_read_text("Corefile", text, strlen(text), 53, &corefile, &err) < 0)
		fprintf(out, "! %s", err.msg);
	else
		corefile_print(corefile, out);
	fclose(out);
	corefile_free(corefile);
	return result;
}

struct row {
	const char *inside, *result; /* NULL: as it stands */
};

static void check_row(const char *inside, const char *result)
{
	char *text = NULL, *wanted = NULL, *got, *again;

	if (!result)
		result = inside;
	cr_assert_gt(asprintf(&text, ".:53 {\n%s\n}\n", inside), 0);
	cr_assert_gt(asprintf(&wanted, *result ? ".:53 {\n%s\n}\n" : ".:53 {\n%s}\n", result), 0);
	got = effective(text);
	if (*result == '!') {
		cr_expect(*got == '!' && strstr(got, result + 2), "%s\n  gives  %s\n  not    %s",
			  inside, got, result);
	} else {
		cr_expect_str_eq(got, wanted, "%s\n  gives  %s\n  not    %s", inside, got, wanted);
		again = effective(got);
		cr_expect_str_eq(again, got, "%s\n  again  %s", got, again);
		free(again);
	}
	free(text);
	free(wanted);
	free(got);
}

static void check(const struct row *rows, size_t n)
{
	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; i < n; i++)
		check_row(rows[i].inside, rows[i].result);
}

Test(corefile, forward)
{
	static const struct row rows[] = {
		{"forward . 1.1.1.1", "    forward . 1.1.1.1:53"},
		{"forward EXAMPLE.org. [fd00::1]:5353 dns://10.0.0.1 /etc/resolv.conf",
		 "    forward example.org [fd00::1]:5353 10.0.0.1:53 /etc/resolv.conf"},
		{"forward . fd00::1", "    forward . [fd00::1]:53"},
		{"forward . tls://9.9.9.9 tls://1.1.1.1%one.one.one.one tls://1.0.0.1%x:8853 "
		 "tls://[fd00::1]",
		 "    forward . tls://9.9.9.9:853 tls://1.1.1.1%one.one.one.one:853 "
		 "tls://1.0.0.1%x:8853 tls://[fd00::1]:853"},
		{"forward . 127.0.0.1#55", "    forward . 127.0.0.1:53"},
		{"    forward . 1.1.1.1:53 {\n"
		 "        except mesh a.b\n"
		 "        force_tcp\n"
		 "        prefer_udp\n"
		 "        expire 1m\n"
		 "        max_fails 0\n"
		 "        max_connect_attempts 3\n"
		 "        max_idle_conns 4\n"
		 "        tls cert.pem key.pem ca.pem\n"
		 "        tls_servername dns.example\n"
		 "        policy round_robin\n"
		 "        health_check 1500ms no_rec domain example.org\n"
		 "        max_concurrent 1000\n"
		 "        next NXDOMAIN\n"
		 "        failover SERVFAIL REFUSED\n"
		 "        failfast_all_unhealthy_upstreams\n"
		 "    }",
		 NULL},
		{"forward . 1.1.1.1 {\n policy random\n max_fails 2\n expire 10s\n "
		 "health_check 500ms\n tls\n}",
		 "    forward . 1.1.1.1:53"},
		{"forward . 1.1.1.1 {\n tls ca.pem\n policy sequential\n}",
		 "    forward . 1.1.1.1:53 {\n        tls ca.pem\n        policy sequential\n    "
		 "}"},
		{"forward a. 1.1.1.1\nforward . 2.2.2.2",
		 "    forward a 1.1.1.1:53\n    forward . 2.2.2.2:53"},
		{"forward .", "! Corefile:2: forward: expected forward FROM TO..."},
		{"forward . one",
		 "! expected an address as 10.0.0.53 or [fd00::53]:53, or a file, but "
		 "not \"one\""},
		{"forward . https://1.1.1.1", "! expected dns:// or tls:// but not"},
		{"forward . 1.1.1.1 {\n expire 5\n}",
		 "! Corefile:3: forward: expire: expected a duration as 500ms or 1m30s but not "
		 "\"5\""},
		{"forward . 1.1.1.1 {\n policy least\n}", "! policy: expected random, round_robin"},
		{"forward . 1.1.1.1 {\n max_fails -1\n}",
		 "! max_fails: expected a number from 0 to 4294967295 but not \"-1\""},
		{"forward . 1.1.1.1 {\n force_tcp yes\n}",
		 "! force_tcp: expected nothing behind it but \"yes\" is"},
		{"forward . 1.1.1.1 {\n max_fail 1\n}",
		 "! unknown property \"max_fail\"; did you mean max_fails? there are except"},
		{"forward . 1.1.1.1 {\n failover NOERROR\n}", "! rcodes other than NOERROR"},
		{"forward . 1.1.1.1 {\n failover WHAT\n}", "! expected an rcode as NXDOMAIN"},
		{"forward . 1.1.1.1 {\n expire 1s {\n }\n}", "! expire: expected no block"},
		{"forward . 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "! at most 15 servers"},
		{"forward . tls://1.1.1.1%a.example {\n tls_servername b.example\n}",
		 "! forward: tls_servername: not with %a.example of a server"},
		{"forward a..b 1.1.1.1", "! expected a zone as . or example.org or 10.0.0.0/8"},
		{"forward 10.0.0.0/8 1.1.1.1 {\n except 10.1.2.0/23 fd00::/16 dns://a.b:53\n}",
		 "    forward 10.in-addr.arpa 1.1.1.1:53 {\n        except 2.1.10.in-addr.arpa "
		 "3.1.10.in-addr.arpa 0.0.d.f.ip6.arpa a.b\n    }"},
		/* Of several zones the first, as in CoreDNS. */
		{"forward dns://192.168.5.1/23:53 1.1.1.1",
		 "    forward 4.168.192.in-addr.arpa 1.1.1.1:53"},
		{"forward a.b:c 1.1.1.1", "! expected a zone as . or example.org or 10.0.0.0/8"},
		{"forward . 1.1.1.1 {\n health_check 1s domain 10.0.0.0/8\n}",
		 "! expected a domain as . or example.org"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, alternate)
{
	static const struct row rows[] = {
		{"alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf",
		 "    alternate FORMERR,SERVFAIL,NXDOMAIN,NOTIMP,REFUSED . /etc/resolv.conf"},
		{"alternate original nxdomain . 10.0.0.53 10.0.0.54:5353",
		 "    alternate original NXDOMAIN . 10.0.0.53:53 10.0.0.54:5353"},
		{"alternate NOTIMPL . 10.0.0.53", "    alternate NOTIMP . 10.0.0.53:53"},
		{"alternate NXDOMAIN . 10.0.0.53\nalternate REFUSED . 10.0.0.54",
		 "    alternate NXDOMAIN . 10.0.0.53:53\n    alternate REFUSED . 10.0.0.54:53"},
		{"alternate NXDOMAIN . 10.0.0.53\nalternate SERVFAIL,NXDOMAIN . 10.0.0.54",
		 "! Corefile:3: alternate: an rcode is specified more than once"},
		{"alternate NXDOMAIN . tls://1.1.1.1", "! only dns transport allowed"},
		{"alternate NXDOMAIN .", "! expected alternate [original] RCODE[,RCODE...]"},
		{"alternate original NXDOMAIN .", "! expected RCODE[,RCODE...] FROM TO..."},
		{"alternate NXDOMAIN . 1.1.1.1 {\n}", "! alternate: expected no block"},
		{"alternate A,B . 1.1.1.1", "! expected an rcode as NXDOMAIN but not \"A\""},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, templates)
{
	static const struct row rows[] = {
		{"template IN AAAA .", "    template IN AAAA . {\n    }"},
		{"    template IN A example.org {\n"
		 "        match ^ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)[.]\n"
		 "        match \"x y\"\n"
		 "        answer \"{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ .Group.b }}\"\n"
		 "        authority \"example.org. 60 IN SOA a. b. 1 2 3 4 5\"\n"
		 "        additional \"{{ .Name }} 60 IN TXT \\\"{{ .Type }}\\\"\"\n"
		 "        rcode NXDOMAIN\n"
		 "        ederror 21 \"not here\"\n"
		 "        fallthrough a.example.org\n"
		 "    }",
		 NULL},
		{"template ANY ANY {\n rcode REFUSED\n upstream\n}",
		 "    template ANY ANY {\n        rcode REFUSED\n    }"},
		{"template ANY PTR 172.16.0.0/15 example.org:53 {\n fallthrough 172.16.0.0/16\n}",
		 "    template ANY PTR 16.172.in-addr.arpa 17.172.in-addr.arpa example.org {\n"
		 "        fallthrough 16.172.in-addr.arpa\n    }"},
		{"template in A", "! expected a class as IN or ANY but not \"in\""},
		{"template IN TYPE28", "! expected a type as AAAA or ANY but not \"TYPE28\""},
		{"template IN A {\n rcode nxdomain\n}", "! rcode: expected one as NXDOMAIN"},
		{"template IN A {\n match (\n}", "! not a regular expression: missing"},
		{"template IN A {\n\n answer \"{{ .Nam }}\"\n}",
		 "! Corefile:4: there is no such field, at \".Nam\" (answer of a template)"},
		{"template IN A {\n answer \"{{ prnt 1 }}\"\n}", "! did you mean print"},
		{"template IN A {\n answer\n}", "! template: expected answer RECORD..."},
		{"template IN", "! expected template CLASS TYPE [ZONE...]"},
		{"template IN A {\n ederror 70000\n}",
		 "! ederror: expected a number from 0 to 65535"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, what_is_seen_of_it)
{
	static const struct row rows[] = {
		{"errors", "    errors"},
		{"errors stdout", "    errors"},
		{"    errors {\n"
		 "        stacktrace\n"
		 "        consolidate 5m \".* i/o timeout$\" warning\n"
		 "        consolidate 30s ^Failed error show_first\n"
		 "    }",
		 NULL},
		{"errors\nerrors", "! Corefile:3: errors: expected once in a block"},
		{"errors stderr", "! expected stdout but not \"stderr\""},
		{"errors {\n consolidate 5s x show_first\n}",
		 "    errors {\n        consolidate 5s x error show_first\n    }"},
		{"errors {\n consolidate 5s x show_first error\n}",
		 "! expected error, warning, info or debug, then show_first"},
		{"errors {\n consolidate 5m\n}", "! expected consolidate DURATION REGEX"},
		{"errors {\n consolidate 5 x\n}", "! expected a duration"},
		{"errors {\n consolidate 5s x fatal\n}",
		 "! expected error, warning, info or debug"},
		{"log", "    log"},
		{"log . {common}", "    log ."},
		{"log example.org \"{remote} {name}\" {\n class denial error\n}",
		 "    log example.org \"{remote} {name}\" {\n        class denial error\n    }"},
		{"log {\n class all\n}\nlog a. b. {combined}",
		 "    log\n    log a b \"{remote}:{port} - {>id} \\\"{type} {class} {name} {proto} "
		 "{size} "
		 "{>do} {>bufsize}\\\" {rcode} {>rflags} {rsize} {duration} \\\"{>opcode}\\\"\""},
		{"log {combined} {\n class denial\n class error\n}",
		 "    log \"{remote}:{port} - {>id} \\\"{type} {class} {name} {proto} {size} "
		 "{>do} {>bufsize}\\\" {rcode} {>rflags} {rsize} {duration} \\\"{>opcode}\\\"\" {\n"
		 "        class denial error\n    }"},
		{"log {\n class good\n}", "! class: expected success, denial, error or all"},
		{"prometheus", "    prometheus 127.0.0.1:9153"},
		{"prometheus localhost:19153", "    prometheus 127.0.0.1:19153"},
		{"prometheus :9153", "    prometheus :9153"},
		{"prometheus [::1]:9153", "    prometheus [::1]:9153"},
		{"    prometheus :9153 {\n        runtime_metrics\n    }", NULL},
		{"prometheus {\n tls a.yaml\n}", "! unknown property \"tls\""},
		{"prometheus 9153", "! expected an address with a port as localhost:9153"},
		{"health", "    health :8080"},
		{"health localhost:8091 {\n lameduck 5s\n}",
		 "    health 127.0.0.1:8091 {\n        lameduck 5s\n    }"},
		{"ready", "    ready :8181"},
		{"ready a b", "! expected ready [ADDRESS]"},
	};

	check(rows, ARRAY_SIZE(rows));
}

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

Test(corefile, tables)
{
	static const struct row rows[] = {
		{"hosts", "    hosts /etc/hosts {\n    }"},
		{"    hosts names.hosts example.org {\n"
		 "        10.0.0.1 a.example.org\n"
		 "        10.0.0.1 b.example.org\n"
		 "        fd00::1 a.example.org\n"
		 "        ttl 60\n"
		 "        no_reverse\n"
		 "        reload 1m\n"
		 "        fallthrough example.org\n"
		 "    }",
		 NULL},
		{"hosts {\n 10.0.0.1 a b\n fallthrough\n}",
		 "    hosts /etc/hosts {\n        10.0.0.1 a\n        10.0.0.1 b\n        "
		 "fallthrough\n    }"},
		{"hosts a.hosts 10.0.0.0/16", "    hosts a.hosts 0.10.in-addr.arpa {\n    }"},
		{"hosts {\n 10.0.0.1\n}", "! Corefile:3: hosts: expected names behind the address"},
		{"hosts {\n ttl x\n}", "! Corefile:3: hosts: ttl: expected a number"},
		{"hosts {\n tll 1\n}", "! unknown property \"tll\"; did you mean ttl?"},
		{"mesh", "    mesh {\n        domain mesh\n        ttl 60\n    }"},
		{"    mesh mesh a.example {\n"
		 "        names /etc/meshdns/names.d\n"
		 "        names \"a b\"\n"
		 "        kuma /run/kuma.sock 500ms\n"
		 "        domain mesh.local\n"
		 "        ttl 30\n"
		 "        authoritative mesh.local\n"
		 "        search svc.cluster.local cluster.local\n"
		 "    }",
		 NULL},
		{"mesh {\n kuma /a\n}",
		 "    mesh {\n        kuma /a 1s\n        domain mesh\n        ttl 60\n    }"},
		{"mesh {\n ttl x\n}", "! mesh: ttl: expected a number"},
		{"mesh {\n kuma /a 99ms\n}", "! mesh: kuma: expected a time from 100ms to 1h"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, caches)
{
	static const struct row rows[] = {
		{"cache",
		 "    cache {\n        success 9984 3600 5\n        denial 9984 1800 5\n    }"},
		{"cache 30",
		 "    cache {\n        success 9984 30 5\n        denial 9984 30 5\n    }"},
		{"    cache example.org {\n"
		 "        success 100 200 3\n"
		 "        denial 50 60 7\n"
		 "        disable denial a b\n"
		 "        prefetch 5 2m 20%\n"
		 "        serve_stale 2h verify 500ms\n"
		 "        servfail 10s\n"
		 "        keepttl\n"
		 "    }",
		 NULL},
		{"cache 30 10.0.0.0/8 {\n disable denial fd00::/8\n}",
		 "    cache 10.in-addr.arpa {\n        success 9984 30 5\n        denial 9984 30 "
		 "5\n"
		 "        disable denial d.f.ip6.arpa\n    }"},
		{"cache {\n serve_stale\n disable success\n}",
		 "    cache {\n        success 9984 3600 5\n        disable success\n        "
		 "denial 9984 "
		 "1800 5\n        serve_stale 1h immediate\n    }"},
		{"cache 0", "! expected a TTL above 0"},
		{"cache {\n servfail 6m\n}", "! servfail: expected 5m or less"},
		{"cache {\n prefetch 1 1m 5%\n}", "! a percentage from 10% to 90%"},
		{"cache {\n prefetch 1 1m 50\n}", "! a percentage"},
		{"cache {\n serve_stale 1h later\n}", "! expected immediate or verify"},
		{"cache {\n disable all\n}", "! expected success or denial"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(corefile, rewrites)
{
	static const struct row rows[] = {
		{"rewrite name A.example B.example",
		 "    rewrite stop name exact a.example. b.example."},
		{"rewrite continue name suffix .a.org .b.org answer auto",
		 "    rewrite continue name suffix .a.org. .b.org. answer auto"},
		{"rewrite name prefix a b\nrewrite name substring a b",
		 "    rewrite stop name prefix a. b.\n    rewrite stop name substring a. b."},
		{"rewrite stop {\n name regex (.*)\\.a\\.org {1}.b.org\n answer name "
		 "(.*)\\.b\\.org "
		 "{1}.a.org\n answer value x y\n}",
		 "    rewrite stop name regex (.*)\\.a\\.org {1}.b.org. answer name (.*)\\.b\\.org "
		 "{1}.a.org. answer value x y."},
		{"rewrite type ANY HINFO\nrewrite class CH IN",
		 "    rewrite stop type ANY HINFO\n    rewrite stop class CH IN"},
		{"rewrite ttl a.org 30\nrewrite ttl regex .* 30-60\nrewrite ttl suffix org -60",
		 "    rewrite stop ttl exact a.org. 30-30\n    rewrite stop ttl regex .* 30-60\n   "
		 " "
		 "rewrite stop ttl suffix org. 0-60"},
		{"rewrite Continue rcode regex .*\\.org nxdomain 0\nrewrite rcode Org 3 NOERROR",
		 "    rewrite continue rcode regex .*\\.org NXDOMAIN NOERROR\n"
		 "    rewrite stop rcode exact org. NXDOMAIN NOERROR"},
		{"rewrite rcode org 3 11", "! rcode: expected two as NXDOMAIN NOERROR"},
		{"rewrite rcode org 3 16", "! rcode: expected two as fit into a header"},
		{"rewrite ttl a 30-\nrewrite ttl exact b 0",
		 "    rewrite stop ttl exact a. 30-2147483647\n"
		 "    rewrite stop ttl exact b. 0-0"},
		{"rewrite ttl a -", "! ttl: expected"},
		{"rewrite rcode suffix .org nxdomain NoError",
		 "    rewrite stop rcode suffix .org. NXDOMAIN NOERROR"},
		{"rewrite rcode org NXDOMAIN BADVERS",
		 "! rcode: expected two as fit into a header"},
		{"rewrite type any hinfo", "    rewrite stop type ANY HINFO"},
		{"rewrite name regex a b answer auto",
		 "    rewrite stop name regex a b. answer auto"},
		{"rewrite stop {\n name suffix .arpa .arpa\n answer name auto\n answer value (.*)a "
		 "{1}b\n}",
		 "    rewrite stop name suffix .arpa. .arpa. answer auto answer value (.*)a {1}b."},
		{"rewrite name regex a b answer name c d value e f",
		 "    rewrite stop name regex a b. answer name c d. answer value e f."},
		{"rewrite name regex a b answer auto name c d",
		 "! answer auto: not with answer name"},
		{"rewrite name regex (a) {2}", "! {2}: there is no such group in (a)"},
		{"rewrite name regex a b answer value c {1}", "! {1}: there is no such group in c"},
		{"rewrite name a b..c", "! expected a domain"},
		{"rewrite edns0 local set 0xffee x", "! expected name, type, class, ttl or rcode"},
		{"rewrite name a", "! expected name [exact|prefix|suffix|substring|regex] FROM TO"},
		{"rewrite name a b c", "! expected answer but not \"c\""},
		{"rewrite name regex ( x", "! not a regular expression"},
		{"rewrite name a b answer name x", "! answer name: expected FROM TO"},
		{"rewrite type A WHAT", "! type: expected two as ANY HINFO"},
		{"rewrite type A AAAA TXT", "! expected nothing behind it but \"TXT\" is"},
		{"rewrite ttl a 60-30", "! ttl: expected"},
	};

	check(rows, ARRAY_SIZE(rows));
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

static const struct render_variables kuma = {
	.port = 16001, .empty_port = 16004, .envoy_port = 16002, .prometheus_port = 16003};

static char *rendered(const char *text, const struct render_variables *variables)
{
	struct corefile *corefile = NULL;
	struct err err = {0};
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (render_read_text("template", text, strlen(text), variables, &corefile, &err) < 0)
		fprintf(out, "! %s", err.msg);
	else
		corefile_print(corefile, out);
	fclose(out);
	corefile_free(corefile);
	return result;
}

#define FILTER_THEN_OTHERS                                                            \
	"    alternate FORMERR,SERVFAIL,NXDOMAIN,NOTIMP,REFUSED . /etc/resolv.conf\n" \
	"    forward . 127.0.0.1:16002\n}\n"

Test(corefile, default_of_kuma)
{
	struct render_variables logging = kuma;
	char *got = rendered(render_default, &kuma);

	cr_expect_str_eq(
		got, ".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n" FILTER_THEN_OTHERS);
	free(got);
	logging.logging = true;
	got = rendered(render_default, &logging);
	cr_expect_str_eq(got, ".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n    "
			      "log\n" FILTER_THEN_OTHERS);
	free(got);
}

/* What Kuma documents for musl: no address of the other family is an answer, not a failure. */
#define OVERRIDE                                                                      \
	".:{{ .CoreDNSPort }} {\n"                                                    \
	"    # an empty answer for AAAA\n"                                            \
	"    template IN AAAA . {\n"                                                  \
	"        rcode NOERROR\n"                                                     \
	"        fallthrough\n"                                                       \
	"    }\n"                                                                     \
	"    forward . 127.0.0.1:{{ .EnvoyDNSPort }}\n"                               \
	"    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf\n" \
	"    prometheus localhost:{{ .PrometheusPort }}\n"                            \
	"    errors\n"                                                                \
	"}\n"
#define OVERRIDE_RESULT                                           \
	".:16001 {\n    prometheus 127.0.0.1:16003\n    errors\n" \
	"    template IN AAAA . {\n        fallthrough\n    }\n" FILTER_THEN_OTHERS

Test(corefile, overrides_of_kuma)
{
	static const struct {
		const char *text, *result;
	} rows[] = {
		{OVERRIDE, OVERRIDE_RESULT},
		{OVERRIDE "\n.:{{ .CoreDNSEmptyPort }} {\n    template ANY ANY . {\n      rcode "
			  "NXDOMAIN\n    }\n}\n",
		 OVERRIDE_RESULT
		 "\n.:16004 {\n    template ANY ANY . {\n        rcode NXDOMAIN\n   "
		 " }\n}\n"},
		{".:{{ .CoreDNSPort }} {\n  template IN A a {\n  answer \"{{ `{{ .Name }}` }} 60 "
		 "IN A "
		 "10.0.0.1\"\n  }\n}\n",
		 ".:16001 {\n    template IN A a {\n        answer \"{{ .Name }} 60 IN A "
		 "10.0.0.1\"\n    }\n}\n"},
		{". {\n {{ .None }}\n}\n", "! template:2: there is no field .None"},
		{"", "! template: there is no block in it"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *got = rendered(rows[i].text, &kuma);

		cr_expect_str_eq(got, rows[i].result, "%s\n  gives  %s\n  not    %s", rows[i].text,
				 got, rows[i].result);
		free(got);
	}
}
