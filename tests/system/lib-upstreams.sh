# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The outside world: unbound and Knot on the upstream host, each with what is wanted of it.
# Sourced after lib.sh. All of it is theirs and theirs alone: no root servers, no network.

# start_unbound LOCAL-DATA…: a resolver that logs its queries and knows these records only.
start_unbound() {
	{
		cat <<-EOT
			server:
			 interface: $UNBOUND4
			 interface: $UNBOUND6
			 access-control: 0.0.0.0/0 allow
			 access-control: ::/0 allow
			 do-daemonize: no
			 username: ""
			 chroot: ""
			 pidfile: ""
			 use-syslog: no
			 log-queries: yes
			 module-config: "iterator"
			 edns-buffer-size: 4096
			 max-udp-size: 4096
			 local-zone: "." static
			 local-data: ". 60 SOA outside.example. hostmaster.outside.example. 1 60 60 60 60"
			remote-control:
			 control-enable: no
			server:
		EOT
		printf " local-data: '%s'\n" "$@"
	} >"$LAB/unbound.conf"
	# As a copy: Debian's AppArmor profile knows it by its path, and allows it its own files only.
	cp "$(command -v unbound)" "$LAB/bin/unbound-copy"
	start unbound "$DNS" 0 unbound-copy -d -c "$LAB/unbound.conf"
	wait_for 10 logged unbound 'start of service'
}

# What the tests find outside. redis.mesh is there too: an answer from here is a leak.
outside_records() {
	cat <<-'EOT'
		www.outside.example. A 192.0.2.10
		www.outside.example. AAAA 2001:db8::10
		odd.outside.example. TYPE65280 \# 4 deadbeef
		shop.outside.example. A 192.0.2.66
		shop.outside.example. AAAA 2001:db8::66
		shop.outside.example. HTTPS 1 . ipv4hint=192.0.2.66
		shop.outside.example. SVCB 1 . ipv4hint=192.0.2.66
		shop.outside.example. SRV 0 0 443 real.outside.example.
		shop.outside.example. PTR real.outside.example.
		shop.outside.example. MX 10 mail.outside.example.
		shop.outside.example. TXT "outside"
		shop.outside.example. CAA 0 issue "ca.example"
		redis.mesh. A 192.0.2.99
		redis.mesh. AAAA 2001:db8::99
		redis.mesh. TXT "leaked"
	EOT
	printf 'big.outside.example. A 198.51.100.%d\n' {1..60}
}

start_outside() {
	local records
	mapfile -t records < <(outside_records)
	start_unbound "${records[@]}"
}

# start_knot: authoritative for knot.example, signed on the fly, and for two zones that can be
# updated, one by anybody, one with the TSIG key of $LAB/update.key only.
start_knot() {
	mkdir "$LAB/knot"
	knot_zone knot.example <<-'EOT'
		www    A     192.0.2.20
		www    AAAA  2001:db8::20
		alias  CNAME www
		mail   MX    10 mx
		text   TXT   "first string" "second string"
		web    HTTPS 1 . alpn=h2 ipv4hint=192.0.2.20
		_sip._udp SRV 1 2 5060 www
		odd    TYPE65280 \# 4 deadbeef
		big    TXT   ( "0123456789012345678901234567890123456789012345678901234567890123456789"
		               "0123456789012345678901234567890123456789012345678901234567890123456789" )
	EOT
	knot_zone open.example </dev/null
	knot_zone locked.example </dev/null
	printf 'hmac-sha256:tester:%s\n' "$(head -c 32 /dev/zero | base64)" >"$LAB/update.key"
	knot_conf >"$LAB/knot.conf"
	start knot "$DNS" 0 knotd -c "$LAB/knot.conf"
	wait_for 15 knot_signed
}

# knot_zone NAME: with the records of standard input.
knot_zone() {
	cat >"$LAB/knot/$1.zone" <<-EOT
		\$ORIGIN $1.
		\$TTL 300
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A $KNOT4
		$(cat)
	EOT
}

knot_conf() {
	cat <<-EOT
		server:
		    rundir: "$LAB/knot"
		    listen: [ "$KNOT4@53", "$KNOT6@53" ]
		log:
		  - target: stderr
		    any: info
		database:
		    storage: "$LAB/knot"
		key:
		  - id: tester
		    algorithm: hmac-sha256
		    secret: $(cut -d: -f3 "$LAB/update.key")
		acl:
		  - id: anybody
		    address: [ 10.66.0.0/24, fd66::/64 ]
		    action: [ update, notify ]
		  - id: keyholder
		    key: tester
		    action: update
		template:
		  - id: default
		    storage: "$LAB/knot"
		    file: "%s.zone"
		    zonefile-sync: -1
		    journal-content: changes
		zone:
		  - domain: knot.example
		    dnssec-signing: on
		  - domain: open.example
		    acl: anybody
		  - domain: locked.example
		    acl: keyholder
	EOT
}

knot_signed() {
	in_dns dig -r +short +tries=1 +time=1 +dnssec "@$KNOT4" www.knot.example A | grep -q '^A 13 '
}
