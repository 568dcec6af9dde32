#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is forwarded: to whom, how, what counts as an answer, and what comes of it when nobody answers.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }

# serve FLAG…: one mesh name, and the given upstreams.
serve() {
	names '240.0.0.1 redis.mesh'
	start_resolver --names "$LAB/names" "$@"
}

# fake MODE: see fake.py.
fake() {
	start fake "$DNS" 0 fake.py "$FAKE4" "$1"
	wait_for 5 logged fake ready
}

# timed COMMAND…: its output in $OUTPUT, the milliseconds it took in $TOOK.
timed() {
	local started
	started=$(now_ms)
	OUTPUT=$("$@")
	TOOK=$(($(now_ms) - started))
}

# The spare addresses are a black hole: what is sent there is lost without a word.
setup() {
	start_outside
	start_knot
	in_dns nft -f - <<-EOT
		table inet hole {
			chain input {
				type filter hook input priority 0;
				ip daddr $SPARE4 drop
				ip6 daddr $SPARE6 drop
			}
		}
	EOT
}

test_the_next_server_after_a_silent_one() {
	serve --upstream "$SPARE4" --upstream "$SPARE6" --upstream "$UNBOUND4"
	timed query +short www.outside.example
	expect_eq 192.0.2.10 "$OUTPUT"
	expect_between 100 5000 "$TOOK" "ms, past two silent servers"
	for _ in 1 2 3; do # a busy machine is slow at times, a silent server would be waited for each time
		timed query +short www.outside.example AAAA
		expect_eq 2001:db8::10 "$OUTPUT"
		((TOOK > 500)) || break
	done
	expect_between 0 500 "$TOOK" "ms, now that one is known to answer"
}

test_the_next_server_over_tcp() {
	serve --upstream "$SPARE4" --upstream "$UNBOUND6"
	timed query +short +tcp www.outside.example
	expect_eq 192.0.2.10 "$OUTPUT"
	expect_between 100 5000 "$TOOK" "ms"
}

test_servfail_before_a_client_gives_up_when_all_are_silent() {
	local transport
	serve --upstream "$SPARE4" --upstream "$SPARE6"
	for transport in +notcp +tcp; do
		timed query $transport www.outside.example # which waits for six seconds
		expect_eq SERVFAIL "$(rcode <<<"$OUTPUT")"
		expect_between 1000 5900 "$TOOK" "ms with $transport"
	done
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
}

test_a_refused_port_is_noticed_at_once() {
	local transport
	serve --upstream "$FAKE4" --upstream "$FAKE6" --upstream "$UNBOUND4"
	timed query +short www.outside.example
	expect_eq 192.0.2.10 "$OUTPUT"
	expect_between 0 500 "$TOOK" "ms, past two servers that are not there"
	stop resolver
	serve --upstream "$FAKE4" --upstream "$FAKE6"
	for transport in +notcp +tcp; do
		timed query $transport www.outside.example
		expect_eq SERVFAIL "$(rcode <<<"$OUTPUT")"
		expect_between 0 500 "$TOOK" "ms with $transport"
	done
}

test_an_unhelpful_server_is_not_the_last_word() {
	local mode
	for mode in servfail refused; do
		fake "$mode"
		serve --upstream "$FAKE4" --upstream "$UNBOUND4"
		expect_eq 192.0.2.10 "$(query +short www.outside.example)" "past $mode"
		stop resolver
		serve --upstream "$FAKE4"
		expect_match 'SERVFAIL|REFUSED' "$(query www.outside.example | rcode)"
		stop resolver
		stop fake || :
	done
}

test_the_clients_transport_is_the_upstreams() {
	capture
	serve --upstream "$UNBOUND4"
	query +notcp www.outside.example A >/dev/null
	query +tcp www.outside.example AAAA >/dev/null
	expect_no_match 'Flags' "$(upstream_queries ' A\? www\.outside')"
	expect_match 'Flags' "$(upstream_queries ' AAAA\? www\.outside')"
	expect_eq 2 "$(queries_for www.outside.example | wc -l)"
}

