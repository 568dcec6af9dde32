#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A matrix of packets and where each lands under the rules of the whole transparent proxy, compared
# with redirect-matrix.table; and what a host has besides: Docker's rules, and guests.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-docker.sh
. "$SYSTEM/lib-docker.sh"

EXCLUDED_UID=1234
VIP4=240.0.0.1 VIP6=fd00:fd00::1
TABLE=$SYSTEM/redirect-matrix.table

setup() {
	local port
	lab_address "$DNS" dns0 $VIP4/32 $VIP6/128
	lab_address "$APP" lo ::6/128
	ip -n "$APP" route add 240.0.0.0/4 via "$UNBOUND4"
	ip -n "$APP" route add fd00:fd00::/64 via "$UNBOUND6"
	for port in 53 80 8080; do
		start there$port "$DNS" 0 redirect-peer.py serve there $port "$UNBOUND4" "$UNBOUND6" \
			"$KNOT4" "$KNOT6" "$FAKE4" "$FAKE6" $VIP4 $VIP6
		serve_here here $port
	done
	serve_here resolver 15053
	serve_here inbound 15006
	serve_here outbound 15001
	wait_for 10 all_ready
}

serve_here() { # NAME PORT
	start "$1$2" "$APP" 0 redirect-peer.py serve "$1" "$2" 127.0.0.1 ::1 "$APP4" "$APP6"
}

all_ready() {
	local name
	for name in "${!PID[@]}"; do
		logged "$name" ready || return 1
	done
}

# --- the table ----------------------------------------------------------------------------------

# What every section's settings share.
EXCLUSIONS=(--exclude-outbound-ports 8080 --exclude-inbound-ports 8080
	--exclude-outbound-ips "$FAKE4,$FAKE6" --exclude-inbound-ips "$SPARE4,$SPARE6"
	--exclude-outbound-ports-for-uids "tcp::$EXCLUDED_UID"
	--exclude-outbound-ports-for-uids "udp:53:$EXCLUDED_UID")

install_rules() { redirect install --proxy-user "$PROXY_UID" "$@"; }

# probe WHO: lines "PROTOCOL ADDRESS PORT" in, who answered out.
probe() {
	local host=$APP uid=0 four=any six=any
	case $1 in
	other) uid=$APP_UID ;;
	proxy) uid=$PROXY_UID ;;
	excluded) uid=$EXCLUDED_UID ;;
	passthrough) uid=$PROXY_UID four=127.0.0.6 six=::6 ;;
	outside) host=$DNS four=$UNBOUND4 six=$UNBOUND6 ;;
	banned) host=$DNS four=$SPARE4 six=$SPARE6 ;;
	esac
	awk -v four="$four" -v six="$six" '{ print $1, $2 ~ /:/ ? six : four, $2, $3 }' |
		on "$host" "$uid" redirect-peer.py probe
}

# addresses DESTINATION
addresses() {
	case $1 in
	listed) echo "$UNBOUND4 $UNBOUND6" ;;
	unlisted) echo "$KNOT4 $KNOT6" ;;
	free) echo "$FAKE4 $FAKE6" ;;
	vip) echo "$VIP4 $VIP6" ;;
	loopback) echo "127.0.0.1 ::1" ;;
	own) echo "$APP4 $APP6" ;;
	*4) addresses "${1%4}" | cut -d ' ' -f 1 ;;
	*6) addresses "${1%6}" | cut -d ' ' -f 2 ;;
	*) fail "the table has the destination $1" ;;
	esac
}

