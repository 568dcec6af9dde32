/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "resolver/dnstap.h"

static struct {
	struct tap_event event;
	uint8_t message[300];
} put;

static void setup(void)
{
	struct sockaddr_in *peer = (struct sockaddr_in *)(void *)&put.event.peer;

	put.event = (struct tap_event){.kind = TAP_CLIENT_QUERY, .len = 3, .kept = 3, .at_us = 1};
	memcpy(put.message, "abc", 3);
	peer->sin_family = AF_INET;
	peer->sin_port = htons(300);
	peer->sin_addr.s_addr = htonl(0x7f000001);
}

TestSuite(dnstap, .init = setup);

Test(dnstap, encodes_what_the_schema_says)
{
	static const uint8_t expected[] = {
		0x0a, 1,  'i',  0x12, 1,    'v', 0x78, 1,       /* identity, version, MESSAGE */
		0x72, 27,                                       /* the message */
		0x08, 5,  0x18, 1,    0x10, 1,                  /* CLIENT_QUERY, UDP, INET */
		0x22, 4,  127,  0,    0,    1,   0x30, 0xac, 2, /* address and port of who asks */
		0x40, 2,  0x4d, 0xe8, 3,    0,   0,             /* 2 s, 1000 ns */
		0x52, 3,  'a',  'b',  'c',
	};
	uint8_t bytes[DNSTAP_OVERHEAD];
	size_t len = dnstap_encode(&put.event, 2000000, "i", "v", bytes, sizeof(bytes));

	cr_expect_arr_eq(bytes, expected, sizeof(expected));
	cr_expect_eq(len, 10 + 27);
}

Test(dnstap, fits_or_is_none)
{
	uint8_t bytes[sizeof(put.message) + DNSTAP_OVERHEAD];
	size_t whole;

	put.event.kept = put.event.len = sizeof(put.message);
	put.event.kind = TAP_FORWARDER_RESPONSE;
	whole = dnstap_encode(&put.event, 0, "identity", "version", bytes, sizeof(bytes));
	cr_assert_gt(whole, sizeof(put.message));
	for (size_t size = 0; size < whole; size++)
		cr_assert_eq(dnstap_encode(&put.event, 0, "identity", "version", bytes, size), 0);
	cr_expect_eq(dnstap_encode(&put.event, 0, "identity", "version", bytes, whole), whole);
}
