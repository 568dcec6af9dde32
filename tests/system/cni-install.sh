#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# meshdns-cni-install in directories of its own, and `meshdns-cni repair`.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-cni.sh
. "$SYSTEM/lib-cni.sh"

setup() {
	need nft python3 strace
	cni_setup
}

PRIMARY='{"zeta": 1, "cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "n": 1.50}, {"type": "portmap"}]}'
ENTRY='{"type": "meshdns-cni", "capabilities": {"io.kubernetes.cri.pod-annotations": true, "dns": true}}'

# fresh [FILE [TEXT]]: a node whose network is configured by that.
fresh() {
	rm -rf "$LAB/node"
	mkdir -p "$LAB/node/net.d" "$LAB/node/bin" "$LAB/node/cache"
	printf '%s\n' "${2:-$PRIMARY}" >"$LAB/node/net.d/${1:-10-pods.conflist}"
}

FLAGS=()
installer() {
	"${TRACE[@]}" meshdns-cni-install "$@" --net-dir "$LAB/node/net.d" --bin-dir "$LAB/node/bin" \
		--cache-dir "$LAB/node/cache" --state-dir "$STATE" "${FLAGS[@]}"
}
net_d() { (cd "$LAB/node/net.d" && find . -type f | sort | flat); }
types() { python3 -c 'import json, sys; print(*[p["type"] for p in json.load(open(sys.argv[1]))["plugins"]])' \
	"$LAB/node/net.d/${1:-10-pods.conflist}"; }
state() { installer status --json | member "$1"; }

start_watch() {
	FLAGS=(--ready-file "$LAB/ready-watch" --metrics-file "$LAB/metrics" "$@")
	start watch "$DNS" 0 meshdns-cni-install watch --net-dir "$LAB/node/net.d" \
		--bin-dir "$LAB/node/bin" --cache-dir "$LAB/node/cache" --state-dir "$STATE" "${FLAGS[@]}"
	FLAGS=()
}

# --- installing ---------------------------------------------------------------------------------

test_inserting_keeps_what_is_there() {
	fresh
	chmod 0640 "$LAB/node/net.d/10-pods.conflist"
	chown 1234:5678 "$LAB/node/net.d/10-pods.conflist" # as kubespray has it
	expect_status 1 installer status
	installer install
	cmp "$LAB/bin/meshdns-cni" "$LAB/node/bin/meshdns-cni"
	cmp "$LAB/bin/meshdns-cni-kube" "$LAB/node/bin/meshdns-cni-kube"
	rm "$LAB/node/bin/meshdns-cni-kube" # the plugin may need it
	expect_status 1 installer status
	installer install
	sed -i "s/]}\$/, $ENTRY]}/" "$LAB/node/net.d/10-pods.conflist" # twice is too often
	installer install
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
	expect_eq "${PRIMARY%]*}, $ENTRY]}" "$(cat "$LAB/node/net.d/10-pods.conflist")"
	expect_eq '640 1234:5678' "$(stat -c '%a %u:%g' "$LAB/node/net.d/10-pods.conflist")"
	expect_match 'nothing to do' "$(installer install 2>&1)"
	expect_status 0 installer status
	expect_eq 'pods' "$(state network)"
	installer remove
	expect_eq "$PRIMARY" "$(cat "$LAB/node/net.d/10-pods.conflist")"
	expect_eq ./10-pods.conflist "$(net_d)"
	[[ ! -e $LAB/node/bin/meshdns-cni && ! -e $LAB/node/bin/meshdns-cni-kube ]]
	installer remove # twice is once
}

