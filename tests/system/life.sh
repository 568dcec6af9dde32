#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How one resolver follows another: sockets that are handed over or held by systemd, and what clients
# notice of it, which is nothing.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }

# shellcheck disable=SC2031 # a test is a subshell
pid_of() { echo "${PID[$1]}"; }

setup() {
	start_outside
	names '240.0.0.1 redis.mesh' "$(seq -f '240.0.0.1 %.0f.load.mesh' 20000)"
	install -d -o "$PROXY_UID" "$LAB/run"
}

# load NAME: thousands of questions over UDP, a new connection over TCP every few milliseconds.
load() {
	start udp "$APP" 0 flood.py 127.0.0.1 15053 20000 "$1"
	start tcp "$APP" "$APP_UID" stream.py 127.0.0.1 15053 again redis.mesh 3
}

# no_loss ANSWER: what the load says in the end.
no_loss() {
	wait_for 20 ended "$(pid_of udp)"
	wait_for 20 ended "$(pid_of tcp)"
	expect_eq "sent 20000 $1" "$(log_of udp | paste -sd ' ')"
	expect_eq 'all answered' "$(log_of tcp)"
}

# successor NAME FLAG…: starts a resolver that takes the place of the one that runs.
successor() {
	start "$1" "$APP" 0 "${root_prefix[@]}" meshdns-resolver --user "$PROXY_UID" \
		--names "$LAB/names" --takeover "$LAB/run/takeover" "${@:2}"
	wait_for 10 logged "$1" 'info: ready' # not "already", of a control socket
}

test_three_resolvers_follow_each_other_under_load() {
	local name
	successor first --workers 2
	load outside.example
	for name in redis.mesh outside.example; do
		start "steady-$name" "$APP" "$APP_UID" stream.py 127.0.0.1 15053 steady "$name" 3
	done
	for name in second third fourth; do
		sleep 0.5
		successor "$name" --workers "$((RANDOM % 3 + 1))"
		expect_match 'taking the place' "$(log_of "$name")"
	done
	no_loss NXDOMAIN
	for name in redis.mesh outside.example; do
		wait_for 10 ended "$(pid_of "steady-$name")"
		expect_eq 'all answered' "$(log_of "steady-$name")" "$name"
	done
	for name in first second third; do
		wait_for 1 ended "$(pid_of "$name")" # for whoever was there is elsewhere
		stop "$name" || fail "the $name ended with $?: $(log_of "$name")"
	done
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	stop fourth
	[[ ! -e $LAB/run/takeover ]] || fail "the last one left its socket"
}

test_a_successor_that_fails_leaves_the_old_one_serving() {
	successor first
	expect_status 1 in_app "${root_prefix[@]}" timeout 10 meshdns-resolver --user "$PROXY_UID" \
		--names "$LAB/none" --takeover "$LAB/run/takeover"
	wait_for 5 logged first 'I stay'
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	successor second
	stop second
	stop first
}

test_nobody_elses_resolver_is_followed() {
	successor first
	expect_status 2 as_app meshdns-resolver --names "$LAB/names" --takeover "$LAB/run/takeover"
	expect_match 'takeover: Permission denied' "$OUTPUT"
	chmod 0666 "$LAB/run/takeover"
	expect_status 2 as_app meshdns-resolver --names "$LAB/names" --takeover "$LAB/run/takeover"
	expect_match 'another user' "$OUTPUT"
	wait_for 5 logged first "somebody else's process asked for my sockets"
	stop first
}

test_more_sockets_than_fit_into_a_message_are_handed_over() {
	local listen
	mapfile -t listen < <(printf -- '--listen\n127.0.0.1:%d\n' 15053 {16001..16039})
	successor first "${listen[@]}"
	successor second "${listen[@]}"
	expect_match 'taking the place .*sockets=80$' "$(log_of second)"
	wait_for 5 ended "$(pid_of first)"
	stop first
	expect_eq 240.0.0.1 "$(query +short -p 16039 redis.mesh)"
	stop second
}

