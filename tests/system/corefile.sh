#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The resolver in CoreDNS' place: by a Corefile, with and without Envoy's DNS filter before it.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }

# corefile: standard input, as the file $LAB/Corefile.
corefile() { cat >"$LAB/Corefile"; }

setup() {
	start_outside
	start_knot
	names '240.0.0.9 table.mesh'
	printf 'nameserver %s\n' "$UNBOUND4" >"$LAB/resolv.conf"
	printf '10.2.2.2 app.corp.example\n10.2.2.3 table.mesh\n' >"$LAB/hosts"
	start filter "$APP" 0 filter.py 127.0.0.1 15054 redis.mesh=240.0.0.1 both.mesh=240.0.0.2,fd00:fd00::2
	wait_for 5 logged filter ready
}

# Started by root, who becomes the proxy user.
test_each_directive_does_what_it_says() {
	export LAB UNBOUND4 UNBOUND6 KNOT4 APP4
	expect_status 0 in_app corefile-table.py "$SYSTEM/corefile.table" "${root_prefix[@]}" \
		meshdns-resolver --user "$PROXY_UID" --control off
}

# What Prometheus gets.
scrape() {
	as_app python3 -c 'import urllib.request as r
print(r.urlopen("http://localhost:19153/metrics").read().decode())'
}

# run_corefile [FLAG…]: by the Corefile on standard input.
run_corefile() {
	corefile
	start_resolver -conf "$LAB/Corefile" "$@"
}

# shellcheck disable=SC2031 # a test is a subshell
hangup() { kill -HUP "${PID[resolver]}"; }

refuses() { [[ $(query "$1" | rcode) == REFUSED ]]; }
answers() { [[ $(query +short "$1") == "$2" ]]; }

# The word of whoever starts it decides: kuma-dp's own command line.
test_as_the_data_plane_starts_it() {
	corefile <<-EOT
		.:15053 {
		    forward . 127.0.0.1:15054
		    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf
		    prometheus localhost:19153
		    errors
		}
	EOT
	# As the data plane's user, with nothing but these words, and the variables of a sidecar.
	start resolver "$APP" "$PROXY_UID" env KUMA_DNS_ENABLED=true KUMA_DNS_ENABLE_LOGGING=false \
		KUMA_DNS_PROXY_PORT=0 KUMA_DNS_CORE_DNS_PORT=15053 KUMA_DNS_ENVOY_DNS_PORT=15054 \
		KUMA_DNS_CORE_DNS_BINARY_PATH=coredns KUMA_DNS_CORE_DNS_CONFIG_TEMPLATE_PATH=/nowhere \
		meshdns-resolver -conf "$LAB/Corefile" -quiet
	wait_for 5 answers redis.mesh 240.0.0.1
	expect_eq 192.0.2.10 "$(query +short www.outside.example)"
	expect_eq 192.0.2.10 "$(query +short +tcp www.outside.example)"
	BODY=$(scrape)
	expect_sample 'coredns_dns_requests_total{server="dns://:15053",zone=".",view="",proto="tcp",family="1",type="A"}' 1
	expect_sample 'coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="127.0.0.1:15054"}' 0
	expect_sample "coredns_proxy_healthcheck_failures_total{proxy_name=\"alternate\",to=\"$UNBOUND4:53\"}" 0
	# Quiet, unless another test's resolver is at the control socket that was not asked for.
	expect_eq '' "$(log_of resolver | sed '/no control socket/d')"
}

