#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# meshdns-cni behind the real bridge plugin, called as runtimes call it.
# shellcheck disable=SC2034,SC2016 # ID, EXTRA and the like are read by cni

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"
# shellcheck source=tests/system/lib-cni.sh
. "$SYSTEM/lib-cni.sh"

setup() {
	need nft strace python3
	cni_setup
	start_outside
}

PREV='"prevResult": {"cniVersion": "1.0.0", "ips": [ {"address": "10.88.0.9/16", "n": 1.50} ]}'
BASE='"cniVersion": "1.0.0", "name": "net", "type": "meshdns-cni"'
base() { printf '{%s, "state_dir": "%s", "log_file": "%s"%s}' "$BASE" "$STATE" "$LAB/log/cni" "${1:+, $1}"; }
variables() { printf 'CNI_CONTAINERID=%s\nCNI_NETNS=%s\nCNI_IFNAME=eth0\n' "${1:-c}" "${2:-$NETNS}"; }
mapfile_variables() { mapfile -t VARIABLES < <(variables "$@"); }

# --- what it is for -----------------------------------------------------------------------------

# asks_in_pod: names of the mesh and of the outside, over UDP and TCP, to servers of both families.
asks_in_pod() {
	local server transport
	for server in "$UNBOUND4" "$UNBOUND6"; do
		for transport in +notcp +tcp; do
			expect_eq 240.0.0.1 "$(in_pod dig +short +tries=1 $transport "@$server" redis.mesh A)"
			expect_eq fd00:fd00::1 "$(in_pod dig +short +tries=1 $transport "@$server" redis.mesh AAAA)"
			expect_eq 192.0.2.10 "$(in_pod dig +short +tries=1 $transport "@$server" www.outside.example)"
		done
	done
}

test_names_of_the_mesh_resolve_in_a_pod() {
	pod works
	names '240.0.0.1 redis.mesh' 'fd00:fd00::1 redis.mesh'
	expect_match '"address": "10.88' "$(cni ADD)"
	expect_eq 192.0.2.99 "$(in_app dig +short "@$UNBOUND4" redis.mesh)" # the node's DNS is as it was
	local APP=$POD
	start_resolver --names "$LAB/names"
	asks_in_pod
	cni CHECK
	stop resolver
	cni DEL
	expect_eq '' "$(pod_rules)"
	expect_eq '' "$(remembered)"
}

# --- the protocol -------------------------------------------------------------------------------

test_version_looks_at_nothing_else() {
	local all='["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]'
	expect_eq "$all" "$(plugin VERSION '{"cniVersion": "1.0.0"}' CNI_NETNS=dummy CNI_CONTAINERID= | member supportedVersions)"
	expect_eq 0.4.0 "$(plugin VERSION '{"cniVersion": "0.4.0"}' | member cniVersion)"
	expect_eq 1.1.0 "$(plugin VERSION '' | member cniVersion)"
	expect_eq '' "$(env -i "$BUILD/meshdns-cni" 2>/dev/null)"
	expect_match 'versions supported: 0.3.0 .*1.1.0' "$(env -i "$BUILD/meshdns-cni" 2>&1)"
}

# fails CODE REGEX VERB JSON [VARIABLE…]
fails() {
	local status=0 answer
	answer=$(plugin "${@:3}" 2>/dev/null) || status=$?
	expect_eq 1 $status "status of $3"
	expect_eq "$1" "$(member code <<<"$answer")" "code of '$answer'"
	expect_match "$2" "$(member msg <<<"$answer")"
}

test_errors_have_the_specifications_codes() {
	pod codes
	mapfile_variables
	fails 4 'unknown CNI_COMMAND: BOGUS' BOGUS "$(base)"
	fails 4 'variables \[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME\]' ADD "$(base)"
	fails 4 'invalid characters in containerID' ADD "$(base)" CNI_CONTAINERID=a/b CNI_NETNS=/x CNI_IFNAME=e
	fails 6 'not JSON' ADD '' "${VARIABLES[@]}"
	fails 6 'not a JSON object' ADD '[]' "${VARIABLES[@]}"
	fails 7 'prevResult missing' ADD "$(base)" "${VARIABLES[@]}"
	fails 7 'missing network name' ADD '{"cniVersion": "1.0.0"}' "${VARIABLES[@]}"
	fails 1 'incompatible CNI versions' ADD '{"cniVersion": "9.9.9", "name": "n"}' "${VARIABLES[@]}"
	fails 1 'does not allow CHECK' CHECK '{"cniVersion": "0.3.1", "name": "n"}' "${VARIABLES[@]}"
	fails 1 'does not allow STATUS' STATUS "$(base)"
	fails 1 'does not allow GC' GC "$(base)"
	fails 2 '"bogus" with value 1' ADD "$(base "$PREV, \"bogus\": 1")" "${VARIABLES[@]}"
	mapfile_variables c /nowhere
	fails 8 'No such file' ADD "$(base "$PREV")" "${VARIABLES[@]}"
	mapfile_variables c "$LAB/conf/net.conflist"
	fails 8 'not a network namespace' ADD "$(base "$PREV")" "${VARIABLES[@]}"
	expect_eq '' "$(pod_rules)"
	expect_eq '' "$(remembered)"
}

