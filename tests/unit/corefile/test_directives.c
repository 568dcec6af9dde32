/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance: what each directive takes, and what it means. */
#include "tests/unit/corefile/rows.h"

Test(directives, forward)
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
		{"forward . 1.1.1.1 {\n except 1.0.0.0/9 2.0.0.0/9 3.0.0.0/9 4.0.0.0/9 5.0.0.0/9 "
		 "6.0.0.0/9 7.0.0.0/9 8.0.0.0/9\n}",
		 "! expected 1000 zones at most, networks taken apart"},
		/* Of several zones the first, as in CoreDNS. */
		{"forward dns://192.168.5.1/23:53 1.1.1.1",
		 "    forward 4.168.192.in-addr.arpa 1.1.1.1:53"},
		{"forward a.b:c 1.1.1.1", "! expected a zone as . or example.org or 10.0.0.0/8"},
		{"forward . 1.1.1.1 {\n health_check 1s domain 10.0.0.0/8\n}",
		 "! expected a domain as . or example.org"},
	};

	check(rows, ARRAY_SIZE(rows));
}

Test(directives, alternate)
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

Test(directives, templates)
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

Test(directives, what_is_seen_of_it)
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

Test(directives, tables)
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

Test(directives, caches)
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

Test(directives, rewrites)
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
		{"rewrite rcode org 3 11", "    rewrite stop rcode exact org. NXDOMAIN DSOTYPENI"},
		{"rewrite rcode org 3 12", "! rcode: expected two as NXDOMAIN NOERROR"},
		{"rewrite rcode org 3 16", "! rcode: expected two as fit into a header"},
		{"rewrite ttl a 30-\nrewrite ttl exact b 0",
		 "    rewrite stop ttl exact a. 30-2147483647\n"
		 "    rewrite stop ttl exact b. 0-0"},
		{"rewrite ttl a -", "! ttl: expected"},
		{"rewrite rcode suffix .org nxdomain NoError",
		 "    rewrite stop rcode suffix .org. NXDOMAIN NOERROR"},
		{"rewrite rcode org NXDOMAIN BADVERS",
		 "! rcode: expected two as fit into a header"},
		{"rewrite type any hinfo\nrewrite type nid Nsap-Ptr",
		 "    rewrite stop type ANY HINFO\n    rewrite stop type NID NSAP-PTR"},
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
