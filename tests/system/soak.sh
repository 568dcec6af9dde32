#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make soak`, for a few seconds: that it works, and what it finds at once.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

test_everything_at_once_and_no_query_lost() {
	start soak "$APP" 0 env BUILD="$BUILD" "$TOP/tests/bench/soak" 5
	# shellcheck disable=SC2031 # a test is a subshell
	wait_for 40 ended "${PID[soak]}"
	stop soak || fail "$(log_of soak)"
}

run_tests "$@"
