#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The three backends: which one is taken, what each leaves of others' rules, and what happens when
# iptables' programs fail. Where packets land is redirect-matrix's affair.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

BACKENDS=(nftables iptables-nft iptables-legacy)
RULES=(transparent-proxy --redirect-dns --proxy-user "$PROXY_UID" --drop-invalid-packets
	--exclude-outbound-ips "$FAKE4,$FAKE6")

setup() {
	need nft strace iptables-nft-save iptables-legacy-save
	all_rules() { # of everybody, but counters and the dates in comments
		local program
		in_app nft -s list ruleset 2>/dev/null
		for program in {ip,ip6}tables-legacy-save; do
			in_app "$program" | sed -E '/^#/d; s/\[[0-9]+:[0-9]+\]//'
		done
	}
}

clean() { redirect uninstall; }
install_by() { redirect install "${RULES[@]}" --backend "$@"; }

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

# --- others' rules --------------------------------------------------------------------------------

# others FLAVOUR: samples of Docker's, kube-proxy's and fail2ban's rules, as these tools make them, and
# some that look like Kuma's and ours.
others() {
	local restore
	for restore in {ip,ip6}tables-"$1"-restore; do
		in_app "$restore" <<-'END'
			*raw
			:DOCKER-RAW - [0:0]
			-A PREROUTING -i docker0 -j DOCKER-RAW
			-A OUTPUT -p udp -m udp --dport 9999 -j CT --notrack
			COMMIT
			*nat
			:DOCKER - [0:0]
			:DOCKER_OUTPUT - [0:0]
			:KUBE-SERVICES - [0:0]
			:KUBE-POSTROUTING - [0:0]
			:KUBE-SEP-ABCDEFGHIJKLMNOP - [0:0]
			:KUMA_MESH_OUTBOUND - [0:0]
			-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
			-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
			-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
			-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER
			-A OUTPUT -p tcp -m tcp --dport 9998 -m comment --comment "meshdns/ kuma/mesh/transparent/proxy/ is not the owner" -j RETURN
			-A OUTPUT -p tcp -m tcp --dport 9997 -j KUMA_MESH_OUTBOUND
			-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
			-A DOCKER -i docker0 -j RETURN
			-A KUBE-SERVICES -p tcp -m comment --comment "default/\"odd\" name" -m tcp --dport 443 -j KUBE-SEP-ABCDEFGHIJKLMNOP
			-A KUBE-SEP-ABCDEFGHIJKLMNOP -p tcp -m statistic --mode random --probability 0.50000000000 -j RETURN
			-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
			COMMIT
			*filter
			:f2b-sshd - [0:0]
			-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
			-A f2b-sshd -j RETURN
			COMMIT
		END
	done
}

flush_others() {
	local flavour ip table
	for flavour in nft legacy; do
		for ip in ip ip6; do
			for table in raw nat mangle filter; do
				in_app ${ip}tables-$flavour -t $table -F
				in_app ${ip}tables-$flavour -t $table -X
			done
		done
	done
	in_app nft flush ruleset
}

# A sample of firewalld's own table.
firewalld() {
	in_app nft -f - <<-'END'
		table inet firewalld {
			chain nat_PREROUTING {
				type nat hook prerouting priority dstnat + 10; policy accept;
				iifname "eth1" tcp dport 8080 redirect to :80
			}
			chain filter_INPUT {
				type filter hook input priority filter + 10; policy accept;
				ct state { established, related } accept
				ct state invalid drop
			}
		}
	END
}

# foreign: of all rules those that are not ours.
foreign() {
	all_rules | awk '
		/^table inet meshdns / { skip = 1 }
		!skip && !/MESHDNS_/ && !ours
		/MESHDNS_.* \{/ { ours = 1 }
		/^\t\}/ { ours = 0 }
		/^\}/ { skip = 0 }'
}

test_defects_h_and_i_rules_of_others_stay() {
	local flavour backend before
	for flavour in nft legacy; do
		clean
		others $flavour
		firewalld
		for backend in "${BACKENDS[@]}"; do
			install_by "$backend"
			clean # what it leaves is the empty tables that iptables makes
			before=$(all_rules)
			install_by "$backend"
			install_by "$backend" --redirect-dns-port 5300
			expect_match '5300' "$(all_rules)"
			expect_eq "$(foreign <<<"$before")" "$(foreign)" "$backend beside $flavour"
			clean
			expect_eq "$before" "$(all_rules)" "$backend beside $flavour"
			# Somebody changes his own meanwhile.
			install_by "$backend"
			in_app iptables-$flavour -t nat -I OUTPUT -p tcp --dport 9996 -j RETURN
			in_app iptables-$flavour -t nat -A DOCKER -p tcp --dport 9995 -j RETURN
			in_app iptables-$flavour -t nat -N LATER
			clean
			expect_match '9996' "$(all_rules)"
			in_app iptables-$flavour -t nat -D OUTPUT -p tcp --dport 9996 -j RETURN
			in_app iptables-$flavour -t nat -D DOCKER -p tcp --dport 9995 -j RETURN
			in_app iptables-$flavour -t nat -X LATER
			expect_eq "$before" "$(all_rules)" "$backend beside $flavour, changed"
		done
		flush_others
	done
}

