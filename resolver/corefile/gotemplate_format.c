/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How values become text: print, println and printf, as package fmt of Go has them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "resolver/corefile/gotemplate_parts.h"

void sink_put(struct sink *sink, const char *text, size_t len)
{
	if (len > sink->size - sink->len) {
		sink->full = true;
		return;
	}
	if (len)
		memcpy(sink->data + sink->len, text, len);
	sink->len += len;
}

static void sink_put_text(struct sink *sink, const char *text)
{
	sink_put(sink, text, strlen(text));
}

static void sink_put_number(struct sink *sink, int64_t number)
{
	char text[24];

	sink_put(sink, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, number));
}

/* A value without others in it. */
static void put_simple(struct sink *sink, const struct gotemplate_value *value)
{
	switch (value->kind) {
	case GOTEMPLATE_BOOL: sink_put_text(sink, value->boolean ? "true" : "false"); break;
	case GOTEMPLATE_INT: sink_put_number(sink, value->number); break;
	case GOTEMPLATE_STRING: sink_put(sink, value->text, value->n); break;
	case GOTEMPLATE_NONE: sink_put_text(sink, "<no value>"); break;
	case GOTEMPLATE_LIST: sink_put_text(sink, "[...]"); break;
	case GOTEMPLATE_MAP: sink_put_text(sink, "map[...]"); break;
	case GOTEMPLATE_STRUCT: sink_put_text(sink, "{...}"); break;
	}
}

void sink_put_value(struct sink *sink, const struct gotemplate_value *value)
{
	bool is_list = value->kind == GOTEMPLATE_LIST, is_map = value->kind == GOTEMPLATE_MAP;

	if (!is_list && !is_map && value->kind != GOTEMPLATE_STRUCT) {
		put_simple(sink, value);
		return;
	}
	sink_put_text(sink, is_list ? "[" : is_map ? "map[" : "{");
	for (size_t i = 0; i < value->n; i++) {
		if (i)
			sink_put_text(sink, " ");
		if (is_map) {
			sink_put_text(sink, value->fields[i].name);
			sink_put_text(sink, ":");
		}
		put_simple(sink, is_list ? &value->items[i] : &value->fields[i].value);
	}
	sink_put_text(sink, is_list || is_map ? "]" : "}");
}

/* What was written to the sink since `start`. */
static struct gotemplate_value written(const struct sink *sink, size_t start)
{
	return (struct gotemplate_value){
		.kind = GOTEMPLATE_STRING, .text = sink->data + start, .n = sink->len - start};
}

/* A blank goes between two that are both no text. */
bool gotemplate_print(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		      struct gotemplate_value *ret, struct err *UNUSED(err))
{
	size_t start = scratch->len;

	for (size_t i = 0; i < n; i++) {
		if (i && args[i].kind != GOTEMPLATE_STRING && args[i - 1].kind != GOTEMPLATE_STRING)
			sink_put_text(scratch, " ");
		sink_put_value(scratch, &args[i]);
	}
	*ret = written(scratch, start);
	return true;
}

bool gotemplate_println(const struct gotemplate_value *args, size_t n, struct sink *scratch,
			struct gotemplate_value *ret, struct err *UNUSED(err))
{
	size_t start = scratch->len;

	for (size_t i = 0; i < n; i++) {
		if (i)
			sink_put_text(scratch, " ");
		sink_put_value(scratch, &args[i]);
	}
	sink_put_text(scratch, "\n");
	*ret = written(scratch, start);
	return true;
}

/* One verb of printf: %[flags][width][.precision]letter. */
struct verb {
	bool left, plus, sharp, space, zero;
	int width, precision; /* precision -1: none */
	char letter;
};

#define WIDTH_MAX 999

static const char *parse_count(const char *at, const char *end, int *ret)
{
	*ret = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		*ret = *ret > WIDTH_MAX ? *ret : *ret * 10 + (*at - '0');
	if (*ret > WIDTH_MAX)
		*ret = WIDTH_MAX;
	return at;
}

