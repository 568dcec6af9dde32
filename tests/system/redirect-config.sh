#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The places that options come from: defaults, files, variables, flags. `plan` shows what came of it,
# as an ordinary user.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

setup() {
	CONFIG=$LAB/config
	install -d -m 0755 "$CONFIG"
}

# config NAME LINE…: a file of that name.
config() {
	printf '%s\n' "${@:2}" >"$CONFIG/$1"
	chmod 0644 "$CONFIG/$1"
}

plan() { as_app meshdns-redirect plan --proxy-user 1 "$@"; }
var() { echo "KUMA_TRANSPARENT_PROXY_$1"; }

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

test_a_later_place_wins() {
	config a.yaml 'redirect: {dns: {enabled: true, captureAll: true, port: 1001}}'
	config b.yaml 'redirect: {dns: {port: 1002}}'
	local a=$CONFIG/a.yaml b=$CONFIG/b.yaml
	says 0 'redirect to port 15053' plan --redirect-all-dns-traffic
	says 0 'redirect to port 1001$' plan --config "$a"
	says 0 'redirect to port 1002$' plan --config "$a,$b"
	says 0 'redirect to port 1001$' plan --config "$b" --config="$a"
	expect_no_match 'redirect to port 1002$' "$OUTPUT"
	export "$(var REDIRECT_DNS_PORT=1003)"
	says 0 'redirect to port 1003$' plan --config "$a" --config "$b"
	says 0 'redirect to port 1004$' plan --redirect-dns-port 1004 --config "$a"
}

test_variables_alone() {
	export "$(var REDIRECT_DNS_CAPTURE_ALL=true)"
	says 0 'udp to port 53 of uid 1 ' plan
	export "$(var KUMA_DP_USER=4000000000)"
	says 0 'udp to port 53 of uid 4000000000 ' as_app meshdns-redirect plan
	export "$(var REDIRECT_DNS_SKIP_CONNTRACK_ZONE_SPLIT=true)"
	expect_no_match zone "$(plan --verbose)"
	export "$(var REDIRECT_DNS_PROT=53)"
	says 0 "warning: unknown variable.*$(var REDIRECT_DNS_PROT) nearest=$(var REDIRECT_DNS_PORT)" plan
	export "$(var EBPF_ENABLED=true)"
	says 1 "$(var EBPF_ENABLED): this was removed: leave it out" plan
	unset "$(var EBPF_ENABLED)"
	export "$(var EBPF_BPFFS_PATH=/x)"
	says 0 'warning: this variable was removed.*leave it out' plan
	export "$(var VERBOSE=perhaps)"
	says 1 "$(var VERBOSE): \"perhaps\" is neither true nor false" plan
}

test_standard_input() {
	says 0 'redirect to port 77$' plan --config - <<<'redirect: {dns: {captureAll: true, port: 77}}'
	says 0 'redirect to port 78$' plan --config - <<<'{"redirect":{"dns":{"captureAll":true,"port":78}}}'
	says 0 'redirect to port 15053$' plan --config - --redirect-all-dns-traffic </dev/null
	says 1 'standard input:2: wait: given twice' plan --config - <<<$'wait: 1\nwait: 2'
	says 1 'standard input is larger than 65536 bytes' plan --config - \
		< <(head -c 70000 /dev/zero | tr '\0' '#')
}

# What Kuma's Helm chart makes of its defaults.
test_kumas_own_file() {
	local file
	file=$(dirname "$0")/../fuzz/corpus/config/kuma
	install -m 0644 "$file" "$CONFIG/kuma.yaml"
	says 0 'udp to port 53 -> redirect to port 15053' as_app meshdns-redirect plan \
		--config "$CONFIG/kuma.yaml" --proxy-user 5678
}

test_kumas_command_lines() {
	says 0 'redirect to port 15053' plan transparent-proxy --redirect-all-dns-traffic \
		--kuma-dp-user 5678 --wait 5 --wait-interval=0 --max-retries 4 \
		--sleep-between-retries 2s --store-firewalld=false
	says 0 'would remove' as_app meshdns-redirect uninstall transparent-proxy --dry-run
	export "$(var KUMA_DP_USER=nobody-here)"
	says 0 '^$' redirect uninstall transparent-proxy
	says 1 'what is "proxy"' redirect uninstall proxy
	says 1 'unknown option --kuma-dp-user' redirect uninstall --kuma-dp-user 5678
}

