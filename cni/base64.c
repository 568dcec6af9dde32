/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found;

	if (c == '-' || c == '_')
		return c == '-' ? 62 : 63;
	found = c ? strchr(digits, c) : NULL;
	return found ? (int)(found - digits) : -1;
}

bool base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len)
{
	char *data;
	uint32_t bits = 0;
	size_t n = 0;

	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (digit(text[i]) < 0)
			return false;
	}
	if (len % 4 == 1 || !(data = malloc(len / 4 * 3 + 3)))
		return false;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 | (uint32_t)digit(text[i]);
		if (i % 4)
			data[n++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	data[n] = '\0';
	*ret_data = data;
	*ret_len = n;
	return true;
}
