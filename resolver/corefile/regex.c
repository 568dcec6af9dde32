/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <dlfcn.h>
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY     "libpcre2-8.so.0"
#define MATCH_LIMIT 20000
#define HEAP_KIB    256

/* X(name): all that is called of the library. */
#define PCRE2_CALLS(X)                  \
	X(pcre2_compile_8)              \
	X(pcre2_code_free_8)            \
	X(pcre2_get_error_message_8)    \
	X(pcre2_get_ovector_pointer_8)  \
	X(pcre2_match_8)                \
	X(pcre2_match_context_create_8) \
	X(pcre2_match_context_free_8)   \
	X(pcre2_match_data_create_8)    \
	X(pcre2_match_data_free_8)      \
	X(pcre2_pattern_info_8)         \
	X(pcre2_set_heap_limit_8)       \
	X(pcre2_set_match_limit_8)

struct calls {
#define DECLARE(name) __typeof__(&(name)) name; /* NOLINT(bugprone-macro-parentheses) */
	PCRE2_CALLS(DECLARE)
#undef DECLARE
};

struct regex {
	struct calls call;
	pcre2_code *code;
	size_t groups;
	char *names[REGEX_GROUPS_MAX];
};

struct regex_memory {
	struct calls call;
	pcre2_match_context *context;
	pcre2_match_data *data;
};

static int load(struct calls *calls, struct err *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW), *symbol;
	bool found = library != NULL;

#define FIND(name)                                     \
	symbol = found ? dlsym(library, #name) : NULL; \
	memcpy(&calls->name, &symbol, sizeof(symbol)); \
	found = symbol != NULL;
	PCRE2_CALLS(FIND)
#undef FIND
	return found ? 0
		     : err_set(err, ENOENT,
			       "regular expressions need the library %s (Debian: libpcre2-8-0)",
			       LIBRARY);
}

/* The names of the groups, copied out of the library's table. */
static bool copy_names(struct regex *r)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR entry = NULL;

	r->call.pcre2_pattern_info_8(r->code, PCRE2_INFO_NAMECOUNT, &n);
	r->call.pcre2_pattern_info_8(r->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	r->call.pcre2_pattern_info_8(r->code, PCRE2_INFO_NAMETABLE, &entry);
	for (uint32_t i = 0; i < n; i++, entry += size) {
		size_t group = (size_t)entry[0] << 8 | entry[1];

		if (!r->names[group] && !(r->names[group] = strdup((const char *)entry + 2)))
			return false;
	}
	return true;
}

static int compile(struct regex *r, const char *pattern, struct err *err)
{
	uint32_t groups = 0;
	PCRE2_SIZE at;
	int code;

	/* In Go `$` is the end of the text only. */
	r->code = r->call.pcre2_compile_8(
		(PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	if (!r->code) {
		char why[120] = "";

		r->call.pcre2_get_error_message_8(code, (PCRE2_UCHAR *)why, sizeof(why));
		return err_set(err, EINVAL, "not a regular expression: %s, at %zu of \"%.100s\"",
			       why, (size_t)at, pattern);
	}
	r->call.pcre2_pattern_info_8(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	r->groups = groups + 1;
	if (r->groups > REGEX_GROUPS_MAX)
		return err_set(err, EINVAL, "more than %d groups in \"%.100s\"",
			       REGEX_GROUPS_MAX - 1, pattern);
	return copy_names(r) ? 0 : err_set(err, ENOMEM, "out of memory");
}

int regex_compile(const char *pattern, struct regex **ret, struct err *err)
{
	struct regex *r;
	int rc;

	if (strlen(pattern) > REGEX_PATTERN_MAX)
		return err_set(err, EINVAL, "a regular expression of more than %d bytes",
			       REGEX_PATTERN_MAX);
	if (!(r = calloc(1, sizeof(*r))))
		return err_set(err, ENOMEM, "out of memory");
	if ((rc = load(&r->call, err)) < 0 || (rc = compile(r, pattern, err)) < 0) {
		regex_free(r);
		return rc;
	}
	*ret = r;
	return 0;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	if (regex->code)
		regex->call.pcre2_code_free_8(regex->code);
	for (size_t i = 0; i < REGEX_GROUPS_MAX; i++)
		free(regex->names[i]);
	free(regex);
}

size_t regex_groups(const struct regex *regex)
{
	return regex->groups;
}

const char *regex_group_name(const struct regex *regex, size_t group)
{
	return regex->names[group];
}

void regex_scratch_free(struct regex_scratch *scratch)
{
	struct regex_memory *m = scratch->memory;

	scratch->memory = NULL;
	if (!m)
		return;
	if (m->data)
		m->call.pcre2_match_data_free_8(m->data);
	if (m->context)
		m->call.pcre2_match_context_free_8(m->context);
	free(m);
}

static bool fill(struct regex_scratch *scratch, const struct calls *call)
{
	struct regex_memory *m = scratch->memory = calloc(1, sizeof(*m));

	if (!m)
		return false;
	m->call = *call;
	m->context = call->pcre2_match_context_create_8(NULL);
	m->data = call->pcre2_match_data_create_8(REGEX_GROUPS_MAX, NULL);
	if (!m->context || !m->data) {
		regex_scratch_free(scratch);
		return false;
	}
	call->pcre2_set_match_limit_8(m->context, MATCH_LIMIT);
	call->pcre2_set_heap_limit_8(m->context, HEAP_KIB);
	return true;
}

bool regex_match(const struct regex *regex, struct regex_scratch *scratch, const char *text,
		 size_t len, struct regex_match *ret)
{
	const PCRE2_SIZE *ovector;
	int n;

	if (!scratch->memory && !fill(scratch, &regex->call))
		return false;
	n = regex->call.pcre2_match_8(regex->code, (PCRE2_SPTR)text, len, 0, 0,
				      scratch->memory->data, scratch->memory->context);
	if (n < 0)
		return false;
	if (!ret)
		return true;
	ovector = regex->call.pcre2_get_ovector_pointer_8(scratch->memory->data);
	*ret = (struct regex_match){.n = regex->groups};
	for (size_t i = 0; i < (size_t)n; i++) {
		if (ovector[2 * i] == PCRE2_UNSET || ovector[2 * i] > ovector[2 * i + 1])
			continue; /* \K in a lookahead can turn them round */
		ret->group[i].begin = ovector[2 * i];
		ret->group[i].end = ovector[2 * i + 1];
	}
	return true;
}
