/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/span.h"

#include <jansson.h>
#include <string.h>

/* All move forward within [p, end]; the text's being JSON is what makes them stop in time. */
static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p;
}

static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p < end ? p + 1 : end;
}

static const char *skip_scalar(const char *p, const char *end)
{
	while (p < end && !strchr(",]} \t\r\n", *p))
		p++;
	return p;
}

static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		p = skip_blanks(p, end);
		if (p == end)
			return end;
		if (*p == '"') {
			p = skip_string(p, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (*p == ',' || *p == ':') {
			p++;
		} else {
			p = skip_scalar(p, end);
		}
	} while (depth);
	return p;
}

/* `name` is in its quotes, and perhaps written with escapes. */
static bool is_key(struct span name, const char *key)
{
	json_t *text;
	bool same;

	if (!memchr(name.data, '\\', name.len))
		return name.len == strlen(key) + 2 && !memcmp(name.data + 1, key, name.len - 2);
	text = json_loadb(name.data, name.len, JSON_DECODE_ANY, NULL);
	same = text && !strcmp(json_string_value(text), key);
	json_decref(text);
	return same;
}

bool span_find(struct span object, const char *key, struct span *ret_value)
{
	const char *end = object.data + object.len, *p = skip_blanks(object.data, end);
	bool found = false;

	if (p == end || *p++ != '{')
		return false;
	while ((p = skip_blanks(p, end)) < end && *p == '"') {
		struct span name = {p, (size_t)(skip_string(p, end) - p)};

		p = skip_blanks(name.data + name.len, end);
		p = skip_blanks(p < end ? p + 1 : end, end); /* behind the colon */
		ret_value->data = p;
		p = skip_value(p, end);
		if (is_key(name, key)) {
			found = true;
			object.data = ret_value->data;
			object.len = (size_t)(p - ret_value->data);
		}
		p = skip_blanks(p, end);
		if (p < end && *p == ',')
			p++;
	}
	*ret_value = object;
	return found;
}

bool span_next(struct span array, struct span *item)
{
	const char *end = array.data + array.len;
	const char *p = item->data ? item->data + item->len : array.data + 1;

	p = skip_blanks(p, end);
	if (p < end && *p == ',')
		p = skip_blanks(p + 1, end);
	if (p >= end || *p == ']')
		return false;
	item->data = p;
	item->len = (size_t)(skip_value(p, end) - p);
	return true;
}
