#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The answer cache, with unbound as upstream, which logs what it is asked.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
ttl() { query +noall +answer "$@" | awk '{ print $2 }'; }
asked() { grep -cF " $1. " "$LAB/log/unbound" || :; } # NAME: how often unbound was
expect_metric() { expect_eq "$1" "$(as_app eyes.py metric "${@:2}")" "${*:2}"; }
# shellcheck disable=SC2031 # a test is a subshell
rss() { echo $(($(awk '{ print $2 }' <"/proc/${PID[resolver]}/statm") * 4096)); }
ctl() { in_app "${root_prefix[@]}" timeout -k 1 10 meshdns-resolver ctl --control "$LAB/ctl" --json "$@"; }

start_outside() {
	start_unbound 'www.outside.example. 300 A 192.0.2.10' 'short.outside.example. 1 A 192.0.2.11' 'brief.outside.example. 1 A 192.0.2.14' \
		'hot.outside.example. 3 A 192.0.2.12' 'warm.outside.example. 10 A 192.0.2.12' 'zero.outside.example. 0 A 192.0.2.13' \
		"$(printf 'big.outside.example. 60 TXT "%0200d"' 1)" \
		"$(printf 'big.outside.example. 60 TXT "%0200d"' 2)" \
		"$(printf 'big.outside.example. 60 TXT "%0200d"' 3)"
}

# serve FLAG…
serve() {
	start_outside
	names '240.0.0.1 redis.mesh'
	start_resolver --names "$LAB/names" --upstream "$UNBOUND4" --cache 1M "$@"
}

test_answers_are_asked_for_once_and_count_down() {
	serve
	expect_eq 300 "$(ttl www.outside.example)"
	sleep 1.1
	query WWW.outside.EXAMPLE >"$LAB/answer"
	expect_match '^WWW.outside.EXAMPLE.*(299|298).*192.0.2.10$' "$(section answer <"$LAB/answer")"
	expect_match '^qr rd ra$' "$(flags <"$LAB/answer")"
	expect_match 'udp: 1232$' "$(grep EDNS "$LAB/answer")"
	query +noedns +tcp www.outside.example >"$LAB/answer"
	expect_eq 1 "$(asked www.outside.example)"
	expect_no_match EDNS "$(<"$LAB/answer")"
	query +subnet=192.0.2.0/24 www.outside.example >/dev/null
	query +norec www.outside.example >/dev/null
	expect_eq 3 "$(asked www.outside.example)" "with those that pass the cache by"
	query zero.outside.example >/dev/null
	query zero.outside.example >/dev/null
	expect_eq 2 "$(asked zero.outside.example)" "TTL 0"
	expect_eq 3 "$(query +short TXT big.outside.example | wc -l)"
	query +noedns +ignore TXT big.outside.example >"$LAB/answer"
	expect_match tc "$(flags <"$LAB/answer")"
	expect_eq 1 "$(asked big.outside.example)"
	expect_metric 3 coredns_cache_hits_total type=success
	expect_metric 7 coredns_cache_requests_total
	expect_metric 3 coredns_dns_responses_total plugin=cache
}

test_denials_are_kept_and_flushed() {
	serve --control "$LAB/ctl"
	expect_eq NXDOMAIN "$(query no.outside.example | rcode)"
	expect_eq NXDOMAIN "$(query no.outside.example AAAA | rcode)"
	expect_eq 1 "$(asked no.outside.example)" "NXDOMAIN is for all types"
	expect_eq NOERROR "$(query www.outside.example AAAA | rcode)"
	expect_eq NOERROR "$(query www.outside.example AAAA | rcode)"
	expect_eq 192.0.2.10 "$(query +short www.outside.example)"
	expect_eq 2 "$(asked www.outside.example)" "NODATA is for one"
	expect_metric 2 coredns_cache_entries type=denial
	expect_match '"flushed":"no.outside.example"' "$(ctl flush no.outside.example)"
	query no.outside.example >/dev/null
	query www.outside.example >/dev/null
	expect_eq '2 2' "$(asked no.outside.example) $(asked www.outside.example)"
	expect_match '"flushed":3' "$(ctl flush)"
	query www.outside.example >/dev/null
	expect_eq 3 "$(asked www.outside.example)"
	expect_match '"cache":\{"bytes":1048576,"entries":1,"hits":3' "$(ctl status)"
}

