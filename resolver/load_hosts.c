/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts(5): an address and its names a line, '#' begins a comment. */
#include <errno.h>

#include "resolver/load.h"

static bool is_blank(char c)
{
	if ((uint8_t)c > ' ')
		return false;                        /* which is all there is to most */
	return c == ' ' || (c >= '\t' && c <= '\r'); /* no line has a '\n' in it */
}

/* The next word of [*at, end), *ret_len long; its length is 0 at the end. */
static const char *next_word(const char **at, const char *end, size_t *ret_len)
{
	const char *word = *at;

	while (word < end && is_blank(*word))
		word++;
	*at = word;
	while (*at < end && !is_blank(**at))
		(*at)++;
	*ret_len = (size_t)(*at - word);
	return word;
}

static int load_line(struct load *load, const char *line, const char *end)
{
	const char *comment = memchr(line, '#', (size_t)(end - line));
	size_t address_len, name_len, names = 0;
	const char *address, *name;
	struct addr addr;
	int rc = 0;

	if (comment)
		end = comment;
	address = next_word(&line, end, &address_len);
	if (address_len == 0)
		return 0;
	while (rc == 0 && (name = next_word(&line, end, &name_len), name_len)) {
		if (names++ == 0 && !load_parse_address(load, address, address_len, &addr))
			return 0;
		if (load_name(load, name, name_len, LOAD_TTL_TABLE, &rc))
			rc = load_add_address(load, &addr);
	}
	if (names == 0)
		load_skip(load, "an address without a name", "", 0);
	return rc;
}

int load_hosts(struct load *load, const char *text, size_t len, struct err *err)
{
	const char *stop = text + len, *piece = text;
	int rc = 0;

	for (load->line = load->first_line; text < stop && rc == 0; load->line++) {
		const char *end = memchr(text, '\n', (size_t)(stop - text));
		bool is_open = !end;

		if (is_open)
			end = stop;
		rc = load_line(load, text, end);
		text = is_open ? stop : end + 1;
		if (rc == 0 && (text == stop || text - piece >= LOAD_PIECE_MIN)) {
			rc = load_end_piece(load, piece, (size_t)(text - piece), load->line + 1,
					    is_open);
			piece = text;
		}
	}
	return rc < 0 ? err_set(err, rc, "%s: %s", load->source, err_text(rc)) : 0;
}
