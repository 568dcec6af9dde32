#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Containers of podman, of containerd through ctr and through CRI, and of runc on what CNI's own library
# has set up: in each pod the plugin's rules, behind Debian's bridge, ptp and portmap, and the resolver as
# a second container. The runtimes run on a node of the test's, whose files and processes end with it.
#
# Not with sanitizers: the time is the runtimes', and cni.sh asks the plugin the same.
# shellcheck disable=SC2030,SC2031,SC2317 # a test's variables and functions are its own

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"
# shellcheck source=tests/system/lib-node.sh
. "$SYSTEM/lib-node.sh"

CGROUP=meshdns-$$
CTR=(ctr --address /run/containerd.sock)
NODE_ENV=(CRI=/run/containerd.sock IMAGE=localhost/mesh:1 CGROUP="/$CGROUP" STORAGE_DRIVER=vfs
	CNI_PATH=/opt/cni/bin)
BRIDGE='{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam": IPAM}'
PTP='{"type": "ptp", "ipam": IPAM}'
ANNOTATED='{"kuma.io/sidecar-injected": "true", "other": "é \"q\" \u0001"}'

setup() {
	need podman containerd ctr runc curl nft iptables nslookup pgrep
	[[ -x /usr/lib/cni/bridge ]] || die "not installed: /usr/lib/cni/bridge (sudo make deps)"
	[[ -x $BUILD/tests/system/libcni ]] || die "not built: $BUILD/tests/system/libcni (make check-system)"
	NODE=$APP
	trap runtimes_remove EXIT
	in_app sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_dns ip route add 10.88.0.0/16 via "$APP4"
	in_dns ip -6 route add fd88::/64 via "$APP6"
	start_outside
	node_make_machine /run /opt /etc/cni /var/log /var/lib /dev/shm
	NODE_ENV+=(LOGS="$LAB/log" CONTAINERS_CONF="$LAB/containers.conf")
	on_node ip netns add first && on_node ip netns del first # ip(8) mounts /run/netns, and hides what is there
	on_node mkdir -p /opt/cni/bin /etc/cni/net.d /etc/cni/podman
	on_node cp "$BUILD/meshdns-cni" /usr/lib/cni/{bridge,ptp,host-local,portmap,loopback} /opt/cni/bin
	make_rootfs
	network podman "$BRIDGE"
	containers_conf >"$LAB/containers.conf"
	start_containerd
}

# What a runtime that is killed leaves outside of the node.
runtimes_remove() {
	lab_remove
	find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" -exec rmdir {} + 2>/dev/null
}

# $LAB/rootfs: busybox and the resolver, whose libraries are the node's /usr.
make_rootfs() {
	local applet
	mkdir -p "$LAB/rootfs"/{bin,etc,usr,proc,sys,dev,tmp,run,names}
	cp "$(command -v busybox)" "$BUILD/meshdns-resolver" "$LAB/rootfs/bin"
	ln -s usr/lib usr/lib64 "$LAB/rootfs"
	for applet in httpd sed sh sleep sort; do ln -s busybox "$LAB/rootfs/bin/$applet"; done
	printf 'nameserver %s\n' "$UNBOUND4" "$UNBOUND6" >"$LAB/rootfs/etc/resolv.conf"
	printf '240.0.0.1 redis.mesh\nfd00:fd00::1 redis.mesh\n' >"$LAB/rootfs/names/names"
}
RESOLVER=(/bin/meshdns-resolver --control off --names /names/names)
APPLICATION=(/bin/httpd -f -p 80 -h /names)

# list PLUGIN [VERSION]: a network whose main plugin this is.
list() {
	local ipam='{"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}], [{"subnet": "fd88::/64"}]],
		"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}'
	cat <<-EOT
		{"cniVersion": "${2:-1.0.0}", "name": "mesh", "plugins": [
		  ${1/IPAM/$ipam},
		  {"type": "portmap", "capabilities": {"portMappings": true}},
		  {"type": "meshdns-cni", "capabilities": {"io.kubernetes.cri.pod-annotations": true, "dns": true}}]}
	EOT
}

# network DIRECTORY PLUGIN [VERSION]: the list in that directory of /etc/cni, and nothing else.
network() {
	list "${@:2}" | on_node tee "/etc/cni/$1/10-mesh.conflist" >/dev/null
}

containers_conf() {
	cat <<-EOT
		[containers]
		log_driver = "k8s-file"
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["/opt/cni/bin"]
		network_config_dir = "/etc/cni/podman"
	EOT
}

