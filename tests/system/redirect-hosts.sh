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
# shellcheck source=tests/system/lib-docker.sh
. "$SYSTEM/lib-docker.sh"

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
	wait_for 10 stub_listens
}
stub_listens() { on_host 0 ss -Hlun src "$STUB" | grep -q .; }

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
	host_redirect status | sed -nE '/-> redirect/s/.*\(([0-9]+) packets.*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
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

# --- Docker -----------------------------------------------------------------------------------------

# make_container: a network namespace behind docker0, and a root whose resolv.conf is Docker's.
make_container() {
	echo 'nameserver 127.0.0.11' >"$LAB/container.conf"
	start container "$APP" 0 unshare --net --mount sh -c "
		ip link set lo up && mount --bind $LAB/container.conf /etc/resolv.conf &&
		echo ready && exec sleep 1000"
	wait_for 5 logged container ready
	CONTAINER=${PID[container]}
	ip -n "$APP" link add docker0 type bridge
	lab_address "$APP" docker0 172.17.0.1/16
	ip -n "$APP" link add veth0 type veth peer name eth0 netns "$CONTAINER"
	ip -n "$APP" link set veth0 master docker0 up
	in_container 0 ip addr add 172.17.0.2/16 dev eth0
	in_container 0 ip link set eth0 up
	in_container 0 ip route add default via 172.17.0.1
	in_app sysctl -qw net.ipv4.ip_forward=1
	docker_host_rules | in_app iptables-nft-restore
	docker_container_rules | in_container 0 iptables-nft-restore
	cat >"$LAB/embedded.conf" <<-EOT
		server:
		 interface: 127.0.0.11@33333
		 do-daemonize: no
		 username: ""
		 chroot: ""
		 pidfile: ""
		 use-syslog: no
		 module-config: "iterator"
		 local-zone: "." static
		 local-data: "db. A 172.18.0.9"
		remote-control:
		 control-enable: no
	EOT
	start embedded "$APP" 0 nsenter -t "$CONTAINER" -n -m unbound-copy -d -c "$LAB/embedded.conf"
	wait_for 10 logged embedded 'start of service'
}

# remove_container: and what Docker had on the host.
remove_container() {
	ip -n "$APP" link del docker0
	in_app nft delete table ip filter
	in_app nft delete table ip nat
}