test_result_passes_untouched() {
	local previous=${PREV#*: }
	pod result
	mapfile_variables
	expect_eq "$previous" "$(plugin ADD "$(base "$PREV")" "${VARIABLES[@]}")"
	expect_eq "$previous" "$(plugin ADD "$(base "$PREV")" "${VARIABLES[@]}")" # twice is once
	expect_eq '' "$(plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}")"
	expect_eq '' "$(plugin DEL "$(base)" "${VARIABLES[@]}")"
	expect_eq '' "$(plugin DEL "$(base)" "${VARIABLES[@]}")"
}

test_an_answer_that_cannot_be_written_is_a_failure() {
	pod full
	mapfile_variables
	expect_status 1 bash -c 'printf %s "$1" | env -i CNI_COMMAND=ADD "${@:3}" "$2" >/dev/full' sh \
		"$(base "$PREV")" "$BUILD/meshdns-cni" "${VARIABLES[@]}"
	plugin DEL "$(base)" "${VARIABLES[@]}"
}

# What the runtime inherited, a library to load or a PATH, is nobody's word; no program is run.
test_runs_nothing_and_trusts_nothing() {
	pod alone
	mapfile_variables
	base "$PREV" | on_node env -i CNI_COMMAND=ADD PATH=/nowhere \
		LD_PRELOAD=/nowhere.so KUMA_TRANSPARENT_PROXY_REDIRECT_DNS_PORT=1 "${VARIABLES[@]}" \
		"${STRACE[@]}" "$BUILD/meshdns-cni" >/dev/null 2>&1
	expect_match 'redirect to :15053' "$(pod_rules)"
	expect_eq 1 "$(grep -c execve "$LAB/log/strace")"
	expect_no_match '(clone|fork|connect)\(' "$(cat "$LAB/log/strace")"
	privileges_go ,
	expect_match 'PR_SET_NO_NEW_PRIVS' "$(cat "$LAB/log/strace")"
	sanitized || expect_no_match 'open[a-z]*\(.*(passwd|nsswitch|resolv.conf|\.so)' "$(cat "$LAB/log/strace")"
	plugin DEL "$(base)" "${VARIABLES[@]}"
}

test_the_nodes_own_namespace_is_refused() {
	local path
	for path in "/run/netns/$NODE" /proc/self/ns/net; do
		mapfile_variables c "$path"
		fails 8 'should not be the same' ADD "$(base "$PREV")" "${VARIABLES[@]}"
		plugin DEL "$(base)" "${VARIABLES[@]}" 2>/dev/null # nothing of ours can be there
	done
	# Nor is anything done where it cannot be told.
	expect_match '"code":8,.*cannot tell CNI_NETNS' "$(base "$PREV" |
		on_node unshare --mount bash -c 'mount -t tmpfs none /proc && exec "$@"' - \
			env -i CNI_COMMAND=ADD "${VARIABLES[@]:0:1}" "CNI_NETNS=/run/netns/$NODE" CNI_IFNAME=eth0 \
			"$BUILD/meshdns-cni" 2>/dev/null || :)"
	expect_eq '' "$(on_node nft list ruleset)"
}

# A runtime may have a network namespace of its own; the node's is that of process 1.
test_the_namespace_of_process_1_is_refused() {
	local verb answer
	pod runtime
	mapfile_variables c /proc/1/ns/net
	for verb in ADD DEL; do
		# shellcheck disable=SC2016 # for the other shell, which is process 1 and must stay it
		answer=$(base "$PREV" | on_node unshare --pid --fork --mount-proc bash -c 'nsenter --net="$0" "$@"; exit $?' \
			"$NETNS" env -i CNI_COMMAND=$verb "${VARIABLES[@]}" "$BUILD/meshdns-cni" 2>/dev/null) || :
		[[ $verb == DEL ]] || expect_match '"code":8,.*should not be the same' "$answer"
		expect_eq '' "$(on_node nft list ruleset)$(pod_rules)"
	done
}

