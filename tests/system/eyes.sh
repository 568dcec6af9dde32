#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can be seen of the resolver from outside: metrics, readiness, control socket, query log.

# shellcheck disable=SC2317 # wait_for calls functions that seem unused

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
eyes() { as_app eyes.py "$@"; }
resolver() { in_app "${root_prefix[@]}" timeout -k 1 10 meshdns-resolver "$@"; }
expect_metric() { expect_eq "$1" "$(eyes metric "${@:2}")" "${*:2}"; }

setup() {
	start_outside
	names '240.0.0.1 redis.mesh' '240.0.0.2 redis.mesh' 'fd00:fd00::1 redis.mesh'
}

test_metrics_count_what_was_asked_and_answered() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4"
	query redis.mesh >/dev/null
	query +dnssec redis.mesh AAAA >/dev/null
	query +tcp redis.mesh TYPE4242 >/dev/null
	query +tcp www.outside.example >/dev/null
	ask @::1 -p 15053 no.such.name >/dev/null
	query AXFR redis.mesh >/dev/null || :

	local r=coredns_dns_requests_total labels=(server=dns://:15053 zone=. view=)
	expect_metric 1 $r "${labels[@]}" proto=udp family=1 type=A
	expect_metric 1 $r "${labels[@]}" proto=udp family=1 type=AAAA
	expect_metric 1 $r "${labels[@]}" proto=tcp family=1 type=other
	expect_metric 1 $r "${labels[@]}" proto=udp family=2 type=A
	expect_metric 1 $r "${labels[@]}" type=AXFR
	expect_metric 6 $r
	expect_metric 1 coredns_dns_do_requests_total "${labels[@]}"
	r=coredns_dns_responses_total
	expect_metric 3 $r "${labels[@]}" rcode=NOERROR plugin=mesh
	expect_metric 1 $r "${labels[@]}" rcode=NOERROR plugin=forward
	expect_metric 1 $r "${labels[@]}" rcode=NXDOMAIN plugin=forward
	expect_metric 1 $r "${labels[@]}" rcode=REFUSED plugin=
	expect_metric 6 coredns_dns_request_duration_seconds_count "${labels[@]}"
	expect_metric 6 coredns_dns_request_size_bytes_count
	expect_metric 3 coredns_dns_response_size_bytes_count proto=tcp
	expect_metric 1 meshdns_names
	expect_metric 1 meshdns_reloads_total result=ok
	expect_metric 0 coredns_panics_total
	expect_metric 1 coredns_plugin_enabled name=forward
	expect_between 10 100 "$(eyes check)" "families"
}

test_what_takes_long_is_in_a_late_bucket() {
	start slow "$DNS" 0 limits.py slow "$FAKE4" 1.3 0
	wait_for 5 logged slow ready
	start_resolver --upstream "$FAKE4" --upstream "$SPARE4" --max-concurrent 1 # nobody is at the latter
	query www.example >/dev/null &
	in_flight() { (($(eyes metric meshdns_in_flight) == 1)); }
	wait_for 5 in_flight
	expect_eq SERVFAIL "$(query other.example | rcode)"
	wait $!
	expect_metric 1 coredns_forward_max_concurrent_rejects_total
	expect_metric 0 meshdns_in_flight
	expect_metric 2 coredns_dns_request_duration_seconds_count
	expect_metric 1 coredns_dns_request_duration_seconds_bucket le=1.024
	expect_metric 2 coredns_dns_request_duration_seconds_bucket le=8.192
}

