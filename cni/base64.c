/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c)
{
	const char *found;

	if (c == '-' || c == '_')
		return c == '-' ? 62 : 63;
	found = c ? strchr(digits, c) : NULL;
	return found ? (int)(found - digits) : -1;
}

/* Of lines, as base64(1) writes them. */
static bool is_break(char c)
{
	return c == '\n' || c == '\r';
}

bool base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len)
{
	char *data;
	uint32_t bits = 0;
	size_t n_digits = 0, n = 0;

	while (len && (text[len - 1] == '=' || is_break(text[len - 1])))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (digit(text[i]) < 0 && !is_break(text[i]))
			return false;
		n_digits += !is_break(text[i]);
	}
	if (n_digits % 4 == 1 || !(data = malloc(n_digits / 4 * 3 + 3)))
		return false;
	for (size_t i = 0; i < n_digits; text++) {
		if (is_break(*text))
			continue;
		bits = bits << 6 | (uint32_t)digit(*text);
		if (i % 4)
			data[n++] = (char)(bits >> (6 - 2 * (i % 4)));
		i++;
	}
	data[n] = '\0';
	*ret_data = data;
	*ret_len = n;
	return true;
}

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	char *text = malloc((len + 2) / 3 * 4 + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < len; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16;

		bits |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
		bits |= i + 2 < len ? bytes[i + 2] : 0;
		text[n++] = digits[bits >> 18];
		text[n++] = digits[bits >> 12 & 63];
		text[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		text[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	if (text)
		text[n] = '\0';
	return text;
}