# --- verbs --------------------------------------------------------------------------------------

test_deleting_succeeds_whatever_is_missing() {
	pod missing
	mapfile_variables
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin DEL '' "${VARIABLES[@]}" 2>/dev/null # the configuration
	expect_eq '' "$(pod_rules)"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin DEL "$(base)" CNI_CONTAINERID=c CNI_IFNAME=eth0 # the namespace's name
	expect_eq '' "$(remembered)"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	pod_gone
	plugin DEL "$(base)" "${VARIABLES[@]}" # the namespace
	expect_eq '' "$(remembered)"
	mapfile_variables c "$LAB/conf/net.conflist"
	plugin DEL "$(base)" "${VARIABLES[@]}" # a file that is none
}

# Nor is a pod to stay because of the directory of what is remembered.
test_deleting_succeeds_whatever_can_be_written() {
	pod unwritten
	mapfile_variables
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin DEL "$(STATE=$LAB/conf/net.conflist base)" "${VARIABLES[@]}" 2>/dev/null # no directory
	expect_eq '' "$(pod_rules)"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	on_node mount --bind "$STATE" "$STATE"
	on_node mount -o remount,bind,ro "$STATE"
	fails 5 "cannot open $STATE/.lock: Read-only" ADD "$(base "$PREV")" "${VARIABLES[@]}"
	fails 50 "cannot open $STATE/.lock: Read-only" STATUS "$(base '"cniVersion": "1.1.0"')"
	plugin DEL "$(base)" "${VARIABLES[@]}" 2>"$LAB/log/unwritten"
	on_node umount "$STATE"
	expect_match 'stays remembered until' "$(log_of unwritten)"
	expect_eq '' "$(pod_rules)"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_eq '' "$(remembered)"
}

# Its path may have come to be another pod's.
test_deleting_leaves_a_stranger_alone() {
	pod stranger
	mapfile_variables
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	sed -i 's/"ino":[0-9]*/"ino":1/' "$STATE/c:eth0"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_match 'table inet meshdns' "$(pod_rules)"
	expect_eq '' "$(remembered)"
}

test_check_names_the_first_difference() {
	pod check
	mapfile_variables
	fails 101 'missing: chain output-raw' CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	in_pod nft add rule inet meshdns output-nat udp dport 53 drop
	fails 101 'not of the plan: .*output-nat' CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>&1
	in_pod nft delete chain inet meshdns output-raw
	fails 101 'missing: chain output-raw' CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	in_pod nft add table ip theirs # others' are theirs
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>&1
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	plugin ADD "$(base "$PREV, \"redirect\": {\"dns\": {\"captureAll\": true, \"port\": 1053}}")" "${VARIABLES[@]}" >/dev/null 2>&1
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}" # by what ADD was asked
	fails 7 'prevResult missing' CHECK "$(base)" "${VARIABLES[@]}"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_match 'table ip theirs' "$(pod_rules)"
}

test_gc_removes_what_no_attachment_claims() {
	local conf i
	conf=$(base '"cniVersion": "1.1.0"')
	valid() { printf '%s' "${conf%\}}, \"cni.dev/valid-attachments\": $1}"; }
	for i in 1 2 3; do
		pod "gc$i"
		ID=c$i
		mapfile_variables "c$i"
		plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	done
	pod_gone # the third
	POD=meshdns-$$-pod-gc1
	mapfile_variables c1 "/run/netns/$POD"
	VARIABLES[2]=CNI_IFNAME=net1
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin GC "$conf" # nobody says what is valid
	plugin GC "$(valid '[]' | sed 's/"net"/"other"/')" # another network's
	expect_eq 'c1:eth0 c1:net1 c2:eth0 c3:eth0' "$(remembered)"
	TRACE=("${STRACE[@]}")
	plugin GC "$(valid '[{"containerID": "c1", "ifname": "eth0"}]')"
	TRACE=()
	privileges_go '\|1<<CAP_NET_RAW\|' # which iptables' programs may need
	expect_eq 'c1:eth0' "$(remembered)"
	expect_match 'table inet meshdns' "$(pod_rules)"
	POD=meshdns-$$-pod-gc2
	expect_eq '' "$(pod_rules)"
	POD=meshdns-$$-pod-gc1
	mkdir "$STATE/a:eth0" # which fails, and does not keep the others
	fails 5 'cannot remove .*/a:eth0' GC "${conf%\}}, \"cni.dev/attachments\": null}"
	rmdir "$STATE/a:eth0"
	expect_eq '' "$(remembered)$(pod_rules)"
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	sed -i 's/"ino":[0-9]*/"ino":1/' "$STATE/c1:net1" # the path is a stranger's by now
	plugin GC "$(valid '[]')"
	expect_eq '' "$(remembered)"
	expect_match 'table inet meshdns' "$(pod_rules)"
}

