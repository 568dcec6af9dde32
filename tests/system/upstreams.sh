#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The upstream engine: who is asked, how often, and what is done about those that fail, lie or loop.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
expect_answer() { expect_eq "$1" "$(query +short "${@:2}")" "${*:2}"; }
gives() { [[ $(query +short "$2") == "$1" ]]; }

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

setup() {
	start_outside
	start_knot
}

# Each from a port of its own: dig lets others bind the port that the kernel gave it, and then one of
# two gets both answers.
test_equal_questions_go_upstream_once() {
	local i
	fake late
	serve --upstream "$FAKE4"
	seq 20001 20100 | as_app xargs -P 100 -I{} \
		dig -r +short +tries=1 +time=6 -b '127.0.0.1#{}' -p 15053 @127.0.0.1 wWw.exaMple >"$LAB/answers"
	expect_eq 100 "$(grep -c '^192.0.2.1$' "$LAB/answers")" "answers"
	i=$(grep -ci '^www.example' "$LAB/log/fake")
	expect_between 1 8 "$i" "questions upstream"
}

test_names_go_where_their_suffix_says() {
	serve --upstream "$UNBOUND4" --forward "knot.example=$KNOT6,$KNOT4"
	expect_answer 192.0.2.20 www.KNOT.example
	expect_answer 192.0.2.10 www.outside.example
	expect_eq NXDOMAIN "$(query badknot.example | rcode)" "a suffix is whole labels"
}

test_a_server_that_comes_back_is_asked_again() {
	serve --upstream "$FAKE4" --upstream "$UNBOUND4"
	expect_answer 192.0.2.10 www.outside.example
	fake lower-case # answers everything with 192.0.2.1
	wait_for 3 gives 192.0.2.1 www.outside.example
}

test_resolv_conf_is_read_again_and_no_question_lost() {
	local conf=$LAB/resolv.conf
	echo "nameserver $UNBOUND4" >"$conf"
	serve --resolv-conf "$conf"
	expect_answer 192.0.2.10 www.outside.example
	start flood "$APP" "$APP_UID" flood.py 127.0.0.1 15053 5000 outside.example
	echo >"$LAB/new" && mv "$LAB/new" "$conf"
	wait_for 3 logged resolver 'last good ones stay'
	echo "nameserver $UNBOUND6" >"$LAB/new" && mv "$LAB/new" "$conf"
	wait_for 3 logged resolver 'upstreams changed.*fd66::53'
	# shellcheck disable=SC2031 # a test is a subshell
	wait_for 15 ended "${PID[flood]}"
	expect_eq '5000 NXDOMAIN' "$(log_of flood | tail -n +2)"
	echo "nameserver $KNOT4" >"$LAB/new" && mv "$LAB/new" "$conf"
	wait_for 3 gives 192.0.2.20 www.knot.example
}

# As routers tell of one. Its interface is found, and told, from within the sandbox.
test_a_nameserver_with_a_link_local_address() {
	local i
	printf 'nameserver fe80::dead%%app0\nnameserver %s\n' "$UNBOUND4" >"$LAB/scoped.conf"
	serve --resolv-conf "$LAB/scoped.conf"
	for ((i = 0; i < 5; i++)); do
		expect_answer 192.0.2.10 www.outside.example
	done
	wait_for 5 logged resolver 'does not answer server=.fe80::dead%app0]:53'
}

test_a_loop_through_another_resolver_is_found() {
	cat >"$LAB/loop.conf" <<-EOT
		server:
		 interface: 127.0.0.1@5399
		 do-daemonize: no
		 username: ""
		 chroot: ""
		 pidfile: ""
		 use-syslog: no
		 do-not-query-localhost: no
		 module-config: "iterator"
		forward-zone:
		 name: "."
		 forward-addr: 127.0.0.1@15053
	EOT
	start loop "$APP" 0 "$LAB/bin/unbound-copy" -d -c "$LAB/loop.conf"
	wait_for 10 logged loop 'start of service'
	serve --upstream 127.0.0.1:5399
	wait_for 3 logged resolver 'is a loop'
	expect_eq SERVFAIL "$(query +time=2 www.outside.example | rcode)"
}

test_a_truncated_answer_is_fetched_over_tcp_for_who_takes_more() {
	capture
	serve --upstream "$UNBOUND4"
	expect_eq 60 "$(query +short +bufsize=4096 +ignore big.outside.example | wc -l)"
	query +bufsize=512 +ignore big.outside.example >"$LAB/cut"
	expect_match ' tc ' "$(flags <"$LAB/cut")"
	expect_between 20 40 "$(section answer <"$LAB/cut" | wc -l)" "records in 512 octets"
}

test_tcp_connections_are_reused() {
	local name
	capture
	serve --upstream "$UNBOUND4" --upstream-tcp
	for name in a b c d; do query "$name.outside.example" >/dev/null; done
	expect_eq 4 "$(upstream_queries 'Flags.*outside.example' | wc -l)"
	expect_eq 1 "$(grep -c 'Flags \[S\]' "$LAB/log/capture")" "connections"
}

# A tenth, at random: eight in a row are never lost. What more than that costs, faults.sh knows.
test_loss_is_made_up_for() {
	in_dns nft -f - <<-EOT
		table inet loss {
			chain input {
				type filter hook input priority 0;
				udp dport 53 numgen random mod 10 0 drop
			}
		}
	EOT
	serve --upstream "$UNBOUND4"
	expect_eq '200 NXDOMAIN' "$(as_app flood.py 127.0.0.1 15053 200 outside.example | tail -n +2)"
	in_dns nft delete table inet loss
}

run_tests "$@"