test_metrics_of_upstreams() {
	start_resolver --upstream "$UNBOUND4"
	query www.outside.example >/dev/null
	query no.such.name >/dev/null
	query +tcp www.outside.example >/dev/null
	query +tcp big.outside.example >/dev/null
	exec {held}> >(as_app eyes.py hold 3 15053 >"$LAB/log/hold")
	wait_for 5 logged hold ready
	BODY=$(eyes get /metrics)
	exec {held}>&-

	local to="to=\"$UNBOUND4:53\"" proxy='proxy_name="forward"' n
	local time=coredns_proxy_request_duration_seconds
	expect_sample "${time}_count{$proxy,$to,rcode=\"NOERROR\"}" 3
	# One of them is ours: whether this server is a loop.
	expect_sample "${time}_count{$proxy,$to,rcode=\"NXDOMAIN\"}" 2
	expect_sample "coredns_forward_responses_total{$to,rcode=\"NXDOMAIN\"}" 2
	expect_sample "coredns_forward_requests_total{$to}" 5
	expect_sample "coredns_forward_request_duration_seconds_count{$to,rcode=\"NOERROR\"}" 3
	expect_sample "coredns_proxy_conn_cache_misses_total{$proxy,$to,proto=\"tcp\"}" 1
	expect_sample "coredns_proxy_conn_cache_hits_total{$proxy,$to,proto=\"tcp\"}" 1
	n=$(sed -n "s/^coredns_proxy_conn_cache_misses_total{.*udp\"} //p" <<<"$BODY")
	expect_sample "coredns_proxy_conn_cache_hits_total{$proxy,$to,proto=\"udp\"}" $((3 - n))
	expect_sample "meshdns_upstream_tcp_connections_total{$to}" 1
	expect_sample "meshdns_upstream_state{$to,state=\"up\"}" 1
	expect_sample "meshdns_upstream_retransmissions_total{$to}" 0
	grep -q "^meshdns_upstream_srtt_seconds{$to} 0\.0*[1-9]" <<<"$BODY" || fail "no srtt"
	expect_sample meshdns_tcp_clients 3
	expect_between 40 100 "$(eyes check)" "families"
}

test_metrics_of_a_server_that_is_not_there() {
	start_resolver --upstream "$SPARE4"
	down() {
		query www.example >/dev/null
		(($(eyes metric meshdns_upstream_state to="$SPARE4:53" state=down) == 1))
	}
	wait_for 5 down
	local before
	before=$(eyes metric coredns_forward_healthcheck_broken_total)
	query www.example >/dev/null
	expect_metric $((before + 1)) coredns_forward_healthcheck_broken_total
	failures() { (($(eyes metric "$1" to="$SPARE4:53") > 0)); }
	wait_for 5 failures coredns_proxy_healthcheck_failures_total
	expect_status 0 failures coredns_forward_healthcheck_failures_total
	expect_status 0 failures meshdns_upstream_failures_total
}

test_who_is_turned_away_is_counted() {
	start_resolver --names "$LAB/names" --rate-limit 1
	for _ in {1..6}; do query +ignore +time=1 redis.mesh >/dev/null || :; done
	local answered dropped
	answered=$(eyes metric coredns_dns_responses_total rcode=NOERROR)
	dropped=$(eyes metric meshdns_dropped_total reason=rate)
	expect_eq 6 $((answered + dropped))
	expect_metric "$answered" coredns_dns_requests_total type=A
	expect_between 1 5 "$(eyes metric coredns_dns_responses_total rcode=NOERROR plugin=)" "sent to TCP"
}

test_a_failure_of_all_upstreams_is_our_own_error() {
	start_resolver --upstream "$SPARE4" # nobody there
	query www.example >/dev/null
	expect_metric 1 coredns_dns_responses_total rcode=SERVFAIL plugin=
}

test_workers_are_counted_together() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4" --workers 4
	for _ in {1..12}; do query redis.mesh >/dev/null; done
	expect_metric 12 coredns_dns_responses_total plugin=mesh
	expect_metric 4 meshdns_workers
}

test_health_and_readiness() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4"
	expect_eq "200 OK" "$(eyes get /health)"
	expect_eq "200 OK" "$(eyes get /ready)"
	expect_match '^404 ' "$(eyes get /)"
}

test_failed_reloads_are_counted() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4"
	echo '{"records": [' >"$LAB/names"
	failed() { (($(eyes metric meshdns_reloads_total result=failed) > 0)); }
	wait_for 5 failed
	expect_metric 1 meshdns_names
	names '240.0.0.1 redis.mesh' '240.0.0.2 redis.mesh' 'fd00:fd00::1 redis.mesh'
}

