/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/upstream_health.h"

Test(upstream_health, the_first_sample_and_its_variance)
{
	struct health h = {0};

	cr_expect_eq(health_rto_ms(&h), HEALTH_RTO_FIRST_MS);
	health_answered(&h, 80000);
	cr_expect_eq(h.srtt_us, 80000);
	cr_expect_eq(h.rttvar_us, 40000);
	cr_expect_eq(health_rto_ms(&h), 240);
}

Test(upstream_health, later_samples_are_smoothed_as_in_rfc_6298)
{
	struct health h = {0};

	health_answered(&h, 80000);
	health_answered(&h, 160000);
	cr_expect_eq(h.rttvar_us, (3 * 40000 + 80000) / 4);
	cr_expect_eq(h.srtt_us, (7 * 80000 + 160000 + 7) / 8);
}

Test(upstream_health, the_wait_has_bounds)
{
	struct health h = {0};

	health_answered(&h, 0);
	cr_expect_eq(health_rto_ms(&h), HEALTH_RTO_MIN_MS);
	for (int i = 0; i < 50; i++)
		health_answered(&h, 4000000);
	cr_expect_eq(health_rto_ms(&h), HEALTH_RTO_MAX_MS);
}

Test(upstream_health, three_failures_in_a_row_are_down_and_an_answer_is_up)
{
	struct health h = {0};

	health_failed(&h, 1000, 1400, HEALTH_FAILS_MAX);
	cr_expect_eq(h.state, HEALTH_SUSPECT);
	health_failed(&h, 1400, 1900, HEALTH_FAILS_MAX);
	cr_expect_eq(h.state, HEALTH_SUSPECT);
	health_failed(&h, 2000, 2400, HEALTH_FAILS_MAX);
	cr_expect_eq(h.state, HEALTH_DOWN);
	health_answered(&h, 1000);
	cr_expect_eq(h.state, HEALTH_UP);
	health_failed(&h, 3000, 3400, HEALTH_FAILS_MAX);
	cr_expect_eq(h.state, HEALTH_SUSPECT, "counted from the last answer");
}

Test(upstream_health, what_failed_together_counts_once)
{
	struct health h = {0};

	for (int i = 0; i < 100; i++)
		health_failed(&h, 1000 + i, 1400 + i, HEALTH_FAILS_MAX);
	cr_expect_eq(h.state, HEALTH_SUSPECT);
	cr_expect_eq(h.fails, 1);
}

Test(upstream_health, a_server_that_may_fail_for_ever_is_always_up)
{
	struct health h = {0};

	for (int i = 0; i < 1000; i++)
		health_failed(&h, i, i, HEALTH_NEVER_DOWN);
	cr_expect_eq(h.state, HEALTH_UP);
}
