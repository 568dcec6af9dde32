#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where packets land under the rules of meshdns-redirect, told by servers that only say their name.
# "resolver" stands where the resolver would; "upstream" is everywhere outside.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

setup() {
	start upstream "$DNS" 0 redirect-peer.py serve upstream 53 "$UNBOUND4" "$UNBOUND6" \
		"$KNOT4" "$KNOT6"
	start resolver "$APP" "$PROXY_UID" redirect-peer.py serve resolver 15053 127.0.0.1 ::1
	wait_for 10 logged upstream ready
	wait_for 10 logged resolver ready
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

# install_rules FLAG…: they outlive the test, and the next test's replace them.
install_rules() { redirect install --proxy-user "$PROXY_UID" "$@"; }

# lands WHO UID udp|tcp SOURCE-PORT SERVER…: who answered; source port 0 is any.
lands() { expect_eq "$1" "$(on "$APP" "$2" redirect-peer.py ask "${@:3}")" "${*:2}"; }

# Each of the two transports and families.
each_way() { # each_way WHO UID SERVER4 SERVER6
	local server transport
	for server in "$3" "$4"; do
		for transport in udp tcp; do
			lands "$1" "$2" $transport 0 "$server"
		done
	done
}

test_listed_nameservers() {
	install_rules --redirect-dns
	each_way resolver "$APP_UID" "$UNBOUND4" "$UNBOUND6"
	each_way resolver 0 "$UNBOUND4" "$UNBOUND6"
	each_way upstream "$PROXY_UID" "$UNBOUND4" "$UNBOUND6"
	each_way upstream "$APP_UID" "$KNOT4" "$KNOT6"
}

test_every_server() {
	install_rules --redirect-all-dns-traffic
	each_way resolver "$APP_UID" "$UNBOUND4" "$UNBOUND6"
	each_way resolver "$APP_UID" "$KNOT4" "$KNOT6"
	each_way upstream "$PROXY_UID" "$KNOT4" "$KNOT6"
}

test_family_modes() {
	local how
	for how in --redirect-dns --redirect-all-dns-traffic; do
		install_rules $how --ip-family-mode ipv4
		each_way resolver "$APP_UID" "$UNBOUND4" "$UNBOUND4"
		each_way upstream "$APP_UID" "$UNBOUND6" "$UNBOUND6"
		install_rules $how --ip-family-mode ipv6
		each_way upstream "$APP_UID" "$UNBOUND4" "$UNBOUND4"
		each_way resolver "$APP_UID" "$UNBOUND6" "$UNBOUND6"
	done
}

test_uninstall_lets_go() {
	install_rules --redirect-all-dns-traffic
	redirect uninstall
	each_way upstream "$APP_UID" "$UNBOUND4" "$UNBOUND6"
}

test_large_uids() {
	redirect install --redirect-all-dns-traffic --proxy-user 4000000000
	each_way upstream 4000000000 "$UNBOUND4" "$UNBOUND6"
	each_way resolver 4000000001 "$UNBOUND4" "$UNBOUND6"
	each_way resolver "$PROXY_UID" "$UNBOUND4" "$UNBOUND6"
}

# The reason for the zones: conntrack must not take one user's flow for another's.
test_a_reused_udp_port() {
	local server round
	for how in --redirect-dns --redirect-all-dns-traffic; do
		install_rules $how
		for server in "$UNBOUND4" "$UNBOUND6"; do
			for round in 1 2 3; do
				lands resolver "$APP_UID" udp $((40000 + round)) "$server"
				lands upstream "$PROXY_UID" udp $((40000 + round)) "$server"
				lands upstream "$PROXY_UID" udp $((41000 + round)) "$server"
				lands resolver "$APP_UID" udp $((41000 + round)) "$server"
			done
		done
		in_app conntrack -F 2>/dev/null
	done
}

test_without_zones_a_reused_udp_port_goes_astray() {
	install_rules --redirect-dns --skip-dns-conntrack-zone-split
	lands resolver "$APP_UID" udp 42001 "$UNBOUND4"
	lands resolver "$PROXY_UID" udp 42001 "$UNBOUND4"
	lands upstream "$PROXY_UID" udp 42002 "$UNBOUND4"
	lands upstream "$APP_UID" udp 42002 "$UNBOUND4"
}

# musl asks all nameservers at once from one socket: two flows that are redirected to one place.
test_two_nameservers_from_one_socket() {
	resolv_conf "$UNBOUND4" "$KNOT4" "$UNBOUND6" "$KNOT6"
	install_rules --redirect-dns
	lands 'resolver resolver' "$APP_UID" udp 43001 "$UNBOUND4" "$KNOT4"
	lands 'upstream upstream' "$PROXY_UID" udp 43001 "$UNBOUND4" "$KNOT4"
	lands 'resolver resolver' "$APP_UID" udp 43001 "$UNBOUND4" "$KNOT4"
	lands 'resolver resolver' "$APP_UID" udp 43002 "$UNBOUND6" "$KNOT6"
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

test_a_reused_tcp_port() {
	install_rules --redirect-dns
	for server in "$UNBOUND4" "$UNBOUND6"; do
		lands resolver "$APP_UID" tcp 44001 "$server"
		lands upstream "$PROXY_UID" tcp 44001 "$server"
		lands resolver "$APP_UID" tcp 44001 "$server"
		lands upstream "$PROXY_UID" tcp 44002 "$server"
		lands resolver "$APP_UID" tcp 44002 "$server"
	done
}

# systemd-resolved's stub: the application's way ends at the resolver, the resolver's at the stub.
test_a_nameserver_on_loopback() {
	resolv_conf 127.0.0.53 ::1
	start stub "$APP" 0 redirect-peer.py serve stub 53 127.0.0.53 ::1
	wait_for 10 logged stub ready
	install_rules --redirect-dns
	each_way resolver "$APP_UID" 127.0.0.53 ::1
	each_way stub "$PROXY_UID" 127.0.0.53 ::1
	lands resolver "$APP_UID" udp 45001 127.0.0.53
	lands stub "$PROXY_UID" udp 45001 127.0.0.53
	lands resolver "$APP_UID" udp 45001 127.0.0.53
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

# A redirected query could not be answered: its source address is link-local, too, and means nothing
# on the loopback interface. Better past the mesh than dead.
test_a_link_local_nameserver_is_left_alone() {
	local server=fe80::53%app0
	ip -n "$DNS" addr add fe80::53/64 dev dns0 nodad
	ip -n "$APP" addr add fe80::2/64 dev app0 nodad
	start neighbour "$DNS" 0 redirect-peer.py serve upstream 53 fe80::53%dns0
	wait_for 10 logged neighbour ready
	resolv_conf $server "$UNBOUND4"
	expect_match 'link-local nameservers .* are not captured' "$(install_rules --redirect-dns 2>&1)"
	lands upstream "$APP_UID" udp 0 $server
	lands upstream "$APP_UID" tcp 0 $server
	lands resolver "$APP_UID" udp 0 "$UNBOUND4"
	resolv_conf $server
	expect_status 1 install_rules --redirect-dns
	expect_match 'no nameserver that can be captured' "$OUTPUT"
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

# What a VM with containers does: DNS of a guest goes through this host, masqueraded.
test_forwarded_dns_is_left_alone() {
	local guest how transport round
	start guest "$APP" 0 unshare --net sh -c 'echo ready; exec sleep 1000'
	wait_for 5 logged guest ready
	guest=${PID[guest]}
	ip -n "$APP" link add guest0 type veth peer name up0 netns "$guest"
	lab_address "$APP" guest0 10.77.0.1/24
	nsenter -t "$guest" -n ip link set up0 up
	nsenter -t "$guest" -n ip addr add 10.77.0.2/24 dev up0
	nsenter -t "$guest" -n ip route add default via 10.77.0.1
	in_app sysctl -qw net.ipv4.ip_forward=1
	in_app nft 'table ip guests {
		chain post {
			type nat hook postrouting priority srcnat
			oifname app0 ip saddr 10.77.0.0/24 masquerade
		}
	}'
	for how in --redirect-dns --redirect-all-dns-traffic; do
		install_rules $how
		for transport in udp tcp; do
			for round in 1 2 3; do # the ports of the host's own queries, too
				lands resolver "$APP_UID" $transport 46001 "$UNBOUND4"
				lands upstream "$PROXY_UID" $transport 46001 "$UNBOUND4"
				expect_eq upstream "$(nsenter -t "$guest" -n redirect-peer.py \
					ask $transport $((46000 + round)) "$UNBOUND4")"
			done
		done
	done
	in_app nft delete table ip guests
}

# A reset that belongs to no connection, as an eavesdropper would forge it.
test_invalid_packets_are_dropped() {
	local backend
	for backend in nftables iptables-nft iptables-legacy; do
		redirect uninstall
		install_rules --redirect-dns --drop-invalid-packets --backend $backend
		in_dns redirect-peer.py reset "$UNBOUND4" "$APP4" 80
		in_dns redirect-peer.py reset "$UNBOUND6" "$APP6" 80
		expect_eq 2 "$(redirect status | sed -nE 's/.*invalid -> drop \(([0-9]+) packets.*/\1/p' |
			awk '{ n += $1 } END { print n }')" $backend
	done
	redirect uninstall
}

# The kernel's log is not seen from a namespace, the rules' counters are.
test_logged_connections_are_counted() {
	local backend
	for backend in nftables iptables-nft iptables-legacy; do
		redirect uninstall
		install_rules --redirect-dns --iptables-logs --backend $backend
		lands resolver "$APP_UID" udp 0 "$UNBOUND4"
		lands resolver "$APP_UID" tcp 0 "$UNBOUND4"
		expect_match 'log "OUTPUT:" at level 7 \([2-9] packets' "$(redirect status)"
	done
	redirect uninstall
}

test_counters_count() {
	redirect uninstall
	install_rules --redirect-dns
	lands resolver "$APP_UID" udp 0 "$UNBOUND4"
	lands upstream "$PROXY_UID" tcp 0 "$UNBOUND6"
	expect_match 'udp dport 53 ip daddr @nameservers4 counter packets 1 .* redirect' \
		"$(in_app nft list chain inet meshdns output-nat)"
	expect_match 'tcp dport 53 meta skuid 5678 counter packets 1 .* return' \
		"$(in_app nft list chain inet meshdns output-nat)"
}

run_tests "$@"