# What another program writes meanwhile is not lost; it is late only where the machine is.
test_inserting_loses_nothing() {
	local i pid late=true
	fresh
	installer install
	for ((i = 2; i < 20; i++)); do
		write_theirs
		TRACE=(env ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e inject=fsync:delay_enter=200ms:when=1)
		installer install & pid=$!
		TRACE=()
		wait_for 5 is_being_written
		PRIMARY=${PRIMARY/zeta\": 1/zeta\": $i} write_theirs
		is_being_written && late=false
		wait $pid
		$late || break
	done
	expect_eq $i "$(member zeta <"$LAB/node/net.d/10-pods.conflist")"
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
}
is_being_written() { [[ -n $(find "$LAB/node/net.d" -name '.10-pods*' -size +0) ]]; }

test_the_plugins_directory_is_made() {
	fresh
	FLAGS=(--bin-dir "$LAB/node/opt/cni/bin")
	installer install
	expect_eq '755 755' "$(stat -c %a "$LAB/node/opt" "$LAB/node/opt/cni/bin" | flat)"
	[[ -x $LAB/node/opt/cni/bin/meshdns-cni ]]
}

test_dropping_in_changes_nobodys_file() {
	fresh
	cp "$LAB/node/net.d/10-pods.conflist" "$LAB/before"
	FLAGS=(--mode drop-in)
	installer install
	cmp "$LAB/before" "$LAB/node/net.d/10-pods.conflist"
	expect_eq './10-pods.conflist ./pods/90-meshdns.conf' "$(net_d)"
	expect_eq meshdns-cni "$(member type <"$LAB/node/net.d/pods/90-meshdns.conf")"
	expect_eq drop-in "$(state mode)"
	FLAGS=(--mode insert) # changes over, and back; there is no moment without it
	TRACE=(env ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e inject=unlink:signal=KILL)
	expect_status 137 installer install
	TRACE=()
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
	printf x >"$LAB/node/net.d/pods/90-meshdns.conf" # as if it had not come that far
	installer install
	expect_eq ./10-pods.conflist "$(net_d)"
	FLAGS=(--mode drop-in)
	installer install
	expect_eq 'bridge portmap' "$(types)"
	installer remove
	expect_eq ./10-pods.conflist "$(net_d)"
	[[ ! -e $LAB/node/net.d/pods ]]
	installer install
	rm "$LAB/node/net.d/10-pods.conflist" # and may come back, when the plugin is gone
	installer remove
	expect_eq '' "$(net_d)"
}

test_a_list_that_takes_nothing_else_is_inserted_into() {
	fresh 10-pods.conflist "${PRIMARY/\"zeta\": 1/\"loadOnlyInlinedPlugins\": true}"
	FLAGS=(--mode drop-in)
	installer install
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
}

# A runtime says by the modules that it was built of.
# Among processes of its own: the machine's runtime, or another test's, would have its say.
test_runtimes_tell_what_they_take() {
	local version
	# shellcheck disable=SC2016 # for the other shell
	TRACE=(unshare --pid --fork --mount-proc bash -c 'containerd 60 &
		until grep -qx containerd "/proc/$!/comm"; do :; done; "$@"' node)
	for version in v1.1.2:insert v1.3.0:drop-in; do
		fresh
		cp "$(command -v sleep)" "$LAB/bin/containerd"
		printf 'dep\tgithub.com/containernetworking/cni\t%s\th1:x\n' "${version%:*}" >>"$LAB/bin/containerd"
		installer install
		expect_eq "${version#*:}" "$(state mode)"
	done
	TRACE=()
}

test_one_plugin_alone_is_wrapped_and_comes_back() {
	local end single='{"cniVersion": "0.4.0", "name": "pods", "type": "bridge", "n": 1}'
	for end in conf json; do
		fresh "10-pods.$end" "$single"
		installer install
		expect_eq "$(printf '%s\n' "./10-pods.$end.meshdns-saved" ./10-pods.conflist | flat)" "$(net_d)"
		expect_eq 'bridge meshdns-cni' "$(types)"
		expect_eq 0.4.0 "$(member cniVersion <"$LAB/node/net.d/10-pods.conflist")"
		installer remove
		expect_eq "./10-pods.$end" "$(net_d)"
		expect_eq "$single" "$(cat "$LAB/node/net.d/10-pods.$end")"
	done
}

test_a_list_in_the_way_of_another_stays() {
	fresh 10-pods.conf '{"name": "pods", "type": "bridge"}'
	echo "$PRIMARY" >"$LAB/node/net.d/10-pods.conflist"
	expect_status 1 installer install
	expect_match '10-pods.conflist is in the way' "$OUTPUT"
	expect_eq "$PRIMARY" "$(cat "$LAB/node/net.d/10-pods.conflist")"
	rm "$LAB/node/net.d/10-pods.conflist"
	installer install
	echo '{"name": "pods", "type": "ptp"}' >"$LAB/node/net.d/10-pods.conf" # ours may be made again
	installer install
	expect_eq 'ptp meshdns-cni' "$(types)"
}

test_the_file_is_the_one_that_the_runtime_takes() {
	fresh 20-pods.conflist
	printf '{' >"$LAB/node/net.d/05-broken.conflist"
	printf '{"name": "lo", "type": "loopback"}' >"$LAB/node/net.d/99-lo.conf"
	printf '%s' "${PRIMARY/pods/others}" >"$LAB/node/net.d/30-others.conflist"
	installer install 2>"$LAB/log/install"
	expect_match '05-broken.conflist' "$(log_of install)"
	expect_match '30-others.conflist network=others' "$(log_of install)"
	expect_eq 'bridge portmap meshdns-cni' "$(types 20-pods.conflist)"
	FLAGS=(--conf-name 30-others.conflist)
	installer install 2>/dev/null
	expect_eq 'bridge portmap meshdns-cni' "$(types 30-others.conflist)"
	FLAGS=(--conf-name 05-broken.conflist)
	expect_status 1 installer install
	expect_match 'no network is configured .* yet, for 05-broken.conflist is not valid: ' "$OUTPUT"
	rm "$LAB/node/net.d/"*
	expect_status 1 installer install
	expect_match 'no network is configured .*[^,]; the plugin' "$OUTPUT"
}

test_configuration_of_ones_own() {
	fresh
	printf '{"inject": "always", "capabilities": {"dns": true}}' >"$LAB/entry"
	FLAGS=(--entry "$LAB/entry")
	installer install
	expect_eq always "$(member plugins.2.inject <"$LAB/node/net.d/10-pods.conflist")"
	printf '{"inject": "annotated"}' >"$LAB/entry"
	expect_status 1 installer status
	installer install
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
	expect_eq annotated "$(member plugins.2.inject <"$LAB/node/net.d/10-pods.conflist")"
	printf '{"inejct": "always"}' >"$LAB/entry" # with which no pod would start
	expect_status 1 installer install
	expect_match "$LAB/entry: unsupported field .inejct." "$OUTPUT"
	expect_eq annotated "$(member plugins.2.inject <"$LAB/node/net.d/10-pods.conflist")"
}

test_a_dry_run_does_nothing() {
	fresh
	expect_match 'would install.*would write|would write' "$(installer install --dry-run 2>&1 | flat)"
	expect_eq 'bridge portmap' "$(types)"
	[[ ! -e $LAB/node/bin/meshdns-cni ]]
	installer install
	expect_match 'would write' "$(installer remove --dry-run 2>&1)"
	expect_eq 'bridge portmap meshdns-cni' "$(types)"
	[[ -e $LAB/node/bin/meshdns-cni ]]
}

# Wherever it is killed, no configuration names a binary that is not there, and all can be undone, or redone.
test_killed_at_every_step() {
	local verb undo call n status killed=0
	fresh
	for verb in install remove; do
		[[ $verb == install ]] && undo=remove || undo=install
		for call in rename unlink; do
			for ((n = 1, status = 137; status == 137; n++)); do
				installer $undo 2>/dev/null
				TRACE=(env ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e "trace=$call"
					-e "inject=$call:signal=KILL:when=$n")
				status=0
				installer $verb >/dev/null 2>&1 || status=$?
				TRACE=()
				((status != 137)) || killed=$((killed + 1))
				[[ -x $LAB/node/bin/meshdns-cni ]] || expect_eq 'bridge portmap' "$(types)" "killed in $verb at $call $n"
			done
			expect_eq 0 $status "$verb, when nothing kills it at $call"
		done
	done
	expect_between 6 12 $killed 'times killed'
	expect_eq 'bridge portmap' "$(types)"
}

# The runtime may yet delete pods by a configuration that names it.
test_the_binary_stays_for_pods_that_are_left() {
	local list
	fresh
	installer install
	list=$(base64 -w0 "$LAB/node/net.d/10-pods.conflist")
	printf '{"kind": "cniCacheV1", "containerId": "c", "ifName": "eth0", "networkName": "pods", "config": "%s"}' "$list" \
		>"$LAB/node/cache/pods-c-eth0"
	expect_match 'pods=1' "$(installer remove 2>&1)"
	expect_eq 'bridge portmap' "$(types)"
	[[ -x $LAB/node/bin/meshdns-cni ]]
	rm "$LAB/node/cache/pods-c-eth0"
	installer remove
	[[ ! -e $LAB/node/bin/meshdns-cni ]]
}

# --- watching -----------------------------------------------------------------------------------

ready() { [[ -e $LAB/ready-watch ]]; }
not_ready() { [[ ! -e $LAB/ready-watch ]]; }
is_in() { [[ $(types) == *meshdns-cni ]]; }

# write_theirs: as another program does, which knows nothing of us.
write_theirs() {
	printf '%s' "$PRIMARY" >"$LAB/node/net.d/.new" && mv "$LAB/node/net.d/.new" "$LAB/node/net.d/10-pods.conflist"
}

test_watching_puts_back_in_milliseconds() {
	local started took
	fresh
	start_watch
	wait_for 5 ready
	is_in
	started=$(now_ms)
	write_theirs
	wait_for 5 is_in
	took=$(($(now_ms) - started))
	expect_between 0 1500 $took 'milliseconds until it was back' # a busy machine's; it waits for no clock
	rm "$LAB/node/bin/meshdns-cni"
	wait_for 5 cmp "$LAB/bin/meshdns-cni" "$LAB/node/bin/meshdns-cni"
	printf x >"$LAB/node/bin/meshdns-cni"
	wait_for 5 cmp "$LAB/bin/meshdns-cni" "$LAB/node/bin/meshdns-cni"
	expect_match 'configuration_changes_total 2' "$(cat "$LAB/metrics")"
	stop watch
	not_ready
	is_in # kept
}

test_watching_waits_for_a_network() {
	fresh
	mv "$LAB/node/net.d/10-pods.conflist" "$LAB/later"
	: >"$LAB/ready-watch" # left by one that was killed
	start_watch --on-exit remove
	wait_for 5 logged watch 'no network is configured'
	not_ready
	cp "$LAB/later" "$LAB/node/net.d/10-pods.conflist"
	wait_for 5 ready
	rm "$LAB/node/net.d/10-pods.conflist"
	wait_for 5 not_ready
	cp "$LAB/later" "$LAB/node/net.d/20-other-name.conflist"
	wait_for 5 ready
	stop watch
	expect_eq 'bridge portmap' "$(types 20-other-name.conflist)"
	[[ ! -e $LAB/node/bin/meshdns-cni ]]
}

# What is in the way is said once, however often it is looked at.
test_watching_tells_what_is_in_the_way() {
	fresh
	printf '{"inejct": "always"}' >"$LAB/entry"
	start_watch --entry "$LAB/entry"
	wait_for 5 logged watch 'unsupported field .inejct.'
	write_theirs
	printf '{"injetc": "always"}' >"$LAB/entry"
	wait_for 5 logged watch 'unsupported field .injetc.'
	not_ready
	printf '{"inject": "always"}' >"$LAB/entry"
	wait_for 5 ready
	expect_eq 2 "$(grep -c unsupported "$LAB/log/watch")"
	expect_eq always "$(member plugins.2.inject <"$LAB/node/net.d/10-pods.conflist")"
	stop watch
}

# Two that want it otherwise do not keep the machine busy.
test_watching_does_not_fight() {
	local i before after
	fresh
	start_watch
	wait_for 5 ready
	until logged watch 'keeps taking the plugin out'; do
		write_theirs
		wait_for 8 grep -q meshdns-cni "$LAB/node/net.d/10-pods.conflist"
	done
	for i in {1..40}; do
		write_theirs
		sleep 0.01
	done
	wait_for 8 is_in
	before=$(grep -c 'writing' "$LAB/log/watch")
	expect_between 20 40 "$before" 'times that it was put back'
	sleep 0.3
	after=$(grep -c 'writing' "$LAB/log/watch")
	expect_eq "$before" "$after" # calm when the other is
	stop watch
}

# --- repairing ----------------------------------------------------------------------------------

repair() {
	on_node "${TRACE[@]}" meshdns-cni repair --state-dir "$STATE" --cache-dir "$LAB/node/cache" \
		--net-dir "$LAB/node/net.d" "$@"
}

test_repair_of_what_was_changed() {
	fresh
	pod repair
	conflist
	cni ADD >/dev/null
	expect_match "^right +$POD eth0" "$(repair)"
	TRACE=(setpriv --reuid="$APP_UID" --clear-groups) # who cannot know
	expect_status 1 repair
	TRACE=()
	expect_match "^unknown +$POD eth0: cannot read $STATE/$POD:eth0: .*needs root" "$OUTPUT"
	in_pod nft flush chain inet meshdns output-nat
	expect_status 1 repair
	expect_match "^different +$POD eth0.*missing: chain output-nat" "$OUTPUT"
	in_pod nft flush ruleset
	expect_status 1 repair --json
	expect_eq missing "$(member 0.state <<<"$OUTPUT")"
	TRACE=("${STRACE[@]}")
	expect_match '^repaired' "$(repair --apply 2>/dev/null)"
	TRACE=()
	privileges_go ,
	expect_match '^right' "$(repair)"
	ours CHECK
	cni DEL
	expect_eq '' "$(repair)"
}

# What a DEL has forgotten while repair waited for the pod's lock stays forgotten.
test_repair_of_a_pod_that_is_being_deleted() {
	fresh
	pod deleted
	cni ADD >/dev/null
	in_pod nft flush ruleset
	start del "$NODE" 0 python3 -c 'import fcntl, sys, time
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)' "$STATE/.lock"
	wait_for 5 logged del locked
	start_on_node repair meshdns-cni repair --apply --state-dir "$STATE" --cache-dir "$LAB/node/cache"
	wait_for 5 has_open repair "$STATE/.lock"
	rm "$STATE/$POD:eth0"
	stop del || :
	wait_for 5 ended "${PID[repair]}"
	expect_eq '' "$(log_of repair)$(remembered)$(pod_rules)"
}
has_open() { find "/proc/${PID[$1]}/fd" -lname "$2" | grep -q .; }

# ctr(8) leaves pods without a DEL. Where a directory is not to be seen, nor are its namespaces.
test_repair_forgets_pods_that_are_gone() {
	fresh
	pod gone
	cni ADD >/dev/null
	pod_gone
	expect_eq '' "$(repair)"
	expect_eq "$POD:eth0" "$(remembered)"
	sed -i 's|/run/netns|/run/nowhere|' "$STATE/$POD:eth0"
	expect_eq '' "$(repair --apply)"
	expect_eq "$POD:eth0" "$(remembered)"
	sed -i 's|/run/nowhere|/run/netns|' "$STATE/$POD:eth0"
	expect_eq '' "$(repair --apply)"
	expect_eq '' "$(remembered)"
}

# A pod that was started while the plugin was not in the list: libcni remembers its annotations.
test_repair_of_pods_that_started_without_us() {
	local key=io.kubernetes.cri.pod-annotations cached=$LAB/node/cache/pods-c-eth0
	fresh
	pod missed
	printf '{"kind": "cniCacheV1", "containerId": "c", "ifName": "eth0", "networkName": "pods", "config": "e30=",
		"cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "shop"], ["K8S_POD_NAME", "web-0"], ["K8S_POD_INFRA_CONTAINER_ID", "c"]],
		"capabilityArgs": {"%s": {"kuma.io/sidecar-injected": "true", "meshdns.io/redirect-dns-port": "15055"}},
		"result": {"cniVersion": "0.4.0", "interfaces": [{"name": "eth0", "sandbox": "%s"}], "ips": []}}' "$key" "$NETNS" >"$cached"
	expect_eq '' "$(repair)" # the plugin is in no list
	meshdns-cni-install install --net-dir "$LAB/node/net.d" --bin-dir "$LAB/node/bin" 2>/dev/null
	expect_status 1 repair
	expect_match '^missing +c eth0 shop/web-0' "$OUTPUT"
	expect_match '^repaired' "$(repair --apply 2>/dev/null)"
	expect_match 'redirect to :15055' "$(pod_rules)"
	expect_eq c:eth0 "$(remembered)"
	sed -i 's/sidecar-injected": "true"/sidecar-injected": "false"/' "$cached"
	rm -r "$STATE"
	expect_eq '' "$(repair)"
}

run_tests "$@"
