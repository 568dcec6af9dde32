#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Both programs together: applications that know nothing of us, and what the outside sees of them.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

# meshed [FLAG…]: resolver, rules and a recorder of what leaves the host. redis.mesh and
# shop.outside.example are known outside too, with other addresses.
meshed() {
	names '240.0.0.1 redis.mesh' 'fd00:fd00::1 redis.mesh' '240.0.0.2 only4.mesh' \
		'240.0.0.3 shop.outside.example' 'fd00:fd00::3 shop.outside.example'
	start_resolver --names "$LAB/names"
	redirect install --proxy-user "$PROXY_UID" "${@:---redirect-dns}"
	capture
}

setup() {
	start_outside
	start_knot
}

test_the_outside_answers_without_us() {
	expect_eq 192.0.2.99 "$(ask +short redis.mesh)"
	expect_eq 192.0.2.99 "$(ask +short +tcp "@$UNBOUND6" redis.mesh)"
}

test_dig_over_udp_and_tcp_and_both_families() {
	local server transport
	meshed
	for server in "$UNBOUND4" "$UNBOUND6"; do
		for transport in +notcp +tcp; do
			expect_eq 240.0.0.1 "$(ask +short $transport "@$server" redis.mesh A)"
			expect_eq fd00:fd00::1 "$(ask +short $transport "@$server" redis.mesh AAAA)"
		done
	done
	upstream_not_saw redis.mesh
}

test_glibc() {
	meshed
	expect_eq '240.0.0.1 fd00:fd00::1' \
		"$(as_app getent ahosts redis.mesh | awk '/STREAM/ { print $1 }' | flat)"
	expect_eq '240.0.0.2' "$(as_app getent ahosts only4.mesh | awk '/STREAM/ { print $1 }' | flat)"
	expect_eq '192.0.2.10 2001:db8::10' \
		"$(as_app getent ahosts www.outside.example | awk '/STREAM/ { print $1 }' | flat)"
	expect_status 2 as_app getent ahosts nowhere.outside.example
	upstream_not_saw redis.mesh
	upstream_not_saw only4.mesh
}

test_musl() {
	meshed
	expect_eq 'A 240.0.0.1 AAAA fd00:fd00::1' "$(as_app musl-lookup redis.mesh | flat)"
	expect_eq 'A 240.0.0.2' "$(as_app musl-lookup only4.mesh | flat)"
	expect_eq 'A 192.0.2.10 AAAA 2001:db8::10' "$(as_app musl-lookup www.outside.example | flat)"
	upstream_not_saw redis.mesh
	upstream_not_saw only4.mesh
}

test_c_ares() {
	meshed
	expect_eq 'A 240.0.0.1 AAAA fd00:fd00::1' "$(as_app cares-lookup redis.mesh | flat)"
	expect_eq 'A 240.0.0.2 AAAA no data' "$(as_app cares-lookup only4.mesh | flat)"
	expect_eq 'A 192.0.2.10 AAAA 2001:db8::10' "$(as_app cares-lookup www.outside.example | flat)"
	expect_eq 'A not found AAAA not found' "$(as_app cares-lookup nowhere.outside.example | flat)"
	upstream_not_saw redis.mesh
	upstream_not_saw only4.mesh
}

test_python() {
	local lookup='import socket, sys
for info in socket.getaddrinfo(sys.argv[1], 6379, proto=socket.IPPROTO_TCP): print(info[4][0])'

	meshed
	expect_eq '240.0.0.1 fd00:fd00::1' "$(as_app python3 -c "$lookup" redis.mesh | flat)"
	upstream_not_saw redis.mesh
}

test_odd_case_is_found_and_echoed() {
	meshed
	expect_match '^ReDiS\.MeSH\.[[:space:]].*240\.0\.0\.1$' "$(ask +noall +answer ReDiS.MeSH)"
	expect_match '^;ReDiS\.MeSH\.' "$(ask +noall +question ReDiS.MeSH)"
	upstream_not_saw redis.mesh
}

test_outside_names_come_from_the_outside() {
	local server
	meshed
	for server in "$UNBOUND4" "$UNBOUND6"; do
		expect_eq 192.0.2.10 "$(ask +short "@$server" www.outside.example A)"
		expect_eq 2001:db8::10 "$(ask +short +tcp "@$server" www.outside.example AAAA)"
	done
	expect_eq NXDOMAIN "$(ask nowhere.outside.example | rcode)"
	upstream_saw www.outside.example
	upstream_saw nowhere.outside.example
	expect_match 'Flags \[P' "$(upstream_queries 'AAAA\? www\.outside')"
	expect_no_match 'Flags \[P' "$(upstream_queries ' A\? www\.outside')"
}