test_the_metrics_port_takes_anything() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4"
	expect_match 'HTTP/1.1 400 ' "$(eyes raw 'nonsense\r\n\r\n')"
	expect_match 'HTTP/1.1 400 ' "$(eyes raw '\x16\x03\x01\n\n')"
	expect_match 'HTTP/1.1 431 ' "$(eyes raw "GET /$(printf '%04000d' 0)")"
	exec {held}> >(as_app eyes.py hold 8 >"$LAB/log/hold")
	wait_for 5 logged hold ready
	expect_eq 240.0.0.1 "$(query +short redis.mesh | sort | head -1)" # nobody else is kept waiting
	exec {held}>&-
	wait_for 5 eyes get /health
}

test_the_metrics_port_is_a_choice() {
	start_resolver --upstream "$UNBOUND4" --metrics '[::1]:9999'
	expect_eq 'LISTEN' "$(in_app ss -Hltn 'sport = :9999' | cut -d' ' -f1)"
	stop resolver
	start_resolver --upstream "$UNBOUND4" --metrics off
	expect_eq '' "$(in_app ss -Hltn 'sport = :19153')"
}

test_a_metrics_port_that_is_taken() {
	start other "$APP" 0 python3 -m http.server -b 127.0.0.1 19153
	wait_for 5 eyes raw 'GET / HTTP/1.0\r\n\r\n'
	start_resolver --upstream "$UNBOUND4" # the default one: it does without
	expect_match 'no metrics are served' "$(log_of resolver)"
	stop resolver
	expect_status 2 resolver --user "$PROXY_UID" --upstream "$UNBOUND4" --metrics 127.0.0.1:19153
	expect_match 'cannot serve metrics on 127.0.0.1:19153: Address already in use' "$OUTPUT"
}

# --- ctl ---

sock() { echo "$LAB/control/resolver.sock"; }
# control FLAG…: starts a resolver with a control socket in a folder that is its user's.
control() {
	install -d -o "$PROXY_UID" "$LAB/control"
	start_resolver --control "$(sock)" --names "$LAB/names" --upstream "$UNBOUND4" "$@"
}
ctl() { in_app meshdns-resolver ctl --control "$(sock)" "$@"; }
# json KEY: of the object on standard input
json() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$1"; }

test_ctl_tells_how_it_is() {
	control
	expect_match '^names: 1$' "$(ctl status)"
	expect_match '^ready: yes$' "$(ctl)"
	expect_eq True "$(ctl --json status | json ready)"
	expect_eq "['$LAB/names']" "$(ctl --json names | json sources)"
	expect_eq 0 "$(ctl --json flush | json flushed)"
}

test_ctl_upstreams() {
	control --upstream "$SPARE4" --upstream-policy round-robin
	for _ in {1..6}; do query www.outside.example >/dev/null; done
	lines() { ctl upstreams | grep -c 'server'; }
	expect_eq 2 "$(lines)"
	expect_match "^  server $UNBOUND4:53  state up  srtt ms [0-9.]+  queries [1-9].*  noerror 6" "$(ctl upstreams)"
	expect_match "^  server $SPARE4:53  state (suspect|down)  queries [1-9].*  failures [1-9]" "$(ctl upstreams)"
	expect_eq "$UNBOUND4:53 up 6" "$(ctl --json upstreams |
		python3 -c 'import json, sys; u = json.load(sys.stdin)["upstreams"][0]
print(u["server"], u["state"], u["noerror"])')"
}

test_ctl_names_page_by_page() {
	local name pages
	{
		seq -f '240.0.0.1 n%.0f.page.mesh' 2500
		echo 'fd00:fd00::9 redis.mesh'
		echo '240.0.0.9 redis.mesh'
	} >"$LAB/many"
	control --names "$LAB/many"
	expect_match '^names: 2501$' "$(ctl names)"
	expect_eq 100 "$(ctl names | grep -c '^  name ')"
	ctl names --all >"$LAB/all"
	expect_eq 2501 "$(sort -u "$LAB/all" | grep -c '^  name ')"
	expect_match "^  name n2500\.page\.mesh  addresses 240\.0\.0\.1  ttl 60  sources $LAB/many:2500$" \
		"$(grep n2500 "$LAB/all")"
	expect_match "name redis.mesh  addresses 240.0.0.1, 240.0.0.2, 240.0.0.9, fd00:fd00::1, fd00:fd00::9  ttl 60  sources $LAB/names:1, $LAB/many:2501$" \
		"$(grep redis "$LAB/all")"
	expect_eq '  name redis.mesh' "$(ctl names --all --under redis.mesh | cut -d' ' -f1-4)"

	# By hand, and as JSON: each page goes on where the one before ended.
	name=$(ctl --json names --limit 1000 | json next)
	ctl --json names --limit 1000 --after "$name" >"$LAB/second"
	expect_eq "$(sed -n 1001p "$LAB/all" | cut -d' ' -f4)" "$(python3 -c \
		'import json, sys; print(json.load(sys.stdin)["list"][0]["name"])' <"$LAB/second")"
	pages=$(ctl --json names --all | wc -l)
	expect_eq 3 "$pages"
	expect_status 1 ctl names --after ..
	expect_status 1 ctl names --limit 10001
}