test_truncation_is_passed_on() {
	serve --upstream "$UNBOUND4"
	expect_match ' tc ' "$(query +noedns +ignore big.outside.example | flags)"
	expect_match ' tc ' "$(query +bufsize=512 +ignore big.outside.example | flags)"
	expect_eq 60 "$(query +short +noedns big.outside.example | wc -l)"
	expect_eq 60 "$(query +short +bufsize=4096 +ignore big.outside.example | wc -l)"
}

# musl, before 1.2.4 without TCP, lives on them.
test_records_of_a_truncated_answer_are_kept() {
	fake cut
	serve --upstream "$FAKE4"
	OUTPUT=$(query +noedns +ignore www.example)
	expect_match ' tc ' "$(flags <<<"$OUTPUT")"
	expect_eq '192.0.2.1 192.0.2.2' "$(section answer <<<"$OUTPUT" | awk '{ print $NF }' | flat)"
}

# Signatures, denials and unknown types: Knot's answer through us is Knot's answer.
test_answers_are_not_touched() {
	local transport name type
	serve --upstream "$KNOT4"
	while read -r name type; do
		for transport in udp tcp; do
			expect_match '^same [0-9]{2,}' "$(as_app same.py $transport \
				127.0.0.1 15053 "$KNOT4" 53 "$name" "$type")"
		done
	done <<-EOT
		www.knot.example 1
		www.knot.example 28
		WwW.KnoT.eXample 1
		alias.knot.example 1
		mail.knot.example 15
		text.knot.example 16
		big.knot.example 16
		web.knot.example 65
		_sip._udp.knot.example 33
		odd.knot.example 65280
		knot.example 6
		knot.example 48
		knot.example 2
		nowhere.knot.example 1
		www.knot.example 257
		refused.example 1
	EOT
	expect_match 'RRSIG' "$(query +dnssec www.knot.example)"
	expect_eq '\# 4 DEADBEEF' "$(query +short odd.knot.example TYPE65280)"
}

test_id_and_case_are_the_clients() {
	fake lower-case
	serve --upstream "$FAKE4"
	OUTPUT=$(query WwW.ExAmPlE)
	expect_match '^;WwW\.ExAmPlE\.' "$OUTPUT"
	expect_match '^WwW\.ExAmPlE\..*192\.0\.2\.1$' "$OUTPUT"
	expect_eq '1 NOERROR 192.0.2.1' "$(as_app flood.py 127.0.0.1 15053 1 ExAmPlE | tail -n +2)"
}

test_lies_are_ignored_and_the_truth_awaited() {
	fake liar
	serve --upstream "$FAKE4"
	expect_eq 192.0.2.1 "$(query +short www.example)"
	logged fake '^tcp www.example' || fail "so many lies, and still believes in UDP"
	expect_eq '10 NOERROR 192.0.2.1' "$(as_app flood.py 127.0.0.1 15053 10 example | tail -n +2)"
}

test_broken_replies_are_none() {
	fake broken
	serve --upstream "$FAKE4" --upstream "$UNBOUND4"
	expect_eq 192.0.2.10 "$(query +short www.outside.example)"
	stop resolver
	serve --upstream "$FAKE4"
	timed query www.outside.example
	expect_eq SERVFAIL "$(rcode <<<"$OUTPUT")"
	expect_between 0 5000 "$TOOK" "ms"
}

test_a_late_answer_is_an_answer() {
	fake late
	serve --upstream "$FAKE4" --upstream "$SPARE4"
	expect_eq 192.0.2.1 "$(query +short www.example)"
}

