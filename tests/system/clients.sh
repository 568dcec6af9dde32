#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# More resolvers and tools of others, each with habits of its own, behind the redirect rules: none of
# them is told where to ask. glibc, musl, c-ares, Python's and dig are in intercept.sh.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

meshed() {
	names '240.0.0.1 redis.mesh' 'fd00:fd00::1 redis.mesh' '240.0.0.2 only4.mesh'
	start_resolver --names "$LAB/names" "$@"
	redirect install --proxy-user "$PROXY_UID" --redirect-dns
	capture
}

setup() {
	need kdig drill getdns_query host nslookup busybox
	start_outside
	start_knot
}

test_kdig() {
	local transport
	meshed
	for transport in +notcp +tcp; do
		expect_eq 240.0.0.1 "$(as_app kdig $transport +short redis.mesh A)"
		expect_eq fd00:fd00::1 "$(as_app kdig $transport +edns +dnssec +padding=128 +nsid +short redis.mesh AAAA)"
		expect_eq 192.0.2.10 "$(as_app kdig $transport +cookie +subnet=192.0.2.0/24 +short www.outside.example)"
		expect_match 'status: NXDOMAIN' "$(as_app kdig $transport nowhere.outside.example)"
	done
	expect_eq '240.0.0.1 fd00:fd00::1 192.0.2.10' "$(as_app kdig +tcp +keepopen +short \
		redis.mesh A redis.mesh AAAA www.outside.example A | paste -sd ' ')" "one connection"
	upstream_not_saw redis.mesh
}

test_drill_of_ldns() {
	meshed
	expect_match '^redis\.mesh\..*240\.0\.0\.1$' "$(as_app drill redis.mesh A)"
	expect_match '^redis\.mesh\..*fd00:fd00::1$' "$(as_app drill -t -D redis.mesh AAAA)"
	expect_match 'rcode: NOERROR' "$(as_app drill only4.mesh AAAA)"
	expect_match '^www\.outside\.example\..*192\.0\.2\.10$' "$(as_app drill www.outside.example)"
	expect_match 'redis\.mesh' "$(as_app drill -x 240.0.0.1)"
	upstream_not_saw redis.mesh
}

test_host_and_nslookup() {
	meshed
	expect_eq 'redis.mesh has IPv6 address fd00:fd00::1 redis.mesh has address 240.0.0.1' \
		"$(as_app host redis.mesh | flat)"
	expect_match 'domain name pointer redis\.mesh\.' "$(as_app host 240.0.0.1)"
	expect_match '^Address: 240\.0\.0\.1$' "$(as_app nslookup redis.mesh)"
	expect_match '^Address: 192\.0\.2\.10$' "$(as_app nslookup www.outside.example)"
	upstream_not_saw redis.mesh
}

test_busybox() {
	meshed
	expect_match '240\.0\.0\.1$' "$(as_app busybox nslookup redis.mesh)"
	expect_match '192\.0\.2\.10$' "$(as_app busybox nslookup www.outside.example)"
	upstream_not_saw redis.mesh
}

test_dnspython() {
	meshed
	as_app python3 - >"$LAB/answers" <<-EOT
		import dns.resolver
		stub = dns.resolver.Resolver()
		stub.use_edns(0, 0x8000, 1232)
		for tcp in False, True:
		    for name, kind in ("redis.mesh", "A"), ("redis.mesh", "AAAA"), ("www.outside.example", "A"), \\
		                      ("only4.mesh", "AAAA"), ("nowhere.outside.example", "A"):
		        try:
		            print(name, kind, *stub.resolve(name, kind, tcp=tcp))
		        except Exception as error:
		            print(name, kind, type(error).__name__)
	EOT
	expect_eq 2 "$(grep -c '^redis\.mesh A 240\.0\.0\.1$' "$LAB/answers")"
	expect_eq 2 "$(grep -c '^redis\.mesh AAAA fd00:fd00::1$' "$LAB/answers")"
	expect_eq 2 "$(grep -c '^www\.outside\.example A 192\.0\.2\.10$' "$LAB/answers")"
	expect_eq 2 "$(grep -c '^only4\.mesh AAAA NoAnswer$' "$LAB/answers")"
	expect_eq 2 "$(grep -c '^nowhere\.outside\.example A NXDOMAIN$' "$LAB/answers")"
	upstream_not_saw redis.mesh
}

# A stub that asks for both families at once, and reuses connections.
test_getdns() {
	local transport
	meshed
	for transport in U T; do
		OUTPUT=$(as_app getdns_query -s -l $transport -j redis.mesh)
		expect_match '240\.0\.0\.1' "$OUTPUT"
		expect_match 'fd00:fd00::1' "$OUTPUT"
		expect_match '192\.0\.2\.10' "$(as_app getdns_query -s -l $transport -j www.outside.example A)"
	done
	upstream_not_saw redis.mesh
}

# What is signed is still so behind us: drill follows the chain from the key that Knot made.
test_signatures_are_good() {
	meshed --forward "knot.example=$KNOT4"
	as_app drill knot.example DNSKEY | grep -E 'DNSKEY[[:space:]]257 ' >"$LAB/anchor"
	expect_match '^;; Chase successful$' "$(as_app drill -S -k "$LAB/anchor" www.knot.example A)"
}

run_tests "$@"
