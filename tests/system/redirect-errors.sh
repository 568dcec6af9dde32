#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything that can go wrong: the exit code, and a message that says what to do.
# A kernel that lacks something is played by strace, which puts other words into its mouth.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

ALL=(--redirect-all-dns-traffic --proxy-user "$PROXY_UID" --backend nftables)

setup() {
	need nft strace
}

rules() { in_app nft list ruleset; }

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

# lies WHAT COMMAND…: meshdns-redirect on a kernel that behaves as strace is told.
lies() { traced -e "inject=$1" meshdns-redirect "${@:2}"; }

# traced STRACE-ARGUMENT…: into the log. A sanitizer's leak checker cannot run under a tracer.
traced() { in_app env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$LAB/log/strace" "$@"; }

# answer SEQUENCE ERRNO: the first acknowledgement of the transaction becomes this refusal.
answer() {
	local field hex=
	for field in 36 $((0x1000002)) "$1" 0 $((-$2)); do
		hex+=$(printf '%02x%02x%02x%02x' $((field & 255)) $((field >> 8 & 255)) \
			$((field >> 16 & 255)) $((field >> 24 & 255)))
	done
	echo "recvfrom:poke_exit=@arg2=$hex:when=1"
}
ENOENT=2 EINVAL=22 EOPNOTSUPP=95 EAFNOSUPPORT=97

# --- usage --------------------------------------------------------------------------------------

test_usage() {
	says 1 'Usage: meshdns-redirect COMMAND' meshdns-redirect
	says 1 'no command "instal"; did you mean install' meshdns-redirect instal
	says 1 'no command "frobnicate"; .*--help' meshdns-redirect frobnicate
	says 1 'nothing to capture: give --redirect-dns' redirect install
	says 1 'exclude each other' redirect install --redirect-dns --redirect-all-dns-traffic
	says 1 'did you mean --redirect-dns-port' redirect install --redirect-dns-prt 1
	says 1 'what is "proxy"' redirect install proxy
	says 1 'did you mean --netns' redirect uninstall --netnz x
	says 0 'Commands:' meshdns-redirect --help
	says 0 '^meshdns-redirect [^ ]+$' meshdns-redirect --version
	local command
	for command in install plan status diff verify confirm uninstall; do
		says 0 'Examples:' meshdns-redirect $command --help
		says 0 '^meshdns-redirect ' meshdns-redirect $command --version
	done
}

# --- what settings refer to ---------------------------------------------------------------------

test_users() {
	says 1 '--proxy-user: no user "nobody-here" .*uid' redirect install --redirect-dns \
		--proxy-user nobody-here
	says 1 '"4294967295" is neither a user name nor a uid' redirect install --redirect-dns \
		--kuma-dp-user 4294967295
}

test_resolv_conf() {
	local file=$LAB/resolv.conf
	local plan=(meshdns-redirect plan --redirect-dns --proxy-user 1 --resolv-conf "$file")
	rm -f "$file"
	says 1 "cannot open $file: No such file" "${plan[@]}"
	mkdir "$file"
	says 1 "$file is not a regular file" "${plan[@]}"
	rmdir "$file"
	install -m 0600 /dev/null "$file"
	says 1 "cannot open $file: Permission denied" as_app "${plan[@]}"
	says 0 "warning: no nameserver .*--redirect-all-dns-traffic .*--resolv-conf.*file=$file" \
		"${plan[@]}"
	expect_match 'set nameservers4: 127.0.0.1$' "$OUTPUT"
	expect_match 'set nameservers6: ::1$' "$OUTPUT"
	printf 'nameserver 10.0.0.1\n' >"$file"
	says 1 'no nameserver that can be captured.*--ip-family-mode' "${plan[@]}" --ip-family-mode ipv6
	head -c 100000 /dev/zero | tr '\0' '#' >"$file"
	says 1 "$file is larger than" "${plan[@]}"
}

test_namespaces() {
	says 1 'no network namespace "meshdns-nowhere".*ip netns list' meshdns-redirect uninstall \
		--netns meshdns-nowhere
	says 1 'no process 4194305' meshdns-redirect uninstall --netns 4194305
	says 1 '/dev/null is not a network namespace' meshdns-redirect uninstall --netns /dev/null
	says 2 'needs root \(CAP_SYS_ADMIN\)' as_app meshdns-redirect uninstall --netns "$APP"
}

# --- what the machine lacks ---------------------------------------------------------------------

test_privileges() {
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect install "${ALL[@]}"
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect uninstall
	says 2 'needs root \(CAP_NET_ADMIN\)' in_app setpriv --bounding-set -net_admin \
		meshdns-redirect install "${ALL[@]}"
	expect_eq '' "$(rules)"
}

test_a_kernel_without_nf_tables() {
	says 2 'no nfnetlink \(CONFIG_NETFILTER_NETLINK\)' \
		lies socket:error=EPROTONOSUPPORT install "${ALL[@]}"
	says 1 '^not installed' lies sendto:error=EINVAL:when=1 status
	says 2 'no nf_tables \(CONFIG_NF_TABLES\)' lies "$(answer 0 $EOPNOTSUPP)" install "${ALL[@]}"
	says 0 'nothing to do: no rules are installed' \
		lies socket:error=EPROTONOSUPPORT uninstall --verbose
	says 0 'nothing to do: no rules are installed' \
		lies "$(answer 0 $EOPNOTSUPP)" uninstall --verbose
	redirect uninstall
}

# Messages: 0 begin, 1 the table, 2 and 3 the chains, 4 return, 5 and 6 zones, 7 to 10 return,
# 11 redirect.
test_a_kernel_without_a_feature() {
	local run
	refuses() {
		redirect uninstall
		says 2 "$1" lies "$(answer "$2" "$3")" install "${ALL[@]}"
	}
	refuses 'no tables for IPv4 and IPv6 together \(CONFIG_NF_TABLES_INET\)' 1 $EAFNOSUPPORT
	refuses 'no NAT in inet tables \(CONFIG_NFT_NAT.*chain output-nat' 3 $ENOENT
	for run in "5 $ENOENT" "6 $EOPNOTSUPP"; do
		# shellcheck disable=SC2086 # two words
		refuses 'no conntrack zones .*CONFIG_NF_CONNTRACK_ZONES.*--skip-dns-conntrack-zone-split' $run
	done
	refuses 'no redirection \(CONFIG_NFT_REDIR\), .*"queries over UDP to any server' 11 $ENOENT
	redirect uninstall
}

# --- what the kernel refuses --------------------------------------------------------------------

test_a_refusal_names_the_rule() {
	says 3 "refused the rule \"the resolver's own queries over TCP go where it sends them\": Invalid" \
		lies "$(answer 10 $EINVAL)" install "${ALL[@]}"
	redirect uninstall
	says 3 'refused the chain output-raw: Invalid argument' \
		lies "$(answer 2 $EINVAL)" install "${ALL[@]}"
	redirect uninstall
	says 3 'refused the set nameservers4: Invalid argument' lies "$(answer 2 $EINVAL)" \
		install --redirect-dns --proxy-user 0 --backend nftables
	redirect uninstall
}

# Another install gets in between our look and our transaction: refused once, then replaced.
test_a_table_that_was_not_there_a_moment_ago() {
	redirect uninstall
	in_app nft 'add table inet meshdns { chain theirs { }; }'
	says 0 '^$' lies sendto:error=ENOENT:when=1 install "${ALL[@]}"
	expect_match redirect "$(rules)"
	expect_no_match theirs "$(rules)"
	redirect uninstall
}

test_a_lost_answer_is_looked_up() {
	says 0 '^$' lies recvfrom:error=ENOBUFS install "${ALL[@]}"
	expect_match redirect "$(rules)"
	redirect uninstall
	says 3 'the kernel did not take the rules' lies sendto:retval=1:when=3 install "${ALL[@]}"
	expect_eq '' "$(rules)"
}

# The kernel is given another priority than we meant: the difference is seen, what was there before
# comes back.
test_what_was_there_comes_back() {
	local other before
	traced -e trace=sendto -e write=all meshdns-redirect install "${ALL[@]}"
	redirect uninstall
	other=$(awk '/^sendto/ { n++ } n == 3 && /^ \|/ && i++ < 32 { print substr($0, 11, 49) }' \
		"$LAB/log/strace" | tr -d ' \n')
	expect_eq 1024 ${#other}
	other=${other/fffffed4/fffffed3}

	says 3 'it has chain output-raw \(.*priority -301\)' \
		lies "sendto:poke_enter=@arg2=$other:when=3" install "${ALL[@]}"
	expect_eq '' "$(rules)"

	redirect install --redirect-dns --proxy-user 1
	before=$(rules)
	says 3 'does not hold the rules that it accepted' \
		lies "sendto:poke_enter=@arg2=$other:when=8" install "${ALL[@]}"
	expect_eq "$before" "$(rules)"
	redirect uninstall
}

run_tests "$@"