test_ctl_lookup_explains() {
	control --upstream "$SPARE4"
	local answer
	answer=$(ctl --json lookup redis.mesh AAAA)
	expect_eq mesh "$(json answered_by <<<"$answer")"
	expect_eq "['fd00:fd00::1']" "$(json answers <<<"$answer")"
	expect_eq "['$LAB/names:1']" "$(json sources <<<"$answer")"
	answer=$(ctl --json lookup www.outside.example)
	expect_eq "upstream $UNBOUND4:53" "$(json answered_by <<<"$answer") $(json upstream <<<"$answer")"
	expect_match '^[0-9]+\.[0-9]+$' "$(json took_ms <<<"$answer")"
	expect_match "^\[\{'server': '$UNBOUND4:53', 'asked_at_ms': [0-9.]+, 'outcome': 'NOERROR', 'took_ms': [0-9.]+\}\]$" \
		"$(json tries <<<"$answer")"
	expect_status 3 ctl lookup no.such.name
	expect_match 'failed: there is no such name' "$OUTPUT"
	expect_status 1 ctl lookup ..
	expect_match '"\.\." is not a name' "$OUTPUT"
	stop resolver
	control --metrics off --upstream "$SPARE4"
	expect_eq mesh "$(ctl --json lookup redis.mesh | json answered_by)"
}

# By TCP, for how often a host says that nobody is at a UDP port is limited.
test_ctl_lookup_of_what_nobody_answers() {
	start_resolver --control "$(sock)" --upstream "$SPARE4" --upstream-tcp
	expect_status 3 ctl lookup www.example
	expect_match 'failed: no upstream gave an answer' "$OUTPUT"
	expect_match 'answered by: resolver' "$OUTPUT"
	expect_match "^  server $SPARE4:53  asked at ms [0-9.]+  outcome not reached$" "$OUTPUT"
	stop resolver
	start silent "$DNS" 0 limits.py slow "$FAKE4" 60 0
	wait_for 5 logged silent ready
	start_resolver --control "$(sock)" --upstream "$FAKE4"
	expect_status 3 ctl lookup www.example
	expect_match "^  server $FAKE4:53  asked at ms [0-9.]+  outcome no answer$" "$OUTPUT"
}

test_ctl_reload() {
	control
	ctl reload >/dev/null
	loaded_twice() { (($(ctl --json names | json loads) == 2)); }
	wait_for 5 loaded_twice
}

test_ctl_is_for_root_and_the_resolver_only() {
	control
	on "$APP" "$PROXY_UID" meshdns-resolver ctl --control "$(sock)" >/dev/null
	expect_eq "660 $PROXY_UID" "$(stat -c '%a %u' "$(sock)")"
	expect_status 2 as_app meshdns-resolver ctl --control "$(sock)"
	chmod 0666 "$(sock)"
	expect_status 2 as_app meshdns-resolver ctl --control "$(sock)"
	expect_match 'only root and its own user may' "$OUTPUT"
	expect_status 1 ctl no-such-command
	expect_status 1 ctl status --colour red
	stop resolver
	expect_status 2 ctl status
	[[ ! -e $(sock) ]] || fail "the socket is still there"
}

test_a_dead_socket_is_replaced_and_a_living_one_not() {
	control
	expect_status 2 resolver --user "$PROXY_UID" --listen 127.0.0.1:9953 --upstream "$UNBOUND4" \
		--control "$(sock)"
	expect_match 'cannot make the control socket .*: Address already in use' "$OUTPUT"
	stop resolver KILL || :
	control
	expect_match '^ready: yes$' "$(ctl status)"
}