test_status_fails_only_when_an_add_would() {
	local conf
	conf=$(base '"cniVersion": "1.1.0"')
	expect_eq '' "$(plugin STATUS "$conf")"
	expect_eq '' "$(plugin STATUS "${conf%\}}, \"redirect\": {\"dns\": {\"enabled\": true}}}")"
	fails 50 'redirect.dns.port' STATUS "${conf%\}}, \"redirect\": {\"dns\": {\"prot\": 1}}}"
	fails 50 'CAP_NET_ADMIN|make a network namespace|cannot open' STATUS "${conf/$STATE//proc/none}"
	expect_eq '' "$(on_node nft list ruleset)"
}

# --- pods ---------------------------------------------------------------------------------------

KEY=io.kubernetes.cri.pod-annotations
annotated() { # annotated JSON: whether the pod gets rules
	local runtime="\"runtimeConfig\": {\"$KEY\": $1, \"dns\": {\"Servers\": [\"10.96.0.10\"], \"Searches\": null, \"Options\": null}}"
	plugin ADD "$(base "$PREV, \"capabilities\": {\"$KEY\": true}, $runtime")" "${VARIABLES[@]}" \
		'CNI_ARGS=K8S_POD_INFRA_CONTAINER_ID=c;K8S_POD_UID=1;IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0' >/dev/null
	pod_rules
	plugin DEL "$(base)" "${VARIABLES[@]}"
}

test_annotations_as_containerd_and_cri_o_shape_them() {
	local yaml='redirect:\n  dns: {enabled: true, captureAll: true, port: 15055}\n  inbound: {enabled: true, port: 15006}\nkumaDPUser: \"1337\"\n'
	pod annotated
	mapfile_variables
	expect_eq '' "$(annotated null)"
	expect_eq '' "$(annotated '{}')"
	expect_eq '' "$(annotated '{"kuma.io/sidecar-injected": "false", "x": "é \"q\" \u0001"}')"
	expect_match 'redirect to :15053' "$(annotated '{"kuma.io/sidecar-injected": "true", "x": "é \"q\" \u0001"}')"
	expect_match 'redirect to :15055' "$(annotated "{\"kuma.io/sidecar-injected\": \"true\", \"traffic.kuma.io/transparent-proxy-config\": \"$yaml\"}")"
	expect_match '10\.96\.0\.10' "$(annotated '{"meshdns.io/inject": "true", "meshdns.io/redirect-dns": "true"}')"
	expect_match 'skuid 1337' "$(annotated '{"meshdns.io/inject": "true", "meshdns.io/proxy-user": "1337"}')"
}

test_the_nodes_iptables_where_asked_for() {
	local backend
	pod iptables
	mapfile_variables
	for backend in iptables-nft iptables-legacy; do
		plugin ADD "$(base "$PREV, \"backend\": \"$backend\"")" "${VARIABLES[@]}" >/dev/null
		expect_match 'REDIRECT .*15053' "$(in_pod "${backend}-save" 2>/dev/null)"
		plugin CHECK "$(base "$PREV, \"backend\": \"$backend\"")" "${VARIABLES[@]}"
		plugin DEL "$(base "\"backend\": \"$backend\"")" "${VARIABLES[@]}"
		expect_no_match 'REDIRECT' "$(in_pod "${backend}-save" 2>/dev/null)"
	done
}

test_init_containers_rules_are_respected() {
	local before
	pod init
	mapfile_variables
	in_pod meshdns-redirect install --redirect-all-dns-traffic --redirect-dns-port 1053 --proxy-user 9
	before=$(pod_rules)
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>&1
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	expect_eq "$before" "$(pod_rules)"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_eq "$before" "$(pod_rules)"
	in_pod nft flush ruleset
	in_pod iptables-nft -t nat -N KUMA_MESH_OUTBOUND
	before=$(pod_rules)
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>&1
	expect_eq "$before" "$(pod_rules)"
}

test_with_two_networks_rules_go_with_the_last() {
	pod two
	mapfile_variables
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	VARIABLES[2]=CNI_IFNAME=net1
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	plugin DEL "$(base)" "${VARIABLES[@]}"
	VARIABLES[2]=CNI_IFNAME=eth0
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_eq '' "$(pod_rules)$(remembered)"
}