# section NAME: its rows, one packet a line: WHO PROTOCOL ADDRESS PORT LANDS
section_rows() {
	local who protocol destination port lands one transport address
	while read -r who protocol destination port lands _; do
		for one in ${who//,/ }; do
			for transport in ${protocol//,/ }; do
				for address in $(addresses "$destination"); do
					echo "$one $transport $address $port $lands"
				done
			done
		done
	done < <(awk -v section="$1:" '$1 == section { on = 1; next } !NF { on = 0 } on' "$TABLE")
}

# matrix SECTION: installs its settings, sends its packets, compares; by every backend.
matrix() {
	local flags backend rows
	flags=$(sed -n "s/^$1: //p" "$TABLE")
	rows=$(section_rows "$1")
	[[ $rows ]] || fail "the table has no section $1"
	for backend in nftables iptables-nft iptables-legacy; do
		# shellcheck disable=SC2086 # flags
		install_rules $flags "${EXCLUSIONS[@]}" --backend "$backend"
		# shellcheck disable=SC2086
		expect_match 'nothing to do' \
			"$(install_rules $flags "${EXCLUSIONS[@]}" --backend "$backend" --verbose 2>&1)"
		expect_match "^backend: $backend," "$(redirect status)"
		compare_rows "$1 by $backend"
	done
}

# compare_rows WHAT: where the packets of $rows land.
compare_rows() {
	local who
	for who in other root proxy excluded passthrough outside banned; do
		grep "^$who " <<<"$rows" >"$LAB/wanted" || continue
		cut -d ' ' -f 2-4 "$LAB/wanted" | probe "$who" >"$LAB/landed"
		paste -d ' ' <(cut -d ' ' -f 1-4 "$LAB/wanted") "$LAB/landed" |
			diff -U 0 "$LAB/wanted" - || fail "$1: not as the table says"
	done
}

test_dns_and_proxy() { matrix dns-and-proxy; }
test_all_dns_inserted() { matrix all-dns-inserted; }
test_dns_as_kuma() { matrix dns-as-kuma; }
test_no_dns() { matrix no-dns; }
test_gateway() { matrix gateway; }
test_dns_only() { matrix dns-only; }
test_vips_alone() { matrix vips-alone; }
test_ipv4_alone() { matrix ipv4-alone; }
test_ipv6_alone() { matrix ipv6-alone; }
test_included_ports() { matrix included-ports; }

# --- Docker ---------------------------------------------------------------------------------------

# docker_rules IPTABLES: in a container.
docker_rules() { docker_container_rules | in_app "$1-restore"; }

# docker_with IPTABLES: applications' queries are ours, the resolver's are Docker's; the rules may be
# there before ours or come later, and the source ports be those that the other side just used.
docker_with() {
	local how protocol round
	resolv_conf 127.0.0.11
	start docker "$APP" 0 redirect-peer.py serve docker 33333 127.0.0.11
	wait_for 10 logged docker ready
	for how in --redirect-dns --redirect-all-dns-traffic; do
		redirect uninstall
		docker_rules "$1"
		install_rules $how --redirect-inbound --redirect-outbound
		docker_lands
		in_app "$1" -t nat -F && in_app "$1" -t nat -X && docker_rules "$1"
		docker_lands
		for protocol in udp tcp; do
			for round in 1 2; do
				expect_eq resolver "$(on "$APP" "$APP_UID" redirect-peer.py ask $protocol \
					$((47000 + round)) 127.0.0.11)" "$how $protocol"
				expect_eq docker "$(on "$APP" "$PROXY_UID" redirect-peer.py ask $protocol \
					$((47000 + round)) 127.0.0.11)" "$how $protocol"
			done
		done
		in_app "$1" -t nat -F
		in_app "$1" -t nat -X
	done
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

docker_lands() {
	local query=$'udp 127.0.0.11 53\ntcp 127.0.0.11 53'
	expect_eq $'resolver\nresolver' "$(probe other <<<"$query")"
	expect_eq $'docker\ndocker' "$(probe proxy <<<"$query")"
}

test_docker_with_iptables_nft() { docker_with iptables-nft; }
test_docker_with_iptables_legacy() { docker_with iptables-legacy; }

# --- other tools' rules, link-local addresses ----------------------------------------------------

# Kuma appends its TCP rules, or inserts them if it is told to: so others' come first, or do not.
test_before_and_behind_other_tools() {
	local iptables
	for iptables in iptables-nft iptables-legacy; do
		in_app $iptables -t nat -A OUTPUT -p tcp -d $VIP4 --dport 80 -j DNAT --to "$KNOT4:80"
		in_app $iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
		install_rules --redirect-inbound --redirect-outbound
		expect_eq there "$(probe other <<<"tcp $VIP4 80")"
		expect_eq here "$(probe outside <<<"tcp $APP4 80")"
		install_rules --redirect-inbound --redirect-outbound \
			--redirect-inbound-insert-instead-of-append \
			--redirect-outbound-insert-instead-of-append
		expect_eq outbound "$(probe other <<<"tcp $VIP4 80")"
		expect_eq inbound "$(probe outside <<<"tcp $APP4 80")"
		in_app $iptables -t nat -F
	done
}

# What is redirected from there could not be answered: its source is link-local, too.
test_link_local_destinations_are_left_alone() {
	local port
	ip -n "$DNS" addr add fe80::53/64 dev dns0 nodad
	ip -n "$APP" addr add fe80::2/64 dev app0 nodad
	for port in 53 80; do
		start neighbour$port "$DNS" 0 redirect-peer.py serve neighbour $port fe80::53%dns0
		wait_for 10 logged neighbour$port ready
	done
	install_rules --redirect-all-dns-traffic --redirect-outbound
	expect_eq $'neighbour\nneighbour\nneighbour' "$(probe other <<-'END'
		udp fe80::53%app0 53
		tcp fe80::53%app0 53
		tcp fe80::53%app0 80
	END
	)"
	expect_eq resolver "$(probe other <<<"udp $UNBOUND6 53")"
}

# --- guests ---------------------------------------------------------------------------------------

# A container on this host. What it sends out of its network is the proxy's; defect c: its queries are
# the resolver's only where DNS is redirected.
test_guests_of_a_virtual_network() {
	local guest query vnet=(--vnet guest+:10.77.0.0/24 --vnet guest+:fd77::/64)
	start guest "$APP" 0 unshare --net sh -c 'echo ready; exec sleep 1000'
	wait_for 5 logged guest ready
	guest=${PID[guest]}
	ip -n "$APP" link add guest0 type veth peer name up0 netns "$guest"
	lab_address "$APP" guest0 10.77.0.1/24 fd77::1/64
	nsenter -t "$guest" -n ip link set up0 up
	nsenter -t "$guest" -n ip addr add 10.77.0.2/24 dev up0
	nsenter -t "$guest" -n ip addr add fd77::2/64 dev up0 nodad
	nsenter -t "$guest" -n ip route add default via 10.77.0.1
	nsenter -t "$guest" -n ip route add default via fd77::1
	in_app sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_app nft 'table inet guests {
		chain post {
			type nat hook postrouting priority srcnat
			oifname app0 masquerade
		}
	}'
	for port in 15053 15001; do
		start guests$port "$APP" 0 redirect-peer.py serve guests$port $port 10.77.0.1 fd77::1
		wait_for 10 logged guests$port ready
	done
	query="udp any $KNOT4 53
tcp any $KNOT4 53
tcp any $VIP4 80
udp any $KNOT6 53
tcp any $KNOT6 53
tcp any $VIP6 80"
	lands() { # WHO…: for each query
		expect_eq "$*" "$(nsenter -t "$guest" -n redirect-peer.py probe <<<"$query" |
			paste -sd ' ')"
	}
	install_rules --redirect-dns --redirect-outbound "${vnet[@]}"
	lands guests15053 guests15053 guests15001 guests15053 guests15053 guests15001
	install_rules --redirect-outbound "${vnet[@]}"
	lands there guests15001 guests15001 there guests15001 guests15001
	install_rules --redirect-dns "${vnet[@]}"
	lands guests15053 guests15053 there guests15053 guests15053 there
	install_rules --redirect-dns --redirect-outbound "${vnet[@]}" --redirect-dns-tcp=false \
		--ip-family-mode ipv4
	lands guests15053 there guests15001 there there there
	in_app nft delete table inet guests
}

