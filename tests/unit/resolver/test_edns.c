/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "resolver/edns.h"

Test(edns, padding_fills_blocks)
{
	for (size_t len = 12; len < 1000; len++) {
		size_t padding = edns_padding(len);

		cr_expect_eq((len + padding) % 128, 0, "%zu", len);
		cr_expect(padding >= 4 && padding < 4 + 128, "%zu", len);
	}
	cr_expect_eq(edns_padding(DNS_MESSAGE_MAX - 3), 0, "no room");
}

/* Behind an OPT that has an option already: both are there, and nothing else. */
Test(edns, padding_is_an_option)
{
	static const uint8_t head[] = {0xaa, 0xbb, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, 3, 0, 0};
	uint8_t message[256];
	size_t padding = edns_padding(sizeof(head));
	struct wire w = wire_over(message, sizeof(head) + padding);
	struct wire_rr rr;
	struct edns edns;

	wire_put_bytes(&w, head, sizeof(head));
	edns_pad(&w, 2, padding);
	cr_assert(!w.failed && w.pos == 128);
	w = wire_over(message, 128);
	w.pos = 2;
	cr_assert(wire_get_rr(&w, &rr));
	cr_expect_eq(w.pos, 128);
	cr_assert(edns_parse(&rr, &edns));
	cr_expect_eq(edns.options_len, 4 + padding);
	w = wire_over(edns.options, edns.options_len);
	cr_expect_eq(wire_get_u16(&w), 3);
	cr_expect_eq(wire_get_u16(&w), 0);
	cr_expect_eq(wire_get_u16(&w), 12);
	cr_expect_eq(wire_get_u16(&w), padding - 4);
	for (size_t i = 0; i < padding - 4; i++)
		cr_expect_eq(wire_get_u8(&w), 0);
	cr_expect(!w.failed);
}
