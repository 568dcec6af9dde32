#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where the names come from: hosts lines, Kuma's JSON, folders, and every way in which they change.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

query() { ask @127.0.0.1 -p 15053 "$@"; }

# vip NAME: its IPv4 address in the mesh, "" when it is no mesh name.
vip() { query +short "$1"; }

# expect_vip ADDRESS NAME: now. expect_soon ADDRESS NAME: within the time that noticing a file takes.
expect_vip() { expect_eq "$1" "$(vip "$2")" "$2"; }
expect_soon() { wait_for 3 has_vip "$1" "$2"; }
has_vip() { [[ $(vip "$2") == "$1" ]]; }

setup() { start_outside; }

test_hosts_lines() {
	names '# a comment' '' '240.0.0.1 one.mesh  uno.mesh	eins.mesh # three names' \
		'	fd00:fd00::1	one.mesh' '240.0.0.2 dotted.mesh.' '240.0.0.3 _sip._tcp.under_score.mesh' \
		'240.0.0.4 UPPER.Mesh' '240.0.0.5 xn--bcher-kva.mesh'
	start_resolver --names "$LAB/names"
	expect_vip 240.0.0.1 one.mesh
	expect_vip 240.0.0.1 uno.mesh
	expect_vip 240.0.0.1 eins.mesh
	expect_eq fd00:fd00::1 "$(query +short one.mesh AAAA)"
	expect_vip 240.0.0.2 dotted.mesh
	expect_vip 240.0.0.3 _sip._tcp.under_score.mesh
	expect_vip 240.0.0.4 upper.mesh
	expect_vip 240.0.0.5 xn--bcher-kva.mesh
	expect_vip '' three
	expect_no_match warning "$(log_of resolver)"
}

test_bad_lines_are_skipped_and_named() {
	local line
	names '240.0.0.1 good.mesh' 'not-an-address a.mesh' '240.0.0.3' '240.0.0.4.5 b.mesh' \
		"240.0.0.5 $(printf 'a%.0s' {1..64}).mesh" '240.0.0.6 bad..dots.mesh' \
		'240.0.0.7 also.good.mesh'
	start_resolver --names "$LAB/names"
	expect_vip 240.0.0.1 good.mesh
	expect_vip 240.0.0.7 also.good.mesh
	for line in 2 3 4 5 6; do
		expect_match "warning: .*source=$LAB/names place=\"line $line\"" "$(log_of resolver)"
	done
	expect_eq 5 "$(grep -c warning "$LAB/log/resolver")" "warnings"
}

test_kuma_json_and_its_ttl() {
	cat >"$LAB/dns.json" <<-'EOT'
		{"records":[
		  {"name":"redis.mesh","ips":["240.0.0.1","fd00:fd00::1"]},
		  {"name":"bad.mesh","ips":["nonsense"]},
		  {"name":"two.mesh","ips":["240.0.0.2","240.0.0.3"]}],
		 "ttl":30,"extraLabels":{"a":"b"}}
	EOT
	start_resolver --names "$LAB/dns.json" --ttl 17
	expect_match '^redis\.mesh\.[[:space:]]+30[[:space:]]' "$(query +noall +answer redis.mesh)"
	expect_eq fd00:fd00::1 "$(query +short redis.mesh AAAA)"
	expect_eq '240.0.0.2 240.0.0.3' "$(vip two.mesh | flat)"
	expect_match "warning: .*source=$LAB/dns.json .*line 3.*nonsense" "$(log_of resolver)"
}

test_ttl_of_hosts_lines() {
	names '240.0.0.1 one.mesh'
	start_resolver --names "$LAB/names" --ttl 17
	expect_match '^one\.mesh\.[[:space:]]+17[[:space:]]' "$(query +noall +answer one.mesh)"
	expect_match '[[:space:]]17$' "$(query one.mesh MX | section authority)"
}

test_aliases_without_an_end_are_named() {
	local i
	{
		echo '{"records":[{"name":"end.mesh","ips":["240.0.0.1"]}'
		echo ',{"name":"a.mesh","alias":"b.mesh"},{"name":"b.mesh","alias":"a.mesh"}'
		echo ',{"name":"n1.mesh","alias":"end.mesh"},{"name":"away.mesh","alias":"www.example.com"}'
		for i in {2..9}; do
			echo ",{\"name\":\"n$i.mesh\",\"alias\":\"n$((i - 1)).mesh\"}"
		done
		echo ']}'
	} >"$LAB/dns.json"
	start_resolver --names "$LAB/dns.json"
	expect_match '^240\.0\.0\.1 ' "$(query +short n8.mesh | flat)"
	expect_eq 'a.mesh. b.mesh. n9.mesh.' \
		"$(log_of resolver | sed -n 's/.*leads to no address.* name=\([^ ]*\).*/\1/p' | sort | flat)"
}

test_several_sources_and_a_folder() {
	mkdir "$LAB/folder"
	echo '240.0.0.1 one.mesh' >"$LAB/folder/a.hosts"
	echo '{"records":[{"name":"two.mesh","ips":["240.0.0.2"]}]}' >"$LAB/folder/b.json"
	echo '240.0.0.3 three.mesh' >"$LAB/folder/c.backup"
	names '240.0.0.4 four.mesh'
	start_resolver --names "$LAB/names" --names "$LAB/folder"
	expect_vip 240.0.0.1 one.mesh
	expect_vip 240.0.0.2 two.mesh
	expect_vip '' three.mesh
	expect_vip 240.0.0.4 four.mesh

	echo '240.0.0.5 five.mesh' >"$LAB/folder/d.hosts"
	expect_soon 240.0.0.5 five.mesh
	mv "$LAB/folder/c.backup" "$LAB/folder/c.hosts"
	expect_soon 240.0.0.3 three.mesh
	rm "$LAB/folder/a.hosts"
	expect_soon '' one.mesh
	expect_vip 240.0.0.4 four.mesh
}

