#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What clients, servers, files and whoever starts it can't do to the resolver. Each test is named
# after what once went wrong.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
resolver() { in_app "${root_prefix[@]}" timeout -k 1 10 meshdns-resolver "$@"; }
has_vip() { [[ $(query +short "$2") == "$1" ]]; }
expect_vip() { expect_eq "$1" "$(query +short "$2")" "$2"; }
expect_soon() { wait_for "$1" has_vip "$2" "$3"; }

# server NAME ADDRESS CASE ARGUMENT…: one of limits.py's, on the upstreams' host.
server() {
	start "$1" "$DNS" 0 limits.py "${@:3}"
	wait_for 5 logged "$1" ready
}

setup() {
	start_outside
	names '240.0.0.1 redis.mesh' '240.0.0.2 redis.mesh' '240.0.0.9 one.mesh' '240.0.0.8 two.mesh'
}

# --- servers ---

test_a_timeout_makes_room_for_questions_that_wait() {
	server silent "$FAKE4" silent "$FAKE4"
	start_resolver --names "$LAB/names" --upstream "$FAKE4"
	expect_eq 64 "$(as_app limits.py pipelined 80)" # the rest is asked then, and times out later
	expect_vip 240.0.0.9 one.mesh
}

test_a_late_servfail_waits_for_the_server_asked_meanwhile() {
	server bad "$FAKE4" slow "$FAKE4" 2.6 2
	server good "$SPARE4" slow "$SPARE4" 0.7 0
	start_resolver --names "$LAB/names" --upstream "$FAKE4" --upstream "$SPARE4"
	expect_eq 192.0.2.1 "$(query +short www.example)"
}

test_a_server_out_of_reach_leaves_its_time_to_the_others() {
	server good "$FAKE4" slow "$FAKE4" 3 0
	start_resolver --names "$LAB/names" --upstream "$FAKE4" --upstream 192.0.2.250
	expect_eq 192.0.2.1 "$(query +short www.example)"
}

# --- clients ---

test_a_crowd_does_not_push_out_who_waits_for_an_answer() {
	server silent "$FAKE4" silent "$FAKE4"
	start_resolver --names "$LAB/names" --upstream "$FAKE4" --tcp-clients 4 --tcp-idle 1
	expect_eq answered "$(as_app limits.py crowded 8)" # nor is it idle
}

test_the_same_id_twice_is_two_questions() {
	start_resolver --names "$LAB/names"
	expect_eq 'NOERROR 240.0.0.8, NOERROR 240.0.0.9' "$(as_app limits.py twins)"
}

test_who_asks_is_told_how_long_it_may_be_idle() {
	start_resolver --names "$LAB/names" --tcp-idle 7
	expect_match '^; TCP.KEEPALIVE: 7\.0 sec' "$(query +tcp +keepalive one.mesh)"
	expect_match '^; TCP.KEEPALIVE: 7\.0 sec' "$(query +tcp +keepalive one.mesh CAA)"
	expect_match '^; TCP.KEEPALIVE: 7\.0 sec' "$(query +tcp +keepalive www.outside.example)"
	expect_no_match KEEPALIVE "$(query +tcp one.mesh)"
	expect_no_match KEEPALIVE "$(query +notcp +keepalive one.mesh)"
	expect_eq 'NOERROR 192.0.2.10, NOERROR 192.0.2.10' \
		"$(as_app limits.py keepalive www.outside.example)" "told to two who share an answer"
}

test_a_reader_that_drips_is_cut_off() {
	local i
	for ((i = 1; i < 60; i++)); do echo "240.0.1.$i big.mesh"; done >"$LAB/big"
	start_resolver --names "$LAB/big" --tcp-idle 1
	expect_eq reset "$(as_app limits.py dripping big.mesh)"
}

rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$(resolver_pid)/status"; }

test_idle_connections_cost_little() {
	local before
	! sanitized || return 0 # which has its own idea of memory
	start_resolver --names "$LAB/names"
	query +tcp +short one.mesh
	before=$(rss_kib)
	start idlers "$APP" "$APP_UID" limits.py idlers 256
	wait_for 10 logged idlers there
	expect_between -100 100 $(($(rss_kib) - before)) "KiB for 256 connections"
}

# from_outside DIG-ARGUMENT…: asked by another host.
from_outside() { in_dns dig -r +tries=1 +time=1 -b 10.66.0.53 "@$APP4" -p 15053 "$@"; }

