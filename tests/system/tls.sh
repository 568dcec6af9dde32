#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DNS over TLS upstream: who is believed, how connections are used, and what happens when there is none.

# shellcheck disable=SC2317 # wait_for calls functions that seem unused

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }
expect_answer() { expect_eq "$1" "$(query +short "${@:2}")" "${*:2}"; }
resolver() { in_app "${root_prefix[@]}" timeout -k 1 10 meshdns-resolver --user "$PROXY_UID" "$@"; }
seen() { grep -c "^$1" "$LAB/log/tls" || :; }

# certificate NAME SUBJECT-ALT-NAMES: of the lab's authority.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$LAB/tls/$1.key" -out "$LAB/tls/$1.csr" 2>/dev/null
	openssl x509 -req -in "$LAB/tls/$1.csr" -CA "$LAB/tls/ca.pem" -CAkey "$LAB/tls/ca.key" \
		-days 2 -extfile <(echo "subjectAltName=$2") -out "$LAB/tls/$1.pem" 2>/dev/null
}

# Unbound over TLS, as what people use; and the outside's records in it.
start_unbound_tls() {
	start_outside
	stop unbound
	cat >>"$LAB/unbound.conf" <<-EOT
		server:
		 interface: $UNBOUND4@853
		 interface: $UNBOUND6@853
		 tls-port: 853
		 tls-service-key: "$LAB/tls/unbound.key"
		 tls-service-pem: "$LAB/tls/unbound.pem"
	EOT
	start unbound "$DNS" 0 unbound-copy -d -c "$LAB/unbound.conf"
	wait_for 10 logged unbound 'start of service'
}

setup() {
	need openssl
	mkdir "$LAB/tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=lab \
		-keyout "$LAB/tls/ca.key" -out "$LAB/tls/ca.pem" 2>/dev/null
	certificate unbound "DNS:dns.example,IP:$UNBOUND4,IP:$UNBOUND6"
	certificate fake "DNS:fake.example,IP:$FAKE4"
	certificate client DNS:client.example
	start_unbound_tls
}

# serve SERVER…: with the lab's certificates to trust.
serve() {
	local server args=()
	for server; do args+=(--upstream "$server"); done
	start_resolver --tls-ca "$LAB/tls/ca.pem" "${args[@]}"
}
# start_fake [MODE [CA]]: see tls.py
start_fake() {
	start tls "$DNS" 0 tls.py "$FAKE4" "$LAB/tls/fake.pem" "$LAB/tls/fake.key" "$@"
	wait_for 10 logged tls ready
}

test_a_certificate_for_the_name_or_the_address() {
	local server
	for server in "tls://$UNBOUND4#dns.example" "tls://$UNBOUND4" "tls://[$UNBOUND6]:853" \
		"tls://[$UNBOUND6]#DNS.example"; do
		serve "$server"
		expect_answer 192.0.2.10 www.outside.example
		expect_eq 60 "$(query +short +tcp big.outside.example | wc -l)" "addresses of a long answer"
		expect_match 'flags: .*tc' "$(query +bufsize=512 +ignore big.outside.example)"
		stop resolver
	done
}

test_whoever_cannot_show_it_is_not_believed() {
	capture
	serve "tls://$UNBOUND4#other.example"
	expect_eq SERVFAIL "$(query www.outside.example | rcode)"
	wait_for 5 logged resolver "no TLS with an upstream server=$UNBOUND4:853 reason=\".*[Hh]ostname mismatch"
	stop resolver
	start_resolver --upstream "tls://$UNBOUND4#dns.example"
	expect_eq SERVFAIL "$(query www.outside.example | rcode)"
	wait_for 5 logged resolver 'certificate is not believed: .*(local issuer|self.signed)'
	expect_eq '' "$(upstream_queries)" "queries in the clear"
}

test_connections_are_used_again_and_sessions_resumed() {
	start_fake
	serve "tls://$FAKE4#fake.example"
	as_app dig -r +short +tries=1 @127.0.0.1 -p 15053 {a,b,c,d,e,f,g,h,i,j}.example >"$LAB/answers"
	expect_eq 10 "$(grep -c 192.0.2.77 "$LAB/answers")"
	expect_eq 1 "$(seen connection)" connections
	expect_match '^connection sni fake\.example alpn dot resumed False client no$' "$(log_of tls)"
	stop tls KILL || :
	stop resolver
	start_fake once # every answer ends its connection
	serve "tls://$FAKE4#fake.example"
	for i in {1..4}; do expect_answer 192.0.2.77 "n$i.example"; done
	(($(seen 'connection .* resumed True') >= 2)) || fail "not resumed: $(log_of tls)"
}

