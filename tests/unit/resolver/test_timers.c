/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/timers.h"

static struct timers timers;

Test(timers, due_ones_come_and_are_then_not_set)
{
	struct timer a, b;

	timers_init(&timers, 1000);
	timer_init(&a, 1);
	timer_init(&b, 2);
	timer_set(&timers, &a, 1100);
	timer_set(&timers, &b, 1050);
	cr_expect_null(timers_pop(&timers, 1049));
	cr_expect(timers_next_ms(&timers) >= 1050 &&
		  timers_next_ms(&timers) < 1050 + TIMERS_TICK_MS);
	cr_expect_eq(timers_pop(&timers, 1200), &b);
	cr_expect_eq(timers_pop(&timers, 1200), &a);
	cr_expect_null(timers_pop(&timers, 1200));
	cr_expect_eq(timers_next_ms(&timers), INT64_MAX);
}

Test(timers, a_cancelled_one_does_not_come)
{
	struct timer a;

	timers_init(&timers, 0);
	timer_init(&a, 1);
	timer_set(&timers, &a, 100);
	timer_cancel(&a);
	cr_expect_null(timers_pop(&timers, 1000));
}

Test(timers, never_early_beyond_a_turn_of_the_wheel)
{
	struct timer a;

	timers_init(&timers, 0);
	timer_init(&a, 1);
	timer_set(&timers, &a, 60000);
	for (int64_t now = 0; now < 60000; now += 7)
		cr_assert_null(timers_pop(&timers, now));
	cr_expect_eq(timers_pop(&timers, 60000 + TIMERS_TICK_MS), &a);
}

Test(timers, a_long_sleep_is_caught_up_with)
{
	struct timer a;

	timers_init(&timers, 0);
	timer_init(&a, 1);
	cr_expect_null(timers_pop(&timers, 3600000));
	timer_set(&timers, &a, 3600100);
	cr_expect_null(timers_pop(&timers, 3600099));
	cr_expect_eq(timers_pop(&timers, 3600108), &a);
}
