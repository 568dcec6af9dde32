#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The resolver as a daemon: users and privileges, readiness, signals, sockets, options.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

# resolver FLAG…: runs it as root, for the cases in which it ends at once.
resolver() { in_app "${root_prefix[@]}" timeout 10 meshdns-resolver "$@"; }

# threads REGEX: how many of the resolver's threads have such a line in /proc/…/status.
# shellcheck disable=SC2031 # a test is a subshell
threads() { cat "/proc/${PID[resolver]}"/task/*/status | grep -cE "$1" || :; }

# shellcheck disable=SC2031 # a test is a subshell
resolver_pid() { echo "${PID[resolver]}"; }

setup() {
	start_outside
	names '240.0.0.1 redis.mesh' 'fd00:fd00::1 redis.mesh'
}

test_root_becomes_the_user_and_keeps_nothing() {
	local all set
	start_resolver --names "$LAB/names" --workers 2
	all=$(threads '^Name:')
	expect_between 3 8 "$all" "threads"
	expect_eq "$all" "$(threads "^Uid:([[:space:]]$PROXY_UID){4}$")" "uid"
	expect_eq "$all" "$(threads "^Gid:([[:space:]]$PROXY_UID){4}$")" "gid"
	expect_eq "$all" "$(threads '^Groups:[[:space:]]*$')" "groups"
	expect_eq "$all" "$(threads '^NoNewPrivs:[[:space:]]1$')" "NoNewPrivs"
	sanitized || expect_eq "$all" "$(threads '^Seccomp:[[:space:]]2$')" "Seccomp"
	for set in Inh Prm Eff Bnd Amb; do
		expect_eq "$all" "$(threads "^Cap$set:[[:space:]]0+$")" "Cap$set"
	done
	expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 -p 15053 redis.mesh)"
}

test_the_workers_wake_before_others() {
	has_slices || return 0
	start_resolver --names "$LAB/names" --workers 2
	expect_eq 2 "$(awk '/^se\.slice / && $3 == 100000' "/proc/$(resolver_pid)"/task/*/sched | wc -l)"
}
# The kernel lets threads choose their slices, and tells.
has_slices() { sort -VC <<<$'6.12\n'"$(uname -r)" && grep -q '^se\.slice ' /proc/self/sched; }

test_an_ordinary_user_can_start_it() {
	start_resolver_as "$APP_UID" --names "$LAB/names"
	expect_eq "$(threads '^Name:')" "$(threads '^NoNewPrivs:[[:space:]]1$')"
	expect_eq "$(threads '^Name:')" "$(threads '^CapPrm:[[:space:]]0+$')"
	expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 -p 15053 redis.mesh)"
	expect_eq 192.0.2.10 "$(ask +short @127.0.0.1 -p 15053 www.outside.example)"
}

test_without_the_sandbox_if_so_wished() {
	start_resolver --names "$LAB/names" --no-sandbox
	expect_eq 0 "$(threads '^Seccomp:[[:space:]]2$')" "Seccomp"
	expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 -p 15053 redis.mesh)"
}

test_root_needs_a_user_to_become() {
	expect_status 1 resolver --names "$LAB/names" --user no-such-user
	expect_match no-such-user "$OUTPUT"
}

test_a_privileged_port_is_bound_before() {
	start_resolver --names "$LAB/names" --listen 127.0.0.1:53 --listen '[::1]:53'
	expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 redis.mesh)"
	expect_eq 240.0.0.1 "$(ask +short +tcp @::1 redis.mesh)"
}

test_names_must_be_readable_by_the_user() {
	install -m 0600 "$LAB/names" "$LAB/secret"
	expect_status 1 resolver --names "$LAB/secret" --user "$PROXY_UID"
	expect_match "$LAB/secret: Permission denied" "$OUTPUT"
	expect_status 1 resolver --names "$LAB/missing" --user "$PROXY_UID"
	expect_match "$LAB/missing: No such file" "$OUTPUT"
}

# On the upstreams' host, which is given its addresses back afterwards.
test_a_missing_ipv6_stack_is_only_a_warning() {
	in_dns sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
	APP=$DNS start_resolver --names "$LAB/names" --upstream "$UNBOUND4"
	expect_match 'warning: .*\[::1\]:15053' "$(log_of resolver)"
	expect_eq 240.0.0.1 "$(in_dns dig -r +short +tries=1 @127.0.0.1 -p 15053 redis.mesh)"
	stop resolver
	expect_status 2 in_dns meshdns-resolver --names "$LAB/names" --user "$PROXY_UID" \
		--listen '[::1]:15053' --upstream "$UNBOUND4"
	expect_match '\[::1\]:15053' "$OUTPUT"
	in_dns sysctl -q -w net.ipv6.conf.all.disable_ipv6=0
	lab_address "$DNS" dns0 fd66::{53,54,55,56}/64
}

test_a_port_in_use_is_said() {
	start_resolver --names "$LAB/names"
	expect_status 2 resolver --names "$LAB/names" --user "$PROXY_UID"
	expect_match '127\.0\.0\.1:15053.* already' "$OUTPUT"
	expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 -p 15053 redis.mesh)"
	stop resolver
	start other "$APP" 0 python3 -c 'import socket
