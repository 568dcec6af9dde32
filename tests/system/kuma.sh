#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names from Kuma's data plane, and everything that can be wrong with it.

# shellcheck disable=SC2317 # wait_for calls functions that seem unused

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
expect_vip() { expect_eq "$1" "$(query +short "$2")" "$2"; }
expect_soon() { wait_for 3 has_vip "$1" "$2"; }
has_vip() { [[ $(query +short "$2") == "$1" ]]; }
eyes() { as_app eyes.py "$@"; }
expect_metric() { expect_eq "$1" "$(eyes metric "${@:2}")" "${*:2}"; }
ctl() { in_app meshdns-resolver ctl --control "$LAB/kuma/control" "$@"; }
json() { python3 -c 'import json, sys; o = json.load(sys.stdin)
for key in sys.argv[1].split("."): o = o.get(key, {})
print(o)' "$1"; }

setup() {
	start_outside
	install -d -o "$PROXY_UID" "$LAB/kuma"
}

# map [NAME ADDRESS]...: what the data plane has to say from now on, as Kuma writes it.
map() {
	python3 - "$@" >"$LAB/kuma/map.new" <<-'EOT'
		import json, sys
		pairs = zip(sys.argv[1::2], sys.argv[2::2])
		print(json.dumps({"records": [{"name": n, "ips": a.split(",")} for n, a in pairs], "ttl": 30,
		    "extraLabels": {"mesh": "default", "kuma_io_zone": "east"}}, separators=(",", ":")), end="")
	EOT
	mv "$LAB/kuma/map.new" "$LAB/kuma/map"
}
# behave MODE: as dataplane.py has them.
behave() { echo "$1" >"$LAB/kuma/mode"; }
start_dataplane() {
	start dataplane "$APP" "$PROXY_UID" dataplane.py "$LAB/kuma"
	wait_for 10 logged dataplane ready
}
# start_kuma FLAG...: the data plane with this map, and a resolver that asks it often.
start_kuma() {
	rm -f "$LAB/kuma/mode"
	start_dataplane
	start_kuma_resolver "$@"
}
start_kuma_resolver() {
	start_resolver --upstream "$UNBOUND4" --kuma-socket "$LAB/kuma/socket" --kuma-poll 100ms \
		--control "$LAB/kuma/control" "$@"
}
# asked N: so often more from now on, answered so; what it said before is in the log already.
answered() { (($(grep -c "^$1 " "$LAB/log/dataplane") >= $2)); }

test_a_map_is_there_with_the_first_answer_and_changes_with_a_poll() {
	map redis.mesh 240.0.0.1,::ffff:f000:1 other.mesh 240.0.0.2
	rm -f "$LAB/kuma/mode"
	start_dataplane
	start_resolver --upstream "$UNBOUND4" --kuma-socket "$LAB/kuma/socket"
	expect_vip 240.0.0.1 redis.mesh
	expect_eq ::ffff:240.0.0.1 "$(query +short redis.mesh AAAA)"
	expect_match '^redis\.mesh\.\s+30\s+IN\s+A\s+240\.0\.0\.1$' "$(query redis.mesh | section answer)"
	local before
	map redis.mesh 240.0.0.3 other.mesh 240.0.0.2
	before=$(now_ms)
	expect_soon 240.0.0.3 redis.mesh
	expect_between 0 2500 $(($(now_ms) - before)) "ms to the change"
	expect_vip 240.0.0.2 other.mesh
}

test_the_etag_is_sent_back() {
	map redis.mesh 240.0.0.1
	start_kuma
	wait_for 5 answered 304 3
	expect_eq 1 "$(grep -c '^envoy ' "$LAB/log/dataplane")" "maps sent"
	expect_match "^304 $(sha256sum <"$LAB/kuma/map" | cut -d' ' -f1)\$" "$(log_of dataplane)"
	expect_eq 1 "$(grep -c 'names loaded' "$LAB/log/resolver")"
}

test_every_framing_is_understood() {
	local mode n=0
	map redis.mesh 240.0.0.9
	start_kuma
	for mode in chunked unframed anonymous; do
		((++n))
		behave $mode
		map redis.mesh "240.0.0.$n"
		expect_soon "240.0.0.$n" redis.mesh
		wait_for 5 answered "$mode" 3
	done
	# Without an ETag the same map comes again and again, and is loaded once.
	expect_eq 4 "$(grep -c 'names loaded' "$LAB/log/resolver")"
}

test_a_bad_record_is_skipped_not_the_map() {
	map redis.mesh 240.0.0.1 bad..name 240.0.0.2 odd.mesh 240.0.0.999 last.mesh 240.0.0.3
	start_kuma
	expect_vip 240.0.0.1 redis.mesh
	expect_vip 240.0.0.3 last.mesh
	expect_match "record skipped source=unix:$LAB/kuma/socket .*not a host name: bad\.\.name" \
		"$(log_of resolver)"
	expect_match 'not an address: 240\.0\.0\.999' "$(log_of resolver)"
	local i
	for i in {4..8}; do
		map redis.mesh "240.0.0.$i" bad..name 240.0.0.2
		expect_soon "240.0.0.$i" redis.mesh
	done
	expect_eq 2 "$(grep -c 'record skipped' "$LAB/log/resolver")" "warnings"
}

test_whatever_is_wrong_the_last_names_stay() {
	local mode
	map redis.mesh 240.0.0.1
	start_kuma
	for mode in 404 500 short silence drip; do
		behave "$mode"
		wait_for 5 answered "$mode" 1
		expect_vip 240.0.0.1 redis.mesh
		if [[ $mode != @(silence|drip) ]]; then
			wait_for 5 answered "$mode" 2
		else # they are given five seconds; nobody waits for that, here or there
			expect_metric 1 kuma_dp_dns_entries_total
			behave envoy
			stop dataplane KILL || :
			start_dataplane
		fi
	done
	expect_match 'no news from Kuma.s data plane, its last names stay reason="' "$(log_of resolver)"
	behave envoy
	map redis.mesh 240.0.0.2
	expect_soon 240.0.0.2 redis.mesh
}

test_garbage_is_not_believed() {
	map redis.mesh 240.0.0.1
	names '240.0.0.8 file.mesh'
	start_kuma --names "$LAB/names"
	local garbage
	behave raw
	for garbage in '\0\0\0' 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n' \
		'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}' \
		'HTTP/1.1 200 OK\r\n\r\n{"records":[{"name":"redis.mesh","ips":["240.6.6.6"]}' \
		'HTTP/1.1 200 OK\r\n\r\n[]' 'HTTP/1.1 200 OK\r\n\r\n' ''; do
		printf '%b' "$garbage" >"$LAB/kuma/map"
		: >"$LAB/log/dataplane"
		wait_for 5 answered raw 2
		has_vip 240.0.0.1 redis.mesh || fail "$garbage: $(log_of resolver) $(log_of dataplane)"
	done
	(($(eyes metric kuma_dp_envoyconfigfetcher_handler_error_count_total) > 6)) || fail "not counted"
	names '240.0.0.7 file.mesh' # a file is read all the same
	expect_soon 240.0.0.7 file.mesh
	expect_vip 240.0.0.1 redis.mesh
	behave envoy
	map redis.mesh 240.0.0.2
	expect_soon 240.0.0.2 redis.mesh
	expect_vip 240.0.0.7 file.mesh
}

test_a_data_plane_may_come_late_go_and_come_back() {
	map redis.mesh 240.0.0.1
	rm -f "$LAB/kuma/mode" "$LAB/kuma/socket"
	names '240.0.0.7 file.mesh'
	start_kuma_resolver --names "$LAB/names" --authoritative mesh
	expect_vip 240.0.0.7 file.mesh
	expect_eq SERVFAIL "$(query redis.mesh | rcode)" "what nobody can deny yet"
	expect_match "503 .*Kuma's data plane has told no names yet" "$(eyes get /ready)"
	expect_metric 0 kuma_dp_dns_config_ready_wait_seconds_count
	expect_metric 0 kuma_dp_envoyconfigfetcher_handler_error_count_total # that is no error yet
	start_dataplane
	expect_soon 240.0.0.1 redis.mesh
	expect_eq NXDOMAIN "$(query no.mesh | rcode)"
	expect_match '^200 ' "$(eyes get /ready)"
	expect_metric 1 kuma_dp_dns_config_ready_wait_seconds_count mesh=default
	stop dataplane || :
	wait_for 5 logged resolver 'no news from .* reason="(cannot connect: Connection refused|Connection reset by peer|it ended too early)"'
	expect_vip 240.0.0.1 redis.mesh
	expect_match '^200 ' "$(eyes get /ready)"
	map redis.mesh 240.0.0.2
	start_dataplane
	expect_soon 240.0.0.2 redis.mesh
	wait_for 5 logged resolver 'answers again'
	expect_vip 240.0.0.7 file.mesh
	rm "$LAB/names" # which fails the next load; what Kuma says must survive that
	sleep 0.2
	expect_vip 240.0.0.2 redis.mesh
}

test_a_restart_without_a_data_plane() {
	local kept=(--state-dir "$LAB/state" --names "$LAB/names")
	install -d -o "$PROXY_UID" "$LAB/state"
	names '240.0.0.7 file.mesh'
	map redis.mesh 240.0.0.1
	start_kuma "${kept[@]}"
	stop resolver
	stop dataplane || :
	start_kuma_resolver "${kept[@]}"
	expect_vip 240.0.0.1 redis.mesh
	expect_vip 240.0.0.7 file.mesh
	expect_match '^200 ' "$(eyes get /ready)"
	expect_match "last good names are served, .* reason=\"unix:$LAB/kuma/socket: nothing came" \
		"$(log_of resolver)"
	expect_eq "['$LAB/state/names']" "$(ctl --json lookup redis.mesh | json sources)"
	names '240.0.0.8 file.mesh' # which alone would be half of what is kept
	sleep 0.2
	expect_vip 240.0.0.1 redis.mesh
	map redis.mesh 240.0.0.2
	start_dataplane
	expect_soon 240.0.0.2 redis.mesh
	expect_vip 240.0.0.8 file.mesh
}

test_a_corefile_may_name_the_socket() {
	map redis.mesh 240.0.0.1
	rm -f "$LAB/kuma/mode"
	start_dataplane
	printf '.:15053 {\n mesh {\n kuma %s 100ms\n }\n forward . 127.0.0.1:15054\n}\n' \
		"$LAB/kuma/socket" >"$LAB/Corefile"
	start_resolver -conf "$LAB/Corefile"
	expect_vip 240.0.0.1 redis.mesh
	map redis.mesh 240.0.0.2
	expect_soon 240.0.0.2 redis.mesh
	expect_match 'kuma /a/b 2s$' "$(meshdns-resolver --kuma-socket /a/b --kuma-poll 2s --print-config)"
}

test_metrics_have_kumas_names_and_labels() {
	map redis.mesh 240.0.0.1 other.mesh 240.0.0.2
	start_kuma
	query redis.mesh >/dev/null
	query redis.mesh AAAA >/dev/null
	query www.outside.example >/dev/null
	query no.such.name TXT >/dev/null

	local metrics labels='mesh="default",kuma_io_zone="east"' line
	metrics=$(eyes get /metrics)
	for line in 'queries_total{#,qtype="A",source="local"} 1' \
		'queries_total{#,qtype="AAAA",source="local"} 1' \
		'queries_total{#,qtype="A",source="upstream"} 1' \
		'queries_total{#,qtype="other",source="upstream"} 1' \
		'response_codes_total{#,rcode="noerror"} 3' 'response_codes_total{#,rcode="nxdomain"} 1' \
		'request_duration_seconds_count{#} 4' 'entries_total{#} 2'; do
		grep -qF "kuma_dp_dns_${line/\#/$labels}" <<<"$metrics" || fail "$line: $metrics"
	done
	expect_match 'dns_upstream_request_duration_seconds_count\{.*\} [2-9]' "$metrics"
	eyes check >/dev/null
}

test_ctl_tells_the_source() {
	map redis.mesh 240.0.0.1
	names '240.0.0.7 file.mesh'
	start_kuma --names "$LAB/names"
	expect_eq "$LAB/kuma/socket True" "$(ctl --json | json kuma.socket) $(ctl --json | json kuma.has_names)"
	expect_eq "['$LAB/names', 'unix:$LAB/kuma/socket']" "$(ctl --json names | json sources)"
	expect_eq "['unix:$LAB/kuma/socket:1']" "$(ctl --json lookup redis.mesh | json sources)"
	expect_eq "['$LAB/names:1']" "$(ctl --json lookup file.mesh | json sources)"
	behave 500
	wait_for 5 answered 500 1
	told() { [[ $(ctl --json | json kuma.problem) == 'HTTP status 500' ]]; }
	wait_for 5 told
}

run_tests "$@"
