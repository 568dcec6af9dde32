/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/nametext.h"

static char *put_octet(char *at, uint8_t octet)
{
	if (octet <= ' ' || octet >= 0x7f) {
		*at++ = '\\';
		*at++ = (char)('0' + octet / 100);
		*at++ = (char)('0' + octet / 10 % 10);
		*at++ = (char)('0' + octet % 10);
		return at;
	}
	if (strchr(".\\\"();@$", octet))
		*at++ = '\\';
	*at++ = (char)octet;
	return at;
}

size_t nametext_write(const uint8_t *name, char ret_text[NAMETEXT_MAX])
{
	char *at = ret_text;

	for (; *name; name += *name + 1u) {
		for (size_t i = 1; i <= *name; i++)
			at = put_octet(at, name[i]);
		*at++ = '.';
	}
	if (at == ret_text)
		*at++ = '.';
	*at = '\0';
	return (size_t)(at - ret_text);
}

/* Three digits. */
static bool read_decimal(const char *at, uint8_t *ret)
{
	unsigned int value = 0;

	for (size_t i = 0; i < 3; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		value = value * 10 + (unsigned int)(at[i] - '0');
	}
	*ret = (uint8_t)value;
	return value <= UINT8_MAX;
}

bool nametext_take_octet(const char **text, size_t *len, uint8_t *ret_octet, bool *ret_escaped)
{
	const char *at = *text;
	size_t n = 1;

	*ret_escaped = *at == '\\';
	*ret_octet = (uint8_t)*at;
	if (*ret_escaped) {
		if (*len < 2)
			return false;
		*ret_octet = (uint8_t)at[1];
		n = at[1] >= '0' && at[1] <= '9' ? 4 : 2;
		if (n == 4 && (*len < n || !read_decimal(at + 1, ret_octet)))
			return false;
	}
	*text += n;
	*len -= n;
	return true;
}

size_t nametext_read(const char *text, size_t len, uint8_t ret_name[DNS_NAME_MAX])
{
	size_t label = 0, pos = 1; /* where the label's length goes, and the next octet */

	if (len == 1 && *text == '.')
		len = 0;
	else if (len == 0)
		return 0;
	while (len) {
		bool escaped;
		uint8_t octet;

		if (!nametext_take_octet(&text, &len, &octet, &escaped) || pos == DNS_NAME_MAX)
			return 0;
		if (octet != '.' || escaped) {
			ret_name[pos++] = octet;
			if (len)
				continue;
		}
		if (pos - label - 1 == 0 || pos - label - 1 > DNS_LABEL_MAX || pos == DNS_NAME_MAX)
			return 0;
		ret_name[label] = (uint8_t)(pos - label - 1);
		label = pos++;
	}
	ret_name[label] = 0;
	return label + 1;
}