start_containerd() {
	cat >"$LAB/containerd.toml" <<-EOT
		version = 2
		root = "/var/lib/containerd"
		state = "/run/containerd"
		[grpc]
		  address = "/run/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/mesh:1"
		  restrict_oom_score_adj = true
		  disable_apparmor = true
		[plugins."io.containerd.grpc.v1.cri".containerd]
		  snapshotter = "native"
		[plugins."io.containerd.grpc.v1.cri".cni]
		  bin_dir = "/opt/cni/bin"
		  conf_dir = "/etc/cni/net.d"
	EOT
	network net.d "$PTP" # for the first test of it
	start_on_node containerd containerd --config "$LAB/containerd.toml"
	cri.py image localhost/mesh:1 "$LAB/image.tar" "$LAB/rootfs"
	wait_for 20 on_node "${CTR[@]}" version
	on_node "${CTR[@]}" -n k8s.io images import --snapshotter native "$LAB/image.tar" >/dev/null
	on_node "${CTR[@]}" images import --snapshotter native "$LAB/image.tar" >/dev/null
}

cri() { on_node python3 "$LAB/bin/cri.py" "$@"; }

# --- what is the same whoever starts a pod -------------------------------------------------------
#
# A test defines `inside COMMAND…`, which runs it in the application's container.

# For the container's shell: what nslookup finds of each server, over UDP and TCP, one a line.
# shellcheck disable=SC2016
ASK='for server; do for transport in -novc -vc; do for name in redis.mesh www.outside.example; do
	echo $server $transport $name $(/usr/bin/nslookup -timeout=5 -retry=0 $transport $name $server |
		sed -n "/^Name/,\$s/^Address: //p" | sort)
done; done; done'

names_resolve() {
	local server transport expected=()
	for server in "$UNBOUND4" "$UNBOUND6"; do
		for transport in -novc -vc; do
			expected+=("$server $transport redis.mesh 240.0.0.1 fd00:fd00::1"
				"$server $transport www.outside.example 192.0.2.10 2001:db8::10")
		done
	done
	wait_for 10 inside /bin/busybox nslookup redis.mesh
	expect_eq "$(printf '%s\n' "${expected[@]}")" "$(inside /bin/sh -c "$ASK" sh "$UNBOUND4" "$UNBOUND6")"
}

# The port that portmap maps leads to the application.
port_is_mapped() {
	expect_match 'redis.mesh' "$(in_dns curl -sS --max-time 5 "http://$APP4:8080/names")"
}

# left_over: what there is on the node of any pod, nothing once they are gone.
left_over() {
	on_node bash -c '
		ip -o link show type veth | grep -v ": app0@"
		ip route | grep veth
		iptables-save | grep -e CNI-DN -e CNI-HOSTPORT-DNAT.*id:
		find /run/netns /run/meshdns /var/lib/cni ! -type d ! -name "last_reserved*" ! -name "*lock"'
}

nothing_is_left() {
	local left
	left=$(left_over) || :
	expect_eq '' "$left" 'left over'
}

# rules_of PID: in that process's network namespace.
rules_of() { on_node nsenter --target "$1" --net nft list ruleset; }

# --- podman --------------------------------------------------------------------------------------

podman_run() { # podman_run NAME FLAG… -- COMMAND…
	local name=$1 flags=()
	shift
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	on_node podman run --detach --name "$name" --cgroup-parent "/$CGROUP" --volume /usr:/usr:ro \
		"${flags[@]}" --rootfs "$LAB/rootfs" "${@:2}" >/dev/null
}

podman_end() {
	on_node podman rm --force --time 0 resolver >/dev/null # the namespace is the other's
	on_node podman rm --force --time 0 application >/dev/null
	nothing_is_left
}

test_podman() {
	inside() { on_node podman exec application "$@"; }
	podman_run application --network mesh --dns "$UNBOUND4" --publish 8080:80 -- "${APPLICATION[@]}"
	podman_run resolver --network container:application --user 5678:5678 -- "${RESOLVER[@]}"
	names_resolve
	port_is_mapped
	on_node podman network reload application >/dev/null # DEL and ADD, in the same namespace
	names_resolve
	podman_end
}

# Uid 5678 of the pod's user namespace is left alone, not the node's.
test_podman_with_a_user_namespace() {
	inside() { on_node podman exec application "$@"; }
	podman_run application --network mesh --dns "$UNBOUND4" --uidmap 0:100000:65536 -- "${APPLICATION[@]}"
	podman_run resolver --network container:application --uidmap 0:100000:65536 --user 5678:5678 -- "${RESOLVER[@]}"
	names_resolve
	podman_end
}

