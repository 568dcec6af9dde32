#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who is left alone, other than by one uid: a range of them, a group, a cgroup, a mark; by each backend.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

CGROUP=meshdns-test-$$/inner
PROXY=(--redirect-dns --redirect-inbound --redirect-outbound)

setup() {
	local hierarchy
	hierarchy=$(findmnt -n -t cgroup2 -o TARGET | head -1)
	[[ $hierarchy ]] || die "no cgroup hierarchy of version 2 is mounted"
	CGROUP_DIR=$hierarchy/${CGROUP%/*}
	mkdir -p "$CGROUP_DIR/inner/below" "$CGROUP_DIR/beside"
	trap 'lab_remove; remove_cgroups' EXIT
	start upstream "$DNS" 0 redirect-peer.py serve upstream 53 "$UNBOUND4" "$UNBOUND6"
	start web "$DNS" 0 redirect-peer.py serve web 80 "$UNBOUND4" "$UNBOUND6"
	start resolver "$APP" "$PROXY_UID" redirect-peer.py serve resolver 15053 127.0.0.1 ::1
	start outbound "$APP" "$PROXY_UID" redirect-peer.py serve outbound 15001 127.0.0.1 ::1
	start inbound "$APP" "$PROXY_UID" redirect-peer.py serve inbound 15006 127.0.0.1 ::1
	for name in upstream web resolver outbound inbound; do wait_for 10 logged $name ready; done
	resolv_conf "$UNBOUND4" "$UNBOUND6"
}

remove_cgroups() {
	rmdir "$CGROUP_DIR"/inner/below "$CGROUP_DIR"/{inner,beside} "$CGROUP_DIR" 2>/dev/null || :
}

# here COMMAND…: on the application host, but among this machine's mounts, where its cgroups are.
here() { nsenter --net="/run/netns/$APP" "$@"; }
here_redirect() { meshdns-redirect "$1" --netns "$APP" "${@:2}"; }

# asks_all COMMAND…: who answers its question over UDP and TCP to both servers, and its connections
# to a web server of either family.
asks_all() {
	printf '%s any %s %s\n' udp "$UNBOUND4" 53 tcp "$UNBOUND4" 53 udp "$UNBOUND6" 53 tcp "$UNBOUND6" 53 \
		tcp "$UNBOUND4" 80 tcp "$UNBOUND6" 80 | here "$@" redirect-peer.py probe | paste -sd ' '
}
CAPTURED='resolver resolver resolver resolver outbound outbound'
ALONE='upstream upstream upstream upstream web web'

as_uid() { asks_all setpriv --reuid "$1" --regid "${2:-$1}" --clear-groups; }
# shellcheck disable=SC2016 # for the other shell to expand
in_cgroup() { asks_all bash -c 'echo $$ >'"$CGROUP_DIR/$1"'/cgroup.procs; exec "${@:0}"' setpriv; }

# by_each_backend CHECK FLAG…
by_each_backend() {
	local backend
	for backend in nftables iptables-nft iptables-legacy; do
		here_redirect install "${PROXY[@]}" --backend $backend "${@:2}"
		"$1" $backend
		expect_status 0 here_redirect status "${PROXY[@]}" "${@:2}"
	done
}

test_a_range_of_users() { by_each_backend range --proxy-user 5678-5700; }
range() {
	expect_eq "$ALONE" "$(as_uid 5678)" "$1"
	expect_eq "$ALONE" "$(as_uid 5700)" "$1"
	expect_eq "$CAPTURED" "$(as_uid 5701)" "$1"
}

test_a_group() { by_each_backend group --proxy-group 4000000000; }
group() {
	expect_eq "$ALONE" "$(as_uid "$APP_UID" 4000000000)" "$1"
	expect_eq "$CAPTURED" "$(as_uid "$PROXY_UID")" "$1: the default user is nobody special"
}

test_a_cgroup() { by_each_backend cgroup --proxy-cgroup "/$CGROUP"; }
cgroup() {
	expect_eq "$ALONE" "$(in_cgroup inner)" "$1"
	expect_eq "$ALONE" "$(in_cgroup inner/below)" "$1"
	expect_eq "$CAPTURED" "$(in_cgroup beside)" "$1"
	expect_eq "$CAPTURED" "$(as_uid "$PROXY_UID")" "$1"
}

test_a_mark() { by_each_backend mark --proxy-mark 0x10/0xf0; }
mark() {
	expect_eq "$ALONE" "$(MARK=0x10 asks_all env)" "$1"
	expect_eq "$ALONE" "$(MARK=0x1013 asks_all env)" "$1"
	expect_eq "$CAPTURED" "$(MARK=0x20 asks_all env)" "$1"
	expect_eq "$CAPTURED" "$(asks_all env)" "$1"
}

test_any_of_several() { by_each_backend several --proxy-user 5678 --proxy-mark 7; }
several() {
	expect_eq "$ALONE" "$(as_uid 5678)" "$1"
	expect_eq "$ALONE" "$(MARK=7 asks_all env)" "$1"
	expect_eq "$CAPTURED" "$(as_uid "$APP_UID")" "$1"
}

# A self-call of whoever is the proxy is inbound.
test_self_calls() {
	here_redirect install "${PROXY[@]}" --proxy-mark 7
	expect_eq inbound "$(MARK=7 here redirect-peer.py probe <<<"tcp any $APP4 80")"
	expect_eq nobody "$(here redirect-peer.py probe <<<"tcp any $APP4 80")"
}

test_a_cgroup_that_is_gone() {
	mkdir "$CGROUP_DIR/brief"
	here_redirect install --redirect-dns --proxy-cgroup "${CGROUP%/*}/brief"
	rmdir "$CGROUP_DIR/brief"
	expect_status 0 here_redirect status
	expect_match 'of cgroup \?' "$OUTPUT"
	expect_status 1 here_redirect install --redirect-dns --proxy-cgroup "${CGROUP%/*}/brief"
	expect_match '--proxy-cgroup: .*brief' "$OUTPUT"
	here_redirect uninstall
}

test_verify_asks_as_each_of_them() {
	here_redirect install --redirect-dns --proxy-user 5678-5700 --proxy-group 77 --proxy-mark 7 \
		--proxy-cgroup "$CGROUP"
	expect_status 4 here_redirect verify --redirect-dns --proxy-user 5678-5700 --proxy-group 77 \
		--proxy-mark 7 --proxy-cgroup "$CGROUP"
	for owner in 'uids 5678-5700' 'gid 77' 'mark 0x7' "cgroup $CGROUP"; do
		expect_match "^ok +a question of $owner over udp to $UNBOUND4: no answer" "$OUTPUT"
		expect_match "^ok +a question of $owner over tcp to $UNBOUND6: " "$OUTPUT"
	done
	here_redirect uninstall
}

# Else its questions were left alone, and verify would call that a failure.
test_verify_asks_as_no_member_of_the_group() {
	here_redirect install --redirect-dns --proxy-group 4000000000
	expect_status 2 here_redirect verify --redirect-dns --proxy-group 4000000000 --as 4000000000
	expect_match 'gid 4000000000 is left alone' "$OUTPUT"
	here_redirect uninstall
}

run_tests "$@"
