#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What meshdns-redirect does to the kernel's rules, and what it leaves alone.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

setup() {
	need nft strace conntrack
}

install_rules() { redirect install --proxy-user "$PROXY_UID" "$@"; }
rules() { in_app nft -a list ruleset; }
our_table() { in_app nft list table inet meshdns; }

# traced STRACE-ARGUMENT…: into the log. A sanitizer's leak checker cannot run under a tracer.
traced() { in_app env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$LAB/log/strace" "$@"; }

# clean: no rules of ours from an earlier test.
clean() { redirect uninstall; }

# --- installing ---------------------------------------------------------------------------------

test_installing_twice_changes_nothing() {
	local how before
	for how in --redirect-dns --redirect-all-dns-traffic \
		'--redirect-dns --skip-dns-conntrack-zone-split' '--redirect-dns --ip-family-mode ipv4'; do
		clean
		# shellcheck disable=SC2086 # flags
		install_rules $how
		in_app bash -c "echo >/dev/udp/$UNBOUND4/53" # so that there are counters to lose
		before=$(rules)
		expect_match 'packets 1 ' "$before"
		# shellcheck disable=SC2086
		expect_eq '' "$(install_rules $how 2>&1)"
		expect_eq "$before" "$(rules)"
		# shellcheck disable=SC2086
		expect_match 'nothing to do' "$(install_rules $how --verbose 2>&1)"
	done
}

test_other_settings_replace_the_rules() {
	clean
	install_rules --redirect-dns
	expect_match 'redirect to :15053' "$(our_table)"
	install_rules --redirect-all-dns-traffic --redirect-dns-port 5300
	expect_match 'redirect to :5300' "$(our_table)"
	expect_no_match 'nameservers|15053' "$(our_table)"
	resolv_conf "$KNOT4"
	install_rules --redirect-dns
	expect_match "elements = \{ $KNOT4 \}" "$(our_table)"
	expect_no_match 'nameservers6' "$(our_table)"
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

# Whatever somebody does to our table, installing puts it right.
test_edits_are_put_right() {
	local edit wanted
	clean
	install_rules --redirect-dns
	wanted=$(our_table)
	for edit in 'add rule inet meshdns output-nat tcp dport 80 accept' \
		'insert rule inet meshdns output-nat udp dport 53 counter return' \
		'flush chain inet meshdns output-raw' \
		'add element inet meshdns nameservers4 { 192.0.2.1 }' \
		'delete element inet meshdns nameservers6 { '"$UNBOUND6"' }' \
		'add set inet meshdns more { type inet_service; }' \
		'add chain inet meshdns more' \
		'add chain inet meshdns more { type filter hook input priority 0; }' \
		'add chain inet meshdns output-nat { policy drop; }' \
		'add table inet meshdns { flags dormant; }'; do
		in_app nft "$edit"
		[[ $(our_table) != "$wanted" ]] || fail "no edit: $edit"
		install_rules --redirect-dns 2>/dev/null
		expect_eq "$wanted" "$(our_table)" "$edit"
	done
}

test_verbose_says_what_changes() {
	clean
	expect_match 'adding chain output-nat: udp to port 53 ipv4 to nameservers4 -> redirect' \
		"$(install_rules --redirect-dns --verbose 2>&1)"
	in_app nft add element inet meshdns nameservers4 '{ 192.0.2.1 }'
	expect_eq 'meshdns-redirect: info: nameservers read file=/etc/resolv.conf
meshdns-redirect: info: backend name=nftables reason="it is the default, where the kernel has it"
meshdns-redirect: debug: removing set nameservers4: 192.0.2.1
meshdns-redirect: info: the rules are installed' "$(install_rules --redirect-dns --verbose 2>&1)"
	in_app nft add rule inet meshdns output-nat drop
	expect_match 'warning: replacing what somebody has changed .*a rule that is not ours' \
		"$(install_rules --redirect-dns 2>&1)"
}

test_every_rule_says_why_it_is_there() {
	clean
	install_rules --redirect-dns
	expect_eq "$(our_table | grep -c counter)" "$(our_table | grep -c 'counter .*comment "meshdns/')"
	expect_eq 9 "$(our_table | grep -c 'counter .*comment "meshdns/')"
}

# --- removing, and what is not ours --------------------------------------------------------------

test_uninstall_where_nothing_is_installed() {
	clean
	expect_status 0 redirect uninstall
	expect_eq '' "$OUTPUT"
	expect_status 0 redirect uninstall --verbose
	expect_match 'nothing to do: no rules are installed' "$OUTPUT"
	install_rules --redirect-dns
	expect_status 0 redirect uninstall --verbose
	expect_match 'the rules are removed' "$OUTPUT"
	expect_eq '' "$(rules)"
}

test_uninstall_removes_what_somebody_added_to_our_table() {
	clean
	install_rules --redirect-dns
	in_app nft add rule inet meshdns output-nat drop
	redirect uninstall
	expect_eq '' "$(rules)"
}

# Tables like Docker's, fail2ban's and a person's, in every family, one with our name.
test_foreign_tables_are_untouched() {
	local before foreign='
		table ip nat {
			chain DOCKER_OUTPUT {
				ip daddr 127.0.0.11 udp dport 53 counter dnat to 127.0.0.11:33333
			}
			chain OUTPUT {
				type nat hook output priority -100
				ip daddr 127.0.0.11 jump DOCKER_OUTPUT
			}
		}
		table ip meshdns {
			chain ours {
				counter comment "meshdns/not ours"
			}
		}
		table ip6 f2b {
			set banned {
				type ipv6_addr
				elements = { 2001:db8::1 }
			}
			chain input {
				type filter hook input priority -1
				ip6 saddr @banned counter drop
			}
		}
		table inet filter {
			chain output {
				type filter hook output priority 0
				udp dport 53 counter accept
			}
		}'
	clean
	in_app nft "$foreign"
	before=$(rules)
	install_rules --redirect-dns
	expect_eq "$before" "$(rules | sed '/^table inet meshdns/,/^}/d')"
	install_rules --redirect-all-dns-traffic
	expect_eq "$before" "$(rules | sed '/^table inet meshdns/,/^}/d')"
	redirect uninstall
	expect_eq "$before" "$(rules)"
	in_app nft flush ruleset
}

# --- all or nothing -----------------------------------------------------------------------------

declare -A COMMAND=(
	[none]=uninstall
	[listed]="install --redirect-dns --proxy-user $PROXY_UID"
	[all]="install --redirect-all-dns-traffic --proxy-user $PROXY_UID"
)
declare -A TEXT=()

rules_without_counts() { in_app nft list ruleset | sed -E 's/packets [0-9]+ bytes [0-9]+//'; }

# reach STATE: by the command for it.
reach() {
	# shellcheck disable=SC2086 # flags
	redirect ${COMMAND[$1]}
	TEXT[$1]=$(rules_without_counts)
}

# state: the state that the rules are in, all of it.
state() {
	local text name
	text=$(rules_without_counts)
	for name in "${!TEXT[@]}"; do
		[[ $text != "${TEXT[$name]}" ]] || { echo "$name" && return; }
	done
	fail "half of the rules: $text"
}

# Killed at each system call of its conversation with the kernel in turn, until it gets through: what
# is there afterwards is what was there before or what was to be.
test_killed_at_every_system_call() {
	local from to call n status killed=0 after
	for to in listed all none; do
		reach $to
	done
	for to in listed all none; do
		from=$(state)
		for call in bind sendto recvmsg recvfrom exit_group; do
			for ((n = 1, status = 137; status == 137; n++)); do
				[[ ${after:-$from} == "$from" ]] || reach "$from"
				# shellcheck disable=SC2086 # flags
				traced -e inject=$call:signal=KILL:when=$n \
					meshdns-redirect ${COMMAND[$to]} && status=0 || status=$?
				after=$(state)
				[[ $after == "$from" || $after == "$to" ]] || fail "$from to $to: $after"
				killed=$((killed + (status == 137)))
			done
			expect_eq "0 $to" "$status $after" "$call"
		done
	done
	expect_between 50 1000 "$killed"
}

test_killed_at_random_moments() {
	local states=(none listed all) to round pid killed=0 delay status
	for to in "${states[@]}"; do
		reach "$to"
	done
	for round in {1..60}; do
		# shellcheck disable=SC2086 # flags
		in_app meshdns-redirect ${COMMAND[${states[round % 3]}]} &
		pid=$!
		printf -v delay '0.%03d' $((RANDOM % 25))
		sleep "$delay"
		! kill -KILL "$pid" 2>/dev/null || killed=$((killed + 1))
		wait "$pid" && status=0 || status=$?
		((status == 0 || status == 137)) || fail "ended with $status"
		state
	done
	((killed > 0)) || fail 'none was killed in time'
}

# --- touching nothing ---------------------------------------------------------------------------

test_plan_and_dry_run_touch_nothing() {
	local command text
	clean
	for command in plan 'install --dry-run'; do
		for text in '' --json; do
			# shellcheck disable=SC2086 # flags
			expect_status 0 as_app meshdns-redirect $command --redirect-dns \
				--proxy-user 4000000000 $text
			expect_match "uid.* 4000000000" "$OUTPUT"
			# shellcheck disable=SC2086
			expect_eq "$OUTPUT" "$(in_app meshdns-redirect $command --redirect-dns \
				--proxy-user 4000000000 $text)"
		done
		# shellcheck disable=SC2086
		traced -e trace=socket,connect,setns,openat meshdns-redirect $command --redirect-dns \
			--proxy-user 1 >/dev/null
		expect_match openat "$(log_of strace)"
		expect_no_match 'socket\(AF_NETLINK|setns|O_WRONLY|O_RDWR|O_CREAT' "$(log_of strace)"
	done
	expect_status 0 as_app meshdns-redirect uninstall --dry-run
	expect_match 'would remove' "$OUTPUT"
	expect_eq '' "$(rules)"
	install_rules --redirect-dns
	redirect uninstall --dry-run >/dev/null
	expect_match 'table inet meshdns' "$(rules)"
}

test_plan_shows_what_is_installed() {
	local line
	clean
	install_rules --redirect-dns
	while read -r line; do
		expect_match "comment \"meshdns/$line\"" "$(our_table)"
	done < <(in_app meshdns-redirect plan --redirect-dns --proxy-user 1 | sed -n 's/^  # //p')
	expect_eq "$UNBOUND4 $UNBOUND6" "$(in_app meshdns-redirect plan --redirect-dns --json \
		--proxy-user 1 | python3 -c 'import json, sys
for s in json.load(sys.stdin)["sets"]: print(*s["addresses"])' | paste -sd ' ')"
}

test_no_program_is_run() {
	local command
	for command in 'install --redirect-dns --proxy-user 0' uninstall; do
		# shellcheck disable=SC2086
		traced -e trace=process meshdns-redirect $command
		expect_eq 1 "$(grep -c 'execve' "$LAB/log/strace")"
		expect_no_match 'execveat|fork|clone' "$(log_of strace)"
	done
}

# --- other namespaces ---------------------------------------------------------------------------

sets_of() { our_table | sed -nE 's/.*elements = \{ (.*) \}/\1/p' | paste -sd ' '; }
from_outside() { meshdns-redirect install --redirect-dns --proxy-user "$PROXY_UID" "$@"; }

test_namespace_by_name_takes_its_resolv_conf() {
	clean
	expect_eq '' "$(from_outside --netns "$APP" 2>&1)"
	expect_eq "$UNBOUND4 $UNBOUND6" "$(sets_of)"
	printf 'nameserver 192.0.2.7\n' >"$LAB/resolv.conf"
	from_outside --netns "$APP" --resolv-conf "$LAB/resolv.conf"
	expect_eq 192.0.2.7 "$(sets_of)"
	meshdns-redirect uninstall --netns "$APP"
	expect_eq '' "$(rules)"
}

test_namespace_without_resolv_conf_takes_ours_with_a_warning() {
	clean
	mv "/etc/netns/$APP/resolv.conf" "$LAB/aside"
	expect_match 'has no resolv.conf of its own' "$(from_outside --netns "$APP" --dry-run 2>&1)"
	mv "$LAB/aside" "/etc/netns/$APP/resolv.conf"
	expect_match 'has no resolv.conf of its own' \
		"$(from_outside --netns "/run/netns/$APP" --dry-run 2>&1)"
	expect_eq '' "$(meshdns-redirect install --redirect-all-dns-traffic --proxy-user 0 \
		--netns "/run/netns/$APP" 2>&1)"
	expect_match 'redirect' "$(our_table)"
}

# A container whose /etc/resolv.conf is an absolute link: to a file of its own, not of ours.
test_namespace_by_pid_takes_the_file_of_the_process() {
	clean
	mkdir -p "$LAB/root/etc"
	ln -s "$LAB/linked" "$LAB/root/etc/resolv.conf"
	printf 'nameserver 192.0.2.9\n' >"$LAB/linked"
	mkdir -p "$LAB/root$LAB"
	printf 'nameserver 192.0.2.8\n' >"$LAB/root$LAB/linked"
	start contained "$APP" 0 python3 -uc 'import os, sys, time
os.chroot(sys.argv[1]); print("ready"); time.sleep(1000)' "$LAB/root"
	wait_for 10 logged contained ready
	from_outside --netns "${PID[contained]}"
	expect_eq 192.0.2.8 "$(sets_of)"
	rm "$LAB/root/etc/resolv.conf"
	expect_status 1 from_outside --netns "${PID[contained]}"
	expect_match "/proc/${PID[contained]}/root/etc/resolv.conf.*--resolv-conf" "$OUTPUT"
}

run_tests "$@"