test_stale_is_better_than_nothing() {
	local began
	serve --serve-stale 1h
	expect_eq 1 "$(ttl short.outside.example)"
	expect_eq 1 "$(ttl brief.outside.example)"
	in_dns nft -f - <<<'table inet silent { chain input {
		type filter hook input priority 0; udp dport 53 drop; }; }'
	sleep 1.1
	began=$(now_ms)
	expect_eq 30 "$(ttl short.outside.example)"
	expect_between 1700 4000 $(($(now_ms) - began)) "ms until it was given up"
	in_dns nft delete table inet silent
	stop unbound
	began=$(now_ms)
	expect_eq 192.0.2.11 "$(query +short short.outside.example)"
	expect_eq 192.0.2.14 "$(query +short brief.outside.example)"
	expect_between 0 1700 $(($(now_ms) - began)) "ms: not asked again, and nobody there"
	expect_eq SERVFAIL "$(query other.outside.example | rcode)"
	expect_metric 3 coredns_cache_served_stale_total
}

# By a Corefile, as CoreDNS does it: clients are not made to wait, and the server is asked meanwhile.
test_stale_may_be_given_at_once() {
	local began
	start_outside
	cat >"$LAB/Corefile" <<-EOT
		.:15053 {
		    cache {
		        success 1000 3600 1
		        serve_stale 1h
		        prefetch 2 1m 90%
		    }
		    forward . $UNBOUND4
		    prometheus
		}
	EOT
	start_resolver -conf "$LAB/Corefile"
	expect_eq 1 "$(ttl short.outside.example)"
	query warm.outside.example >/dev/null
	sleep 1.1
	expect_eq 30 "$(ttl short.outside.example)"
	wait_for 5 was_asked short.outside.example 2
	wait_for 5 gives_a_ttl_of_1
	query warm.outside.example >/dev/null
	query warm.outside.example >/dev/null
	wait_for 5 was_asked warm.outside.example 2
	in_dns nft -f - <<<'table inet silent { chain input {
		type filter hook input priority 0; udp dport 53 drop; }; }'
	sleep 1.1
	began=$(now_ms)
	expect_eq 30 "$(ttl short.outside.example)"
	expect_between 0 1000 $(($(now_ms) - began)) "ms, dig included"
	in_dns nft delete table inet silent
}
was_asked() { (($(asked "$1") == $2)); }
gives_a_ttl_of_1() { [[ $(ttl short.outside.example) == 1 ]]; }

# RFC 9520: what nobody answered is not asked again at once, and is once its time is over.
test_that_nobody_answers_is_kept_too() {
	serve
	stop unbound
	expect_eq SERVFAIL "$(query www.outside.example | rcode)"
	expect_eq SERVFAIL "$(query www.outside.example | rcode)"
	expect_metric 1 coredns_cache_hits_total type=denial
	expect_metric 1 coredns_cache_entries type=denial
}

test_hot_names_are_renewed_in_time() {
	local until=$(($(now_ms) + 6000))
	serve
	until (($(asked hot.outside.example) > 1 || $(now_ms) > until)); do
		query hot.outside.example >/dev/null
	done
	expect_metric 1 coredns_cache_prefetch_total
	expect_metric 1 coredns_cache_misses_total
	query hot.outside.example >/dev/null
	expect_eq 2 "$(asked hot.outside.example)"
}

test_memory_is_what_was_said() {
	serve
	local before
	before=$(rss)
	expect_eq '12000 NXDOMAIN' "$(as_app flood.py 127.0.0.1 15053 12000 outside.example | tail -n +2)"
	(($(as_app eyes.py metric coredns_cache_evictions_total type=denial) > 1000)) || fail "evictions"
	expect_between 3000 11000 "$(as_app eyes.py metric coredns_cache_entries type=denial)"
	sanitized || expect_between 0 4000000 \
		$(($(rss) - before)) "bytes more"
}

run_tests "$@"
