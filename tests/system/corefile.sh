#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The resolver in CoreDNS' place: by a Corefile, with and without Envoy's DNS filter before it.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }

# corefile: standard input, as the file $LAB/Corefile.
corefile() { cat >"$LAB/Corefile"; }

setup() {
	start_outside
	start_knot
	names '240.0.0.9 table.mesh'
	printf 'nameserver %s\n' "$UNBOUND4" >"$LAB/resolv.conf"
	start filter "$APP" 0 filter.py 127.0.0.1 15054 redis.mesh=240.0.0.1 both.mesh=240.0.0.2,fd00:fd00::2
	wait_for 5 logged filter ready
}

# Started by root, who becomes the proxy user.
test_each_directive_does_what_it_says() {
	export LAB UNBOUND4 UNBOUND6 KNOT4 APP4
	expect_status 0 in_app corefile-table.py "$SYSTEM/corefile.table" "${root_prefix[@]}" \
		meshdns-resolver --user "$PROXY_UID" --control off
}

run_tests "$@"
