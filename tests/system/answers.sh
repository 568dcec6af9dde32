#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The resolver alone, asked on its own port: what it answers, row by row of answers.table and otherwise.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

# query DIG-ARGUMENT…: asks the resolver.
query() { ask @127.0.0.1 -p 15053 "$@"; }

# serve [FLAG…]: the names of this file. hidden.outside.example has no counterpart outside.
serve() {
	names '240.0.0.1 redis.mesh' 'fd00:fd00::1 redis.mesh' '240.0.0.2 only4.mesh' \
		'fd00:fd00::2 only6.mesh' '240.0.0.3 shop.outside.example' \
		'240.0.0.4 hidden.outside.example' '240.0.0.5 added.locked.example' \
		'240.0.0.11 many.mesh' '240.0.0.12 many.mesh' '240.0.0.13 many.mesh'
	printf '240.0.1.%d big.mesh\n' {1..60} >>"$LAB/names"
	start_resolver --names "$LAB/names" "$@"
}

# expect_nodata REPLY: NOERROR and nothing but a SOA that cannot outlive the table.
expect_nodata() {
	local ttl minimum
	expect_eq NOERROR "$(rcode <<<"$1")"
	expect_match 'ANSWER: 0, AUTHORITY: 1,' "$1"
	read -r ttl minimum < <(section authority <<<"$1" | awk '$4 == "SOA" { print $2, $NF }')
	expect_between 0 60 "${ttl:-999}" "the SOA's TTL"
	expect_between 0 60 "${minimum:-999}" "the SOA's minimum"
}

setup() {
	start_outside
	start_knot
}

test_addresses() {
	local reply
	serve
	reply=$(query redis.mesh A)
	expect_eq 'qr aa rd ra' "$(flags <<<"$reply")"
	expect_match 'ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1$' "$reply"
	expect_match '^redis\.mesh\.[[:space:]]+60[[:space:]]+IN[[:space:]]+A[[:space:]]+240\.0\.0\.1$' "$reply"
	expect_eq fd00:fd00::1 "$(query +short redis.mesh AAAA)"
	expect_eq 'qr aa ra' "$(query +norec redis.mesh | flags)"
	expect_eq 240.0.0.1 "$(query +short rEDIS.mEsh)"
	expect_eq 240.0.0.1 "$(ask @::1 -p 15053 +short redis.mesh)"
}

test_a_missing_family_is_nodata() {
	capture
	serve
	expect_nodata "$(query only4.mesh AAAA)"
	expect_nodata "$(query only6.mesh A)"
	upstream_not_saw only4.mesh
	upstream_not_saw only6.mesh
}

test_other_types_of_a_mesh_name_are_nodata_and_stay_here() {
	local type
	capture
	serve
	for type in HTTPS SVCB SRV CNAME PTR TXT MX CAA NS DS SOA TYPE65280; do
		expect_nodata "$(query redis.mesh $type)"
	done
	upstream_not_saw redis.mesh
}

test_types_that_would_lead_past_the_mesh_are_nodata() {
	local type
	capture
	serve
	for type in HTTPS SVCB SRV CNAME PTR; do
		expect_nodata "$(query shop.outside.example $type)"
	done
	expect_nodata "$(query shop.outside.example AAAA)"
	upstream_not_saw shop.outside.example
}

test_harmless_types_of_a_shadowed_name_come_from_outside() {
	serve
	expect_eq '10 mail.outside.example.' "$(query +short shop.outside.example MX)"
	expect_eq '"outside"' "$(query +short shop.outside.example TXT)"
	expect_eq '0 issue "ca.example"' "$(query +short +tcp shop.outside.example CAA)"
	expect_eq NOERROR "$(query shop.outside.example TYPE65280 | rcode)"
}

test_a_shadowed_name_exists_whatever_the_outside_says() {
	local reply
	serve
	expect_eq NXDOMAIN "$(ask "@$UNBOUND4" hidden.outside.example MX | rcode)"
	reply=$(query hidden.outside.example MX)
	expect_eq NOERROR "$(rcode <<<"$reply")"
	expect_match 'ANSWER: 0' "$reply"
	expect_eq NOERROR "$(query +tcp hidden.outside.example TXT | rcode)"
	expect_eq NXDOMAIN "$(query nowhere.outside.example MX | rcode)"
}

test_any_is_both_families_and_nothing_else() {
	capture
	serve
	expect_eq '240.0.0.1 fd00:fd00::1' "$(query +short redis.mesh ANY | flat)"
	expect_eq '240.0.0.1 fd00:fd00::1' "$(query +short +notcp redis.mesh ANY | flat)"
	expect_eq '240.0.0.3' "$(query +short shop.outside.example ANY | flat)"
	upstream_not_saw redis.mesh
	upstream_not_saw shop.outside.example
}