# --- the rest -------------------------------------------------------------------------------------

test_every_option_is_read_back() {
	# shellcheck disable=SC2054 # no, these commas are in the words
	local all=(--redirect-all-dns-traffic --redirect-inbound --redirect-outbound --iptables-logs
		--drop-invalid-packets --vnet br+:172.17.0.0/16 --vnet docker0:fd17::/64
		--redirect-vips 240.0.0.0/4,fd00:fd00::/61 --include-outbound-ports 1-1023,8443
		--exclude-outbound-ports-for-uids udp:53,1000-2000:33 "${EXCLUSIONS[@]}")
	redirect uninstall
	expect_eq '' "$(install_rules "${all[@]}" 2>&1)"
	expect_match 'nothing to do' "$(install_rules "${all[@]}" --verbose 2>&1)"
	in_app nft insert rule inet meshdns outbound tcp dport 1 return
	expect_match 'a rule that is not ours: outbound' "$(install_rules "${all[@]}" 2>&1)"
	expect_match 'nothing to do' "$(install_rules "${all[@]}" --verbose 2>&1)"
	redirect uninstall
	expect_no_match meshdns "$(in_app nft list ruleset)"
}

# There, more than 15 ports made a rule that the kernel refused.
test_defect_j_many_ports() {
	install_rules --redirect-inbound --exclude-inbound-ports "$(seq -s , 2 2 128)"
	expect_eq inbound "$(probe outside <<<"tcp $APP4 53")"
	expect_eq here "$(probe outside <<<"tcp $APP6 80")"
}

# There, the CNI plugin took the nameservers of the node for those of the pod.
test_defect_k_nameservers_are_those_of_the_namespace() {
	meshdns-redirect install --redirect-dns --proxy-user "$PROXY_UID" --netns "$APP"
	expect_eq resolver "$(probe other <<<"udp $UNBOUND4 53")"
	expect_eq there "$(probe other <<<"udp $KNOT4 53")"
}

# The time is the packets'; redirect-backends.sh has the same code run with sanitizers.
if sanitized; then
	echo 'redirect-matrix: not with sanitizers'
	exit 0
fi
run_tests "$@"
