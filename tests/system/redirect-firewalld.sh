#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# --store-firewalld with a real firewalld, in a mount namespace with its own /etc/firewalld and D-Bus.
# What is stored comes back after firewalld's reload and restart, and goes with uninstall (defect e).

# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

RULES=(transparent-proxy --redirect-dns --proxy-user "$PROXY_UID" --store-firewalld)
FIREWALLD=org.fedoraproject.FirewallD1

setup() {
	need firewalld dbus-daemon busctl nsenter
}

# host BACKEND: a host with firewalld on that backend; $HOST is its first process, $FW firewalld.
host() {
	program firewalld-host \
		'set -e' \
		'mkdir -p /run/dbus && mount -t tmpfs dbus /run/dbus' \
		'mount -t tmpfs firewalld /etc/firewalld' \
		"mkdir /etc/firewalld/{zones,services,policies,ipsets,icmptypes,helpers}" \
		"echo FirewallBackend=$1 >/etc/firewalld/firewalld.conf" \
		'exec dbus-daemon --system --nofork --nopidfile'
	start host "$APP" 0 unshare -m "$LAB/bin/firewalld-host"
	HOST=${PID[host]}
	wait_for 10 in_host test -S /run/dbus/system_bus_socket
	firewalld_start
}

program() {
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$LAB/bin/$1"
	chmod 0755 "$LAB/bin/$1"
}

firewalld_start() {
	nsenter -t "$HOST" -n -m firewalld --nofork --nopid >"$LAB/log/firewalld" 2>&1 &
	PID[firewalld]=$!
	wait_for 20 firewalld_runs
}
firewalld_runs() {
	[[ $(in_host busctl get-property $FIREWALLD /org/fedoraproject/FirewallD1 $FIREWALLD state) == *RUNNING* ]]
}
firewalld_reload() {
	in_host busctl --timeout=60 call $FIREWALLD /org/fedoraproject/FirewallD1 $FIREWALLD reload
}

in_host() { nsenter -t "$HOST" -n -m "$@"; }
stored() { in_host cat /etc/firewalld/direct.xml; }

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

as_planned() { says 0 '^installed as planned' in_host meshdns-redirect status "${RULES[@]}"; }

# kept_by BACKEND: a reload and a restart of firewalld leave the rules in place.
kept_by() {
	local others
	host "$1"
	# Somebody's own direct rule, which must stay.
	in_host busctl -- call $FIREWALLD /org/fedoraproject/FirewallD1/config $FIREWALLD.config.direct \
		addRule sssias ipv4 nat OUTPUT 0 6 -p tcp --dport 9 -j RETURN
	others=$(stored)

	in_host meshdns-redirect install "${RULES[@]}"
	as_planned
	expect_match '^stored in firewalld$' "$OUTPUT"
	expect_match '"stored_in_firewalld": true' "$(in_host meshdns-redirect status --json)"
	firewalld_reload
	as_planned
	stop firewalld || :
	in_host iptables-nft -t nat -F
	in_host ip6tables-nft -t nat -F
	firewalld_start
	as_planned

	in_host meshdns-redirect install "${RULES[@]}" --redirect-dns-port 5300
	expect_no_match 15053 "$(stored)"
	firewalld_reload
	says 0 'as planned' in_host meshdns-redirect status "${RULES[@]}" --redirect-dns-port 5300

	in_host meshdns-redirect uninstall
	expect_eq "$others" "$(stored)"
	firewalld_reload
	says 1 'not installed' in_host meshdns-redirect status
}

test_defect_e_kept_by_firewalld_on_nftables() { kept_by nftables; }
test_defect_e_kept_by_firewalld_on_iptables() { kept_by iptables; }

test_an_install_that_is_not_stored_forgets_what_was() {
	host nftables
	in_host meshdns-redirect install "${RULES[@]}"
	in_host meshdns-redirect install "${RULES[@]}" --store-firewalld=false --backend nftables
	expect_no_match MESHDNS "$(stored)"
	in_host meshdns-redirect uninstall
}

test_a_failed_install_stores_nothing() {
	host nftables
	program refuses "[[ \$1 != --version ]] || exec $(command -v ip6tables-nft-restore) --version" 'exit 1'
	says 3 'refused the IPv6 rules' in_host meshdns-redirect install "${RULES[@]}" \
		--max-retries 0 --iptables-executables "ip6tables-restore:$LAB/bin/refuses"
	expect_no_match MESHDNS "$(stored 2>/dev/null)"
	says 1 'not installed' in_host meshdns-redirect status
}

test_without_firewalld() {
	says 2 'is it running\?' redirect install "${RULES[@]}"
	says 1 'not installed' redirect status
	says 1 'leave out --backend nftables' redirect install "${RULES[@]}" --backend nftables
	says 1 'confirm first' redirect install "${RULES[@]}" --rollback-after 60s
	says 1 'not for --netns' meshdns-redirect install "${RULES[@]}" --netns "$APP"
}

run_tests "$@"