# activated SOCKETS FLAG…: as systemd starts it with a .socket unit, restarted three times. With mesh
# names, for an upstream that loses a question is waited for no longer than half a second.
activated() {
	local i
	start systemd "$APP" 0 "${root_prefix[@]}" activate.py "$1" meshdns-resolver \
		--user "$PROXY_UID" --names "$LAB/names" "${@:2}"
	wait_for 10 logged systemd 'info: ready'
	load load.mesh
	for ((i = 1; i <= 3; i++)); do
		sleep 0.5
		kill -HUP "$(pid_of systemd)"
		wait_for 10 has_been_ready $((i + 1))
	done
	no_loss 'NOERROR 240.0.0.1'
	stop systemd || fail "status $?: $(log_of systemd)"
}
has_been_ready() { (($(grep -c 'info: ready' "$LAB/log/systemd") == $1)); }

test_restarts_on_systemds_sockets_lose_nothing() { activated 1; }
test_workers_share_a_socket() { activated 1 --workers 2; }
test_workers_have_a_socket_each() { activated 3 --workers 2; }

test_systemd_socket_activate() {
	start systemd "$APP" 0 systemd-socket-activate -l 127.0.0.1:15053 -E ASAN_OPTIONS=detect_leaks=0 \
		"$LAB/bin/meshdns-resolver" --user "$PROXY_UID" --names "$LAB/names"
	wait_for 5 logged systemd 'Listening on'
	expect_eq 240.0.0.1 "$(query +short +tcp redis.mesh)"
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	stop systemd
}

# slow SECONDS: an upstream that thinks for so long, and a resolver in front of it.
slow() {
	start slow "$DNS" 0 limits.py slow "$FAKE4" "$1" 0
	wait_for 5 logged slow ready
	start_resolver --names "$LAB/names" --upstream "$FAKE4"
}

test_what_is_in_flight_is_answered_before_the_end() {
	slow 2
	query +short www.example >"$LAB/answer" &
	wait_for 5 logged slow www
	kill "$(pid_of resolver)"
	wait_for 5 logged resolver stopping
	# Meanwhile the mesh's names are there, and nothing that would have to wait is begun.
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	expect_status 9 query +time=1 other.example
	wait $!
	expect_eq 192.0.2.1 "$(<"$LAB/answer")"
	stop resolver || fail "status $?"
}

# The successor waits a second for a data plane that says nothing.
test_one_that_ends_while_its_successor_starts_takes_no_questions() {
	local asked
	start slow "$DNS" 0 limits.py slow "$FAKE4" 1 0
	install -d -o "$PROXY_UID" "$LAB/kuma"
	echo silence >"$LAB/kuma/mode"
	start dataplane "$APP" "$PROXY_UID" dataplane.py "$LAB/kuma"
	wait_for 5 logged slow ready
	wait_for 5 logged dataplane ready
	successor first --upstream "$FAKE4"
	query +short www.example >"$LAB/answer" &
	asked=$!
	wait_for 5 logged slow www
	start second "$APP" 0 "${root_prefix[@]}" meshdns-resolver --user "$PROXY_UID" --names "$LAB/names" \
		--takeover "$LAB/run/takeover" --upstream "$FAKE4" --kuma-socket "$LAB/kuma/socket"
	wait_for 5 logged dataplane silence
	kill "$(pid_of first)"
	wait_for 5 logged first 'stopping|in my place' # or it was too slow, and this shows nothing
	expect_eq 192.0.2.1 "$(query +short +tries=1 other.example)"
	wait "$asked"
	expect_eq 192.0.2.1 "$(<"$LAB/answer")"
	stop first || fail "status $?"
	[[ -S $LAB/run/takeover ]] || fail "the first one took the second one's socket along"
	stop second || fail "status $?"
}

test_a_second_signal_ends_it_at_once() {
	slow 4
	query +short www.example >"$LAB/answer" &
	wait_for 5 logged slow www
	kill "$(pid_of resolver)"
	wait_for 5 logged resolver stopping
	sleep 0.1
	ended "$(pid_of resolver)" && fail 'it did not wait'
	kill "$(pid_of resolver)"
	wait_for 2 ended "$(pid_of resolver)"
	kill $!
	wait $! || :
	stop resolver || fail "status $?"
}

run_tests "$@"
