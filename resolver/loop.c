/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/loop.h"

#include <inttypes.h>
#include <stdio.h>

#define NONCE_LEN 16
#define PAGE_AT   (1 + NONCE_LEN + 1)
#define PAGE_LEN  4

size_t loop_write_name(uint64_t nonce, uint16_t page, uint16_t random,
		       uint8_t ret_name[DNS_NAME_MAX])
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%016" PRIx64 "-%04x-%04x.meshdns-loop", nonce, page,
			   random);

	return wire_name_from_text(text, (size_t)len, ret_name);
}

static bool parse_hex(const uint8_t *digits, size_t n, uint16_t *ret_value)
{
	*ret_value = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = digits[i];
		unsigned int digit = c >= 'a' ? c - 'a' + 10u : c - (unsigned int)'0';

		if (digit > 15)
			return false;
		*ret_value = (uint16_t)(*ret_value << 4 | digit);
	}
	return true;
}

bool loop_is_probe(const struct query *query, uint64_t nonce, uint16_t *ret_page)
{
	uint8_t name[DNS_NAME_MAX];
	size_t len = loop_write_name(nonce, 0, 0, name);
	size_t tail = 1 + (size_t)name[0]; /* where the second label begins */

	return query->qtype == DNS_TYPE_HINFO && query->qname_len == len &&
	       !memcmp(query->qname, name, PAGE_AT) &&
	       !memcmp(query->qname + tail, name + tail, len - tail) &&
	       parse_hex(query->qname + PAGE_AT, PAGE_LEN, ret_page);
}
