/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular expressions, by PCRE2: what template, rewrite and errors match with. Go's own (RE2) are
 * read alike but for rarities; PCRE2's backtracking is held by a limit, so that no name can make a
 * match long: one that goes beyond it does not match.
 *
 * The library is loaded when the first expression is compiled: a resolver without one does without.
 */
#ifndef MESHDNS_COREFILE_REGEX_H
#define MESHDNS_COREFILE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define REGEX_PATTERN_MAX 10000
#define REGEX_GROUPS_MAX  32 /* with the whole match, number 0 */

struct regex;

/* What matching needs; one a thread, zeroed. It is filled when the first expression is matched. */
struct regex_scratch {
	struct regex_memory *memory;
};

struct regex_match {
	size_t n;
	struct {
		size_t begin, end; /* in the text; a group that took no part has none: both 0 */
	} group[REGEX_GROUPS_MAX];
};

/* -EINVAL: the pattern, with the place of the error; -ENOENT: the library is not there. */
int regex_compile(const char *pattern, struct regex **ret, struct err *err);
void regex_free(struct regex *regex);

/* How many groups there are, with number 0; NULL: the group has no name. */
size_t regex_groups(const struct regex *regex);
const char *regex_group_name(const struct regex *regex, size_t group);

/* It is as it was when zeroed. */
void regex_scratch_free(struct regex_scratch *scratch);

/*
 * Looks for the expression anywhere in the text. `ret` may be NULL. False, too, if the limit was
 * met or memory ran out.
 */
bool regex_match(const struct regex *regex, struct regex_scratch *scratch, const char *text,
		 size_t len, struct regex_match *ret);

#endif