# Column 2 of the sorted list: ports of ours, or ids, of the 200 queries that were recorded.
test_every_query_has_a_random_port_and_an_id_of_its_own() {
	local ports ids
	capture
	serve --upstream "$UNBOUND4"
	expect_eq '200 NXDOMAIN' "$(as_app flood.py 127.0.0.1 15053 200 dice.example | tail -n +2)"
	upstream_queries dice.example >"$LAB/dice"
	expect_eq 200 "$(wc -l <"$LAB/dice")"
	ports=$(sed -nE 's/.* IP [0-9.]+\.([0-9]+) > .*/\1/p' "$LAB/dice")
	ids=$(sed -nE 's/.*\.53: ([0-9]+)\+.*/\1/p' "$LAB/dice")
	expect_between 85 128 "$(sort -u <<<"$ports" | wc -l)" "different ports" # of a pool of 128
	expect_between 190 200 "$(sort -u <<<"$ids" | wc -l)" "different ids"
	# The clients' ids are 1 to 200: of random ones less than one in three hundred is.
	expect_between 0 20 "$(awk '$1 <= 200' <<<"$ids" | wc -l)" "ids of the clients"
	# Neither counts up: a random sequence does so half of the time.
	expect_between 60 140 "$(awk '$1 > last { n++ } { last = $1 } END { print n }' <<<"$ids")" "steps up"
	expect_between 60 140 "$(awk '$1 > last { n++ } { last = $1 } END { print n }' <<<"$ports")" "steps up"
}

test_mesh_names_do_not_wait_for_the_outside() {
	serve --upstream "$SPARE4"
	start flood "$APP" "$APP_UID" flood.py 127.0.0.1 15053 500 example
	wait_for 5 logged flood sent
	timed query +short redis.mesh
	expect_eq 240.0.0.1 "$OUTPUT"
	expect_between 0 2000 "$TOOK" "ms, dig included; the others wait for twice that"
	# shellcheck disable=SC2031 # a test is a subshell
	wait_for 10 ended "${PID[flood]}"
	expect_eq '500 SERVFAIL' "$(log_of flood | tail -n +2)"
}

test_more_than_can_be_in_flight_is_answered_too() {
	serve --upstream "$SPARE4"
	expect_eq '3000 SERVFAIL' "$(as_app flood.py 127.0.0.1 15053 3000 example | tail -n +2)"
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
}

test_forwarding_to_itself_is_refused_at_the_start() {
	names '240.0.0.1 redis.mesh'
	expect_status 1 on "$APP" "$APP_UID" meshdns-resolver --names "$LAB/names" --upstream 127.0.0.1:15053
	expect_match '127\.0\.0\.1:15053' "$OUTPUT"
	expect_status 1 on "$APP" "$APP_UID" meshdns-resolver --names "$LAB/names" \
		--listen '[::1]:5300' --upstream '[::1]:5300'
	expect_status 1 on "$APP" "$APP_UID" meshdns-resolver --names "$LAB/names" \
		--listen 0.0.0.0:5300 --upstream "$APP4:5300"
}

# Run as a user whom the rules do not exempt, its own queries come back to it.
test_a_loop_ends_at_once() {
	local workers transport
	names '240.0.0.1 redis.mesh'
	redirect install --redirect-dns --proxy-user "$PROXY_UID"
	for workers in 1 2 4; do
		start_resolver --user "$APP_UID" --names "$LAB/names" --workers $workers
		start loopback "$APP" 0 tcpdump -l -n --immediate-mode -i lo port 15053
		wait_for 10 logged loopback 'listening on'
		for transport in +notcp +tcp; do
			timed ask $transport www.outside.example
			expect_eq SERVFAIL "$(rcode <<<"$OUTPUT")"
			expect_between 0 1000 "$TOOK" "ms with $transport"
		done
		expect_match 'error: ' "$(log_of resolver)"
		expect_between 1 200 "$(log_of loopback | grep -c ' > ')" "packets"
		expect_eq 240.0.0.1 "$(ask +short redis.mesh)"
		stop resolver
		stop loopback
	done
	redirect uninstall
}

run_tests "$@"
