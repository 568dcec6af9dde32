/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a Corefile, as CoreDNS' own lexer finds them.
 *
 * Words are split by white space, Unicode's too. `#` begins a comment anywhere outside quotes, also
 * in the middle of a word. `"` quotes only at the beginning of a word; inside, `\"` is the one
 * escape, newlines are allowed, and what follows the closing quote is another word. A carriage
 * return and a byte order mark are nothing. Braces are words of their own only between blanks.
 *
 * Stricter than there: a quote that is not closed is an error, not the rest of the file.
 */
#ifndef MESHDNS_COREFILE_LEXER_H
#define MESHDNS_COREFILE_LEXER_H

#include <stdbool.h>

#include "common/err.h"
#include "resolver/corefile/arena.h"

struct corefile_token {
	const char *text;
	const char *file;  /* where it is from */
	unsigned int line; /* where it begins, counted from 1 */
	bool starts_line;  /* nothing is before it on its line */
};

struct corefile_tokens {
	struct corefile_token *list;
	size_t n;
};

#define COREFILE_SIZE_MAX   ((size_t)1 << 20)
#define COREFILE_TOKENS_MAX 100000

/* Everything is copied into the arena but `file`. -EINVAL: a NUL, an open quote, too much; -ENOMEM.
 */
int corefile_lex(struct arena *arena, const char *file, const char *text, size_t len,
		 struct corefile_tokens *ret, struct err *err);

/* How many bytes of white space are at `at`, before `end`; a carriage return is none. */
size_t corefile_blank_len(const char *at, const char *end);

#endif