# The overrides of Kuma's documentation, line by line but for the comments: for 2.7, which has a second
# block, and since. Named by a flag, and by the variable.
test_kumas_templates() {
	local block
	for block in '' '
.:{{ .CoreDNSEmptyPort }} {
    template ANY ANY . {
      rcode NXDOMAIN
    }
}'; do
		cat >"$LAB/template" <<-EOT
			.:{{ .CoreDNSPort }} {
			    # the mesh has no IPv6
			    template IN AAAA . {
			       rcode NOERROR
			       fallthrough
			    }

			    forward . 127.0.0.1:{{ .EnvoyDNSPort }}
			    # what the filter does not know goes to: https://example.org/{{ "servers" }}
			    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf
			    prometheus localhost:{{ .PrometheusPort }}
			    errors
			}
			$block
		EOT
		start_resolver --dns-coredns-config-template-path "$LAB/template" --dns-coredns-port 15056
		expect_eq 240.0.0.1 "$(query -p 15056 +short redis.mesh)"
		expect_match 'status: NOERROR.*' "$(query -p 15056 both.mesh AAAA)"
		expect_eq '' "$(query -p 15056 +short both.mesh AAAA)"
		expect_eq 192.0.2.10 "$(query -p 15056 +short www.outside.example)"
		expect_match 'coredns_template_matches_total[{].*type="AAAA"[}] 2' "$(scrape)"
		[[ ! $block ]] || expect_match 'status: NXDOMAIN' "$(query -p 15055 x.example)"
		stop resolver
	done
	KUMA_BOOTSTRAP_SERVER_PARAMS_COREFILE_TEMPLATE_PATH=$LAB/template start_resolver
	expect_eq 240.0.0.1 "$(query +short redis.mesh)"
	stop resolver
	# The data plane's own has the last word.
	echo '.:{{ .CoreDNSPort }} { nonsense }' >"$LAB/theirs"
	KUMA_BOOTSTRAP_SERVER_PARAMS_COREFILE_TEMPLATE_PATH=$LAB/theirs \
		expect_status 0 meshdns-resolver --template "$LAB/template" --check
	KUMA_BOOTSTRAP_SERVER_PARAMS_COREFILE_TEMPLATE_PATH=$LAB/theirs \
		expect_status 1 meshdns-resolver --check
	echo '.:{{ .CoreDNSPort }} {{"{"}}{{ if .CoreDNSLogging }}
		log{{ end }}
	}' >"$LAB/template"
	expect_status 0 meshdns-resolver --template "$LAB/template" --print-config
	expect_no_match log "$OUTPUT"
	expect_status 0 meshdns-resolver --template "$LAB/template" --dns-enable-logging --print-config
	expect_match log "$OUTPUT"
	KUMA_DNS_ENABLE_LOGGING=true expect_status 0 meshdns-resolver --template "$LAB/template" --print-config
	expect_match log "$OUTPUT"
}

# What flags amount to is the same when it is read as a Corefile.
test_flags_as_a_corefile() {
	local flags=(--names "$LAB/names" --ttl 30 --upstream "$UNBOUND4" --forward "knot.example=$KNOT4" --cache 1M)
	look() {
		local name
		for name in table.mesh www.outside.example www.knot.example no.mesh; do
			query +noall +answer +authority "$name"
			query "$name" | rcode # from the cache
		done
		scrape | grep -o 'responses_total.*plugin="cache"' | sed 's/.*rcode/rcode/'
		as_app eyes.py get /health
		as_app eyes.py get /ready
	}
	start_resolver "${flags[@]}"
	look >"$LAB/flags"
	expect_match 192.0.2.20 "$(cat "$LAB/flags")"
	stop resolver
	meshdns-resolver "${flags[@]}" --print-config >"$LAB/Corefile"
	start_resolver -conf "$LAB/Corefile"
	look >"$LAB/read"
	expect_eq "$(cat "$LAB/flags")" "$(cat "$LAB/read")"
	expect_no_match warning "$(log_of resolver)"
}

# The same names, for a client of each kind: one hop, and nobody asks the filter.
test_names_take_the_filters_place() {
	local before
	before=$(log_of filter | wc -l)
	run_corefile --names "$LAB/names" <<-EOT
		.:15053 {
		    forward . 127.0.0.1:15054
		    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . /etc/resolv.conf
		}
	EOT
	expect_eq 240.0.0.9 "$(query +short table.mesh)"
	expect_eq 192.0.2.10 "$(query +short www.outside.example)"
	expect_eq NOERROR "$(query table.mesh MX | rcode)"
	expect_eq "$before" "$(log_of filter | wc -l)" 'questions at the filter'
}