# The installer's, with the privileges that the manifests give it, where another user owns the folders.
test_the_image_installs() {
	local caps node=$LAB/imaged
	caps=$(sed -nE 's/.*add: \[(.*)\].*/\1/p' "$TOP/scripts/kubernetes/node/daemonset.yaml")
	mkdir -p "$node"/{net.d,bin}
	list "$BRIDGE" | sed '/meshdns-cni/d; s/true}},$/true}}]}/' >"$node/net.d/10-mesh.conflist"
	chown -R "$APP_UID" "$node"
	on_node podman build --quiet --isolation chroot --tag meshdns-cni --file "$TOP/scripts/kubernetes/Containerfile" \
		"$BUILD" >/dev/null
	on_node podman run --rm --network none --read-only --cgroup-parent "/$CGROUP" --cap-drop all \
		--cap-add "${caps// /}" --volume "$node/net.d:/etc/cni/net.d" --volume "$node/bin:/opt/cni/bin" \
		meshdns-cni install 2>"$LAB/log/image" || fail "$(log_of image)"
	grep -q meshdns-cni "$node/net.d/10-mesh.conflist"
	cmp "$BUILD/meshdns-cni" "$node/bin/meshdns-cni"
	cmp "$BUILD/meshdns-cni-kube" "$node/bin/meshdns-cni-kube"
	expect_match '^meshdns-cni-kube ' "$(env -i "$node/bin/meshdns-cni-kube" --version)"
	on_node podman rmi --force meshdns-cni >/dev/null
}

# --- CRI ------------------------------------------------------------------------------------------

# cri_run NAME [ANNOTATIONS]
cri_run() {
	cri run "{\"annotations\": ${2:-{\}}, \"servers\": [\"$UNBOUND4\", \"$UNBOUND6\"], \"ports\": ${PORTS:-[]}}" "$1"
}

test_containerd_through_cri() {
	local pod container
	inside() { cri exec "$container" "$@"; }
	pod=$(PORTS='[[8080, 80]]' cri_run web-0 "$ANNOTATED")
	container=$(cri start "$pod" application 0 "${APPLICATION[@]}")
	cri start "$pod" resolver 5678 "${RESOLVER[@]}" >/dev/null
	names_resolve
	port_is_mapped
	cri stop "$pod"
	nothing_is_left
	cri stop "$pod" # twice is once
	cri remove "$pod"
}

# pods_rules POD: of a sandbox.
pods_rules() {
	rules_of "$(on_node "${CTR[@]}" -n k8s.io task ls | awk -v id="$1" '$1 == id { print $2 }')"
}

test_annotations_through_cri() {
	local plain declined some
	network net.d "$BRIDGE" # ptp waits for two seconds until each pod's IPv6 address is nobody else's
	plain=$(cri_run plain)
	expect_eq '' "$(pods_rules "$plain")"
	declined=$(cri_run declined '{"kuma.io/sidecar-injected": "true", "meshdns.io/inject": "false"}')
	expect_eq '' "$(pods_rules "$declined")"
	# The pod's own nameservers, which the dns capability tells.
	some=$(cri_run some '{"meshdns.io/inject": "true", "meshdns.io/redirect-dns": "true", "meshdns.io/redirect-dns-port": "15055"}')
	expect_match "$UNBOUND4" "$(pods_rules "$some")"
	expect_match 'redirect to :15055' "$(pods_rules "$some")"
	cri remove "$plain" "$declined" "$some"
	expect_status 1 cri_run wrong '{"meshdns.io/inject": "true", "meshdns.io/redirect-dns-port": "no"}'
	expect_match 'plugin type="meshdns-cni" failed \(add\): .*meshdns.io/redirect-dns-port.*no' "$OUTPUT"
	nothing_is_left
}

test_fifty_pods_at_once() {
	local names=() pods
	for n in {1..50}; do names+=("pod$n"); done
	cri run "{\"annotations\": $ANNOTATED}" "${names[@]}" >"$LAB/pods"
	mapfile -t pods <"$LAB/pods"
	expect_eq 50 "${#pods[@]}"
	# shellcheck disable=SC2016 # for the other shell
	expect_eq 50 "$(on_node bash -c 'for ns in /run/netns/cni-*; do nsenter --net=$ns nft list ruleset; done' |
		grep -c 'table inet meshdns')"
	cri remove "${pods[@]}"
	nothing_is_left
}

