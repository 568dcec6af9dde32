#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What meshdns-redirect says of itself is true: whether the rules are there and whether they are those
# that were meant, and whether interception works. Each claim is put to the test by breaking it.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

RULES=(--redirect-dns --proxy-user "$PROXY_UID")
OTHER=(--redirect-all-dns-traffic --proxy-user "$PROXY_UID")

setup() {
	need nft strace
	names '240.0.0.1 redis.mesh'
	start_outside
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
	expect_no_match '^[^+#]' "$OUTPUT"
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
	expect_eq 1 "$(grep -c '^[-+]' <<<"$OUTPUT")" "$2"
	says 3 "$1" redirect status "${RULES[@]}"
}

test_status_and_diff_see_every_edit() {
	clean
	edited '^- .* a rule that is not ours: output-nat' 'add rule inet meshdns output-nat drop'
	says 3 'a rule that is not ours' redirect status
	edited '^- set nameservers4: 192.0.2.1' 'add element inet meshdns nameservers4 { 192.0.2.1 }'
	edited "^\\+ set nameservers6: $UNBOUND6" "delete element inet meshdns nameservers6 { $UNBOUND6 }"
	edited '^- chain more' 'add chain inet meshdns more'
	edited '^- .* a flag that is not ours' 'add table inet meshdns { flags dormant; }'
	edited '^\+ chain output-nat: udp .*of uid 5678' "delete rule inet meshdns output-nat handle $(
		redirect install "${RULES[@]}" 2>/dev/null
		in_app nft -a list chain inet meshdns output-nat | sed -nE 's/.*skuid 5678.*UDP.*handle //p'
	)"
	redirect install "${RULES[@]}" 2>/dev/null
	in_app nft add rule inet meshdns output-nat drop
	in_app nft add element inet meshdns nameservers4 '{ 192.0.2.1 }'
	expect_status 3 redirect diff "${RULES[@]}"
	expect_eq 2 "$(grep -c '^[-+]' <<<"$OUTPUT")" "what is not ours does not hide the rest"
}

test_status_needs_privileges_and_sense() {
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect status
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect diff "${RULES[@]}"
	says 2 'nothing to capture' redirect diff
	says 2 'unknown option' redirect status --frobnicate
	says 2 'no network namespace' redirect status --netns meshdns-nowhere
}

# --- rollback -----------------------------------------------------------------------------------

record() { echo "/run/meshdns/rollback-$(stat -Lc %i "/run/netns/$APP")"; }
guard() { cat "$(record)"; }

# guarded TIME FLAG…: installs under a guard; its standard files are closed at once.
guarded() { OUTPUT=$(redirect install --rollback-after "$1" "${@:2}" 2>&1) || fail "$OUTPUT"; }