test_questions_share_a_connection_and_answers_come_in_any_order() {
	start_fake late
	serve "tls://$FAKE4#fake.example"
	local i
	for i in {1..6}; do query +short "n$i.example" >"$LAB/reply$i" & done
	all_six() { (($(cat "$LAB"/reply? | grep -c 192.0.2.77) == 6)); }
	wait_for 6 all_six
	expect_eq 1 "$(seen connection)" connections
}

test_questions_with_edns_are_padded_and_clients_see_none_of_it() {
	start_fake
	serve "tls://$FAKE4"
	expect_no_match PAD "$(query +edns +bufsize=1232 a-name.example)"
	query +edns +nsid +padding=20 a-rather-longer-name.than.that.example >/dev/null
	query +noedns b.example >/dev/null
	expect_match '^question a-name.example. octets 128 padded True$' "$(log_of tls)"
	expect_match '^question a-rather.* octets 128 padded True$' "$(log_of tls)"
	expect_match '^question b.example. octets 27 padded False$' "$(log_of tls)"
}

test_a_corefile_with_a_certificate_of_our_own() {
	start_fake plain "$LAB/tls/ca.pem"
	cat >"$LAB/Corefile" <<-EOT
		.:15053 {
		  forward . tls://$FAKE4 {
		    tls $LAB/tls/client.pem $LAB/tls/client.key $LAB/tls/ca.pem
		    tls_servername fake.example
		  }
		}
	EOT
	chmod 0600 "$LAB/tls/client.key" # root's: it is read before root is given up
	start_resolver -conf "$LAB/Corefile"
	expect_answer 192.0.2.77 www.example
	expect_match ' sni fake.example alpn dot .* client yes$' "$(log_of tls)"
}

test_a_reload_cannot_bring_the_first_of_them() {
	corefile() { printf '.:15053 {\n reload 2s\n forward . %s\n}\n' "$1" >"$LAB/Corefile"; }
	corefile "$UNBOUND4"
	start_resolver -conf "$LAB/Corefile"
	corefile "tls://$UNBOUND4"
	# shellcheck disable=SC2031 # a test is a subshell
	kill -HUP "${PID[resolver]}"
	wait_for 5 logged resolver 'the first server with TLS needs a restart'
	expect_answer 192.0.2.10 www.outside.example
}

test_another_server_stands_in() {
	local mode
	for mode in silent reset garbage; do
		start_fake $mode
		serve "tls://$FAKE4" "tls://$UNBOUND4"
		expect_answer 192.0.2.10 www.outside.example
		stop resolver
		stop tls KILL || :
	done
	serve "tls://$FAKE4" "tls://$UNBOUND4" # nobody is there
	expect_answer 192.0.2.10 www.outside.example
}

test_a_server_that_comes_back_is_asked_again() {
	serve "tls://$FAKE4"
	expect_eq SERVFAIL "$(query www.example | rcode)"
	start_fake
	answers() { [[ $(query +short www.example) == 192.0.2.77 ]]; }
	wait_for 5 answers
}

test_what_cannot_be_is_said_at_the_start() {
	expect_status 1 resolver --upstream tls://10.0.0.1 --tls-ca /no/such
	expect_match 'tls://10\.0\.0\.1:853: cannot read the certificates to trust in /no/such: No such file' "$OUTPUT"
	expect_status 1 resolver --upstream tls://dns.example
	expect_match '"tls://dns\.example" is not an address' "$OUTPUT"
	printf '.:15053 {\n forward . tls://%s {\n tls %s %s\n }\n}\n' "$UNBOUND4" \
		"$LAB/tls/client.pem" "$LAB/tls/fake.key" >"$LAB/Corefile"
	expect_status 1 resolver -conf "$LAB/Corefile"
	expect_match "$LAB/Corefile:2: forward: cannot read the key .*|the key $LAB/tls/fake.key is not that of" \
		"$OUTPUT"
	expect_status 1 resolver --upstream "$UNBOUND4:853" --forward "a=tls://$UNBOUND4"
	expect_match 'one server with different TLS, or with TLS and without' "$OUTPUT"
	expect_match 'forward \. tls://10\.0\.0\.1%dns\.example:853 ' \
		"$(meshdns-resolver --upstream 'tls://10.0.0.1#dns.example' --print-config)"
}

run_tests "$@"