# One question each for the filter and, behind it, the servers that were there before.
test_no_question_is_asked_twice() {
	capture
	run_corefile <<-EOT
		.:15053 {
		    forward . 127.0.0.1:15054
		    alternate NOTIMP,FORMERR,NXDOMAIN,SERVFAIL,REFUSED . $UNBOUND4
		}
	EOT
	: >"$LAB/log/filter"
	query www.outside.example HTTPS >/dev/null
	query www.outside.example >/dev/null
	expect_eq 1 "$(grep -c 'www.outside.example. HTTPS' "$LAB/log/filter")"
	expect_eq 1 "$(grep -c 'www.outside.example. A' "$LAB/log/filter")"
	expect_eq 2 "$(queries_for www.outside.example | wc -l)"
}

test_another_corefile_is_taken_up() {
	run_corefile <<-EOT
		.:15053 {
		    forward . $KNOT4
		    reload 2s
		}
	EOT
	expect_eq REFUSED "$(query www.outside.example | rcode)"
	corefile <<<'.:15053 { nonsense }'
	wait_for 10 logged resolver 'Corefile not taken up.*nonsense'
	expect_eq 192.0.2.20 "$(query +short www.knot.example)"
	corefile <<-EOT
		.:15053 {
		    forward . $UNBOUND4
		}
	EOT
	wait_for 10 answers www.outside.example 192.0.2.10
	# What was not there when it confined itself: an expression, and a file.
	mkdir -p "$LAB/more"
	cat >"$LAB/more/one.conf" <<-'EOT'
		template IN A {
		    match "^(one)[.]example"
		    answer "{{ .Name }} A 10.3.3.3"
		    fallthrough
		}
	EOT
	corefile <<-EOT
		.:15053 {
		    import more/*.conf
		    forward . $UNBOUND4
		}
	EOT
	hangup
	wait_for 5 answers one.example 10.3.3.3
	corefile <<-EOT
		outside.example:15053 {
		    forward . $LAB/resolv.conf
		}
	EOT
	hangup
	wait_for 5 logged resolver 'Corefile is another now'
	wait_for 5 refuses www.knot.example
	expect_eq 192.0.2.10 "$(query +short www.outside.example)"
	printf 'nameserver %s\n' "$KNOT4" >"$LAB/resolv.conf"
	wait_for 10 refuses www.outside.example
	printf 'nameserver %s\n' "$UNBOUND4" >"$LAB/resolv.conf"
	corefile <<-EOT
		.:15099 {
		    forward . $UNBOUND4
		}
	EOT
	hangup
	wait_for 5 logged resolver '15099 was not listened on'
}

# Not one of a stream of questions is lost while the file changes under them.
test_a_hosts_file_that_changes() {
	run_corefile <<-EOT
		.:15053 {
		    hosts $LAB/hosts {
		        fallthrough
		    }
		    forward . $UNBOUND4
		}
	EOT
	expect_eq 10.2.2.2 "$(query +short app.corp.example)"
	printf '10.2.2.4 app.corp.example\n' >"$LAB/hosts"
	wait_for 10 answers app.corp.example 10.2.2.4
}

# Without bind it listens everywhere, and answers the hosts next to it, but not the world.
test_who_may_ask_where_it_listens_everywhere() {
	local far=203.0.113.1
	run_corefile <<<".:15053 {
		forward . $UNBOUND4
	}"
	expect_eq 192.0.2.10 "$(in_dns dig -r +short +tries=1 +time=5 "@$APP4" -p 15053 www.outside.example)"
	expect_eq 192.0.2.10 "$(in_dns dig -r +short +tries=1 +time=5 "@$APP6" -p 15053 www.outside.example)"
	lab_address "$DNS" lo "$far/32"
	ip -n "$APP" route add "$far/32" via "$UNBOUND4"
	expect_eq REFUSED "$(in_dns dig -r -b "$far" +tries=1 +time=5 "@$APP4" -p 15053 www.outside.example | rcode)"
	stop resolver
	start_resolver -conf "$LAB/Corefile" --allow "$far"
	expect_eq 192.0.2.10 "$(in_dns dig -r -b "$far" +short +tries=1 +time=5 "@$APP4" -p 15053 www.outside.example)"
	expect_eq REFUSED "$(in_dns dig -r +tries=1 +time=5 "@$APP4" -p 15053 www.outside.example | rcode)"
}

# Two ports, three zones; what is counted is the block's, over a reload too.
test_each_block_counts_for_itself() {
	local requests=coredns_dns_requests_total responses=coredns_dns_responses_total
	local enabled=coredns_plugin_enabled udp='proto="udp",family="1",type="A"'
	local root='server="dns://:15053",zone=".",view=""'
	local corp='server="dns://:15053",zone="corp.example.",view=""'
	local bound='server="dns://127.0.0.1:15060",zone="corp.example.",view=""'
	local dropped='server="dns://127.0.0.1:15060",zone="dropped",view=""'
	local quiet='server="dns://:15053",zone="quiet.example.",view=""'
	local cached='server="dns://:15053",zones=".",view=""'
	local blocks="corp.example:15053 {
		    prometheus localhost:19153
		    hosts $LAB/hosts
		}
		quiet.example:15053 {
		    template IN A {
		        answer \"{{ .Name }} A 10.3.3.3\"
		    }
		    template IN MX a.quiet.example {
		        authority \"{{ .Name }} MX ten\"
		    }
		}
		corp.example:15060 {
		    bind 127.0.0.1
		    prometheus localhost:19153
		    hosts $LAB/hosts
		}"
	printf '10.2.2.2 app.corp.example\n10.2.2.3 b.corp.example\n' >"$LAB/hosts"
	run_corefile <<<".:15053 {
		    prometheus localhost:19153
		    cache
		    forward . $UNBOUND4
		}
		$blocks"
	query www.outside.example >/dev/null
	query www.outside.example +tcp >/dev/null
	query app.corp.example >/dev/null
	query app.corp.example -p 15060 >/dev/null
	query app.corp.example -p 15060 >/dev/null
	query a.quiet.example >/dev/null
	query a.quiet.example MX >/dev/null
	BODY=$(scrape)
	! grep -q 'zone="dropped"' <<<"$BODY" || fail "nothing was dropped yet"
	query www.outside.example -p 15060 >/dev/null
	BODY=$(scrape)
	expect_sample "$requests{$root,$udp}" 1
	expect_sample "$requests{$root,proto=\"tcp\",family=\"1\",type=\"A\"}" 1
	expect_sample "$requests{$corp,$udp}" 1
	expect_sample "$requests{$bound,$udp}" 2
	expect_sample "$requests{$dropped,$udp}" 1
	expect_eq 5 "$(grep -c "^$requests{" <<<"$BODY")" # and those of quiet.example are not told
	expect_sample "$responses{$root,rcode=\"NOERROR\",plugin=\"cache\"}" 1
	expect_sample "$responses{$root,rcode=\"NOERROR\",plugin=\"forward\"}" 1
	expect_sample "$responses{$bound,rcode=\"NOERROR\",plugin=\"hosts\"}" 2
	expect_sample "$responses{$dropped,rcode=\"REFUSED\",plugin=\"\"}" 1
	expect_sample "coredns_dns_request_duration_seconds_count{$root}" 2
	expect_sample "coredns_template_matches_total{$quiet,class=\"IN\",type=\"A\"}" 1
	expect_sample "coredns_template_rr_failures_total{${quiet/quiet/a.quiet},section=\"authority\",template=\"{{ .Name }} MX ten\",class=\"IN\",type=\"MX\"}" 1
	expect_sample "coredns_cache_hits_total{$cached,type=\"success\"}" 1
	expect_sample "coredns_cache_entries{$cached,type=\"success\"}" 1
	expect_sample "$enabled{$root,name=\"cache\"}" 1
	expect_sample "$enabled{$bound,name=\"hosts\"}" 1
	expect_sample "coredns_hosts_entries{hostsfile=\"$LAB/hosts\"}" 4
	expect_match "^coredns_hosts_reload_timestamp_seconds $(stat -c %Y "$LAB/hosts")[.]" "$BODY"
	expect_sample coredns_reload_failed_total 0
	local version
	version=$(grep '^coredns_reload_version_info{hash="xxh3",value="' <<<"$BODY")

	corefile <<<'.:15053 { nonsense }'
	hangup
	wait_for 5 logged resolver 'Corefile not taken up'
	corefile <<<".:15053 {
		    prometheus localhost:19153
		    errors
		    forward . $UNBOUND4
		}
		$blocks"
	hangup
	wait_for 5 logged resolver 'Corefile is another now'
	query www.outside.example >/dev/null
	query app.corp.example >/dev/null
	BODY=$(scrape)
	expect_sample "$requests{$root,$udp}" 2
	expect_sample "$requests{$corp,$udp}" 2
	expect_sample "$requests{$dropped,$udp}" 1
	expect_sample "$enabled{$root,name=\"errors\"}" 1
	expect_eq 0 "$(grep -c "^$enabled.*cache" <<<"$BODY")"
	expect_sample coredns_reload_failed_total 1
	expect_eq 0 "$(grep -cxF "$version" <<<"$BODY")"
	as_app eyes.py check >/dev/null
}

test_addresses_take_turns() {
	local i
	run_corefile <<-EOT
		.:15053 {
		    loadbalance
		    cache
		    forward . $UNBOUND4
		}
	EOT
	for ((i = 0; i < 12; i++)); do
		query +short big.outside.example +bufsize=4096 +notcp | sed 1q
	done >"$LAB/first"
	expect_between 3 12 "$(sort -u "$LAB/first" | wc -l)" 'different addresses that were first'
}

test_a_new_corefile_loses_no_question() {
	local i to
	run_corefile <<<".:15053 { # one line
		forward . $KNOT4
	}"
	as_app bash -c 'for ((i = 0; i < 20; i++)); do
		dig -r +short +tries=1 +time=2 @127.0.0.1 -p 15053 www.knot.example; done' >"$LAB/stream" &
	for ((i = 0; i < 6; i++)); do
		to=$((i % 2 ? 4 : 6))
		corefile <<-EOT
			.:15053 {
			    forward . $([[ $to == 4 ]] && echo "$KNOT4" || echo "$KNOT6")
			}
		EOT
		hangup
		sleep 0.05
	done
	wait $!
	expect_eq '20 192.0.2.20' "$(sort "$LAB/stream" | uniq -c | awk '{print $1, $2}')"
}

test_each_page_is_served_where_it_was_asked_for() {
	run_corefile <<-EOT
		.:15053 {
		    forward . $UNBOUND4
		    prometheus 127.0.0.1:19200
		    health 127.0.0.1:19201 {
		        lameduck 1s
		    }
		    ready :19202
		}
		.:15060 {
		    prometheus 127.0.0.1:19200
		}
	EOT
	page() { as_app python3 - "$1" <<<'import sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as e: print(e.code)'; }
	expect_eq 200 "$(page http://127.0.0.1:19200/metrics)"
	expect_eq 404 "$(page http://127.0.0.1:19200/health)"
	expect_eq 200 "$(page http://127.0.0.1:19201/health)"
	expect_eq 404 "$(page http://127.0.0.1:19201/metrics)"
	expect_eq 200 "$(page http://127.0.0.1:19202/ready)"
	expect_eq 200 "$(page 'http://[::1]:19202/ready')"
	# shellcheck disable=SC2031 # a test is a subshell
	kill -TERM "${PID[resolver]}"
	wait_for 5 logged resolver stopping
	expect_eq 192.0.2.10 "$(query +short www.outside.example)" # a lame duck still answers
	stop resolver || fail "it ended badly"
}

run_tests "$@"
