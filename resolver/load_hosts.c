/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts(5): an address and its names a line, '#' begins a comment. */
#include <stdio.h>

#include "resolver/load.h"

#define BLANKS " \t\r\v\f"

/* The next word of [*at, end), *ret_len long; its length is 0 at the end. */
static const char *next_word(const char **at, const char *end, size_t *ret_len)
{
	const char *word = *at;

	while (word < end && strchr(BLANKS, *word) && *word)
		word++;
	*at = word;
	while (*at < end && (!strchr(BLANKS, **at) || !**at))
		(*at)++;
	*ret_len = (size_t)(*at - word);
	return word;
}

static int load_line(struct load *load, const char *source, size_t number, const char *line,
		     const char *end, struct err *err)
{
	const char *comment = memchr(line, '#', (size_t)(end - line));
	const char *address, *name;
	size_t address_len, name_len, names = 0;
	char place[32];
	int rc = 0;

	if (comment)
		end = comment;
	address = next_word(&line, end, &address_len);
	if (address_len == 0)
		return 0;
	snprintf(place, sizeof(place), "line %zu", number);
	while (rc == 0 && (name = next_word(&line, end, &name_len), name_len)) {
		rc = load_record(load, source, place, name, name_len, address, address_len,
				 load->ttl, err);
		names++;
	}
	if (names == 0)
		load_skip(load, source, place, "an address without a name");
	return rc;
}

int load_hosts(struct load *load, const char *source, const char *text, size_t len, struct err *err)
{
	const char *stop = text + len;
	int rc = 0;

	for (size_t number = 1; text < stop && rc == 0; number++) {
		const char *end = memchr(text, '\n', (size_t)(stop - text));

		if (!end)
			end = stop;
		rc = load_line(load, source, number, text, end, err);
		text = end + 1;
	}
	return rc;
}