test_reverse_names_of_vips() {
	capture
	serve
	expect_eq redis.mesh. "$(query +short -x 240.0.0.1)"
	expect_eq redis.mesh. "$(query +short -x fd00:fd00::1)"
	upstream_not_saw 1.0.0.240.in-addr.arpa
	expect_eq NXDOMAIN "$(query -x 240.0.0.99 | rcode)"
	upstream_saw 99.0.0.240.in-addr.arpa
}

test_several_vips_come_all_and_by_turns() {
	local i firsts=()
	serve
	for i in {1..12}; do
		expect_eq '240.0.0.11 240.0.0.12 240.0.0.13' "$(query +short many.mesh | flat)" "query $i"
		firsts+=("$(query +short many.mesh | head -n 1)")
	done
	expect_eq '240.0.0.11 240.0.0.12 240.0.0.13' "$(printf '%s\n' "${firsts[@]}" | sort -u | flat)"
}

test_names_around_a_mesh_name_are_the_outsides() {
	capture
	serve
	expect_eq NXDOMAIN "$(query unknown.mesh | rcode)"
	expect_eq NXDOMAIN "$(query below.redis.mesh | rcode)"
	query mesh >/dev/null
	upstream_saw unknown.mesh
	upstream_saw below.redis.mesh
	upstream_saw mesh
}

test_edns() {
	local reply
	serve
	expect_match 'EDNS: version: 0, flags:; udp: 1232' "$(query +edns=0 redis.mesh)"
	expect_match 'EDNS: version: 0, flags: do; udp: 1232' "$(query +dnssec redis.mesh)"
	expect_match 'EDNS: version: 0, flags:; udp: 1232' "$(query +ednsflags=0x40 redis.mesh)"
	expect_no_match 'OPT PSEUDOSECTION' "$(query +noedns redis.mesh)"
	reply=$(query +edns=0 +ednsopt=100:beef +cookie +nsid +subnet=192.0.2.0/24 redis.mesh)
	expect_eq NOERROR "$(rcode <<<"$reply")"
	expect_no_match 'OPT=100|COOKIE|NSID|CLIENT-SUBNET' "$reply"
	reply=$(query +edns=1 +noednsneg redis.mesh)
	expect_eq BADVERS "$(rcode <<<"$reply")"
	expect_match 'EDNS: version: 0, flags:; udp: 1232' "$reply"
	expect_match 'ANSWER: 0' "$reply"
	expect_nodata "$(query +edns=0 redis.mesh MX)"
	expect_match 'EDNS: version: 0' "$(query +edns=0 redis.mesh MX)"
}

# The probes of RFC 8906 section 8, for a name of ours and one that is forwarded.
test_probes_of_rfc_8906() {
	local name probe
	serve
	for name in redis.mesh www.outside.example; do
		while read -r probe; do
			# shellcheck disable=SC2086 # one word an option
			expect_eq NOERROR "$(query +norec +noad $probe $name | rcode)" "$name $probe"
		done <<-EOT
			+noedns -t soa
			+noedns -t type1000
			+noedns +cd -t soa
			+noedns +ad -t soa
			+noedns +zflag -t soa
			+noedns +rec -t soa
			+noedns +tcp -t soa
			+edns=0 +nocookie -t soa
			+edns=0 +ednsopt=100 -t soa
			+edns=0 +ednsflags=0x40 -t soa
			+dnssec -t dnskey
			+edns=0 +cookie +nsid +expire +subnet=0.0.0.0/0 -t soa
		EOT
		while read -r probe; do
			# shellcheck disable=SC2086
			expect_eq BADVERS "$(query +norec +noad +noednsneg $probe $name soa | rcode)" "$name $probe"
		done <<-EOT
			+edns=1
			+edns=1 +ednsopt=100
			+edns=1 +ednsflags=0x40
			+edns=1 +dnssec
		EOT
	done
	expect_eq NOTIMP "$(query +opcode=15 +norec +noad +noedns +header-only | rcode)"
	expect_eq 'qr aa rd ra cd' "$(query +zflag +ad +cd redis.mesh | flags)"
	expect_no_match MBZ "$(query +zflag +ad +cd redis.mesh)"
}

