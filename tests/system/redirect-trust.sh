#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What meshdns-redirect says of itself is true: whether the rules are there and whether they are those
# that were meant.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

RULES=(--redirect-dns --proxy-user "$PROXY_UID")
OTHER=(--redirect-all-dns-traffic --proxy-user "$PROXY_UID")

setup() {
	need nft
}

rules() { in_app nft list ruleset; }

# clean: no rules of ours from an earlier test.
clean() { redirect uninstall; }

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

# json EXPRESSION: what it is of the JSON object `o` in $OUTPUT.
json() { python3 -c 'import json, sys; o = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$OUTPUT" "$1"; }

# --- status and diff ----------------------------------------------------------------------------

test_status_where_nothing_is_installed() {
	clean
	says 1 '^not installed$' redirect status
	says 1 '^not installed$' redirect status "${RULES[@]}"
	expect_status 1 redirect status --json
	expect_eq "{'state': 'not installed', 'differences': []}" "$(json o)"
	expect_status 1 redirect diff "${RULES[@]}"
	expect_eq "$(redirect plan "${RULES[@]}" | grep -c ' -> ')" "$(grep -c '^+ .* -> ' <<<"$OUTPUT")"
	expect_no_match '^[^+]' "$OUTPUT"
}

test_status_of_what_was_installed() {
	local before
	clean
	redirect install "${RULES[@]}"
	in_app bash -c "echo >/dev/udp/$UNBOUND4/53"
	before=$(rules)
	says 0 '^installed$' redirect status
	says 0 '^installed as planned$' redirect status "${RULES[@]}"
	expect_match "^version: $(meshdns-redirect --version | cut -d' ' -f2)\$" "$OUTPUT"
	expect_match 'nameservers4 -> redirect to port 15053 \(1 packets, 29 bytes\)' "$OUTPUT"
	expect_match 'nameservers6 -> redirect to port 15053 \(0 packets, 0 bytes\)' "$OUTPUT"
	expect_status 0 redirect status --json "${RULES[@]}"
	expect_eq 'as planned nftables []' "$(json '"%(state)s %(backend)s %(differences)s" % o')"
	expect_eq 2 "$(json 'sum(r["packets"] for c in o["plan"]["chains"] for r in c["rules"])')" \
		"the zone and the redirection"
	expect_status 0 redirect diff "${RULES[@]}"
	expect_eq '' "$OUTPUT"
	expect_eq "$before" "$(rules)"
	expect_status 0 meshdns-redirect status --netns "$APP" "${RULES[@]}"
}

test_status_and_diff_of_other_rules() {
	clean
	redirect install "${RULES[@]}" --redirect-dns-port 5300
	says 3 '^installed, and different' redirect status "${RULES[@]}"
	says 0 '^installed$' redirect status
	expect_status 3 redirect diff "${RULES[@]}"
	expect_eq "$(redirect plan "${RULES[@]}" | grep -c 'port 15053')" "$(grep -c '^+ ' <<<"$OUTPUT")"
	expect_eq "$(grep -c '^+.*port 15053' <<<"$OUTPUT")" "$(grep -c '^-.*port 5300' <<<"$OUTPUT")"
	expect_status 3 redirect diff "${OTHER[@]}" --redirect-dns-port 5300 --json
	expect_match '^set nameservers4: 10' "$(json '"\n".join(d["text"] for d in o if d["sign"] == "-")')"
}

# edited REGEX NFT-COMMAND: status and diff see what somebody did to the table.
edited() {
	redirect install "${RULES[@]}" 2>/dev/null
	in_app nft "$2"
	says 3 "$1" redirect diff "${RULES[@]}"
	expect_eq 1 "$(wc -l <<<"$OUTPUT")" "$2"
	says 3 "$1" redirect status "${RULES[@]}"
}

test_status_and_diff_see_every_edit() {
	clean
	edited '^- .* a rule that is not ours: output-nat' 'add rule inet meshdns output-nat drop'
	says 3 'a rule that is not ours' redirect status
	edited '^- set nameservers4: 192.0.2.1' 'add element inet meshdns nameservers4 { 192.0.2.1 }'
	edited "^\\+ set nameservers6: $UNBOUND6" "delete element inet meshdns nameservers6 { $UNBOUND6 }"
	edited '^- .* a chain that is not ours: more' 'add chain inet meshdns more'
	edited '^- .* a flag that is not ours' 'add table inet meshdns { flags dormant; }'
	edited '^\+ chain output-nat: udp .*of uid 5678' "delete rule inet meshdns output-nat handle $(
		redirect install "${RULES[@]}" 2>/dev/null
		in_app nft -a list chain inet meshdns output-nat | sed -nE 's/.*skuid 5678.*UDP.*handle //p'
	)"
	redirect install "${RULES[@]}" 2>/dev/null
	in_app nft add rule inet meshdns output-nat drop
	in_app nft add element inet meshdns nameservers4 '{ 192.0.2.1 }'
	expect_status 3 redirect diff "${RULES[@]}"
	expect_eq 2 "$(wc -l <<<"$OUTPUT")" "what is not ours does not hide the rest"
}

test_status_needs_privileges_and_sense() {
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect status
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect diff "${RULES[@]}"
	says 2 'nothing to capture' redirect diff
	says 2 'unknown option' redirect status --frobnicate
	says 2 'no network namespace' redirect status --netns meshdns-nowhere
}

run_tests "$@"