test_the_mesh_wins_where_both_know_a_name() {
	meshed
	expect_eq 240.0.0.3 "$(ask +short shop.outside.example A)"
	expect_eq fd00:fd00::3 "$(ask +short +tcp shop.outside.example AAAA)"
	expect_eq '' "$(ask +short shop.outside.example HTTPS)"
	upstream_not_saw shop.outside.example
	expect_eq '' "$(grep shop.outside.example "$LAB/log/unbound" || :)" "the upstream's own log"
}

test_the_proxy_user_asks_the_outside() {
	local server transport
	meshed
	for server in "$UNBOUND4" "$UNBOUND6"; do
		for transport in +notcp +tcp; do
			expect_eq 192.0.2.99 "$(as_proxy dig -r +short +tries=1 $transport "@$server" redis.mesh)"
		done
	done
	expect_eq 4 "$(queries_for redis.mesh | grep -c ' A? ')"
}

test_other_servers_are_left_alone_unless_all_are_wanted() {
	meshed --redirect-dns
	expect_eq REFUSED "$(ask "@$KNOT4" redis.mesh | rcode)"
	expect_eq 192.0.2.20 "$(ask +short "@$KNOT6" www.knot.example)"
	redirect install --proxy-user "$PROXY_UID" --redirect-all-dns-traffic
	expect_eq 240.0.0.1 "$(ask +short "@$KNOT4" redis.mesh)"
	expect_eq 240.0.0.1 "$(ask +short +tcp "@$KNOT6" redis.mesh)"
	expect_eq 240.0.0.1 "$(ask +short "@$SPARE4" redis.mesh)" "a server that is not there"
	expect_eq 1 "$(queries_for redis.mesh | wc -l)" "what Knot saw"
}

test_uninstall_gives_the_outside_back() {
	meshed
	expect_eq 240.0.0.1 "$(ask +short redis.mesh)"
	redirect uninstall
	expect_eq 192.0.2.99 "$(ask +short redis.mesh)"
	expect_eq 192.0.2.99 "$(ask +short +tcp "@$UNBOUND6" redis.mesh)"
	upstream_saw redis.mesh
}

# tell NAME: the long-running application looks it up. Its answer is in $TOLD.
tell() {
	echo "$1" >&"${APPLICATION[1]}"
	read -r -t 5 TOLD <&"${APPLICATION[0]}" || fail "the application does not answer"
}

test_a_running_application_follows_with_its_old_socket() {
	redirect uninstall
	coproc APPLICATION { as_app application.py "$UNBOUND4"; }
	tell redis.mesh
	expect_eq 'NOERROR 192.0.2.99' "$TOLD" "before"
	meshed
	tell redis.mesh
	expect_eq 'NOERROR 240.0.0.1' "$TOLD" "with the rules"
	tell www.outside.example
	expect_eq 'NOERROR 192.0.2.10' "$TOLD" "with the rules"
	redirect uninstall
	tell redis.mesh
	expect_eq 'NOERROR 192.0.2.99' "$TOLD" "after"
}

test_a_killed_resolver_leaks_nothing_and_comes_back() {
	meshed
	coproc APPLICATION { as_app application.py "$UNBOUND6"; }
	tell redis.mesh
	expect_eq 'NOERROR 240.0.0.1' "$TOLD"
	stop resolver KILL && fail "killed, and ended well"
	tell redis.mesh
	expect_match 'refused|timeout' "$TOLD"
	expect_status 9 ask +time=1 redis.mesh
	expect_status 9 ask +time=1 +tcp redis.mesh
	upstream_not_saw redis.mesh
	start_resolver --names "$LAB/names"
	tell redis.mesh
	expect_eq 'NOERROR 240.0.0.1' "$TOLD"
}

# The same source port, used by turns: without zones conntrack takes the second for the first.
test_a_shared_source_port_neither_loops_nor_leaks() {
	local server round
	meshed
	for server in "$UNBOUND4" "$UNBOUND6"; do
		for round in 1 2; do
			expect_eq 'NOERROR 240.0.0.1' "$(as_app application.py "$server" 33333 <<<redis.mesh)" \
				"application, round $round"
			expect_eq 'NOERROR 192.0.2.99' "$(as_proxy application.py "$server" 33333 <<<redis.mesh)" \
				"proxy user, round $round"
		done
	done
	expect_eq 4 "$(queries_for redis.mesh | wc -l)" "the proxy user's queries and no others"
}

run_tests "$@"
