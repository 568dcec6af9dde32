# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pods: network namespaces that the real bridge plugin connects to $APP, which is the node, and
# meshdns-cni behind it, which logs to a directory of its own where a request does not say to which
# file. Sourced after lib.sh and lib-upstreams.sh.

# shellcheck source=tests/system/lib-node.sh
. "$SYSTEM/lib-node.sh"

STATE=/run/meshdns-test-$$ # not the machine's
PODS=()
TRACE=()  # what plugin runs meshdns-cni by: STRACE, or nothing
STRACE=() # writes to $LAB/log/strace

# cni_setup: the node routes its pods, and the outside knows the way to them.
cni_setup() {
	NODE=$APP # which stands for the pod while its resolver is started
	[[ -x /usr/lib/cni/bridge ]] || die "not installed: /usr/lib/cni/bridge (sudo make deps)"
	mkdir -p "$LAB/cni" "$LAB/conf"
	cp "$LAB/bin/meshdns-cni" /usr/lib/cni/{bridge,ptp,host-local,portmap,loopback} "$LAB/cni"
	in_app sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_dns ip route add 10.88.0.0/16 via "$APP4"
	in_dns ip -6 route add fd88::/48 via "$APP6"
	# The leak checker traces as well, and nothing is traced twice.
	STRACE=(/usr/bin/env ASAN_OPTIONS=detect_leaks=0 /usr/bin/strace -f -qq -o "$LAB/log/strace")
	trap cni_remove EXIT
	node_make /var/log
	conflist
}

cni_remove() {
	local pod
	for pod in "${PODS[@]}" $(ip netns list | awk -v p="meshdns-$$-pod" 'index($1, p) == 1 { print $1 }'); do
		ip netns pids "$pod" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$pod" 2>/dev/null
		rm -rf "/etc/netns/$pod"
	done
	rm -rf "$STATE"
	lab_remove
}

# conflist: what $LAB/conf/net.conflist says.
conflist() {
	cat >"$LAB/conf/net.conflist" <<-EOT
		{"cniVersion": "1.0.0", "name": "net", "plugins": [
		  {"type": "bridge", "bridge": "cni0", "isGateway": true, "forceAddress": false,
		   "ipam": {"type": "host-local", "dataDir": "$LAB/ipam", "ranges": [
		     [{"subnet": "10.88.0.0/16"}], [{"subnet": "fd88::/64"}]],
		    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
		  {"type": "meshdns-cni", "state_dir": "$STATE", "log_file": "$LAB/log/cni"}]}
	EOT
}

# pod NAME: makes its namespace; $NETNS is its path, $POD its name.
pod() {
	POD=meshdns-$$-pod-$1
	NETNS=/run/netns/$POD
	PODS+=("$POD")
	ip netns add "$POD"
	ip -n "$POD" link set lo up
	mkdir -p "/etc/netns/$POD"
	printf 'nameserver %s\n' "$UNBOUND4" "$UNBOUND6" >"/etc/netns/$POD/resolv.conf"
}

# pod_gone: its namespace goes, as when a runtime has stopped it.
pod_gone() {
	ip netns del "$POD"
	rm -rf "/etc/netns/$POD"
}

# cni VERB: the whole list, on the node.
cni() {
	local none='{}'
	on_node env LAB="$LAB" CNI_PATH="$LAB/cni" NETNS="$NETNS" \
		ID="${ID:-$POD}" IFNAME="${IFNAME:-eth0}" ARGS="${ARGS:-}" RUNTIME="${RUNTIME:-$none}" \
		EXTRA="${EXTRA:-$none}" ${PLUGIN:+PLUGIN="$PLUGIN"} cni.py "$1" "$LAB/conf/net.conflist"
}

# ours VERB: meshdns-cni alone, on the result that is kept.
ours() { PLUGIN=meshdns-cni cni "$1"; }

# plugin VERB JSON [VARIABLE=VALUE…]: meshdns-cni with this on standard input, and no variable else.
plugin() {
	printf '%s' "$2" | on_node env -i "CNI_COMMAND=$1" "${@:3}" "${TRACE[@]}" "$BUILD/meshdns-cni"
}

# privileges_go REGEX: as the trace has it, before anything is said to the kernel in the pod's namespace.
privileges_go() {
	expect_match "capset\(.*effective=1<<CAP_DAC_READ_SEARCH\|1<<CAP_NET_ADMIN$1" \
		"$(sed -n '/ setns(/,/sendto(\|sendmsg(/p' "$LAB/log/strace")"
}

in_pod() { ip netns exec "$POD" "$@"; }
pod_rules() { in_pod nft list ruleset; }

# member PATH: of the JSON on standard input: member .code
member() { python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].strip(".").split("."):
    value = value[int(key) if key.isdigit() else key]
print(value if isinstance(value, (str, int)) else json.dumps(value))' "$1"; }

# remembered: what the plugin knows, names sorted on one line.
remembered() { (cd "$STATE" 2>/dev/null && printf '%s\n' *) | flat; }
