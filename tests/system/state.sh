#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The last good names on disk: what a restart can do without any source, and what it will not believe.

# shellcheck disable=SC2317,SC2031 # wait_for calls functions that seem unused; a test is a subshell

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/lib-upstreams.sh
. "$SYSTEM/lib-upstreams.sh"

vip() { ask @127.0.0.1 -p 15053 +short "$1"; }
expect_vip() { expect_eq "$1" "$(vip "$2")" "$2"; }
has_vip() { [[ $(vip "$2") == "$1" ]]; }
ready() { as_app eyes.py get /ready; }
metric() { as_app eyes.py metric "$@"; }

setup() { start_outside; }

# start_kept: with $LAB/names as the source, kept in $LAB/state/names, whose folder it makes.
start_kept() { start_resolver --names "$LAB/names" --state-dir "$LAB/state" --upstream "$UNBOUND4"; }

# refused STATUS: what a resolver that can start with nothing says.
refused() {
	expect_status "$1" in_app "${root_prefix[@]}" timeout -k 1 10 meshdns-resolver --user "$PROXY_UID" \
		--control off --names "$LAB/names" --state-dir "$LAB/state" --upstream "$UNBOUND4"
}

# keep LINE…: as names and in the state; no source is left.
keep() {
	rm -rf "$LAB/state"
	names "$@"
	start_kept
	stop resolver # which saves what there is
	rm "$LAB/names"
}

test_starts_without_any_source() {
	keep '240.0.0.1 one.mesh' 'fd00:fd00::1 one.mesh' '240.0.0.2 *.wild.mesh'
	expect_eq "600 $PROXY_UID" "$(stat -c '%a %u' "$LAB/state/names")"
	start_kept
	expect_match "the last good names are served, .* names=2 reason=\".*$LAB/names" "$(log_of resolver)"
	expect_vip 240.0.0.1 one.mesh
	expect_vip 240.0.0.2 a.wild.mesh
	expect_eq fd00:fd00::1 "$(ask @127.0.0.1 -p 15053 +short one.mesh AAAA)"
	expect_match "^200 OK, with the last good names: .*$LAB/names" "$(ready)"
	expect_eq 1 "$(metric meshdns_names_restored)"

	# A source that comes back takes the place of all that was kept, and is what is kept then.
	names '240.0.0.3 three.mesh'
	wait_for 5 has_vip 240.0.0.3 three.mesh
	expect_vip '' a.wild.mesh
	expect_eq '200 OK' "$(ready)"
	expect_eq 0 "$(metric meshdns_names_restored)"
	saved() { (($(metric meshdns_state_saves_total result=ok) == 1)); }
	wait_for 5 saved
	stop resolver KILL || :
	rm "$LAB/names"
	start_kept
	expect_vip 240.0.0.3 three.mesh
	expect_eq names "$(ls -A "$LAB/state")"
}

test_nothing_to_start_with() {
	rm -rf "$LAB/names" "$LAB/state"
	refused 1
	expect_match "cannot read the names in $LAB/names" "$OUTPUT"
	touch "$LAB/file"
	expect_status 1 in_app "${root_prefix[@]}" meshdns-resolver --user "$PROXY_UID" --control off \
		--state-dir "$LAB/file"
	expect_match '--state-dir .*/file: not a folder' "$OUTPUT"
	install -d -o root "$LAB/roots"
	expect_status 1 in_app "${root_prefix[@]}" meshdns-resolver --user "$PROXY_UID" --control off \
		--state-dir "$LAB/roots"
	expect_match '--state-dir .*/roots: uid 5678 may not write there' "$OUTPUT"
}

test_what_is_damaged_or_somebody_elses_is_refused() {
	local size
	keep '240.0.0.1 one.mesh' '240.0.0.2 two.mesh'
	cp -p "$LAB/state/names" "$LAB/good"
	size=$(stat -c %s "$LAB/good")

	truncate -s $((size - 4)) "$LAB/state/names"
	refused 1
	expect_match "warning: the names that were kept are not served .*$LAB/state/names: it is not whole" "$OUTPUT"
	cp -p "$LAB/good" "$LAB/state/names"
	printf '\377' | dd of="$LAB/state/names" bs=1 seek=$((size - 9)) conv=notrunc status=none
	refused 1
	expect_match 'state/names: it is damaged' "$OUTPUT"
	cp -p "$LAB/good" "$LAB/state/names"
	chown "$APP_UID" "$LAB/state/names"
	chmod 0644 "$LAB/state/names"
	refused 1
	expect_match 'state/names is not believed: .*uid 65534' "$OUTPUT"
	: >"$LAB/state/names"
	chown "$PROXY_UID" "$LAB/state/names"

	# With a source it does not matter what lies there, and it is put right.
	names '240.0.0.4 four.mesh'
	start_kept
	expect_vip 240.0.0.4 four.mesh
	stop resolver
	rm "$LAB/names"
	start_kept
	expect_vip 240.0.0.4 four.mesh
}

# A table that takes a moment to write, and kill -9 in that moment.
test_killed_while_it_writes() {
	local i was
	keep '240.1.0.1 n20000.mesh'
	for i in 1 2 3; do
		was=$(stat -c %i "$LAB/state/names")
		names "$(seq -f "240.1.$i.1 n%.0f.mesh" 20000)"
		start_kept
		writing() { [[ -e $LAB/state/names.new || $(stat -c %i "$LAB/state/names") != "$was" ]]; }
		until writing; do :; done
		stop resolver KILL || :
		rm "$LAB/names"
		start_kept
		expect_match "^240\.1\.[0-$i]\.1$" "$(vip n20000.mesh)"
		stop resolver
	done
}

test_not_ready_before_the_names_are_loaded() {
	local said
	seq -f '240.0.0.1 n%.0f.mesh' 300000 >"$LAB/names"
	start await "$APP" "$APP_UID" eyes.py await
	start_kept
	wait_for 30 ended "${PID[await]}"
	said=$(log_of await)
	expect_eq "503 the names are being loaded from $LAB/names" "$(head -1 <<<"$said")"
	expect_eq '200 OK' "$(tail -1 <<<"$said")"

	# Nor does anybody who asks later wait until names are loaded again.
	seq -f '240.0.0.2 n%.0f.mesh' 300000 >"$LAB/.names"
	start patience "$APP" "$APP_UID" eyes.py patience 2
	wait_for 5 logged patience asking
	mv "$LAB/.names" "$LAB/names"
	wait_for 30 ended "${PID[patience]}"
	expect_between 0 40 "$(tail -1 <<<"$(log_of patience)")" "% of the time waited for one answer"
}

run_tests "$@"