test_it_is_no_open_resolver() {
	local status
	start_resolver --names "$LAB/names" --listen 0.0.0.0:15053 --allow 10.66.0.54
	expect_vip 240.0.0.9 one.mesh
	expect_eq 240.0.0.9 "$(ask +short "@$APP4" -p 15053 one.mesh)" "this host's own address"
	expect_eq REFUSED "$(from_outside one.mesh | rcode)"
	status=0
	from_outside +tcp one.mesh >/dev/null || status=$?
	expect_eq 9 "$status" "dig's status for a closed connection"
	expect_eq 240.0.0.9 "$(in_dns dig -r +short +tries=1 -b 10.66.0.54 "@$APP4" -p 15053 one.mesh)"
	start flood "$DNS" 0 flood.py "$APP4" 15053 2000 mesh 0.5
	wait_for 10 ended "$(pid_of flood)"
	expect_between 90 400 "$(sed -n 's/ REFUSED//p' "$LAB/log/flood")" "refusals of 2000"
}

test_a_client_that_asks_too_much_is_sent_to_tcp() {
	start_resolver --names "$LAB/names" --rate-limit 50
	start flood "$APP" "$APP_UID" flood.py 127.0.0.1 15053 500 one.mesh 0.5
	wait_for 10 ended "$(pid_of flood)"
	expect_between 150 260 "$(sed -nE 's/ .*nothing//p' "$LAB/log/flood")" "met with silence"
	sleep 1
	expect_vip 240.0.0.9 one.mesh
}

test_a_client_has_its_share_of_connections_and_questions() {
	server silent "$FAKE4" silent "$FAKE4"
	start_resolver --names "$LAB/names" --upstream "$FAKE4" --clients-max-tcp 4 \
		--clients-max-inflight 10
	has_share() { [[ $(as_app stream.py 127.0.0.1 15053 crowd 10 2>/dev/null) == 4 ]]; }
	has_share || fail "not its share of connections"
	wait_for 5 has_share # again: those have been closed
	start flood "$APP" "$APP_UID" flood.py 127.0.0.1 15053 30 example
	wait_for 10 logged flood sent
	sleep 0.3
	expect_vip 240.0.0.9 one.mesh
	stop flood || :
}

# no_descriptors_left: the resolver that runs may have no more than it has.
no_descriptors_left() {
	local fd=0
	while [[ -L /proc/$(resolver_pid)/fd/$fd ]]; do fd=$((fd + 1)); done
	as_proxy prlimit --pid "$(resolver_pid)" --nofile="$fd:"
}
# Those that it was started with lie far above.
highest_descriptor() { find "/proc/$(resolver_pid)/fd" -type l -printf '%f\n' | awk '$1 < 200 && $1 > n { n = $1 } END { print n }'; }
resolver_pid() { pid_of resolver; }
# shellcheck disable=SC2031 # a test is a subshell
pid_of() { echo "${PID[$1]}"; }

test_out_of_descriptors_a_connection_is_closed_not_left() {
	server silent "$FAKE4" silent "$FAKE4"
	start_resolver --names "$LAB/names" --upstream "$FAKE4"
	# Above all it has: one that it had only for a moment it could not have again.
	as_proxy prlimit --pid "$(resolver_pid)" --nofile="$(($(highest_descriptor) + 1)):"
	expect_eq closed "$(as_app limits.py turned_away)"
}

test_questions_take_no_more_than_a_quarter_of_the_descriptors() {
	server silent "$FAKE4" silent "$FAKE4"
	root_prefix+=(prlimit --nofile=64:64)
	start_resolver --names "$LAB/names" --upstream "$FAKE4"
	as_app limits.py burst 100
	expect_between 20 40 "$(in_app find "/proc/$(resolver_pid)/fd" -type l | wc -l)" "descriptors"
}

# --- names ---

test_names_that_could_not_be_read_for_a_moment_are_read_later() {
	server silent "$FAKE4" silent "$FAKE4"
	start_resolver --names "$LAB/names" --upstream "$FAKE4"
	no_descriptors_left
	names '240.0.0.7 one.mesh'
	wait_for 3 logged resolver 'Too many open files'
	as_proxy prlimit --pid "$(resolver_pid)" --nofile=256:
	expect_soon 10 240.0.0.7 one.mesh
	expect_eq 1 "$(grep -c 'not loaded' "$LAB/log/resolver")" "complaints"
	names '240.0.0.1 redis.mesh' '240.0.0.2 redis.mesh' '240.0.0.9 one.mesh'
}

