#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hosts as they are found: with systemd-resolved, with Docker, of one family only. install, verify,
# status and uninstall tell the truth on each, with the resolver and without.
# shellcheck disable=SC2031 # start sets PID in the shell that reads it

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$(dirname "$0")/lib-upstreams.sh"

# systemd-resolved and what belongs to it, unpacked by scripts/deps: the packages would take the
# machine's /etc/resolv.conf over.
UNPACKED=${MESHDNS_RESOLVED:-/usr/local/lib/meshdns-tests/systemd-resolved}
RESOLVED_UID=64990
MODES=(--redirect-dns --redirect-all-dns-traffic)
STUB=127.0.0.53

setup() {
	[[ -x $UNPACKED/lib/systemd/systemd-resolved ]] || die "no systemd-resolved in $UNPACKED: sudo make deps"
	need dbus-daemon
	start_outside
	names '240.0.0.100 redis.mesh' 'fd00:fd00::100 redis.mesh'
	{
		cat /etc/passwd
		echo "systemd-resolve:x:$RESOLVED_UID:$RESOLVED_UID::/:/usr/sbin/nologin"
		echo "meshdns:x:$PROXY_UID:$PROXY_UID::/:/usr/sbin/nologin"
	} >"/etc/netns/$APP/passwd"
	{
		cat /etc/group
		echo "systemd-resolve:x:$RESOLVED_UID:"
	} >"/etc/netns/$APP/group"
	make_host
}

# --- a host with a /run of its own ------------------------------------------------------------------

# The application host in one mount namespace for all of its programs, so that they share /run.
make_host() {
	mkdir -p "/etc/netns/$APP/dbus-1"
	cat >"$LAB/bus.conf" <<-'EOT'
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=/run/dbus/system_bus_socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default">
		    <allow user="*"/><allow own="*"/>
		    <allow send_destination="*"/><allow receive_sender="*"/>
		  </policy>
		</busconfig>
	EOT
	start host "$APP" 0 unshare --mount --propagation private sh -c '
		mount -t tmpfs -o mode=755 run /run &&
		mkdir -p /run/dbus /run/systemd &&
		echo ready && exec sleep 1000' "$RESOLVED_UID"
	wait_for 5 logged host ready
	HOST=${PID[host]}
	start bus "$APP" 0 nsenter -t "$HOST" -m dbus-daemon --nofork --nopidfile --config-file "$LAB/bus.conf"
	wait_for 5 on_host 0 test -S /run/dbus/system_bus_socket
}

# on_host UID COMMAND…, and what of lib.sh runs there.
on_host() { nsenter -t "$HOST" -m -n setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }

resolved_libraries() {
	echo "$UNPACKED/usr/lib/x86_64-linux-gnu/systemd:$UNPACKED/usr/lib/x86_64-linux-gnu"
}

# start_resolved [SETTING…]: systemd-resolved with these lines in resolved.conf.
start_resolved() {
	on_host 0 sh -c 'mkdir -p /run/systemd/resolved.conf.d && cat >/run/systemd/resolved.conf.d/test.conf' <<<"$(printf '%s\n' '[Resolve]' "$@")"
	start resolved "$APP" 0 nsenter -t "$HOST" -m \
		env LD_LIBRARY_PATH="$(resolved_libraries)" SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console "$UNPACKED/lib/systemd/systemd-resolved"
	wait_for 10 on_host "$PROXY_UID" dig -r +tries=1 +time=1 "@$STUB" _localdnsstub
}

resolvectl() {
	on_host "$1" env LD_LIBRARY_PATH="$(resolved_libraries)" "$UNPACKED/usr/bin/resolvectl" "${@:2}"
}

# --- systemd-resolved -------------------------------------------------------------------------------