test_what_does_not_fit_is_cut_by_records() {
	local reply size
	serve
	for size in 0 100 512 600 900; do
		if ((size == 0)); then
			reply=$(query +noedns +ignore big.mesh)
		else
			reply=$(query +bufsize=$size +ignore big.mesh)
		fi
		expect_match '^;; flags: qr aa tc' "$reply"
		expect_between 20 59 "$(section answer <<<"$reply" | wc -l)" "records within $size octets"
		expect_between 400 $((size > 512 ? size : 512)) \
			"$(sed -n 's/^;; MSG SIZE  rcvd: //p' <<<"$reply")" "message for $size"
	done
	expect_eq 60 "$(query +short +noedns big.mesh | sort -u | wc -l)" "dig, again over TCP"
	expect_eq 60 "$(query +short +tcp big.mesh | sort -u | wc -l)"
	expect_match '^;; flags: qr aa rd' "$(query +tcp big.mesh)"
	expect_eq 60 "$(query +short +bufsize=4096 +ignore big.mesh | sort -u | wc -l)"
}

test_classes_and_opcodes() {
	serve
	expect_match '^"meshdns' "$(query +short -c CH -t TXT version.bind)"
	expect_match '^".+"$' "$(query +short -c CH -t TXT id.server)"
	expect_eq REFUSED "$(query -c CH -t TXT hostname.example | rcode)"
	expect_eq REFUSED "$(query -c HS redis.mesh | rcode)"
	expect_eq NOTIMP "$(query +opcode=status redis.mesh | rcode)"
}

test_updates_and_notifications_pass() {
	capture
	serve --upstream "$KNOT4"
	as_app nsupdate <<-EOT
		server 127.0.0.1 15053
		zone open.example
		update add added.open.example 60 A 192.0.2.77
		send
	EOT
	expect_eq 192.0.2.77 "$(ask +short "@$KNOT4" added.open.example)"
	as_app nsupdate -v <<-EOT
		server 127.0.0.1 15053
		zone open.example
		update delete added.open.example
		send
	EOT
	expect_eq NXDOMAIN "$(ask "@$KNOT4" added.open.example | rcode)"
	expect_eq "$(ask "@$KNOT4" +opcode=notify open.example SOA | rcode)" \
		"$(query +opcode=notify open.example SOA | rcode)"
	expect_eq 2 "$(upstream_queries ' notify.*open\.example' | wc -l)"
}

test_signed_messages_pass_untouched() {
	local key wrong=hmac-sha256:tester:QkJC
	key=$(cat "$LAB/update.key")
	serve --upstream "$KNOT4"
	as_app nsupdate -y "$key" <<-EOT
		server 127.0.0.1 15053
		zone locked.example
		update add added.locked.example 60 A 192.0.2.78
		send
	EOT
	expect_eq 240.0.0.5 "$(query +short added.locked.example)" "unsigned, the name is ours"
	expect_eq 192.0.2.78 "$(query +short -y "$key" added.locked.example)"
	expect_eq 192.0.2.78 "$(query +short +tcp -y "$key" AdDed.LOCKED.example)"
	expect_no_match 'Couldn.t verify|BADSIG|tsig' "$(query -y "$key" AdDed.LOCKED.example | grep -i '^;;')"
	expect_status 2 as_app nsupdate -y "$wrong" <<-EOT
		server 127.0.0.1 15053
		zone locked.example
		update add other.locked.example 60 A 192.0.2.79
		send
	EOT
}

# expect_hostile REPLY TRANSPORT CASE…
expect_hostile() {
	local case
	for case in "${@:3}"; do
		expect_eq "$1" "$(as_app hostile.py 127.0.0.1 15053 "$2" "$case")" "$case over $2"
	done
}

test_no_answer_to_what_is_no_query() {
	serve
	expect_hostile silence udp nothing one-octet eleven-octets a-response \
		a-response-without-a-question
	# What is shorter ends a connection: test_tcp_messages_shorter_than_a_header_end_it.
	expect_hostile silence tcp a-response a-response-without-a-question
}

test_formerr_to_what_is_malformed() {
	local transport
	serve
	for transport in udp tcp; do
		expect_hostile FORMERR $transport header-only question-missing two-questions \
			many-questions name-cut-short name-without-end type-missing class-cut-short \
			label-type-01 label-type-10 pointer-to-itself pointer-into-the-header \
			pointer-forward pointer-cut-short name-of-256-octets octets-behind \
			record-promised records-promised answer-in-a-query record-cut-short two-opts \
			opt-with-a-name option-past-its-record option-cut-short
	done
}

test_what_is_only_odd_is_answered() {
	local transport
	serve
	for transport in udp tcp; do
		expect_hostile 'NOERROR 240.0.0.1' $transport id-0 all-flags
		# A label 'redis.mesh' is not our name.
		expect_hostile NXDOMAIN $transport label-with-a-dot label-with-a-nul
		expect_hostile NOERROR $transport root
	done
}

stream() { as_app stream.py 127.0.0.1 15053 "$@"; }