# Nothing of a file with a mistake is installed.
test_mistakes_in_files() {
	local file=$CONFIG/bad.yaml
	wrong() {
		config bad.yaml 'redirect:' '  dns: {captureAll: true}' "${@:2}"
		says 1 "$file:$1" redirect install --config "$file" --proxy-user 1
		expect_eq '' "$(in_app nft list ruleset)"
	}
	redirect uninstall
	wrong '3: unknown key redirect.outbond; did you mean redirect.outbound\?' '  outbond: {}'
	wrong '3: redirect.dns: given twice' '  dns: {port: 1}'
	wrong '3: verbose: must be true or false' 'verbose: "yes"'
	wrong '4: redirect.outbound.excludePorts: "x" is neither a port' '  outbound:' '    excludePorts: [1, x]'
	wrong '3: ebpf.enabled: this was removed' 'ebpf: {enabled: true}'
	wrong '3: storeFirewalld: must be true or false' 'storeFirewalld: yes'
	wrong '3: wait: anchors' 'wait: &a 1'
	wrong '4: no YAML' '  outbound: {excludePorts: ['
	says 1 "cannot open $CONFIG/none: No such file" plan --config "$CONFIG/none"
	says 1 "$CONFIG is not a regular file" plan --config "$CONFIG"
	says 1 "file's name is missing" plan --config ''
	config late.yaml 'wiat: 5'
	config good.yaml 'redirect: {dns: {captureAll: true}}'
	says 1 'late.yaml:1: unknown key wiat; did you mean wait' redirect install --proxy-user 1 \
		--config "$CONFIG/good.yaml,$CONFIG/late.yaml"
	expect_eq '' "$(in_app nft list ruleset)"
}

test_mistakes_in_flags() {
	says 1 'exclude each other' plan --redirect-dns --redirect-all-dns-traffic
	says 1 'did you mean --redirect-inbound-port\?' plan --redirect-inbound-prt 1
	says 1 '--config-file: this was removed: use --config' plan --config-file x
	says 1 '--kuma-dp-uid: this was removed: use --proxy-user' plan --kuma-dp-uid 1
	says 1 '--vnet: "docker0" is not INTERFACE:CIDR' plan --vnet docker0
	says 1 '--exclude-outbound-ports-for-uids: .*too many parts' plan \
		--exclude-outbound-ports-for-uids tcp:1:2:3
	says 1 'give --redirect-outbound too' plan --redirect-dns --redirect-vips 240.0.0.0/4
	says 1 'nothing to capture' plan transparent-proxy --redirect-inbound=false \
		--redirect-outbound=false
}

# Kuma's uninstall wants to know the proxy user.
test_defect_f_uninstall_needs_no_user() {
	printf 'root:x:0:0::/:/bin/sh\n' >"$LAB/passwd"
	# shellcheck disable=SC2016,SC2317 # for the other shell to expand; says calls it
	nobody_else() {
		in_app unshare -m sh -c 'mount --bind "$0" /etc/passwd && exec "$@"' "$LAB/passwd" \
			meshdns-redirect "$@"
	}
	says 1 'no proxy user' nobody_else install --redirect-dns
	redirect install --redirect-dns --proxy-user "$PROXY_UID"
	says 0 'the rules are removed' nobody_else uninstall --verbose
	says 1 'not installed' redirect status
}

# Kuma knows no host with IPv6 alone, and its resolver does not start on one without it.
test_defect_l_one_family() {
	expect_no_match 'ipv4|10\.' "$(redirect plan --redirect-dns --proxy-user 1 --ip-family-mode ipv6)"
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	start_resolver --upstream "$UNBOUND4"
	redirect install --redirect-dns --proxy-user "$PROXY_UID"
	says 0 'as planned' redirect status --redirect-dns --proxy-user "$PROXY_UID"
	stop resolver
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	redirect uninstall
}

# Kuma's own are skipped where iptables is not installed.
test_defect_m_no_test_is_skipped() {
	says 1 'not installed: no-such-program' bash -c ". '$SYSTEM/lib.sh'; need no-such-program"
	expect_eq '' "$(grep -rlE 'cr_skip_test|exit 77' "$TOP"/tests/unit/{iptables,redirector} "$TOP"/tests/system |
		grep -v redirect-config)"
}

# The file that is installed with the boot unit, and the unit.
test_the_file_for_boot() {
	(cd "$TOP" && make -s -o all install BUILD="$BUILD" DESTDIR="$LAB/stage" PREFIX=/usr) >/dev/null
	expect_match 'queries over UDP to the IPv4 nameservers' \
		"$(in_app meshdns-redirect plan --config "$LAB/stage/etc/meshdns/redirect.yaml" --proxy-user "$PROXY_UID")"
	expect_match 'install --config /etc/meshdns/redirect.yaml' \
		"$(<"$LAB/stage/usr/lib/systemd/system/meshdns-redirect.service")"
	echo 'dryRun: true' >>"$LAB/stage/etc/meshdns/redirect.yaml"
	(cd "$TOP" && make -s -o all install BUILD="$BUILD" DESTDIR="$LAB/stage" PREFIX=/usr &&
		make -s uninstall BUILD="$BUILD" DESTDIR="$LAB/stage" PREFIX=/usr) >/dev/null
	expect_eq "$LAB/stage/etc/meshdns/redirect.yaml" "$(find "$LAB/stage" -type f)" "changed, so it stays"
}

run_tests "$@"
