/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/json_read.h"

#include <string.h>

static void fail(struct json_read *j, const char *error)
{
	if (!j->error)
		j->error = error;
}

char json_read_peek(struct json_read *j)
{
	while (j->at < j->end &&
	       (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
		j->at++;
	return j->error || j->at == j->end ? '\0' : *j->at;
}

void json_read_expect(struct json_read *j, char c)
{
	if (json_read_peek(j) != c)
		fail(j, c == ':'   ? "':' expected"
			: c == '[' ? "'[' expected"
			: c == '{' ? "'{' expected"
				   : "something else expected");
	else
		j->at++;
}

bool json_read_more(struct json_read *j, char closing, size_t *n)
{
	char c = json_read_peek(j);

	if (c == closing) {
		j->at++;
		return false;
	}
	if (*n > 0) {
		if (c != ',')
			fail(j, closing == ']' ? "',' or ']' expected" : "',' or '}' expected");
		else
			j->at++;
	}
	(*n)++;
	return !j->error;
}

/* --- strings -------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t size, len;
};

static void put(struct text *t, unsigned int c)
{
	if (t->len < t->size)
		t->buf[t->len] = (char)c;
	t->len++;
}

static void put_utf8(struct text *t, uint32_t c)
{
	if (c < 0x80) {
		put(t, c);
	} else if (c < 0x800) {
		put(t, 0xc0 | c >> 6);
		put(t, 0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		put(t, 0xe0 | c >> 12);
		put(t, 0x80 | (c >> 6 & 0x3f));
		put(t, 0x80 | (c & 0x3f));
	} else {
		put(t, 0xf0 | c >> 18);
		put(t, 0x80 | (c >> 12 & 0x3f));
		put(t, 0x80 | (c >> 6 & 0x3f));
		put(t, 0x80 | (c & 0x3f));
	}
}

static uint32_t take_hex4(struct json_read *j)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++, j->at++) {
		char c = j->at < j->end ? *j->at : '\0';

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else {
			fail(j, "bad \\u escape");
			return 0;
		}
	}
	return value;
}

/* After "\u"; a surrogate only with its other half. */
static void take_unicode(struct json_read *j, struct text *t)
{
	uint32_t c = take_hex4(j), low;

	if (c >= 0xd800 && c < 0xdc00 && j->end - j->at >= 2 && j->at[0] == '\\' &&
	    j->at[1] == 'u') {
		j->at += 2;
		low = take_hex4(j);
		if (low < 0xdc00 || low > 0xdfff)
			fail(j, "bad surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xd800 && c < 0xe000) {
		fail(j, "bad surrogate pair");
	}
	if (!j->error)
		put_utf8(t, c);
}

static void take_escape(struct json_read *j, struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = j->at < j->end ? *j->at++ : '\0';
	const char *found = c ? strchr(from, c) : NULL;

	if (c == 'u')
		take_unicode(j, t);
	else if (found)
		put(t, (unsigned char)to[found - from]);
	else
		fail(j, "bad escape");
}

/* A UTF-8 sequence that begins with `lead`, RFC 3629 section 4. */
static void take_utf8(struct json_read *j, struct text *t)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char)*j->at;
	int len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint32_t c = lead & (0xffu >> (len + 1));

	if (lead < 0xc2 || lead > 0xf4 || j->end - j->at < len) {
		fail(j, "not UTF-8");
		return;
	}
	for (int i = 1; i < len; i++) {
		unsigned char next = (unsigned char)j->at[i];

		if ((next & 0xc0) != 0x80) {
			fail(j, "not UTF-8");
			return;
		}
		c = c << 6 | (next & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		fail(j, "not UTF-8");
	put_utf8(t, c);
	j->at += len;
}

void json_read_string(struct json_read *j, char *buf, size_t size, size_t *ret_len)
{
	struct text t = {buf, size, 0};

	if (json_read_peek(j) != '"')
		fail(j, "a string expected");
	else
		j->at++;
	while (!j->error) {
		unsigned char c = j->at < j->end ? (unsigned char)*j->at : '\0';

		if (c == '"') {
			j->at++;
			break;
		}
		if (c < 0x20)
			fail(j, j->at < j->end ? "control character in a string"
					       : "string without an end");
		else if (c == '\\') {
			j->at++;
			take_escape(j, &t);
		} else if (c >= 0x80) {
			take_utf8(j, &t);
		} else {
			put(&t, c);
			j->at++;
		}
	}
	if (ret_len)
		*ret_len = t.len;
}

/* --- other values --------------------------------------------------------------------------- */

static size_t take_digits(struct json_read *j)
{
	const char *start = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	if (j->at == start)
		fail(j, "bad number");
	return (size_t)(j->at - start);
}

bool json_read_integer(struct json_read *j, int64_t *ret_value)
{
	const char *start;
	bool integer = true;
	size_t digits;

	if (json_read_peek(j) == '-') {
		j->at++;
		integer = false;
	}
	start = j->at;
	digits = take_digits(j);
	if (digits > 1 && *start == '0')
		fail(j, "bad number");
	*ret_value = 0;
	for (size_t i = 0; i < digits && digits <= 18; i++)
		*ret_value = *ret_value * 10 + (start[i] - '0');
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		take_digits(j);
		integer = false;
	}
	if (j->at < j->end && (*j->at | 0x20) == 'e') {
		j->at++;
		if (j->at < j->end && (*j->at == '+' || *j->at == '-'))
			j->at++;
		take_digits(j);
		integer = false;
	}
	return !j->error && integer && digits <= 18;
}

static bool take_word(struct json_read *j, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(j->end - j->at) < len || memcmp(j->at, word, len) != 0)
		return false;
	j->at += len;
	return true;
}

static void skip_scalar(struct json_read *j, char first)
{
	int64_t value;

	if (first == '"')
		json_read_string(j, NULL, 0, NULL);
	else if (first == '-' || (first >= '0' && first <= '9'))
		json_read_integer(j, &value);
	else if (!take_word(j, "true") && !take_word(j, "false") && !take_word(j, "null"))
		fail(j, j->at < j->end ? "no value" : "the end too early");
}

/* A walk without recursion: what is open is a stack of closing brackets. */
void json_read_skip(struct json_read *j)
{
	char open[JSON_DEPTH_MAX];
	size_t n[JSON_DEPTH_MAX], depth = 0;

	do {
		char c = json_read_peek(j);

		if (c == '{' || c == '[') {
			if (depth == JSON_DEPTH_MAX) {
				fail(j, "nested too deeply");
				return;
			}
			j->at++;
			n[depth] = 0;
			open[depth++] = c == '{' ? '}' : ']';
		} else {
			skip_scalar(j, c);
		}
		while (depth > 0 && !j->error && !json_read_more(j, open[depth - 1], &n[depth - 1]))
			depth--;
		if (depth > 0 && open[depth - 1] == '}') {
			json_read_string(j, NULL, 0, NULL);
			json_read_expect(j, ':');
		}
	} while (depth > 0 && !j->error);
}
