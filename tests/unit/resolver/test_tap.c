/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "resolver/tap.h"

static struct tap_wish wish;
static struct tap tap;
static uint8_t message[65535];

static void setup(void)
{
	wish = (struct tap_wish){.lookers = TAP_LOG, .sample = 1};
	tap = (struct tap){0};
	cr_assert_eq(tap_init(&tap, &wish), 0);
}

static void teardown(void)
{
	tap_free(&tap);
}

TestSuite(tap, .init = setup, .fini = teardown);

static void put(enum tap_kind kind, uint16_t len)
{
	struct tap_event event = {.kind = (uint8_t)kind, .len = len, .client_port = 4242};

	tap_put(&tap, &event, message);
}

/* Takes all there is; how many. */
static int take_all(void)
{
	const struct tap_event *event;
	int n = 0;

	for (; (event = tap_peek(&tap)); n++)
		tap_take(&tap, event);
	return n;
}

Test(tap, brings_what_was_put)
{
	const struct tap_event *event;

	memset(message, 'x', sizeof(message));
	put(TAP_CLIENT_RESPONSE, 100);
	event = tap_peek(&tap);
	cr_assert(event);
	cr_expect_eq(event->kept, 100);
	cr_expect_eq(event->lookers, TAP_LOG);
	cr_expect(!memcmp(tap_message(event), message, 100));
	tap_take(&tap, event);
	cr_expect_null(tap_peek(&tap));
}

Test(tap, keeps_only_what_its_lookers_need)
{
	put(TAP_CLIENT_RESPONSE, 4000);
	cr_expect_eq(tap_peek(&tap)->kept, TAP_HEAD_BYTES);
	cr_expect_eq(tap_peek(&tap)->len, 4000);
	take_all();
	wish.lookers = TAP_DNSTAP;
	put(TAP_CLIENT_RESPONSE, 4000);
	cr_expect_eq(tap_peek(&tap)->kept, 4000);
}

Test(tap, is_for_who_asked)
{
	put(TAP_CLIENT_QUERY, 40);
	cr_expect_eq(take_all(), 0);
	wish.lookers = TAP_LOOKUP;
	put(TAP_CLIENT_RESPONSE, 40);
	cr_expect_eq(take_all(), 0);
	wish.lookup_port = 4242;
	put(TAP_CLIENT_RESPONSE, 40);
	cr_expect_eq(take_all(), 1);
	wish.lookers = TAP_DNSTAP;
	put(TAP_CLIENT_QUERY, 40);
	put(TAP_FORWARDER_QUERY, 40);
	cr_expect_eq(take_all(), 2);
}

Test(tap, takes_one_in_so_many)
{
	wish.sample = 10;
	for (int i = 0; i < 1000; i++)
		put(TAP_CLIENT_RESPONSE, 40);
	cr_expect_eq(take_all(), 100);
}

Test(tap, loses_and_counts_what_does_not_fit)
{
	int taken;

	for (int i = 0; i < 10000; i++)
		put(TAP_CLIENT_RESPONSE, 100);
	taken = take_all();
	cr_expect_gt(taken, 1000);
	cr_expect_lt(taken, 2622); /* as many as there is room for */
	cr_expect_eq(tap.lost, (uint64_t)(10000 - taken));
}

/* Sizes that meet the ring's end at every possible distance; nothing is lost or torn. */
Test(tap, wraps_round)
{
	wish.lookers = TAP_DNSTAP;
	for (int round = 0; round < 5000; round++) {
		uint16_t len = (uint16_t)(round * 37 % 3000);
		const struct tap_event *event;

		memset(message, round, len);
		put(TAP_CLIENT_QUERY, len);
		put(TAP_CLIENT_RESPONSE, len);
		for (int i = 0; i < 2; i++) {
			event = tap_peek(&tap);
			cr_assert(event);
			cr_assert_eq(event->kept, len);
			cr_assert(!memcmp(tap_message(event), message, len));
			tap_take(&tap, event);
		}
		cr_assert_null(tap_peek(&tap));
	}
	cr_expect_eq(tap.lost, 0);
}
