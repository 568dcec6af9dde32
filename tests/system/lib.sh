# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A lab of network namespaces and the words that the system tests are written in.
#
#	app0 10.66.0.2, .3   ┌───────┐   veth   ┌───────┐  dns0 10.66.0.53 (unbound), .54 (Knot),
#	     fd66::2, ::3    │ $APP  ├──────────┤ $DNS  │       .55, .56 (free)
#	                     └───────┘          └───────┘       fd66::53, ::54, ::55, ::56
#
# A scenario is a script that sources this file, defines `setup` (once, before the first test) and
# functions `test_…`, and ends in `run_tests "$@"`. Every test runs in a subshell under `set -eu`:
# the first expectation that fails ends it, and whatever it started ends with it. A test starts its
# own programs; what `setup` started stays until the end of the file. The lab is gone on every exit.

APP_UID=65534 # an ordinary user, whose queries are captured
PROXY_UID=5678 # the resolver's user, whose queries are not

# shellcheck disable=SC2034 # for the scenarios
UNBOUND4=10.66.0.53 UNBOUND6=fd66::53 KNOT4=10.66.0.54 KNOT6=fd66::54 \
	FAKE4=10.66.0.55 FAKE6=fd66::55 SPARE4=10.66.0.56 SPARE6=fd66::56 \
	APP4=10.66.0.2 APP6=fd66::2

SYSTEM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$SYSTEM/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
shopt -s nullglob