test_tcp_in_any_pieces() {
	serve
	expect_eq 'NOERROR 240.0.0.1 NOERROR 192.0.2.10 NOERROR 240.0.0.2 NOERROR 240.0.0.3 NXDOMAIN' \
		"$(stream pipelined redis.mesh,www.outside.example,only4.mesh,shop.outside.example,no.mesh |
			paste -sd ' ')"
	expect_eq 100 "$(stream pipelined "$(printf 'redis.mesh,%.0s' {1..99})www.outside.example" | wc -l)"
	expect_eq 'NOERROR 240.0.0.1' "$(stream bytewise redis.mesh)"
	expect_eq 'NOERROR 192.0.2.10' "$(stream bytewise www.outside.example)"
}

test_tcp_half_closed_is_still_answered() {
	serve
	expect_eq $'NOERROR 240.0.0.1\nclosed' "$(stream half-close redis.mesh)"
	expect_eq $'NOERROR 192.0.2.10\nclosed' "$(stream half-close www.outside.example)"
}

test_tcp_messages_shorter_than_a_header_end_it() {
	local octets
	serve
	for octets in 0 1 11; do
		expect_eq closed "$(stream length $octets)" "$octets octets"
	done
	expect_eq open "$(stream length 12)"
	expect_eq 'NOERROR 240.0.0.1' "$(stream response redis.mesh)" "after a response to nothing"
}

test_tcp_idle_connections_are_closed() {
	serve --tcp-idle 1
	expect_between 0 3 "$(stream idle 0)" "seconds without a query"
	expect_between 0 3 "$(stream idle 1)" "seconds within a length"
	expect_between 0 3 "$(stream idle 10)" "seconds within a query"
	expect_eq open "$(stream busy 3)"
}

test_tcp_a_reader_that_does_not_read_harms_nobody() {
	local rss
	serve
	coproc GREEDY { stream greedy big.mesh; }
	read -r -t 10 <&"${GREEDY[0]}" || fail "it could send for ever"
	expect_eq 240.0.0.1 "$(query +short +tcp redis.mesh)"
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	# shellcheck disable=SC2031 # a test is a subshell
	rss=$(awk '/VmRSS/ { print $2 }' "/proc/${PID[resolver]}/status")
	sanitized || expect_between 0 8192 "$rss" "KiB of memory"
}

test_tcp_connections_are_limited_and_the_newest_win() {
	serve --tcp-clients 8
	expect_between 8 12 "$(stream crowd 30)" "connections served of 31"
	expect_eq 240.0.0.1 "$(query +short +tcp redis.mesh)"
}

# Every row of answers.table, over UDP and TCP.
test_the_table() {
	cat >"$LAB/table.json" <<-'EOT'
		{"records":[
		 {"name":"redis.mesh","ips":["240.0.0.1","fd00:fd00::1"],"ttl":10,"ports":[
		  {"name":"redis","port":6379},{"name":"dns","port":53,"protocol":"UDP"}]},
		 {"name":"only4.mesh","ips":["240.0.0.4"]},
		 {"name":"*.static.mesh","ips":["240.0.0.6"]},
		 {"name":"a.b.static.mesh","ips":["240.0.0.7"]},
		 {"name":"host.zone.mesh","ips":["240.0.0.8"]},
		 {"name":"x.between.zone.mesh","ips":["240.0.0.8"]},
		 {"name":"cache.mesh","alias":"redis.mesh"},
		 {"name":"store.mesh","cname":"cache.mesh"},
		 {"name":"away.mesh","alias":"www.example.org"},
		 {"name":"shop.example","ips":["240.0.0.9"]}]}
	EOT
	start_resolver --names "$LAB/table.json" --authoritative zone.mesh \
		--authoritative 240.in-addr.arpa --search-path other.example,ns.svc.cluster.local
	expect_no_match 'record skipped' "$(log_of resolver)"
	expect_status 0 as_app answers-table.py 127.0.0.1 15053 <"$SYSTEM/answers.table"
}

# A pod's: with ndots:5 its clients put each of these behind redis.mesh first.
test_the_search_list_of_resolv_conf() {
	local reply
	capture
	printf 'search ns.svc.cluster.local svc.cluster.local\noptions ndots:5\n' >>"/etc/netns/$APP/resolv.conf"
	serve --search-path resolv.conf
	reply=$(query redis.mesh.ns.svc.cluster.local)
	expect_eq '240.0.0.1 redis.mesh.' "$(section answer <<<"$reply" | awk '{ print $NF }' | flat)"
	expect_eq '240.0.0.1' "$(query +short redis.mesh.svc.cluster.local | tail -n 1)"
	upstream_not_saw redis.mesh
	expect_eq NXDOMAIN "$(query redis.mesh.cluster.local | rcode)" "it is not in the list"
	upstream_saw redis.mesh.cluster.local
}

run_tests "$@"