# --- ctr ------------------------------------------------------------------------------------------

# pid_of CONTAINER: on the node.
pid_of() { on_node "${CTR[@]}" task ls | awk -v name="$1" '$1 == name && $3 == "RUNNING" { print $2 }'; }
runs() { [[ $(pid_of "$1") ]]; }

ctr_run() { # ctr_run FLAG… -- NAME COMMAND…
	local flags=()
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	on_node "${CTR[@]}" run --snapshotter native --cgroup "/$CGROUP/$2" \
		--mount type=bind,src=/usr,dst=/usr,options=rbind:ro "${flags[@]}" localhost/mesh:1 "${@:2}"
}

test_containerd_through_ctr() {
	local n=0
	inside() { on_node "${CTR[@]}" task exec --exec-id "ask$((++n))$BASHPID" application "$@"; }
	ctr_run --rm --cni -- application /bin/sleep 100 & # it is ctr that calls the plugins, at the end too
	wait_for 10 runs application
	ctr_run --detach --with-ns "network:/proc/$(pid_of application)/ns/net" -- resolver "${RESOLVER[@]}" --user 5678
	names_resolve
	on_node "${CTR[@]}" task rm --force resolver 2>/dev/null
	on_node "${CTR[@]}" container rm resolver
	on_node "${CTR[@]}" task kill --signal KILL application
	wait $! || :
	nothing_is_left
}

# --- CNI's library --------------------------------------------------------------------------------

# libcni VERB [LIST]: $LAB/list.
libcni() {
	on_node env ID="${ID:-c1}" NETNS="/run/netns/${ID:-c1}" IFNAME=eth0 ARGS="${ARGS:-}" RUNTIME="${RUNTIME:-}" \
		"$BUILD/tests/system/libcni" "$1" "${2:-$LAB/list}"
}

# Without the two seconds that ptp waits for IPv6 addresses to be nobody else's.
pod_namespace() {
	on_node ip netns add c1
	on_node ip -n c1 link set lo up
	on_node ip netns exec c1 sysctl -qw net.ipv6.conf.default.accept_dad=0
}

# bundle COMMAND…: $LAB/bundle, for runc, in the namespace of libcni's pod.
bundle() {
	mkdir -p "$LAB/bundle"
	(cd "$LAB/bundle" && rm -f config.json && runc spec)
	python3 - "$LAB/bundle/config.json" "$LAB/rootfs" "/$CGROUP/runc-$1" "${@:2}" <<-'EOT'
		import json, sys
		path, root, cgroup, *command = sys.argv[1:]
		with open(path, encoding="utf-8") as file:
		    spec = json.load(file)
		spec["process"] |= {"args": command, "terminal": False}
		spec["root"]["path"] = root
		spec["linux"]["cgroupsPath"] = cgroup
		spec["mounts"].append({"destination": "/usr", "source": "/usr", "type": "bind",
		                       "options": ["rbind", "ro"]})
		for namespace in spec["linux"]["namespaces"]:
		    if namespace["type"] == "network":
		        namespace["path"] = "/run/netns/c1"
		with open(path, "w", encoding="utf-8") as file:
		    json.dump(spec, file)
	EOT
}

runc_run() { # runc_run NAME COMMAND…
	bundle "$@"
	on_node runc run --detach --bundle "$LAB/bundle" "$1" </dev/null >"$LAB/log/runc-$1" 2>&1
}

test_runc_and_the_library() {
	local ports='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
	inside() { on_node runc exec application "$@"; }
	list "$PTP" >"$LAB/list"
	pod_namespace
	libcni VALIDATE
	RUNTIME=$ports libcni ADD >/dev/null
	libcni CHECK # portmap's own would miss rules for IPv6 that its ADD made otherwise
	runc_run application "${APPLICATION[@]}"
	on_node nsenter --net=/run/netns/c1 setpriv --reuid 5678 --regid 5678 --clear-groups \
		"$LAB/rootfs${RESOLVER[0]}" --control off --names "$LAB/rootfs/names/names" \
		--upstream "$UNBOUND4" &
	names_resolve
	port_is_mapped
	kill $!
	on_node runc delete --force application
	RUNTIME=$ports libcni DEL
	on_node ip netns del c1
	nothing_is_left
}