# hostUsers: false: the namespace belongs to another user namespace, whose uid 5678 is meant.
test_user_namespaces() {
	local owner
	pod userns
	mapfile_variables
	unshare --user --net sleep 60 &
	owner=$!
	wait_for 5 bash -c "[[ \$(readlink /proc/$owner/ns/user) != \$(readlink /proc/self/ns/user) ]]"
	# Refused for a moment still, while its credentials change.
	wait_for 5 bash -c "echo 0 100000 65536 >/proc/$owner/uid_map"
	echo 0 100000 65536 >/proc/$owner/gid_map
	VARIABLES[1]=CNI_NETNS=/proc/$owner/ns/net
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	expect_match 'skuid 5678' "$(nsenter --user --net -t $owner nft list ruleset)"
	plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_eq '' "$(nsenter --user --net -t $owner nft list ruleset)"
	kill $owner
}

test_pods_with_ipv6_only() {
	pod six
	names 'fd00:fd00::1 redis.mesh'
	sed -i 's/\[{"subnet": "10.88.0.0.16"}\], //; s/{"dst": "0.0.0.0.0"}, //' "$LAB/conf/net.conflist"
	cni ADD >/dev/null
	expect_no_match 'inet 10' "$(in_pod ip addr)"
	local APP=$POD
	start_resolver --names "$LAB/names"
	expect_eq fd00:fd00::1 "$(in_pod dig +short +tries=1 "@$UNBOUND6" redis.mesh AAAA)"
	expect_eq 192.0.2.10 "$(in_pod dig +short +tries=1 "@$UNBOUND6" www.outside.example)"
	stop resolver
	cni DEL
	conflist
}

# --- many, and cut short ------------------------------------------------------------------------

test_fifty_at_once() {
	local i pids=() log=$LAB/log/fifty
	for i in {1..50}; do pod "fifty$i"; done
	for i in {1..50}; do
		POD=meshdns-$$-pod-fifty$i NETNS=/run/netns/$POD
		mapfile_variables "fifty$i" "/run/netns/meshdns-$$-pod-fifty$i"
		plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>>"$log" & pids+=($!)
		plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>>"$log" & pids+=($!) # the same at once
	done
	for i in "${pids[@]}"; do wait "$i" || fail "an ADD failed: $(cat "$log")"; done
	expect_eq 50 "$(remembered | wc -w)"
	pids=()
	for i in {1..50}; do
		POD=meshdns-$$-pod-fifty$i
		mapfile_variables "fifty$i" "/run/netns/$POD"
		plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
		plugin DEL "$(base)" "${VARIABLES[@]}" 2>>"$log" & pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || fail "a DEL failed: $(cat "$log")"; done
	expect_eq '' "$(remembered)"
}

# Wherever in an ADD it is killed: DEL cleans up, and the next ADD works.
test_killed_at_every_step_of_add() {
	local call n status killed=0
	pod killed
	mapfile_variables
	for call in setns socket close write renameat sendto; do
		for ((n = 1, status = 137; status == 137; n++)); do
			base "$PREV" | on_node env -i CNI_COMMAND=ADD ASAN_OPTIONS=detect_leaks=0 "${VARIABLES[@]}" \
				/usr/bin/strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$n \
				"$BUILD/meshdns-cni" >/dev/null 2>&1 && status=0 || status=$?
			((status != 137)) || killed=$((killed + 1))
			if ((n % 2)); then
				plugin DEL "$(base)" "${VARIABLES[@]}" 2>/dev/null
				expect_eq '' "$(pod_rules)$(remembered)" "killed at $call $n"
			else
				plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null 2>&1
				plugin CHECK "$(base "$PREV")" "${VARIABLES[@]}"
			fi
		done
		expect_eq 0 $status "when nothing kills it at $call"
	done
	expect_between 20 200 $killed 'times killed'
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_eq '' "$(pod_rules)$(remembered)"
}

test_the_log_is_bounded() {
	pod log
	mapfile_variables
	head -c 1100000 /dev/zero | tr '\0' x >"$LAB/log/cni"
	exec 9<"$LAB/log/cni"
	flock 9 # which whoever may read it can do
	TRACE=(/usr/bin/timeout 5)
	plugin ADD "$(base "$PREV")" "${VARIABLES[@]}" >/dev/null
	TRACE=()
	exec 9<&-
	plugin DEL "$(base)" "${VARIABLES[@]}"
	expect_between 1 10000 "$(stat -c %s "$LAB/log/cni")"
	expect_between 1100000 1101000 "$(stat -c %s "$LAB/log/cni.1")"
	rm "$LAB/log/cni.1"
}

run_tests "$@"
