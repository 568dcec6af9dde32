#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hosts of other kinds, from nothing to nothing: with Docker and a container, with IPv4 alone, with IPv6
# alone. On each, install, verify, status and uninstall tell the truth, with the resolver and without.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

setup() {
	names '240.0.0.100 redis.mesh' 'fd00:fd00::100 redis.mesh'
	start_outside
}

# says STATUS REGEX COMMAND…
says() {
	expect_status "$1" "${@:3}"
	expect_match "$2" "$OUTPUT"
}

failed() { sed -n 's/^FAIL *//p' <<<"$OUTPUT"; }

# tells_the_truth CHECK FLAG…: CHECK is called with "captured" and with "free".
tells_the_truth() {
	local check=$1 rules=(--redirect-dns --proxy-user "$PROXY_UID" "${@:2}")
	"$check" free
	says 1 '^not installed' redirect status "${rules[@]}"
	says 4 'the rules are not installed' redirect verify "${rules[@]}"

	redirect install "${rules[@]}"
	says 0 '^installed as planned' redirect status "${rules[@]}"
	says 4 'nothing listens on udp port 15053' redirect verify "${rules[@]}"
	expect_no_match "of uid $PROXY_UID" "$(failed)"

	start_resolver --names "$LAB/names" "${RESOLVER[@]}"
	says 0 '^ok .*answered by meshdns-resolver' redirect verify "${rules[@]}"
	expect_eq '' "$(failed)"
	"$check" captured

	redirect uninstall
	says 1 '^not installed' redirect status "${rules[@]}"
	"$check" free
	says 4 'the rules are not installed' redirect verify "${rules[@]}"
	stop resolver
}

# answers EXPECTED NAME TYPE COMMAND…
answers() { expect_eq "$1" "$("${@:4}" dig -r +tries=1 +time=6 +short "$2" "$3" | flat)" "$2 $3"; }

# --- one family -----------------------------------------------------------------------------------

ipv4_host() {
	answers "$([[ $1 == captured ]] && echo 240.0.0.100 || echo 192.0.2.99)" redis.mesh A as_app
	answers 192.0.2.10 www.outside.example A as_app
}

test_a_host_with_ipv4_alone() {
	local backend
	RESOLVER=()
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	resolv_conf "$UNBOUND4"
	for backend in nftables iptables-nft iptables-legacy; do
		tells_the_truth ipv4_host --backend $backend
	done
	tells_the_truth ipv4_host --ip-family-mode ipv4
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	lab_address "$APP" app0 fd66::{3,2}/64
}

ipv6_host() {
	answers "$([[ $1 == captured ]] && echo fd00:fd00::100 || echo 2001:db8::99)" redis.mesh AAAA as_app
	answers 2001:db8::10 www.outside.example AAAA as_app
}

test_a_host_with_ipv6_alone() {
	local backend
	RESOLVER=()
	ip -n "$APP" -4 addr flush dev app0
	resolv_conf "$UNBOUND6"
	for backend in nftables iptables-nft iptables-legacy; do
		tells_the_truth ipv6_host --backend $backend
	done
	tells_the_truth ipv6_host --ip-family-mode ipv6
	lab_address "$APP" app0 10.66.0.{2,3}/24
}

# --- Docker ---------------------------------------------------------------------------------------

# docker_host FLAVOUR: dockerd's bridge and rules, and a container.
docker_host() {
	ip -n "$APP" link add docker0 type bridge
	lab_address "$APP" docker0 172.17.0.1/16
	start container "$APP" 0 unshare --net sh -c 'echo ready; exec sleep 1000'
	wait_for 5 logged container ready
	CONTAINER=${PID[container]}
	ip -n "$APP" link add veth0 type veth peer name eth0 netns "$CONTAINER"
	ip -n "$APP" link set veth0 master docker0 up
	nsenter -t "$CONTAINER" -n ip link set eth0 up
	nsenter -t "$CONTAINER" -n ip addr add 172.17.0.2/16 dev eth0
	nsenter -t "$CONTAINER" -n ip route add default via 172.17.0.1
	in_app sysctl -qw net.ipv4.ip_forward=1
	in_app "iptables-$1-restore" <<-'END'
		*nat
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		-A DOCKER -i docker0 -j RETURN
		COMMIT
		*filter
		:DOCKER - [0:0]
		:DOCKER-USER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o docker0 -j DOCKER
		-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		-A DOCKER-USER -j RETURN
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		COMMIT
	END
}

in_container() { nsenter -t "$CONTAINER" -n "$@"; }

# of_docker STATE: this host's programs and a container's, whose nameserver is the host's.
of_docker() {
	local name=192.0.2.99 transport
	[[ $1 == free ]] || name=240.0.0.100
	answers $name redis.mesh A as_app
	for transport in +notcp +tcp; do
		expect_eq $name "$(in_container dig -r +tries=1 +time=6 +short $transport "@$UNBOUND4" redis.mesh A)" \
			"a container, $transport"
		expect_eq 192.0.2.10 "$(in_container dig -r +tries=1 +time=6 +short $transport "@$UNBOUND4" www.outside.example A)"
	done
}

docker_rules() { in_app "iptables-$1-save" | sed '/^#/d; /^:/s/ \[.*//'; }

test_a_host_with_docker() {
	local flavour backend before
	resolv_conf "$UNBOUND4" "$UNBOUND6"
	RESOLVER=(--listen 0.0.0.0:15053 --listen '[::]:15053' --allow-interface docker0)
	for flavour in nft legacy; do
		docker_host $flavour
		for backend in auto iptables-$flavour; do
			redirect install --redirect-dns --proxy-user 1 --backend "$backend"
			redirect uninstall # leaves the tables that iptables makes
			before=$(docker_rules $flavour)
			tells_the_truth of_docker --vnet docker0:172.17.0.0/16 --backend "$backend"
			expect_eq "$before" "$(docker_rules $flavour)"
		done
		stop container || :
		ip -n "$APP" link del docker0
		in_app iptables-$flavour -t nat -F
		in_app iptables-$flavour -t nat -X
		in_app iptables-$flavour -F
		in_app iptables-$flavour -X
	done
}

run_tests "$@"