s = socket.create_server(("127.0.0.1", 15053)); print("up", flush=True); s.accept()'
	wait_for 5 logged other up
	expect_status 2 resolver --names "$LAB/names" --user "$PROXY_UID"
	expect_match '127\.0\.0\.1:15053.*TCP.* already' "$OUTPUT"
}

test_it_tells_systemd() {
	start notify "$APP" 0 notify.py "$LAB/notify"
	wait_for 5 logged notify listening
	NOTIFY_SOCKET=$LAB/notify start_resolver --names "$LAB/names"
	wait_for 5 logged notify '^READY=1$'
	kill -HUP "$(resolver_pid)"
	wait_for 5 logged notify '^RELOADING=1$'
	wait_for 5 logged notify '^MONOTONIC_USEC=[0-9]+$'
	wait_for 5 ready_again
	stop resolver
	wait_for 5 logged notify '^STOPPING=1$'
}

ready_again() { (($(grep -c '^READY=1$' "$LAB/log/notify") == 2)); }

# Unless somebody waits for an upstream: life.sh.
test_it_stops_at_once_and_well() {
	local signal started
	for signal in TERM INT; do
		start_resolver --names "$LAB/names" --workers 2 --upstream "$SPARE4"
		start idle "$APP" "$APP_UID" stream.py 127.0.0.1 15053 idle 1
		started=$(now_ms)
		stop resolver "$signal" || fail "status $? after $signal"
		expect_between 0 1000 $(($(now_ms) - started)) "ms until the end"
		stop idle || :
	done
}

test_a_wildcard_answers_from_the_address_that_was_asked() {
	local address transport scoped
	start_resolver --names "$LAB/names" --listen 0.0.0.0:15053 --listen '[::]:15053' \
		--allow-interface app0
	for address in 127.0.0.1 127.0.0.2 10.66.0.2 10.66.0.3 ::1 fd66::2 fd66::3; do
		for transport in +notcp +tcp; do
			expect_eq 240.0.0.1 "$(ask $transport +short "@$address" -p 15053 redis.mesh)" "$address"
			expect_eq 192.0.2.10 "$(ask $transport +short "@$address" -p 15053 www.outside.example)"
		done
	done
	for address in 10.66.0.2 10.66.0.3 fd66::2 fd66::3; do
		expect_eq 240.0.0.1 "$(in_dns dig -r +short +tries=1 "@$address" -p 15053 redis.mesh)" \
			"$address from another host"
	done
	scoped=$(ip -n "$APP" -6 -o addr show dev app0 scope link | awk '{ sub("/.*", "", $4); print $4 }')
	wait_for 5 in_dns dig -r +tries=1 +time=1 "@$scoped%dns0" -p 15053 redis.mesh
	expect_eq 192.0.2.10 "$(in_dns dig -r +short +tries=1 "@$scoped%dns0" -p 15053 www.outside.example)"
}

test_workers_share_the_load() {
	start_resolver --names "$LAB/names" --workers 3
	for _ in {1..20}; do
		expect_eq 240.0.0.1 "$(ask +short @127.0.0.1 -p 15053 redis.mesh)"
	done
	expect_eq '20 NXDOMAIN' "$(as_app flood.py 127.0.0.1 15053 20 example | tail -n +2)"
}

test_help_and_version() {
	local flag
	expect_status 0 resolver --version
	expect_match '^meshdns-resolver [^ ]+$' "$OUTPUT"
	expect_status 0 resolver --help
	for flag in listen names domain ttl upstream resolv-conf user workers ready-fd tcp-idle tcp-clients \
		log-level no-sandbox takeover \
		allow allow-interface rate-limit clients-max-tcp clients-max-inflight; do
		expect_match "^  --$flag " "$OUTPUT"
	done
	expect_eq '' "$(resolver --help 2>&1 >/dev/null)" "standard error"
}

test_mistakes_on_the_command_line() {
	expect_status 1 resolver --nmaes x
	expect_match 'nmaes.*--names' "$OUTPUT"
	expect_status 1 resolver --listen nonsense
	expect_match 'listen.*nonsense' "$OUTPUT"
	expect_status 1 resolver --upstream 192.0.2.1:99999
	expect_match 'upstream.*192\.0\.2\.1:99999' "$OUTPUT"
	expect_status 1 resolver --workers 0
	expect_match 'workers' "$OUTPUT"
	expect_status 1 resolver --ttl -1
	expect_match 'ttl' "$OUTPUT"
	expect_status 1 resolver --names
	expect_match 'names' "$OUTPUT"
	expect_status 1 resolver stray
	expect_match 'stray' "$OUTPUT"
}

test_nobody_to_forward_to_is_said() {
	printf 'search example\n' >"$LAB/empty.conf"
	expect_status 1 resolver --user "$PROXY_UID" --names "$LAB/names" --resolv-conf "$LAB/empty.conf"
	expect_match "$LAB/empty.conf.*--upstream" "$OUTPUT"
	expect_status 1 resolver --user "$PROXY_UID" --names "$LAB/names" --resolv-conf "$LAB/none.conf"
	expect_match "$LAB/none.conf" "$OUTPUT"
}

run_tests "$@"
