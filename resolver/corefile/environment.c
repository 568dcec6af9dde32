/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPANSIONS_MAX 100
#define WORD_MAX       ((size_t)64 * 1024)

/* One variable for its value, the first between `open` and `close`; NULL: there is none. */
static const char *find(const char *word, const char *open, const char *close, size_t *ret_len)
{
	const char *begin = strstr(word, open), *end;

	if (!begin || !(end = strstr(begin, close)) || end <= begin + strlen(open))
		return NULL; /* `{$}` stays */
	*ret_len = (size_t)(end - begin) + strlen(close);
	return begin;
}

static char *replace(struct arena *arena, const char *word, const char *at, size_t len,
		     const char *value)
{
	size_t before = (size_t)(at - word), middle = strlen(value), after = strlen(at + len);
	char *result = arena_alloc(arena, before + middle + after + 1);

	if (result)
		snprintf(result, before + middle + after + 1, "%.*s%s%s", (int)before, word, value,
			 at + len);
	return result;
}

static int expand_one(struct arena *arena, const char **word, const char *at, size_t len,
		      size_t edge, struct err *err)
{
	char name[256];
	size_t name_len = len - 2 - edge;
	const char *value = NULL;

	if (name_len < sizeof(name)) {
		memcpy(name, at + 2, name_len);
		name[name_len] = '\0';
		value = getenv(name);
	}
	if (value && strlen(value) > WORD_MAX)
		return err_set(err, EINVAL, "the variable %s is longer than %zu bytes", name,
			       WORD_MAX);
	if (!(*word = replace(arena, *word, at, len, value ? value : "")))
		return err_set(err, ENOMEM, "no memory left");
	return 0;
}

int environment_expand(struct arena *arena, const char *word, struct corefile_place place,
		       const char **ret, struct err *err)
{
	static const struct {
		const char *open, *close;
	} forms[] = {{"{%", "%}"}, {"{$", "}"}};
	struct err why = {0};
	size_t n = 0, len;
	const char *at;

	for (size_t i = 0; i < 2; i++) {
		while ((at = find(word, forms[i].open, forms[i].close, &len))) {
			if (++n > EXPANSIONS_MAX || strlen(word) > WORD_MAX)
				return corefile_fail(err, place, "the variables in it never end");
			if (expand_one(arena, &word, at, len, strlen(forms[i].close), &why) < 0)
				return corefile_fail(err, place, "%s", why.msg);
		}
	}
	*ret = word;
	return 0;
}