# --- the lab ------------------------------------------------------------------------------------

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need PROGRAM…: says what is missing and how to get it.
need() {
	local program missing=()
	for program; do
		command -v "$program" >/dev/null || missing+=("$program")
	done
	((${#missing[@]} == 0)) || die "not installed: ${missing[*]} (sudo make deps)"
}

# need_root TARGET
need_root() {
	((EUID == 0)) || die "needs root, for it makes network namespaces: sudo make $1"
}

# Makes the two hosts, and $LAB, a directory that every user can read: programs in $LAB/bin, logs in
# $LAB/log. The programs are copied, for an ordinary user may not be able to reach the checkout.
lab_make() {
	[[ -x $BUILD/meshdns-redirect && -x $BUILD/meshdns-resolver ]] ||
		die "the programs are not in $BUILD: make"
	APP=meshdns-$$-app DNS=meshdns-$$-dns
	trap lab_remove EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	LAB=$(mktemp -d "/tmp/meshdns-$$-XXXXXX")
	chmod 0755 "$LAB"
	mkdir "$LAB/bin" "$LAB/log"
	install -t "$LAB/bin" "$BUILD"/meshdns-{redirect,resolver,cni,cni-kube,cni-install} "$BUILD"/tests/system/*-lookup \
		"$SYSTEM"/*.py
	PATH=$LAB/bin:$PATH

	local host
	for host in "$APP" "$DNS"; do
		ip netns add "$host"
		ip -n "$host" link set lo up
		until mkdir -p "/etc/netns/$host"; do :; done # another lab may just remove the folder
		printf 'hosts: files dns\n' >"/etc/netns/$host/nsswitch.conf"
	done
	resolv_conf "$UNBOUND4" "$UNBOUND6"
	printf 'nameserver 127.0.0.1\n' >"/etc/netns/$DNS/resolv.conf"

	ip -n "$APP" link add app0 type veth peer name dns0 netns "$DNS"
	lab_address "$APP" app0 10.66.0.{2,3}/24 fd66::{3,2}/64
	lab_address "$DNS" dns0 10.66.0.{53,54,55,56}/24 fd66::{53,54,55,56}/64
}

# lab_address HOST LINK ADDRESS/LEN…: usable at once, without duplicate address detection.
lab_address() {
	local host=$1 link=$2 address
	ip -n "$host" link set "$link" up
	for address in "${@:3}"; do
		case $address in
		*:*) ip -n "$host" addr add "$address" dev "$link" nodad ;;
		*) ip -n "$host" addr add "$address" dev "$link" ;;
		esac
	done
}

# Whatever stop_all leaves in a namespace of ours was started by us too.
lab_remove() {
	local host pids
	set +e # whatever fails here, the rest is still to be done
	trap '' INT TERM HUP
	[[ -z ${TEST:-} ]] || { kill "$TEST" && wait "$TEST"; } 2>/dev/null
	stop_all
	for host in "$APP" "$DNS"; do
		ip netns pids "$host" >/dev/null 2>&1 || continue
		while pids=$(ip netns pids "$host") && [[ $pids ]]; do
			# shellcheck disable=SC2086 # one word a pid
			kill -KILL $pids 2>/dev/null
			sleep 0.01
		done
		ip netns del "$host"
	done
	rm -rf "$LAB" "/etc/netns/$APP" "/etc/netns/$DNS"
	rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null
	return 0
}

# resolv_conf SERVER…: what the application host's /etc/resolv.conf says.
resolv_conf() {
	printf 'nameserver %s\n' "$@" >"/etc/netns/$APP/resolv.conf"
}

# --- programs -----------------------------------------------------------------------------------

# on HOST UID COMMAND…: runs it there as that user.
on() {
	ip netns exec "$1" setpriv --reuid "$2" --regid "$2" --clear-groups "${@:3}"
}
in_app() { on "$APP" 0 "$@"; }            # the application host's root
as_app() { on "$APP" "$APP_UID" "$@"; }     # an application
as_proxy() { on "$APP" "$PROXY_UID" "$@"; } # the resolver's user
in_dns() { on "$DNS" 0 "$@"; }

# start NAME HOST UID COMMAND…: in the background, pid in ${PID[NAME]}, output to $LAB/log/NAME.
declare -A PID=()
start() {
	local name=$1 host=$2 uid=$3
	: >"$LAB/log/$name" # what an earlier one logged must not be taken for this one's
	ip netns exec "$host" setpriv --reuid "$uid" --regid "$uid" --clear-groups "${@:4}" \
		</dev/null >"$LAB/log/$name" 2>&1 &
	PID[$name]=$!
}

# stop NAME [SIGNAL]: ends what this test started; returns its exit status.
stop() {
	local pid=${PID[$1]} status=0
	unset "PID[$1]"
	ended "$pid" || kill -s "${2:-TERM}" "$pid"
	wait_for 10 ended "$pid"
	wait "$pid" || status=$?
	return $status
}

# ended PID: it is gone, or a zombie that waits for its parent.
ended() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ $stat == *') Z '* ]]
}

stop_all() {
	local name
	for name in "${!PID[@]}"; do
		stop "$name" 2>/dev/null || : # most of them just die
	done
}

log_of() { cat "$LAB/log/$1"; }

# wait_for SECONDS COMMAND…: polls until the command succeeds; a failed expectation if it never does.
wait_for() {
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))
	until "${@:2}" >/dev/null 2>&1; do
		((${EPOCHREALTIME/./} < until)) || fail "not within $1 s: ${*:2}"
		sleep 0.02
	done
}

# logged NAME REGEX: the program's log has such a line.
logged() { grep -qE -- "$2" "$LAB/log/$1"; }

# now_ms: for measuring how long something took.
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# --- ours ---------------------------------------------------------------------------------------

sanitized() { grep -qs __asan_init "$BUILD/meshdns-resolver"; }

# What root starts the resolver with: groups, as a login has them, and no leak checker, which could
# not trace a process that gave up root. Elsewhere it stays on.
root_prefix=(setpriv --groups "4,24")
! sanitized || root_prefix+=(env ASAN_OPTIONS=detect_leaks=0)

# start_resolver FLAG…: as root, becoming the proxy user; returns when it says that it is ready.
start_resolver() { start_resolver_as 0 --user "$PROXY_UID" "$@"; }

# start_resolver_as UID FLAG…
start_resolver_as() {
	local uid=$1 ready prefix=()
	((uid != 0)) || prefix=("${root_prefix[@]}")
	[[ -p $LAB/ready ]] || mkfifo "$LAB/ready"
	exec {ready}<>"$LAB/ready"
	start resolver "$APP" "$uid" "${prefix[@]}" meshdns-resolver --control off --ready-fd "$ready" "${@:2}"
	wait_for 10 ready_or_ended "$ready" "${PID[resolver]}"
	exec {ready}>&-
	! ended "${PID[resolver]}" || fail "the resolver ended: $(log_of resolver)"
}

ready_or_ended() { read -r -t 0 -u "$1" || ended "$2"; }

# redirect COMMAND [FLAG…]: meshdns-redirect as root on the application host.
redirect() { in_app meshdns-redirect "$@"; }

# names LINE…: writes the lines to $LAB/names, the resolver's usual --names file.
names() { printf '%s\n' "$@" >"$LAB/names"; }

# --- asking -------------------------------------------------------------------------------------

# ask DIG-ARGUMENT…: one try as an ordinary application, so that a lost packet shows.
ask() { as_app dig -r +tries=1 +time=6 "$@"; }

# flat: the lines of standard input, sorted, on one line.
flat() { sort | paste -sd ' '; }

# rcode, flags, section NAME: what a dig output says.
rcode() { sed -nE 's/.*status: ([A-Z0-9]+),.*/\1/p'; }
flags() { sed -nE 's/^;; flags: ?([a-z ]*);.*/\1/p'; }
section() { sed -n "/^;; ${1^^} SECTION:/,/^\$/p" | grep -v '^;' | grep .; }

# --- who received what --------------------------------------------------------------------------

# capture: records what crosses the wire to the upstreams from now on, as text. The short snapshots
# make room for thousands of them: with long ones tcpdump loses packets after eight in a row.
capture() {
	start capture "$DNS" 0 tcpdump -l -n -tt -s 512 --immediate-mode -i dns0 \
		'port 53 or udp dst portrange 60000-60999 or icmp or icmp6[icmp6type] == 1'
	wait_for 10 logged capture 'listening on'
}

# A datagram to a port of its own that is no DNS: what was sent before it has been recorded when it
# has been. Without it "was not seen" would mean nothing.
capture_flush() {
	local port
	port=$((60000 + $(sed -n "/> $UNBOUND4\.60[0-9]*: UDP, length 6/p" "$LAB/log/capture" | wc -l)))
	in_app bash -c "echo flush >/dev/udp/$UNBOUND4/$port"
	wait_for 5 logged capture "> $UNBOUND4\.$port:"
}

# upstream_queries [REGEX]: the recorded queries, one a line, narrowed to what matches.
upstream_queries() {
	capture_flush
	sed -nE "/ > [0-9a-f.:]+\.53: .*\? /{/${1:-.}/Ip}" "$LAB/log/capture"
}

# queries_for NAME: those for this name, of any type.
queries_for() { upstream_queries "\\? ${1//./\\.}\\.? "; }

# upstream_saw NAME, upstream_not_saw NAME: whether a query for it left the host.
upstream_saw() {
	[[ $(queries_for "$1") ]] || fail "expected a query for $1, saw only: $(upstream_queries)"
}
upstream_not_saw() {
	local seen
	seen=$(queries_for "$1")
	[[ -z $seen ]] || fail "expected no query for $1, saw: $seen"
}

# --- expectations -------------------------------------------------------------------------------

# Ends the test, naming the line of the scenario.
fail() {
	local i
	for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
		[[ ${BASH_SOURCE[i]} == "${BASH_SOURCE[0]}" ]] || break
	done
	printf '    %s:%s: %s\n' "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" "$*" >&2
	exit 1
}

# expect_eq EXPECTED ACTUAL [WHAT]
expect_eq() {
	[[ $1 == "$2" ]] || fail "${3:+$3: }expected '$1', got '$2'"
}

# expect_match REGEX TEXT, expect_no_match REGEX TEXT
expect_match() {
	grep -qE -- "$1" <<<"$2" || fail "expected something like '$1', got '$2'"
}
expect_no_match() {
	! grep -qE -- "$1" <<<"$2" || fail "expected nothing like '$1', got '$2'"
}

# expect_between LOW HIGH NUMBER [WHAT]
expect_between() {
	(($1 <= $3 && $3 <= $2)) || fail "${4:+$4: }expected $1 to $2, got $3"
}

# expect_sample NAME{LABELS} VALUE: in $BODY, which is all of /metrics.
expect_sample() { grep -qxF "$1 $2" <<<"$BODY" || fail "no '$1 $2' but $(grep -F "$1 " <<<"$BODY" || :)"; }

# expect_status STATUS COMMAND…: runs it, output in $OUTPUT.
expect_status() {
	local status=0
	OUTPUT=$("${@:2}" 2>&1) || status=$?
	((status == $1)) || fail "expected status $1, got $status from '${*:2}': $OUTPUT"
}

# --- running ------------------------------------------------------------------------------------

# One test in a subshell of its own. A resolver that does not end well when it is told to, a recorder
# that missed packets and a sanitizer's report in any log are failures too.
run_test() (
	set -eEu
	PID=()
	trap 'echo "    ${BASH_SOURCE[0]##*/}:$LINENO: status $? from: $BASH_COMMAND" >&2' ERR
	trap 'status=$?; stop_all; exit $status' EXIT
	"$1"
	[[ -z ${PID[resolver]:-} ]] || stop resolver || fail "the resolver ended badly: $(log_of resolver)"
	stop_all
	! grep -E '^[1-9][0-9]* packets dropped' "$LAB"/log/* || fail "the recorder missed packets"
	! grep -E 'ERROR: .*Sanitizer|runtime error:' "$LAB"/log/* || fail "a sanitizer complained"
)

# run_tests [NAME…]: all test_… functions of the scenario in the order of the file, or those named.
run_tests() {
	local scenario=${0##*/} test tests started failed=0
	scenario=${scenario%.sh}
	need_root check-system
	need ip setpriv tcpdump dig python3 unbound knotd
	lab_make
	mapfile -t tests < <(sed -nE 's/^test_([a-z0-9_]+)\(\).*/\1/p' "$0")
	(($# == 0)) || tests=("$@")
	declare -F setup >/dev/null && setup
	for test in "${tests[@]}"; do
		started=$(now_ms)
		run_test "test_$test" >"$LAB/output" 2>&1 & # so that a signal is answered at once
		TEST=$!
		if wait "$TEST"; then
			result ok
		else
			result FAIL
			failed=1
			cat "$LAB/output"
		fi
		TEST=
	done
	return $failed
}

# One line a test, for people and, in $RESULTS, for tests/system/run to count.
result() {
	printf '%-4s %s: %s (%d ms)\n' "$1" "$scenario" "${test//_/ }" $(($(now_ms) - started))
	[[ -z ${RESULTS:-} ]] || echo "$1" >>"$RESULTS"
}
