# shellcheck shell=bash disable=SC2154 # names of programs are keys
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The node: a process in $NODE's network namespace that sees empty directories of its own in place of
# the machine's, and what is run there by on_node. All of it goes with the process, whatever a plugin
# or a runtime has written. Sourced after lib.sh.

NODE=      # the network namespace's name
NODE_PID=  # the process
NODE_ENV=()

# node_make DIRECTORY…: of $NODE.
node_make() {
	# Not by `ip netns exec`, which unmounts what lies under /sys.
	# shellcheck disable=SC2016 # for the other shell
	nsenter --net="/run/netns/$NODE" unshare --mount --propagation slave bash -c '
		for directory; do mount -t tmpfs tmpfs "$directory" || exit; done
		echo ready; exec sleep infinity' node "$@" >"$LAB/log/node" 2>&1 &
	NODE_PID=$!
	PID[node]=$NODE_PID
	wait_for 10 logged node ready
}

# node_make_machine DIRECTORY…: the same with processes of its own, which all end with the first.
node_make_machine() {
	# shellcheck disable=SC2016
	nsenter --net="/run/netns/$NODE" unshare --mount --propagation slave --pid --fork --kill-child bash -c '
		for directory; do mount -t tmpfs tmpfs "$directory" || exit; done
		mount -t proc proc /proc
		trap exit TERM
		echo ready; while :; do sleep infinity & wait; done' node "$@" >"$LAB/log/node" 2>&1 &
	PID[node]=$!
	wait_for 10 logged node ready
	NODE_PID=$(pgrep -P "${PID[node]}")
	PID[node]=$NODE_PID # unshare itself ends with it, and does not listen
}

# start_on_node NAME COMMAND…: in the background, as start does.
start_on_node() {
	nsenter --target "$NODE_PID" --mount --net --pid -- env "${NODE_ENV[@]}" "${@:2}" \
		</dev/null >"$LAB/log/$1" 2>&1 &
	wait_for 5 pgrep -P $!
	PID[$1]=$(pgrep -P $!) # not nsenter, which would end alone
}

# on_node COMMAND…
on_node() {
	nsenter --target "$NODE_PID" --mount --net --pid -- env "${NODE_ENV[@]}" "$@"
}
