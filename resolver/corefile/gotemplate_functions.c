/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions but for those that write: gotemplate_format.c has them. */
#include <errno.h>
#include <string.h>

#include "resolver/corefile/gotemplate_parts.h"

static struct gotemplate_value boolean(bool is)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_BOOL, .boolean = is};
}

static struct gotemplate_value number(int64_t n)
{
	return (struct gotemplate_value){.kind = GOTEMPLATE_INT, .number = n};
}

static bool fail(struct err *err, const char *why)
{
	err_set(err, EINVAL, "%s", why);
	return false;
}

/* and, or: reached through a pipe only, else they are jumps. */
static bool call_and(const struct gotemplate_value *args, size_t n, struct sink *UNUSED(scratch),
		     struct gotemplate_value *ret, struct err *UNUSED(err))
{
	size_t i = 0;

	while (i + 1 < n && gotemplate_is_true(&args[i]))
		i++;
	*ret = args[i];
	return true;
}

static bool call_or(const struct gotemplate_value *args, size_t n, struct sink *UNUSED(scratch),
		    struct gotemplate_value *ret, struct err *UNUSED(err))
{
	size_t i = 0;

	while (i + 1 < n && !gotemplate_is_true(&args[i]))
		i++;
	*ret = args[i];
	return true;
}

static bool call_not(const struct gotemplate_value *args, size_t UNUSED(n),
		     struct sink *UNUSED(scratch), struct gotemplate_value *ret,
		     struct err *UNUSED(err))
{
	*ret = boolean(!gotemplate_is_true(&args[0]));
	return true;
}

static bool is_ordered(const struct gotemplate_value *value)
{
	return value->kind == GOTEMPLATE_INT || value->kind == GOTEMPLATE_STRING;
}

/* Negative, 0 or positive, as a is to b. */
static bool compare(const struct gotemplate_value *a, const struct gotemplate_value *b, int *ret,
		    struct err *err)
{
	if (a->kind != b->kind)
		return fail(err, "only things of one kind can be compared");
	if (a->kind == GOTEMPLATE_BOOL) {
		*ret = a->boolean - b->boolean;
	} else if (a->kind == GOTEMPLATE_INT) {
		*ret = (a->number > b->number) - (a->number < b->number);
	} else if (a->kind == GOTEMPLATE_STRING) {
		size_t n = a->n < b->n ? a->n : b->n;
		int order = n ? memcmp(a->text, b->text, n) : 0;

		*ret = order ? order : (a->n > b->n) - (a->n < b->n);
	} else {
		return fail(err, "only numbers, texts and true or false can be compared");
	}
	return true;
}

static bool call_eq(const struct gotemplate_value *args, size_t n, struct sink *UNUSED(scratch),
		    struct gotemplate_value *ret, struct err *err)
{
	bool is = false;

	for (size_t i = 1; i < n && !is; i++) {
		int order;

		if (!compare(&args[0], &args[i], &order, err))
			return false;
		is = order == 0;
	}
	*ret = boolean(is);
	return true;
}

static bool call_ne(const struct gotemplate_value *args, size_t n, struct sink *scratch,
		    struct gotemplate_value *ret, struct err *err)
{
	if (!call_eq(args, n, scratch, ret, err))
		return false;
	ret->boolean = !ret->boolean;
	return true;
}

static bool order_of(const struct gotemplate_value *args, int *ret, struct err *err)
{
	if (!is_ordered(&args[0]) || !is_ordered(&args[1]))
		return fail(err, "only numbers and texts have an order");
	return compare(&args[0], &args[1], ret, err);
}

#define ORDER_FUNCTION(name, than)                                                   \
	static bool name(const struct gotemplate_value *args, size_t UNUSED(n),      \
			 struct sink *UNUSED(scratch), struct gotemplate_value *ret, \
			 struct err *err)                                            \
	{                                                                            \
		int order;                                                           \
                                                                                     \
		if (!order_of(args, &order, err))                                    \
			return false;                                                \
		*ret = boolean(order than 0);                                        \
		return true;                                                         \
	}

ORDER_FUNCTION(call_lt, <)
ORDER_FUNCTION(call_le, <=)
ORDER_FUNCTION(call_gt, >)
ORDER_FUNCTION(call_ge, >=)