# --- which one ------------------------------------------------------------------------------------

test_the_default_is_nftables_and_runs_nothing() {
	clean
	says 0 'backend name=nftables reason="it is the default' redirect install "${RULES[@]}" --verbose
	in_app strace -f -qq -e trace=execve -o "$LAB/log/strace" \
		env ASAN_OPTIONS=detect_leaks=0 meshdns-redirect install "${RULES[@]}"
	expect_eq 2 "$(grep -c execve "$LAB/log/strace")" "env and meshdns-redirect"
	says 1 'none of auto, nftables' redirect install "${RULES[@]}" --backend ebpf
}

# without_nftables COMMAND…: a kernel that has no NAT in inet tables.
without_nftables() {
	in_app env ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$LAB/log/strace" \
		-e inject=sendto:error=EOPNOTSUPP:when=3 meshdns-redirect "$@"
}

test_without_nftables_the_flavour_in_use_is_taken() {
	local flavour
	for flavour in legacy nft; do
		clean
		flush_others
		in_app iptables-$flavour -t nat -A OUTPUT -p tcp --dport 9 -j RETURN
		says 0 "backend name=iptables-$flavour reason=\"this host's iptables rules are of that" \
			without_nftables install "${RULES[@]}" --verbose
		expect_match "^backend: iptables-$flavour," "$(redirect status)"
		clean
		in_app iptables-$flavour -t nat -D OUTPUT -p tcp --dport 9 -j RETURN
	done
}

test_changing_the_backend_leaves_nothing() {
	local from to
	clean
	for from in "${BACKENDS[@]}"; do
		for to in "${BACKENDS[@]}"; do
			install_by "$from"
			install_by "$to"
			expect_match "^backend: $to," "$(redirect status)"
			says 0 'installed as planned' redirect status "${RULES[@]}"
			redirect uninstall
			expect_no_match 'meshdns|MESHDNS' "$(all_rules)"
		done
	done
}

test_rules_of_two_backends_are_told() {
	local one='iptables-nft -t nat'
	clean
	install_by nftables
	# shellcheck disable=SC2086
	{
		in_app $one -N MESHDNS_OUTPUT_NAT
		in_app $one -A OUTPUT -j MESHDNS_OUTPUT_NAT
	}
	says 3 'rules of the backend iptables-nft as well' redirect status "${RULES[@]}"
	install_by nftables 2>/dev/null
	expect_no_match MESHDNS "$(all_rules)"
	says 0 'as planned' redirect status "${RULES[@]}"
}

test_a_backend_that_is_not_there() {
	clean
	says 2 'does not run or is not of the flavour legacy' install_by iptables-legacy \
		--iptables-executables "iptables-save:$(command -v iptables-nft-save)"
	says 1 'none of ip\[6\]tables' install_by iptables-nft --iptables-executables "nft:/x"
	expect_no_match 'meshdns|MESHDNS' "$(all_rules)"
}

# --- status and diff ------------------------------------------------------------------------------

# edited BACKEND REGEX COMMAND…: status and diff see what somebody did.
edited() {
	install_by "$1" 2>/dev/null
	says 0 'as planned' redirect status "${RULES[@]}"
	in_app "${@:3}"
	says 3 "$2" redirect diff "${RULES[@]}"
	says 3 "$2" redirect status "${RULES[@]}"
}

test_every_edit_is_seen() {
	local f ip
	clean
	for f in nft legacy; do
		ip="iptables-$f -t nat"
		# shellcheck disable=SC2086 # a command and its table
		{
			edited iptables-$f '^\+ chain output-nat: ipv4 .*udp' $ip -D MESHDNS_OUTPUT_NAT 1
			edited iptables-$f 'a rule of the nat table, IPv4, is not ours' \
				$ip -A MESHDNS_OUTPUT_NAT -j ACCEPT
			edited iptables-$f '^- chain output-nat: ipv4 .*to port 54' \
				$ip -I MESHDNS_OUTPUT_NAT -p udp --dport 54 -j RETURN
			edited iptables-$f '^- chain more' $ip -N MESHDNS_MORE
			edited iptables-$f '^- chain output-nat \(output hook, type nat, priority -100' \
				$ip -I OUTPUT -p tcp --dport 9 -j RETURN
			in_app $ip -D OUTPUT -p tcp --dport 9 -j RETURN
			edited iptables-$f 'the IPv6 OUTPUT chain does not jump to MESHDNS_OUTPUT_NAT' \
				${ip/#ip/ip6} -D OUTPUT -m comment --comment "meshdns/$(meshdns-redirect --version |
					cut -d ' ' -f 2) before other rules" -j MESHDNS_OUTPUT_NAT
		}
	done
	install_by iptables-nft 2>/dev/null
	says 0 'as planned' redirect status "${RULES[@]}"
}