test_written_in_place() {
	names '240.0.0.1 one.mesh'
	start_resolver --names "$LAB/names"
	expect_vip 240.0.0.1 one.mesh
	names '240.0.0.2 one.mesh'
	expect_soon 240.0.0.2 one.mesh
	echo '240.0.0.3 appended.mesh' >>"$LAB/names"
	expect_soon 240.0.0.3 appended.mesh
}

test_renamed_over() {
	local i
	names '240.0.0.1 one.mesh'
	start_resolver --names "$LAB/names"
	for i in 2 3 4; do
		echo "240.0.0.$i one.mesh" >"$LAB/names.new"
		mv "$LAB/names.new" "$LAB/names"
		expect_soon 240.0.0.$i one.mesh
	done
}

test_deleted_and_made_again() {
	names '240.0.0.1 one.mesh'
	start_resolver --names "$LAB/names"
	rm "$LAB/names"
	wait_for 3 logged resolver "$LAB/names"
	expect_vip 240.0.0.1 one.mesh
	names '240.0.0.2 one.mesh'
	expect_soon 240.0.0.2 one.mesh
}

# config_map VERSION ADDRESS: what the kubelet does with a mounted ConfigMap.
config_map() {
	local mount=$LAB/mounted old
	mkdir -p "$mount/..2024_$1"
	echo "$2 one.mesh" >"$mount/..2024_$1/names.hosts"
	ln -s "..2024_$1" "$mount/..data_tmp"
	old=$(readlink "$mount/..data" || :)
	mv -T "$mount/..data_tmp" "$mount/..data"
	if [[ $old ]]; then
		rm -r "${mount:?}/$old"
	else
		ln -s ..data/names.hosts "$mount/names.hosts"
	fi
}

test_a_mounted_config_map() {
	local i source
	for source in "$LAB/mounted/names.hosts" "$LAB/mounted"; do
		rm -rf "$LAB/mounted"
		config_map 1 240.0.0.1
		start_resolver --names "$source"
		expect_vip 240.0.0.1 one.mesh
		for i in 2 3 4; do
			config_map $i 240.0.0.$i
			expect_soon 240.0.0.$i one.mesh
		done
		stop resolver
	done
}

# The folder on the way is exchanged, which no watch on the folder itself can see.
test_hup_reads_again() {
	mkdir "$LAB/first" "$LAB/second"
	echo '240.0.0.1 one.mesh' >"$LAB/first/names"
	echo '240.0.0.2 one.mesh' >"$LAB/second/names"
	ln -s first "$LAB/current"
	start_resolver --names "$LAB/current/names"
	expect_vip 240.0.0.1 one.mesh
	ln -sfn second "$LAB/current"
	expect_vip 240.0.0.1 one.mesh
	# shellcheck disable=SC2031 # a test is a subshell
	kill -HUP "${PID[resolver]}"
	expect_soon 240.0.0.2 one.mesh
	echo '240.0.0.3 one.mesh' >"$LAB/second/names"
	expect_soon 240.0.0.3 one.mesh
}

test_a_bad_file_leaves_the_last_good_names() {
	echo '{"records":[{"name":"one.mesh","ips":["240.0.0.1"]}]}' >"$LAB/dns.json"
	start_resolver --names "$LAB/dns.json"
	expect_vip 240.0.0.1 one.mesh
	echo '{"records":[{"name":"one.me' >"$LAB/dns.json"
	wait_for 3 logged resolver "$LAB/dns.json"
	expect_vip 240.0.0.1 one.mesh
	echo '{"records":[{"name":"one.mesh","ips":["240.0.0.2"]}]}' >"$LAB/dns.json"
	expect_soon 240.0.0.2 one.mesh
}

# many_names VERSION: a hundred names that are asked for, and thousands that take time to read.
many_names() {
	printf "240.1.$1.%d n%d.mesh\n" {1..100}{,}
	seq -f "240.2.0.1 filler%g.mesh" 20000
}

test_reloads_under_load_lose_no_query() {
	local i report
	printf 'n%d.mesh A\n' {1..100} >"$LAB/queries"
	many_names 0 >"$LAB/names"
	start_resolver --names "$LAB/names"
	start dnsperf "$APP" "$APP_UID" dnsperf -s 127.0.0.1 -p 15053 -d "$LAB/queries" -l 4 -Q 4000
	for i in {1..8}; do
		many_names "$i" >"$LAB/names.new"
		mv "$LAB/names.new" "$LAB/names"
		expect_soon "240.1.$i.7" n7.mesh
	done
	# shellcheck disable=SC2031
	wait_for 10 ended "${PID[dnsperf]}"
	report=$(log_of dnsperf)
	expect_match 'Queries lost: +0 ' "$report"
	expect_match 'Response codes: +NOERROR [0-9]+ \(100\.00%\)$' "$report"
	expect_between 10000 20000 "$(sed -n 's/.*Queries completed: *\([0-9]*\).*/\1/p' <<<"$report")"
	expect_between 0 250 "$(sed -nE 's/.*\(min .*, max ([0-9]+)\.([0-9]{3}).*/\1\2/p' <<<"$report" |
		sed 's/^0*\(.\)/\1/')" "slowest answer in ms"
}

run_tests "$@"