test_a_busy_neighbour_delays_nothing() {
	mkdir "$LAB/busy"
	cp "$LAB/names" "$LAB/busy/a.hosts"
	start noise "$APP" 0 limits.py noise "$LAB/busy/audit.json" 6
	start_resolver --names "$LAB/busy/a.hosts"
	echo '240.0.0.8 one.mesh' >"$LAB/busy/new"
	mv "$LAB/busy/new" "$LAB/busy/a.hosts"
	expect_soon 3 240.0.0.8 one.mesh
}

# deployment VERSION ADDRESS: a folder of its own, and `current` turned to it as deployments do.
deployment() {
	mkdir -p "$LAB/deploy/$1"
	echo "$2 one.mesh" >"$LAB/deploy/$1/a.hosts"
	ln -s "$1" "$LAB/deploy/next"
	mv -T "$LAB/deploy/next" "$LAB/deploy/current"
}

test_a_symlink_further_up_is_turned() {
	deployment v1 240.0.0.21
	start_resolver --names "$LAB/deploy/current/a.hosts"
	expect_vip 240.0.0.21 one.mesh
	deployment v2 240.0.0.22
	expect_soon 6 240.0.0.22 one.mesh
	stop resolver
	start_resolver --names "$LAB/deploy/current/"
	deployment v3 240.0.0.23
	expect_soon 6 240.0.0.23 one.mesh
}

test_a_file_behind_a_folders_symlink_is_written() {
	mkdir "$LAB/links" "$LAB/elsewhere"
	echo '240.0.0.31 one.mesh' >"$LAB/elsewhere/real"
	ln -s "$LAB/elsewhere/real" "$LAB/links/a.hosts"
	start_resolver --names "$LAB/links"
	echo '240.0.0.32 one.mesh' >"$LAB/elsewhere/real"
	expect_soon 6 240.0.0.32 one.mesh
}

test_bad_records_are_named_once_while_a_source_is_missing() {
	echo 'bad' >"$LAB/bad.hosts"
	cp "$LAB/names" "$LAB/gone.hosts"
	start_resolver --names "$LAB/bad.hosts" --names "$LAB/gone.hosts"
	rm "$LAB/gone.hosts"
	wait_for 5 logged resolver 'not loaded.*gone.hosts'
	echo 'still bad' >"$LAB/bad.hosts"
	cp "$LAB/names" "$LAB/new" && mv "$LAB/new" "$LAB/gone.hosts"
	wait_for 5 logged resolver 'not an address: still'
	expect_eq 2 "$(grep -c 'record skipped' "$LAB/log/resolver")" "warnings"
	expect_eq 1 "$(grep -c 'not loaded' "$LAB/log/resolver")" "complaints"
}

# --- whoever starts it ---

test_a_closed_ready_fd_is_an_error() {
	expect_status 1 resolver --names "$LAB/names" --user "$PROXY_UID" --ready-fd 9
	expect_match '--ready-fd: descriptor 9 is not open' "$OUTPUT"
}

test_a_stale_notify_socket_does_not_keep_the_ready_fd_waiting() {
	export NOTIFY_SOCKET=$LAB/nobody
	start_resolver --names "$LAB/names" # returns when the descriptor says so
	expect_match 'readiness could not be told' "$(log_of resolver)"
}

test_a_signal_while_the_names_are_loaded_waits() {
	local i pid
	for ((i = 0; i < 200000; i++)); do echo "240.1.$((i >> 8 & 255)).$((i & 255)) n$i.mesh"; done >"$LAB/many"
	start resolver "$APP" 0 "${root_prefix[@]}" meshdns-resolver --user "$PROXY_UID" --names "$LAB/many"
	pid=$(resolver_pid)
	wait_for 5 grep -q '^SigBlk:.*4203$' "/proc/$pid/status" # TERM, INT, HUP, USR1
	kill -HUP "$pid"
	wait_for 20 logged resolver 'info: ready'
	expect_vip 240.1.0.7 n7.mesh
}

test_closed_standard_descriptors_are_not_reused_for_sockets() {
	start_resolver_closed
	expect_match '/dev/null' "$(readlink "/proc/$(resolver_pid)/fd/0")"
	expect_vip 240.0.0.9 one.mesh
}
start_resolver_closed() {
	start resolver "$APP" 0 "${root_prefix[@]}" bash -c \
		"exec meshdns-resolver --user $PROXY_UID --names $LAB/names <&-"
	wait_for 5 has_vip 240.0.0.9 one.mesh
}

test_an_upstream_that_is_itself_in_disguise_is_refused() {
	expect_status 1 resolver --names "$LAB/names" --user "$PROXY_UID" \
		--upstream '[::ffff:127.0.0.1]:15053'
	expect_match 'is this resolver itself' "$OUTPUT"
}

run_tests "$@"