test_counters_and_json() {
	local backend
	clean
	for backend in "${BACKENDS[@]}"; do
		install_by "$backend"
		in_app bash -c "echo >/dev/udp/$UNBOUND4/53"
		expect_match 'redirect to port 15053 \(1 packets, 29 bytes\)' "$(redirect status)"
		expect_match "\"backend\": \"$backend\"" "$(redirect status --json)"
		expect_match "nothing to do" "$(install_by "$backend" --verbose 2>&1)"
		expect_match '\(1 packets, 29 bytes\)' "$(redirect status)" "as it was"
	done
}

test_defect_g_rules_without_comments() {
	local backend
	clean
	for backend in "${BACKENDS[@]}"; do
		install_by "$backend" --disable-comments
		expect_no_match 'meshdns/.*(queries|destination|other rules)' "$(all_rules)"
		says 0 'as planned' redirect status "${RULES[@]}" --disable-comments
		says 0 'nothing to do' install_by "$backend" --disable-comments --verbose
		says 3 'and different' redirect status "${RULES[@]}"
		clean
		expect_no_match 'meshdns|MESHDNS' "$(all_rules)"
	done
}

test_a_plan_is_what_iptables_restore_takes() {
	local family
	redirect plan "${RULES[@]}" --backend iptables-nft >"$LAB/documents"
	clean
	for family in 4 6; do
		sed -n "/^### IPv$family ###/,/^### /{/^###/d;p}" "$LAB/documents" >"$LAB/document"
		[[ -s $LAB/document ]]
		in_app "ip${family#4}tables-nft-restore" --noflush <"$LAB/document"
	done
	says 0 'nothing to do' install_by iptables-nft --verbose
	clean
}

# --- when programs fail ---------------------------------------------------------------------------

# program NAME LINE…: a program of that name in $LAB/bin.
program() {
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$LAB/bin/$1"
	chmod 0755 "$LAB/bin/$1"
}

# VERSION of both flavours, so that a wrapper is taken for one.
# shellcheck disable=SC2016 # for the wrapper to expand
version_of() { printf '[[ $1 != --version ]] || exec %s --version' "$(command -v "$1")"; }

test_ipv6_failing_undoes_ipv4() {
	local flavour before restore
	for flavour in nft legacy; do
		clean
		restore=$(command -v ip6tables-$flavour-restore)
		program refuses "$(version_of "$restore")" 'echo "line 7 failed" >&2; exit 1'
		program applies "$(version_of "$restore")" "$restore \"\$@\"; exit 1"
		install_by iptables-$flavour --redirect-dns-port 5300
		before=$(all_rules)
		for program in refuses applies; do
			says 3 'refused the IPv6 rules' install_by iptables-$flavour --max-retries 0 \
				--iptables-executables "ip6tables-restore:$LAB/bin/$program"
			expect_eq "$before" "$(all_rules)" "$flavour $program, with rules of ours before"
		done
		clean
		before=$(all_rules)
		says 3 'line 7 failed: ' install_by iptables-$flavour --max-retries 0 \
			--iptables-executables "ip6tables-restore:$LAB/bin/refuses"
		expect_eq "$before" "$(all_rules)" "$flavour, without"
	done
}

test_retries_and_the_lock() {
	local restore
	clean
	restore=$(command -v iptables-legacy-restore)
	program sometimes "$(version_of "$restore")" "echo \"\$*\" >>$LAB/tries" \
		"(( \$(wc -l <$LAB/tries) > 2 )) || exit 4" "exec $restore \"\$@\""
	: >"$LAB/tries"
	says 3 'refused the IPv4 rules' install_by iptables-legacy --max-retries 1 --sleep-between-retries 1ms \
		--iptables-executables "iptables-restore:$LAB/bin/sometimes"
	expect_eq 2 "$(wc -l <"$LAB/tries")"
	: >"$LAB/tries"
	install_by iptables-legacy --max-retries 2 --sleep-between-retries 1ms --wait 7 \
		--wait-interval 1000 --iptables-executables "iptables-restore:$LAB/bin/sometimes"
	expect_eq 3 "$(wc -l <"$LAB/tries")"
	expect_match '--noflush --counters --wait 7 --wait-interval 1000' "$(<"$LAB/tries")"
	says 0 'as planned' redirect status "${RULES[@]}"
}

test_rollback_by_every_backend() {
	local backend before
	for backend in "${BACKENDS[@]}"; do
		clean
		install_by "$backend" --redirect-dns-port 5300
		before=$(redirect status)
		install_by nftables --rollback-after 1s
		expect_no_match 'not confirmed' "$before"
		wait_for 5 is_again "$before"
	done
	clean
}

is_again() { [[ $1 == "$(redirect status)" ]]; }

run_tests "$@"