static bool call_len(const struct gotemplate_value *args, size_t UNUSED(n),
		     struct sink *UNUSED(scratch), struct gotemplate_value *ret, struct err *err)
{
	if (args[0].kind != GOTEMPLATE_STRING && args[0].kind != GOTEMPLATE_LIST &&
	    args[0].kind != GOTEMPLATE_MAP)
		return fail(err, "len: that has no length");
	*ret = number((int64_t)args[0].n);
	return true;
}

static bool index_once(struct gotemplate_value *value, const struct gotemplate_value *key,
		       struct err *err)
{
	const struct gotemplate_field *fields = value->fields;

	if (value->kind == GOTEMPLATE_MAP && key->kind == GOTEMPLATE_STRING) {
		for (size_t i = 0; i < value->n; i++) {
			if (strlen(fields[i].name) == key->n &&
			    !memcmp(fields[i].name, key->text, key->n)) {
				*value = fields[i].value;
				return true;
			}
		}
		*value = gotemplate_string("");
		return true;
	}
	if (key->kind != GOTEMPLATE_INT ||
	    (value->kind != GOTEMPLATE_LIST && value->kind != GOTEMPLATE_STRING))
		return fail(err, "index: wants a list and a number, or a map and a text");
	if (key->number < 0 || (uint64_t)key->number >= value->n)
		return fail(err, "index: out of range");
	*value = value->kind == GOTEMPLATE_LIST ? value->items[key->number]
						: number((uint8_t)value->text[key->number]);
	return true;
}

static bool call_index(const struct gotemplate_value *args, size_t n, struct sink *UNUSED(scratch),
		       struct gotemplate_value *ret, struct err *err)
{
	*ret = args[0];
	for (size_t i = 1; i < n; i++) {
		if (!index_once(ret, &args[i], err))
			return false;
	}
	return true;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* parseInt TEXT BASE BITS, of CoreDNS: an unsigned number. */
static bool call_parse_int(const struct gotemplate_value *args, size_t UNUSED(n),
			   struct sink *UNUSED(scratch), struct gotemplate_value *ret,
			   struct err *err)
{
	uint64_t max, result = 0;

	if (args[0].kind != GOTEMPLATE_STRING || args[1].kind != GOTEMPLATE_INT ||
	    args[2].kind != GOTEMPLATE_INT || args[1].number < 2 || args[1].number > 36 ||
	    args[2].number < 0 || args[2].number > 64)
		return fail(err, "parseInt: wants a text, a base from 2 to 36 and a size in bits");
	max = args[2].number == 0 || args[2].number >= 63 ? INT64_MAX
							  : ((uint64_t)1 << args[2].number) - 1;
	if (args[0].n == 0)
		return fail(err, "parseInt: the text is empty");
	for (size_t i = 0; i < args[0].n; i++) {
		int digit = digit_of(args[0].text[i]);

		if (digit >= args[1].number)
			return fail(err, "parseInt: that is not a number");
		if (result > (max - (uint64_t)digit) / (uint64_t)args[1].number)
			return fail(err, "parseInt: the number is too large");
		result = result * (uint64_t)args[1].number + (uint64_t)digit;
	}
	*ret = number((int64_t)result);
	return true;
}

/* .Meta NAME, of CoreDNS: what its `metadata` plugin knows, and that is not there. */
static bool call_meta(const struct gotemplate_value *args, size_t UNUSED(n),
		      struct sink *UNUSED(scratch), struct gotemplate_value *ret, struct err *err)
{
	*ret = gotemplate_string("");
	return args[0].kind == GOTEMPLATE_STRING || fail(err, ".Meta: wants a text");
}

#define ANY 63

const struct gotemplate_function gotemplate_functions[] = {
	{".Meta", 1, 1, call_meta},
	{"and", 1, ANY, call_and},
	{"eq", 2, ANY, call_eq},
	{"ge", 2, 2, call_ge},
	{"gt", 2, 2, call_gt},
	{"index", 1, ANY, call_index},
	{"le", 2, 2, call_le},
	{"len", 1, 1, call_len},
	{"lt", 2, 2, call_lt},
	{"ne", 2, 2, call_ne},
	{"not", 1, 1, call_not},
	{"or", 1, ANY, call_or},
	{"parseInt", 3, 3, call_parse_int},
	{"print", 0, ANY, gotemplate_print},
	{"printf", 1, ANY, gotemplate_printf},
	{"println", 0, ANY, gotemplate_println},
	{0},
};