/* `at` is behind the %; returns what is behind the verb. */
static const char *parse_verb(const char *at, const char *end, struct verb *ret)
{
	*ret = (struct verb){.precision = -1};
	for (; at < end; at++) {
		if (*at == '-')
			ret->left = true;
		else if (*at == '+')
			ret->plus = true;
		else if (*at == '#')
			ret->sharp = true;
		else if (*at == ' ')
			ret->space = true;
		else if (*at == '0')
			ret->zero = true;
		else
			break;
	}
	at = parse_count(at, end, &ret->width);
	if (at < end && *at == '.')
		at = parse_count(at + 1, end, &ret->precision);
	if (at < end)
		ret->letter = *at++;
	return at;
}

static const char *type_name(const struct gotemplate_value *value)
{
	static const char *const names[] = {
		[GOTEMPLATE_NONE] = "<nil>",    [GOTEMPLATE_BOOL] = "bool",
		[GOTEMPLATE_INT] = "int",       [GOTEMPLATE_STRING] = "string",
		[GOTEMPLATE_LIST] = "[]string", [GOTEMPLATE_MAP] = "map[string]string",
		[GOTEMPLATE_STRUCT] = "struct"};

	return names[value->kind];
}

/* Pads what was written since `start` to the verb's width. */
static void pad(struct sink *sink, size_t start, const struct verb *verb, char with)
{
	size_t len = sink->len - start, width = (size_t)verb->width;

	if (len >= width || sink->full)
		return;
	if (width - len > sink->size - sink->len) {
		sink->full = true;
		return;
	}
	if (verb->left) {
		memset(sink->data + sink->len, ' ', width - len);
	} else {
		memmove(sink->data + start + width - len, sink->data + start, len);
		memset(sink->data + start, with, width - len);
	}
	sink->len = start + width;
}

static void put_integer(struct sink *sink, const struct verb *verb, int64_t n)
{
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	unsigned int base = verb->letter == 'x' || verb->letter == 'X' ? 16
			    : verb->letter == 'o'                      ? 8
			    : verb->letter == 'b'                      ? 2
								       : 10;
	const char *digits = verb->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *sign = n < 0 ? "-" : verb->plus ? "+" : verb->space ? " " : "";
	int want = verb->precision >= 0        ? verb->precision
		   : verb->zero && !verb->left ? verb->width - (int)strlen(sign)
					       : 1;
	char text[1024];
	size_t at = sizeof(text), least;

	if (want > WIDTH_MAX)
		want = WIDTH_MAX;
	least = sizeof(text) - (size_t)(want > 0 ? want : 0);
	while (rest || at > least) {
		text[--at] = digits[rest % base];
		rest /= base;
	}
	sink_put_text(sink, sign);
	if (verb->sharp && base == 16)
		sink_put_text(sink, verb->letter == 'X' ? "0X" : "0x");
	else if (verb->sharp && base == 8)
		sink_put_text(sink, "0");
	sink_put(sink, text + at, sizeof(text) - at);
}

static void put_hex(struct sink *sink, const struct verb *verb,
		    const struct gotemplate_value *value)
{
	const char *digits = verb->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

	for (size_t i = 0; i < value->n; i++) {
		uint8_t byte = (uint8_t)value->text[i];
		const char pair[] = {digits[byte >> 4], digits[byte & 15]};

		sink_put(sink, pair, 2);
	}
}

