/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as JSON, read straight and by jansson: both take it or neither does, and what is in it
 * is the same. They differ in how deep a value may be nested, in numbers that no double holds, in
 * keys with a NUL, and in texts with one, which jansson may take for the end.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/json_read.h"
#include "tests/fuzz/fuzz.h"

static void expect(bool what)
{
	if (!what)
		abort();
}

/* A string, which a shorter buffer cuts and does not change. */
static char *take_string(struct json_read *j, size_t *ret_len)
{
	struct json_read again = *j;
	size_t len;
	char *text;

	json_read_string(&again, NULL, 0, &len);
	if (!(text = calloc(1, len + 1)))
		abort();
	again = *j;
	if (len > 1) {
		json_read_string(&again, text, len / 2, ret_len);
		expect(*ret_len == len && text[len / 2] == '\0');
	}
	json_read_string(j, text, len, ret_len);
	expect(*ret_len == len);
	return text;
}

static void compare_string(struct json_read *j, const json_t *value)
{
	size_t len;
	char *text = take_string(j, &len);

	expect(len == json_string_length(value) && !memcmp(text, json_string_value(value), len));
	free(text);
}

/* Of a key that comes twice jansson has the last value: only the keys are compared. */
static void compare_object(struct json_read *j, const json_t *value)
{
	size_t n = 0;

	json_read_expect(j, '{');
	while (json_read_more(j, '}', &n)) {
		size_t len;
		char *key = take_string(j, &len);

		json_read_expect(j, ':');
		expect(json_object_getn(value, key, len));
		json_read_skip(j);
		free(key);
	}
	expect(json_object_size(value) <= n);
}

static void compare(struct json_read *j, const json_t *value)
{
	int64_t integer;
	size_t n = 0;

	switch (json_read_peek(j)) {
	case '"': compare_string(j, value); break;
	case '{': compare_object(j, value); break;
	case '[':
		json_read_expect(j, '[');
		while (json_read_more(j, ']', &n))
			compare(j, json_array_get(value, n - 1));
		expect(json_array_size(value) == n);
		break;
	case 't':
	case 'f':
	case 'n': json_read_skip(j); break;
	default:
		if (json_read_integer(j, &integer))
			expect((double)integer == json_number_value(value));
	}
	expect(!j->error);
}

/* Of which the end is not there: only what is there is looked at. */
static void read_cut(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct json_read j = {text, text + size, NULL};

	if (!text)
		abort();
	memcpy(text, data, size);
	json_read_skip(&j);
	expect(j.at <= j.end);
	free(text);
}

static void read_both(const uint8_t *data, size_t size)
{
	struct json_read start = {(const char *)data, (const char *)data + size, NULL}, j = start;
	json_error_t error;
	json_t *value =
		json_loadb((const char *)data, size,
			   JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);

	json_read_skip(&j);
	if (!j.error && (json_read_peek(&j) || j.at < j.end))
		j.error = "something behind it";
	if (value) {
		expect(!j.error || !strcmp(j.error, "nested too deeply"));
	} else if (!j.error) {
		enum json_error_code code = json_error_code(&error);

		expect(code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
	}
	if (value && !j.error)
		compare(&start, value);
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (!memchr(data, 0, size))
		read_both(data, size);
	read_cut(data, size);
	read_cut(data, data[size / 2] % size);
	return 0;
}