# As CRI-O calls it: no annotations are an empty object, and CHECK comes after every ADD.
test_every_version_as_cri_o_calls_it() {
	local version key=io.kubernetes.cri.pod-annotations
	local ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=1"
	for version in 0.3.1 0.4.0 1.0.0; do
		list "$BRIDGE" $version >"$LAB/list"
		pod_namespace
		RUNTIME="{\"$key\": {}}" libcni ADD >/dev/null
		expect_eq '' "$(on_node ip netns exec c1 nft list ruleset)"
		RUNTIME="{\"$key\": {}}" libcni DEL
		expect_match "\"cniVersion\": \"$version\"" "$(RUNTIME="{\"$key\": $ANNOTATED}" libcni ADD)"
		expect_match 'redirect to :15053' "$(on_node ip netns exec c1 nft list ruleset)"
		[[ $version == 0.3.1 ]] || RUNTIME="{\"$key\": $ANNOTATED}" libcni CHECK
		on_node ip netns exec c1 nft delete chain inet meshdns output-raw
		[[ $version == 0.3.1 ]] || expect_status 1 libcni CHECK
		RUNTIME="{\"$key\": $ANNOTATED}" libcni DEL
		libcni DEL
		on_node ip netns del c1
		nothing_is_left
	done
}

# --- another program's list ---------------------------------------------------------------------

# rival: writes its list, without our plugin, a hundred times, whole or in place.
rival() {
	list "$BRIDGE" | sed '/meshdns-cni/d; s/true}},$/true}}]}/' >"$LAB/theirs"
	# shellcheck disable=SC2016 # for the other shell
	on_node bash -c 'for i in {1..100}; do
		if ((i % 2)); then cp "$1" "$2.new" && mv "$2.new" "$2"; else cat "$1" >"$2"; fi
		sleep 0.02
	done' rival "$LAB/theirs" /etc/cni/net.d/10-mesh.conflist
}

# or_says_why POD COMMAND…: starts it, or its runtime knows why not.
or_says_why() {
	"${@:2}" 2>"$LAB/reason" || [[ -s $LAB/reason ]] || fail "$1 has not started, and nobody says why"
}

# library_pod NAME: as a runtime would start one.
library_pod() {
	local ID=$1
	on_node ip netns add "$ID"
	on_node ip -n "$ID" link set lo up
	cp "/proc/$NODE_PID/root/etc/cni/net.d/10-mesh.conflist" "$LAB/list-$ID"
	libcni ADD "$LAB/list-$ID" >/dev/null && return
	on_node ip netns del "$ID"
	return 1
}

# Of the pods that have started: containerd keeps the namespace of one that has not, for kubelet to remove,
# where it could not undo what it had done for it.
all_have_rules() {
	local pod
	for pod in "${pods[@]}"; do
		[[ $(pods_rules "$pod") == *'redirect to :15053'* ]] || return 1
	done
	# shellcheck disable=SC2016
	on_node bash -c 'for pod in /run/netns/library*; do
		nsenter --net="$pod" nft list ruleset | grep -q "redirect to :15053" || exit 1
	done'
}

# Every pod has its rules, at once or when it is noticed that it started without, or has not started,
# and its runtime knows why.
test_a_list_that_is_rewritten_while_pods_start() {
	local n=0 i rival pod pods RUNTIME="{\"io.kubernetes.cri.pod-annotations\": $ANNOTATED}"
	network net.d "$BRIDGE"
	start_on_node watch "$LAB/bin/meshdns-cni-install" watch
	wait_for 5 on_node grep -q meshdns-cni /etc/cni/net.d/10-mesh.conflist
	rival & rival=$!
	while ! ended $rival; do
		n=$((n + 1))
		or_says_why "pod$n" cri run "{\"annotations\": $ANNOTATED}" "pod$n"
		or_says_why "library$n" library_pod "library$n"
	done >"$LAB/pods"
	[[ -s $LAB/pods ]] || fail "no pod has started: $(<"$LAB/reason")"
	mapfile -t pods <"$LAB/pods"
	wait_for 20 all_have_rules
	stop watch 2>/dev/null || : # no child of this shell
	cri remove "${pods[@]}"
	while pod=$(cri last) && [[ $pod ]]; do
		cri remove "$pod"
	done
	for ((i = 1; i <= n; i++)); do
		ID=library$i libcni DEL /etc/cni/net.d/10-mesh.conflist
		on_node ip netns del "library$i" 2>/dev/null || :
	done
	nothing_is_left
}

if sanitized; then
	echo 'cni-runtimes: not with sanitizers'
	exit 0
fi
run_tests "$@"