static void put_quoted(struct sink *sink, const struct gotemplate_value *value)
{
	sink_put_text(sink, "\"");
	for (size_t i = 0; i < value->n; i++) {
		uint8_t c = (uint8_t)value->text[i];
		char escape[8];

		if (c == '"' || c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			snprintf(escape, sizeof(escape), "\\%c",
				 c == '\n'   ? 'n'
				 : c == '\t' ? 't'
					     : 'r');
		else if (c < 0x20 || c == 0x7f)
			snprintf(escape, sizeof(escape), "\\x%02x", c);
		else
			snprintf(escape, sizeof(escape), "%c", c);
		sink_put_text(sink, escape);
	}
	sink_put_text(sink, "\"");
}

static void put_bad_verb(struct sink *sink, const struct verb *verb,
			 const struct gotemplate_value *value)
{
	const char begin[] = {'%', '!', verb->letter, '('};

	sink_put(sink, begin, sizeof(begin));
	sink_put_text(sink, type_name(value));
	if (value->kind != GOTEMPLATE_NONE) {
		sink_put_text(sink, "=");
		sink_put_value(sink, value);
	}
	sink_put_text(sink, ")");
}

static void put_verb(struct sink *sink, const struct verb *verb,
		     const struct gotemplate_value *value)
{
	size_t start = sink->len;
	struct gotemplate_value cut = *value;
	bool is_text = value->kind == GOTEMPLATE_STRING, is_int = value->kind == GOTEMPLATE_INT;
	bool is_many = value->kind >= GOTEMPLATE_LIST;
	char letter = verb->letter;

	if (is_text && verb->precision >= 0 && (size_t)verb->precision < cut.n)
		cut.n = (size_t)verb->precision;
	if (is_int && letter && strchr("dvxXob", letter)) {
		put_integer(sink, verb, value->number);
	} else if (is_int && letter == 'c' && value->number > 0 && value->number < 128) {
		sink_put(sink, &(char){(char)value->number}, 1);
	} else if (is_text && (letter == 's' || letter == 'v')) {
		sink_put_value(sink, &cut);
	} else if (is_text && (letter == 'x' || letter == 'X')) {
		put_hex(sink, verb, &cut);
	} else if (is_text && letter == 'q') {
		put_quoted(sink, &cut);
	} else if (value->kind == GOTEMPLATE_NONE && letter == 'v') {
		sink_put_text(sink, "<nil>");
	} else if (letter == 'v' || (letter == 't' && value->kind == GOTEMPLATE_BOOL) ||
		   (letter == 's' && is_many)) {
		sink_put_value(sink, value);
	} else {
		put_bad_verb(sink, verb, value);
		return;
	}
	pad(sink, start, verb, ' ');
}

static void put_missing(struct sink *sink, const struct verb *verb)
{
	if (!verb->letter) {
		sink_put_text(sink, "%!(NOVERB)");
		return;
	}
	sink_put_text(sink, "%!");
	sink_put(sink, &verb->letter, 1);
	sink_put_text(sink, "(MISSING)");
}

bool gotemplate_printf(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		       struct gotemplate_value *ret, struct err *err)
{
	size_t start = scratch->len, used = 1;
	const char *at, *end, *percent;
	struct verb verb;

	if (args[0].kind != GOTEMPLATE_STRING) {
		err_set(err, EINVAL, "printf: wants a format");
		return false;
	}
	at = args[0].text;
	end = at + args[0].n;
	while (at < end && !scratch->full) {
		if (!(percent = memchr(at, '%', (size_t)(end - at))))
			percent = end;
		sink_put(scratch, at, (size_t)(percent - at));
		if (percent == end)
			break;
		at = parse_verb(percent + 1, end, &verb);
		if (verb.letter == '%')
			sink_put_text(scratch, "%");
		else if (!verb.letter || used == n)
			put_missing(scratch, &verb);
		else
			put_verb(scratch, &verb, &args[used++]);
	}
	if (used < n) {
		sink_put_text(scratch, "%!(EXTRA ");
		for (size_t i = used; i < n; i++) {
			sink_put_text(scratch, i > used ? ", " : "");
			sink_put_text(scratch, type_name(&args[i]));
			sink_put_text(scratch, "=");
			sink_put_value(scratch, &args[i]);
		}
		sink_put_text(scratch, ")");
	}
	*ret = written(scratch, start);
	return true;
}