# sees NAME ADDRESS HOW…: what that program of an application makes of the name.
by_stub() { on_host "$APP_UID" dig -r +tries=1 +time=6 +short "@$STUB" "$1"; }
by_stub_over_tcp() { on_host "$APP_UID" dig -r +tries=1 +time=6 +short +tcp "@$STUB" "$1"; }
by_other_stub() { on_host "$APP_UID" dig -r +tries=1 +time=6 +short @127.0.0.54 "$1"; }
by_dbus() { resolvectl "$APP_UID" query -4 --legend=no "$1" | sed -n 's/^[^ ]*: \([0-9.]*\) .*/\1/p'; }
by_varlink() {
	on_host "$APP_UID" env LD_LIBRARY_PATH="$(resolved_libraries)" getent -s resolve ahostsv4 "$1" |
		sed -n 's/ *STREAM.*//p'
}
WAYS=(by_stub by_stub_over_tcp by_other_stub by_dbus by_varlink)

# all_ways MESH: the mesh's name, or what the outside says it is, and an outside name.
all_ways() {
	local way
	resolvectl 0 flush-caches
	for way in "${WAYS[@]}"; do
		expect_eq "$1" "$($way redis.mesh)" "$way"
		expect_eq 192.0.2.10 "$($way www.outside.example)" "$way"
	done
}

host_redirect() { on_host 0 meshdns-redirect "$@"; }

# in_host_resolver FLAG…: the resolver, where the host's /run is.
# shellcheck disable=SC2120 # flags are optional
start_host_resolver() {
	local root_prefix=(nsenter -t "$HOST" -m "${root_prefix[@]}")
	start_resolver --names "$LAB/names" "$@"
}

# redirected: how many connections have been.
redirected() {
	host_redirect status | sed -nE '/-> redirect/s/.*\(([0-9]+) packets.*/\1/p' | paste -sd + | bc
}

# stub_host SETTING…: a host with systemd-resolved and ours, no rules yet.
stub_host() {
	host_redirect uninstall
	resolv_conf "$STUB"
	start_resolved "$@"
	start_host_resolver
}

# failed, causes, notes: what verify said in $OUTPUT.
failed() { sed -n 's/^FAIL *//p' <<<"$OUTPUT"; }
causes() { sed -n 's/^likely cause: //p' <<<"$OUTPUT"; }
notes() { sed -n 's/^note: //p' <<<"$OUTPUT"; }

test_resolved_in_both_modes() {
	local how before
	stub_host "DNS=$UNBOUND4 $UNBOUND6"
	expect_match "past systemd-resolved's stub.* source=/run/systemd/resolve/resolv.conf" "$(log_of resolver)"
	before=$(on_host 0 nft list ruleset)
	all_ways 192.0.2.99
	for how in "${MODES[@]}"; do
		host_redirect install "$how"
		all_ways 240.0.0.100
		expect_between 4 60 "$(redirected)" "$how: redirected"
		expect_status 0 host_redirect verify "$how"
		expect_match "^ok .*an outside name of uid $PROXY_UID over udp to $STUB: answered" "$OUTPUT"
		expect_match "^ok .* of uid $RESOLVED_UID over udp to $UNBOUND6: answered by meshdns-resolver" "$OUTPUT"
		expect_match 'flush-caches' "$(notes)"
		expect_status 0 host_redirect status "$how"
		host_redirect uninstall
		all_ways 192.0.2.99
	done
	expect_eq "$before" "$(on_host 0 nft list ruleset)"
}

# As a link's, by DHCP or from resolvectl: the sockets to these are made in a way of their own.
test_resolved_with_servers_of_a_link() {
	stub_host
	expect_match 'warning: forwarding to systemd-resolved.s stub' "$(log_of resolver)"
	expect_match 'systemd-resolved knows of no server yet' "$(host_redirect install --redirect-dns 2>&1)"
	resolvectl 0 dns app0 "$UNBOUND4" "$UNBOUND6"
	wait_for 5 logged resolver "past systemd-resolved's stub"
	expect_status 3 host_redirect status --redirect-dns
	expect_match '^# nameservers of /etc/resolv.conf, and of /run/systemd/resolve/resolv.conf$' "$OUTPUT"
	expect_match "^\+ set nameservers4: $UNBOUND4" "$OUTPUT"
	host_redirect install --redirect-dns
	all_ways 240.0.0.100
	host_redirect install --redirect-all-dns-traffic
	all_ways 240.0.0.100
	resolvectl 0 dns app0 ''
	sleep 0.1
	expect_eq 192.0.2.10 "$(by_stub www.outside.example)" "the servers of before stay"
	host_redirect uninstall
}

