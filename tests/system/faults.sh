#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Faults of the network and of servers, one a test: what the client is told, and how many messages it
# took. fake.py makes the faults and prints what it is asked, so that its log is the count. A
# busy machine may take a while for an answer, and then a message more is sent: bounds leave room.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
expect_answer() { expect_eq "$1" "$(query +short "${@:2}")" "${*:2}"; }

# faulty MODE [FLAG…]: the resolver, with nobody to ask but fake.py in that mode.
faulty() {
	start fake "$DNS" 0 fake.py "$FAKE4" "$1"
	wait_for 5 logged fake ready
	names '240.0.0.1 redis.mesh'
	start_resolver --names "$LAB/names" --upstream "$FAKE4" "${@:2}"
}

# expect_sent LOW HIGH REGEX: so many messages came to the server, the name in any case. Those for
# `. NS` and the like are the resolver's own.
expect_sent() { expect_between "$1" "$2" "$(grep -ciE -- "$3" "$LAB/log/fake" || :)" "messages like $3"; }

# numbered COUNT [SIZE]: asks for 1.example to COUNT.example, all at once or so many at a time, for where
# messages are counted the server is not to be late; the answers are in $LAB/answers. Each from a port of
# its own, for dig shares those that the kernel gives it, and answers get mixed up.
numbered() {
	as_app bash -c "for i in {1..$1}; do
		((i % ${2:-$1})) || wait
		echo \"\$i \$(dig -r +short +tries=1 +time=6 -b 127.0.0.1#\$((20000 + i)) -p 15053 @127.0.0.1 \$i.example)\" & done; wait" |
		sort -n >"$LAB/answers"
	expect_eq "$(for ((i = 1; i <= $1; i++)); do echo "$i 192.0.2.$i"; done)" "$(<"$LAB/answers")"
}

setup() { :; }

test_delay() {
	faulty slow
	expect_answer 192.0.2.1 1.example
	expect_sent 1 2 '^1\.example'
	query 2.example >/dev/null
	query 3.example >/dev/null
	expect_answer 192.0.2.4 4.example
	expect_sent 1 1 '^4\.example' # by now it is known how long it takes
}

test_loss() {
	faulty hears-the-third
	numbered 30
	expect_sent 90 240 '^[0-9]+\.example'
}

test_reordering() {
	faulty reversed
	numbered 30
	expect_sent 30 60 '^[0-9]+\.example'
}

test_duplication() {
	faulty twice
	numbered 30 3
	expect_sent 30 35 '^[0-9]+\.example'
	expect_sent 0 0 '^tcp' # a second answer is late, not a lie
}

test_a_server_that_closes_tcp_connections() {
	faulty closing
	expect_eq SERVFAIL "$(query +tcp +time=2 1.example | rcode)"
	expect_sent 1 8 '^tcp 1\.example'
	expect_eq 240.0.0.1 "$(query +short +tcp redis.mesh)"
}

test_a_server_that_takes_one_question_a_connection() {
	faulty one-a-connection
	expect_eq '1 2 3 4 5 6' "$(as_app stream.py 127.0.0.1 15053 pipelined \
		1.example,2.example,3.example,4.example,5.example,6.example |
		sed -n 's/^NOERROR 192\.0\.2\.//p' | paste -sd ' ')"
	expect_sent 6 21 '^tcp [0-9]\.example'
}

test_a_server_that_truncates() {
	faulty truncating
	expect_answer 192.0.2.1 +noedns 1.example # by a question of its own over TCP
	expect_sent 1 2 '^1\.example'
	expect_sent 1 1 '^tcp 1\.example'
	expect_answer 192.0.2.2 +bufsize=4096 +ignore 2.example
	expect_sent 1 2 '^2\.example'
	expect_sent 1 1 '^tcp 2\.example'
}

test_a_server_that_does_not_know_edns() {
	local mode name
	for mode in no-edns-formerr no-edns-notimp; do
		faulty "$mode"
		expect_answer 192.0.2.1 +edns=0 first.example
		expect_sent 2 3 '^first\.example'
		for name in a b c d e; do OUTPUT=$(query +edns=0 "$name.second.example"); done
		expect_eq NOERROR "$(rcode <<<"$OUTPUT")" "$mode"
		expect_match 'EDNS: version: 0' "$OUTPUT" # the client's own business with us
		expect_sent 5 8 '^.\.second\.example' # not twice each: it is remembered
		stop resolver
		stop fake || :
	done
}

# Whether the case comes back can't be told from a lie, so that UDP is not believed; TCP is.
test_a_server_that_does_not_keep_the_case() {
	faulty lower-case --0x20
	OUTPUT=$(query averylongname.with.many.letters.example)
	expect_match '^averylongname.*192\.0\.2\.1$' "$OUTPUT"
	expect_sent 1 2 '^averylongname'
	expect_sent 1 1 '^tcp averylongname'
	expect_match '[a-z][A-Z]|[A-Z][a-z]' "$(grep -i averylongname "$LAB/log/fake")"
}

test_a_server_that_keeps_the_case() {
	faulty twice --0x20
	numbered 20 3
	expect_sent 20 25 '^[0-9]+\.example'
	expect_sent 0 0 '^tcp'
}

test_lies() {
	faulty liar
	expect_answer 192.0.2.1 www.example
	expect_sent 1 2 '^www\.example'
	expect_sent 1 1 '^tcp www\.example'
}

test_silence() {
	local started
	faulty silent
	started=$(now_ms)
	expect_eq SERVFAIL "$(query www.example | rcode)"
	expect_between 3000 5000 $(($(now_ms) - started)) "ms"
	expect_sent 4 8 '^www\.example'
}

# An UPDATE and a NOTIFY go where questions about their zone go.
test_updates_follow_their_zone() {
	faulty silent --forward "open.example=$KNOT4"
	start_knot
	as_app nsupdate <<-EOT
		server 127.0.0.1 15053
		zone open.example
		update add added.open.example 60 A 192.0.2.77
		send
	EOT
	expect_answer 192.0.2.77 added.open.example
	expect_eq NOERROR "$(query +opcode=notify open.example SOA | rcode)"
	expect_sent 0 0 'open\.example'
}

run_tests "$@"
