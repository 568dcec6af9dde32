/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/reverse.h"

static const uint8_t in_addr_arpa[] = "\7in-addr\4arpa";
static const uint8_t ip6_arpa[] = "\3ip6\4arpa";

#define IP6_LABELS_LEN ((size_t)32 * 2) /* a nibble a label */

/* True when the rest of the name is `zone`, whose final NUL is the root label. */
static bool rest_is(const struct wire *w, const uint8_t *zone, size_t zone_len)
{
	return !w->failed && wire_left(w) == zone_len && !memcmp(w->data + w->pos, zone, zone_len);
}

/* A label of one to three digits, no leading zero, at most 255. */
static bool get_octet(struct wire *w, uint8_t *ret_octet)
{
	uint8_t len = wire_get_u8(w);
	const uint8_t *digits = wire_take(w, len);
	unsigned int value = 0;

	if (!digits || len < 1 || len > 3 || (len > 1 && digits[0] == '0'))
		return false;
	for (uint8_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (digits[i] - '0');
	}
	*ret_octet = (uint8_t)value;
	return value <= 255;
}

static bool get_nibble(struct wire *w, uint8_t *ret_nibble)
{
	uint8_t len = wire_get_u8(w), c = wire_get_u8(w);

	if (w->failed || len != 1)
		return false;
	if (c >= '0' && c <= '9')
		*ret_nibble = c - '0';
	else if (c >= 'a' && c <= 'f')
		*ret_nibble = c - 'a' + 10;
	else
		return false;
	return true;
}

bool reverse_parse(const uint8_t *name, size_t len, struct addr *ret_addr)
{
	struct wire w = wire_over((uint8_t *)name, len);
	struct addr addr = {.family = AF_INET};

	if (len > sizeof(in_addr_arpa) &&
	    !memcmp(name + len - sizeof(in_addr_arpa), in_addr_arpa, sizeof(in_addr_arpa))) {
		for (size_t i = 0; i < 4; i++) {
			if (!get_octet(&w, &addr.bytes[3 - i]))
				return false;
		}
		if (!rest_is(&w, in_addr_arpa, sizeof(in_addr_arpa)))
			return false;
	} else if (len == IP6_LABELS_LEN + sizeof(ip6_arpa)) {
		addr.family = AF_INET6;
		for (size_t i = 0; i < 32; i++) {
			uint8_t nibble;

			if (!get_nibble(&w, &nibble))
				return false;
			addr.bytes[15 - i / 2] |= (uint8_t)(i % 2 ? nibble << 4 : nibble);
		}
		if (!rest_is(&w, ip6_arpa, sizeof(ip6_arpa)))
			return false;
	} else {
		return false;
	}
	*ret_addr = addr;
	return true;
}

bool reverse_is_partial(const uint8_t *name, size_t len)
{
	size_t labels = 0, whole = 0;

	for (size_t i = 0; name[i]; i += name[i] + 1u, labels++) {
		if (len - i == sizeof(in_addr_arpa) &&
		    !memcmp(name + i, in_addr_arpa, sizeof(in_addr_arpa)))
			whole = 4;
		else if (len - i == sizeof(ip6_arpa) &&
			 !memcmp(name + i, ip6_arpa, sizeof(ip6_arpa)))
			whole = 32;
		if (whole)
			return labels < whole;
	}
	return false;
}