# --- the query log ---

test_queries_are_logged_on_demand() {
	control
	query redis.mesh >/dev/null
	ctl log on >/dev/null
	sleep 0.1
	query redis.mesh >/dev/null
	query +tcp +dnssec +bufsize=1400 www.outside.example AAAA >/dev/null
	local line='\[INFO\] 127\.0\.0\.1:[0-9]+ - [0-9]+'
	wait_for 5 logged resolver \
		"$line \"A IN redis\\.mesh\\. udp [0-9]+ false [0-9]+\" NOERROR qr,aa,rd.* [0-9]+ 0\\.[0-9]+s\$"
	wait_for 5 logged resolver "$line \"AAAA IN www\\.outside\\.example\\. tcp [0-9]+ true 1400\" NOERROR"
	expect_eq 2 "$(grep -c '^\[INFO\]' "$LAB/log/resolver")"
	expect_eq False "$(ctl --json log off | json query_log)"
	sleep 0.1
	query redis.mesh >/dev/null
	expect_eq 2 "$(ctl --json log off | json written)"
}

test_the_query_log_is_kept_within_bounds() {
	control --log-queries
	query redis.mesh >/dev/null
	wait_for 5 logged resolver '"A IN redis.mesh. '
	ctl log on --name .example --rate 3 --for 1s >/dev/null
	sleep 0.1
	for _ in {1..8}; do query redis.mesh +short >/dev/null; done
	expect_eq 1 "$(grep -c '^\[INFO\]' "$LAB/log/resolver")"
	logging_ended() { [[ $(ctl --json status | json query_log) == False ]]; }
	wait_for 5 logging_ended
	ctl log on --rate 3 >/dev/null
	sleep 0.1
	as_app dig +short @127.0.0.1 -p 15053 {a,b,c,d,e,f,g,h,i,j}.mesh >/dev/null
	kept_back() { (($(ctl --json log on | json kept_back) > 0)); }
	wait_for 5 kept_back
}

# --- dnstap ---

# What dnstap-ldns, a real reader, says of a capture: one line a message.
read_dnstap() { dnstap-ldns -q -r "$1"; }
# counted FILE KIND NUMBER
counted() { (($(read_dnstap "$1" | grep -c " $2 ") == $3)); }
ask_both() {
	query redis.mesh >/dev/null
	query +tcp www.outside.example >/dev/null
}
expect_dnstap() {
	local kind
	for kind in CQ CR; do wait_for 5 counted "$1" $kind 2; done
	for kind in FQ FR; do wait_for 5 counted "$1" $kind 1; done
	expect_match ' CR 127\.0\.0\.1 UDP [0-9]+b "redis.mesh." IN A$' "$(read_dnstap "$1")"
	expect_match " FQ $UNBOUND4 TCP [0-9]+b \"www.outside.example.\" IN A\$" "$(read_dnstap "$1")"
}

test_dnstap_to_a_file() {
	install -d -o "$PROXY_UID" "$LAB/tap"
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4" --dnstap "file:$LAB/tap/file"
	ask_both
	sleep 0.1
	stop resolver # writes out what is queued
	expect_dnstap "$LAB/tap/file"
}

test_dnstap_to_a_socket() {
	install -d -o "$PROXY_UID" "$LAB/tap"
	start collector "$APP" "$PROXY_UID" fstrm_capture -t protobuf:dnstap.Dnstap \
		-u "$LAB/tap/socket" -w "$LAB/tap/captured"
	wait_for 5 test -S "$LAB/tap/socket"
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4" --dnstap "unix:$LAB/tap/socket"
	sleep 0.3 # for the hand-shake: what comes before it waits in the library's queue
	ask_both
	sleep 0.2
	stop resolver
	stop collector
	expect_dnstap "$LAB/tap/captured"
}

test_dnstap_with_nobody_there() {
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4" --dnstap "unix:$LAB/nobody"
	ask_both
	expect_eq "200 OK" "$(eyes get /ready)"
	expect_status 1 resolver --dnstap /no/such
	expect_match 'neither unix:PATH nor file:PATH' "$OUTPUT"
}

run_tests "$@"