# no_guard: neither a record, nor one that is about to be.
no_guard() {
	local records=("$(record)"*)
	((${#records[@]} == 0))
}
planned() { redirect status "$@" >/dev/null; }

test_unconfirmed_rules_go_away() {
	clean
	guarded 1s "${RULES[@]}"
	planned "${RULES[@]}" || fail "not installed"
	says 0 '^not confirmed: ' redirect status
	wait_for 3 no_guard
	says 1 'not installed' redirect status
	expect_eq '' "$(rules)"
}

test_unconfirmed_rules_give_way_to_what_was_there() {
	local before
	clean
	redirect install "${OTHER[@]}"
	in_app bash -c "echo >/dev/udp/$UNBOUND4/53"
	before=$(rules)
	expect_match 'packets 1 ' "$before"
	guarded 1s "${RULES[@]}"
	planned "${RULES[@]}" || fail "not installed"
	wait_for 3 no_guard
	expect_eq "$before" "$(rules)" "counters go on"
}

test_confirmed_rules_stay() {
	clean
	says 1 '^nothing is pending$' redirect confirm
	guarded 1s "${RULES[@]}"
	says 0 '^confirmed' redirect confirm
	says 1 '^nothing is pending$' redirect confirm
	no_guard || fail "the guard stands"
	sleep 1.1
	planned "${RULES[@]}" || fail "not installed any more"
	expect_no_match 'not confirmed' "$(redirect status)"
}

test_a_guard_belongs_to_nobody() {
	local pid fd
	clean
	guarded 1s "${RULES[@]}"
	pid=$(guard)
	expect_eq "$pid 0" "$(awk '{ print $6, $7 }' "/proc/$pid/stat")" "session and terminal"
	for fd in 0 1 2; do
		[[ /proc/$pid/fd/$fd -ef /dev/null ]] || fail "descriptor $fd: $(readlink "/proc/$pid/fd/$fd")"
	done
	expect_eq 4 "$(readlink "/proc/$pid/fd"/* | wc -l)" "the record, and nothing more"
	kill -HUP "$pid"
	kill -INT "$pid"
	wait_for 3 no_guard
	says 1 'not installed' redirect status
}

test_each_namespace_has_its_own_guard() {
	clean
	guarded 1s "${RULES[@]}"
	says 1 '^nothing is pending$' in_dns meshdns-redirect confirm
	says 0 '^confirmed' meshdns-redirect confirm --netns "$APP"
}

test_install_and_uninstall_send_the_guard_away() {
	clean
	guarded 1s "${RULES[@]}"
	says 0 'the rollback that was pending is cancelled' redirect install "${OTHER[@]}" --verbose
	no_guard || fail "the guard stands"
	guarded 1s "${RULES[@]}"
	redirect uninstall
	no_guard || fail "the guard stands"
	guarded 1s "${RULES[@]}"
	guarded 24h "${OTHER[@]}"
	sleep 1.1
	planned "${OTHER[@]}" || fail "the first guard did its work"
	redirect uninstall
}

test_a_killed_guard_is_noticed() {
	clean
	guarded 1s "${RULES[@]}"
	kill -KILL "$(guard)"
	wait_for 3 ended "$(guard)"
	expect_no_match 'not confirmed' "$(redirect status)"
	says 1 '^nothing is pending: .* was killed' redirect confirm
	no_guard || fail "the record is still there"
	planned "${RULES[@]}" || fail "not installed any more"
}

# traced STRACE-ARGUMENT…: into the log. A sanitizer's leak checker cannot run under a tracer.
traced() { in_app env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$LAB/log/strace" "$@"; }

# The eleventh message to the kernel is the transaction: a look at the table and for iptables takes five.
test_a_failed_install_leaves_everything_as_it_was() {
	local before
	clean
	redirect install "${OTHER[@]}" --rollback-after 24h
	before=$(rules)$(guard)
	expect_status 3 traced -e inject=sendto:retval=1:when=11 \
		meshdns-redirect install "${RULES[@]}" --rollback-after 1s
	expect_match 'does not hold the rules' "$OUTPUT"
	expect_eq "$before" "$(rules)$(guard)"
	says 0 '^confirmed' redirect confirm
	says 1 'no time from' redirect install "${RULES[@]}" --rollback-after soon
	in_app nft add rule inet meshdns output-nat drop
	before=$(rules)
	says 3 'could not be put back exactly' redirect install "${RULES[@]}" --rollback-after 1s
	expect_eq "$before" "$(rules)"
	no_guard || fail "there is a guard"
}

# Killed when the rules are there and the guard is not known yet: it does its work all the same.
test_an_install_that_is_killed_is_undone() {
	clean
	expect_status 137 traced -e inject=rename:signal=KILL \
		meshdns-redirect install "${RULES[@]}" --rollback-after 1s
	planned "${RULES[@]}" || fail "not installed"
	wait_for 3 no_guard
	expect_eq '' "$(rules)"
	expect_status 3 traced -e inject=rename:error=EROFS \
		meshdns-redirect install "${RULES[@]}" --rollback-after 24h
	no_guard || fail "there is a guard"
	expect_eq '' "$(rules)"
}

# --- verify -------------------------------------------------------------------------------------

# failed: the checks that did not pass; causes: why, as far as verify knows.
failed() { sed -n 's/^FAIL *//p' <<<"$OUTPUT"; }
causes() { sed -n 's/^likely cause: //p' <<<"$OUTPUT"; }

test_verify_passes_where_all_is_well() {
	local how
	start_resolver --names "$LAB/names"
	for how in --redirect-dns --redirect-all-dns-traffic '--redirect-dns --ip-family-mode ipv6'; do
		# shellcheck disable=SC2086 # flags
		redirect install $how --proxy-user "$PROXY_UID"
		# shellcheck disable=SC2086
		expect_status 0 redirect verify $how --proxy-user "$PROXY_UID"
		expect_eq '' "$(failed)$(causes)"
	done
	redirect install "${RULES[@]}"
	expect_status 0 redirect verify "${RULES[@]}"
	expect_eq 4 "$(grep -c "^ok .* of uid $APP_UID over .*: answered by meshdns-resolver" <<<"$OUTPUT")"
	expect_eq 4 "$(grep -c "^ok .* of uid $PROXY_UID over .*: answered, and not as" <<<"$OUTPUT")"
	expect_match '^ok .*an outside name .*: answered$' "$OUTPUT"
	expect_status 0 redirect verify "${RULES[@]}" --as 1000 --json
	expect_eq 'True 12 []' "$(json '"%s %d %s" % (o["passed"], len(o["checks"]), o["causes"])')"
	expect_match 'of uid 1000 ' "$OUTPUT"
	printf 'hosts: mymachines resolve [!UNAVAIL=return] files dns\n' >"/etc/netns/$APP/nsswitch.conf"
	says 0 '^note: .*nss-resolve' redirect verify "${RULES[@]}"
	printf 'hosts: files dns\n' >"/etc/netns/$APP/nsswitch.conf"
}

test_verify_without_rules() {
	clean
	start_resolver --names "$LAB/names"
	expect_status 4 redirect verify "${RULES[@]}"
	expect_match 'the rules are not installed' "$(causes)"
	expect_eq 5 "$(failed | wc -l)" "the rules and four questions"
}

test_verify_with_edited_rules() {
	start_resolver --names "$LAB/names"
	redirect install "${RULES[@]}"
	in_app nft delete element inet meshdns nameservers6 "{ $UNBOUND6 }"
	expect_status 4 redirect verify "${RULES[@]}"
	expect_match 'the rules are others' "$(causes)"
	expect_eq 2 "$(failed | grep -c "of uid $APP_UID over .* to $UNBOUND6: answered, and not as")"
	expect_eq 3 "$(failed | wc -l)"
}

test_verify_without_resolver() {
	redirect install "${RULES[@]}"
	expect_status 4 redirect verify "${RULES[@]}"
	expect_match 'nothing listens on udp port 15053' "$(causes)"
	expect_match 'nothing listens on tcp port 15053' "$(causes)"
	expect_eq 5 "$(failed | grep -c ': refused$')"
}

test_verify_where_the_proxy_user_does_not_escape() {
	start_resolver --names "$LAB/names"
	redirect install "${RULES[@]}" --proxy-user 1
	expect_status 4 redirect verify "${RULES[@]}"
	expect_eq 4 "$(failed | grep -c "of uid $PROXY_UID over .*: answered by meshdns-resolver")"
	expect_match 'the rules are others' "$(causes)"
}

test_verify_sees_a_loop() {
	start_resolver_as "$APP_UID" --names "$LAB/names"
	redirect install "${RULES[@]}"
	expect_status 4 redirect verify "${RULES[@]}"
	expect_match "is uid $APP_UID, .* must run as the proxy user, uid $PROXY_UID" "$(causes)"
	expect_match 'own queries come back to it' "$(causes)"
	expect_match '^an outside name of uid .*: answered with SERVFAIL' "$(failed)"
	stop resolver
	start_resolver --user "$APP_UID" --names "$LAB/names"
	expect_status 4 redirect verify "${RULES[@]}"
	expect_match 'own queries come back to it' "$(causes)"
}

test_verify_sees_another_tools_rules() {
	start_resolver --names "$LAB/names"
	redirect install "${RULES[@]}"
	in_app nft 'table inet other {
		chain output {
			type nat hook output priority -111
			meta skuid != 5678 meta l4proto { tcp, udp } th dport 53 redirect to :5
		}
	}'
	expect_status 4 redirect verify "${RULES[@]}"
	in_app nft delete table inet other
	expect_match "another tool's rules decide before ours" "$(causes)"
	expect_eq 1 "$(causes | wc -l)"
}

test_verify_needs_privileges_and_sense() {
	redirect install "${RULES[@]}"
	says 2 'needs root \(CAP_NET_ADMIN\)' as_app meshdns-redirect verify "${RULES[@]}"
	says 2 'cannot become who asks' in_app setpriv --bounding-set -setuid meshdns-redirect verify "${RULES[@]}"
	says 2 'nothing to capture' redirect verify
	says 2 'another user than the proxy user' redirect verify "${RULES[@]}" --as "$PROXY_UID"
}

run_tests "$@"