# Kuma's names end in .local, which systemd-resolved asks no DNS server for unless it is told to.
test_resolved_and_names_under_local() {
	names '240.0.0.101 redis.svc.mesh.local'
	stub_host "DNS=$UNBOUND4" 'Domains=~mesh.local'
	host_redirect install --redirect-dns
	expect_eq 240.0.0.101 "$(by_varlink redis.svc.mesh.local)"
	expect_eq 240.0.0.101 "$(by_stub redis.svc.mesh.local)"
	names '240.0.0.100 redis.mesh' 'fd00:fd00::100 redis.mesh'
	host_redirect uninstall
}

test_verify_sees_the_loop_through_the_stub() {
	stub_host "DNS=$UNBOUND4"
	stop resolver
	start_host_resolver --upstream "$STUB"
	expect_match 'warning: forwarding to systemd-resolved.s stub' "$(log_of resolver)"
	host_redirect install --redirect-all-dns-traffic
	expect_status 4 host_redirect verify --redirect-all-dns-traffic
	expect_match '^no loop: the resolver asks systemd-resolved, whose questions come back' "$(failed)"
	expect_match "forwards to systemd-resolved's stub" "$(causes)"
	expect_between 1 300 "$(redirected)" "redirected in a loop"
	# With nothing but the stub captured it is none, for a resolver that has not met it.
	stop resolver
	host_redirect install --redirect-dns --resolv-conf /run/systemd/resolve/stub-resolv.conf
	resolvectl 0 flush-caches
	start_host_resolver --upstream "$STUB"
	expect_eq 240.0.0.100 "$(by_stub redis.mesh)"
	expect_eq 192.0.2.10 "$(by_stub www.outside.example)"
	expect_eq 192.0.2.99 "$(by_dbus redis.mesh)"
	expect_status 0 host_redirect verify --redirect-dns --resolv-conf /run/systemd/resolve/stub-resolv.conf
	host_redirect uninstall
}

test_verify_knows_systemd_resolved() {
	printf 'hosts: files resolve [!UNAVAIL=return] dns\n' >"/etc/netns/$APP/nsswitch.conf"
	stub_host "DNS=$UNBOUND4 $KNOT4:5353" DNSOverTLS=opportunistic
	host_redirect install --redirect-dns
	expect_status 0 host_redirect verify --redirect-dns
	expect_match 'over TLS.*: DNSOverTLS=opportunistic in /run/systemd/resolved.conf.d/test.conf' "$(notes)"
	expect_match 'other ports than 53.*5353 in /run' "$(notes)"
	expect_match 'nss-resolve .* captured in turn' "$(notes)"
	stop resolver
	expect_status 4 host_redirect verify --redirect-dns
	expect_match 'nothing listens on udp port 15053' "$(causes)"
	start_host_resolver
	stop resolved
	expect_status 0 host_redirect verify --redirect-dns
	expect_match "^ok .*an outside name of uid $PROXY_UID over udp to $STUB: refused" "$OUTPUT"
	printf 'hosts: files dns\n' >"/etc/netns/$APP/nsswitch.conf"
	host_redirect uninstall
}

# To whom the mesh is a domain that the root does not know, unless he is told.
test_resolved_that_validates() {
	stub_host "DNS=$UNBOUND4" DNSSEC=yes
	host_redirect install --redirect-dns
	expect_status 4 host_redirect verify --redirect-dns
	expect_match "^an outside name of uid $PROXY_UID over udp to $STUB: answered with SERVFAIL" "$(failed)"
	expect_match 'systemd-resolved does not answer, though a server that it asks does' "$(causes)"
	expect_match 'refuse the mesh.s names: DNSSEC=yes in /run' "$(causes)"
	expect_eq '' "$(by_varlink redis.mesh || :)"
	stop resolved
	on_host 0 sh -c 'mkdir -p /run/dnssec-trust-anchors.d && echo mesh >/run/dnssec-trust-anchors.d/mesh.negative'
	start_resolved "DNS=$UNBOUND4" DNSSEC=yes
	expect_eq 240.0.0.100 "$(by_varlink redis.mesh)"
	on_host 0 rm -r /run/dnssec-trust-anchors.d
	host_redirect uninstall
}

run_tests "$@"