in_container() { nsenter -t "$CONTAINER" -n -m setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
container_asks() { in_container "$APP_UID" dig -r +tries=1 +time=6 +short "@$1" "$2"; }

# saved: other tools' rules, without counters and dates.
saved() { in_app iptables-nft-save | grep -v '^#' | sed 's/\[[0-9:]*\]//'; }

test_a_docker_host() {
	local before how
	resolv_conf "$UNBOUND4"
	make_container
	before=$(saved)
	for how in "${MODES[@]}"; do
		redirect install "$how"
		expect_eq "$before" "$(saved)"
		expect_status 4 redirect verify "$how"
		expect_match 'nothing listens on udp port 15053' "$OUTPUT"
		expect_eq 192.0.2.10 "$(container_asks "$UNBOUND4" www.outside.example)" "containers are left alone"
		start_resolver --names "$LAB/names"
		expect_status 0 redirect verify "$how"
		expect_status 0 redirect status "$how"
		expect_eq 192.0.2.99 "$(container_asks "$UNBOUND4" redis.mesh)"
		stop resolver
	done
	# Containers' questions too, with a resolver that listens where docker0 leads.
	redirect install --redirect-dns --vnet docker0:172.17.0.0/16
	start_resolver --names "$LAB/names" --listen 127.0.0.1:15053 --listen '[::1]:15053' \
		--listen 172.17.0.1:15053 --allow-interface docker0
	expect_status 0 redirect verify --redirect-dns --vnet docker0:172.17.0.0/16
	expect_eq 240.0.0.100 "$(container_asks "$UNBOUND4" redis.mesh)"
	expect_eq 192.0.2.10 "$(container_asks "$UNBOUND4" www.outside.example)"
	stop resolver
	redirect uninstall
	expect_status 1 redirect status
	expect_eq "$before" "$(saved)"
	expect_eq 192.0.2.99 "$(container_asks "$UNBOUND4" redis.mesh)"
	remove_container
}

test_a_container_with_dockers_resolver() {
	make_container
	expect_eq 172.18.0.9 "$(container_asks 127.0.0.11 db)"
	redirect install --redirect-dns --netns "$CONTAINER"
	expect_status 4 redirect verify --redirect-dns --netns "$CONTAINER"
	expect_match "is uid 0|nothing listens on tcp port 15053" "$OUTPUT"
	start resolver "$APP" 0 nsenter -t "$CONTAINER" -n -m "${root_prefix[@]}" \
		meshdns-resolver --user "$PROXY_UID" --names "$LAB/names" --control off
	wait_for 10 logged resolver ready
	expect_eq 240.0.0.100 "$(container_asks 127.0.0.11 redis.mesh)"
	expect_eq 172.18.0.9 "$(container_asks 127.0.0.11 db)" "by Docker's resolver"
	expect_status 0 redirect verify --redirect-dns --netns "$CONTAINER"
	redirect uninstall --netns "$CONTAINER"
	expect_eq '' "$(container_asks 127.0.0.11 redis.mesh)"
	expect_eq 172.18.0.9 "$(container_asks 127.0.0.11 db)"
	remove_container
}

# --- one family -------------------------------------------------------------------------------------

# one_family SERVER OTHER FLAG…: all commands on a host that has a way to SERVER and none to OTHER.
one_family() {
	local how
	resolv_conf "$2" "$1"
	for how in "${MODES[@]}"; do
		redirect install "$how" "${@:3}"
		expect_status 4 redirect verify "$how" "${@:3}"
		expect_match 'nothing listens on udp port 15053' "$OUTPUT"
		start_resolver --names "$LAB/names"
		expect_eq 240.0.0.100 "$(ask +short "@$1" redis.mesh)"
		expect_eq 192.0.2.10 "$(ask +short "@$1" www.outside.example)"
		expect_status 0 redirect verify "$how" "${@:3}"
		expect_status 0 redirect status "$how" "${@:3}"
		stop resolver
		redirect uninstall
		expect_status 1 redirect status "$how" "${@:3}"
		expect_eq 192.0.2.99 "$(ask +short "@$1" redis.mesh)"
	done
}

test_a_host_without_ipv6() {
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	one_family "$UNBOUND4" "$UNBOUND6"
	expect_match "no way to the nameserver $UNBOUND6" "$(
		redirect install --redirect-dns
		redirect verify --redirect-dns || :
	)"
	one_family "$UNBOUND4" "$UNBOUND6" --ip-family-mode ipv4
	one_family "$UNBOUND4" "$UNBOUND6" --backend iptables-nft
	one_family "$UNBOUND4" "$UNBOUND6" --backend iptables-legacy
	resolv_conf "$UNBOUND6"
	expect_status 4 redirect verify --redirect-dns
	expect_match '^FAIL the nameservers: none of them can be reached' "$OUTPUT"
	in_app sysctl -qw net.ipv6.conf.all.disable_ipv6=0
	lab_address "$APP" app0 fd66::{3,2}/64
}

test_a_host_without_ipv4() {
	in_app ip -4 addr flush dev app0
	one_family "$UNBOUND6" "$UNBOUND4"
	one_family "$UNBOUND6" "$UNBOUND4" --ip-family-mode ipv6
	one_family "$UNBOUND6" "$UNBOUND4" --backend iptables-nft
	one_family "$UNBOUND6" "$UNBOUND4" --backend iptables-legacy
	lab_address "$APP" app0 10.66.0.{2,3}/24
}

run_tests "$@"
