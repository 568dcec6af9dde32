/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shape of a Corefile: blocks with keys, directives in them, lines below those.
 *
 *   file      = { snippet | block | import }
 *   snippet   = "(" name ")" "{" ... "}"        kept as words, put in where it is imported
 *   block     = key { [","] key } ( "{" { line } "}" | { line } to the end of the file )
 *   line      = word { word } [ "{" { line } "}" ]
 *   import    = "import" ( snippet's name | file | glob )   relative to the file that imports
 *
 * `{$NAME}` and `{%NAME%}` in any word stand for that variable of the environment. What a directive
 * may be and what its words mean is directives.h's affair.
 *
 * Stricter than CoreDNS' parser where that lets errors pass: a `}` that is missing or one too many.
 */
#ifndef MESHDNS_COREFILE_PARSER_H
#define MESHDNS_COREFILE_PARSER_H

#include <stdarg.h>

#include "resolver/corefile/lexer.h"

#define COREFILE_NESTING_MAX 16
#define COREFILE_IMPORTS_MAX 1000 /* expansions; and 64 in each other */

struct corefile_place {
	const char *file;
	unsigned int line;
};

struct corefile_line {
	struct corefile_line *next;
	struct corefile_place place;
	const char **words; /* words[0] is the name; NULL behind the last */
	size_t n_words;
	bool has_block;
	struct corefile_line *lines; /* of the block */
};

struct corefile_block {
	struct corefile_block *next;
	struct corefile_place place;
	const char **keys;
	size_t n_keys;
	struct corefile_line *lines;
};

struct corefile_tree {
	struct corefile_block *blocks;
};

/*
 * Parses the text of `file`, which also is what imports are relative to. Everything in the tree is
 * in the arena. -EINVAL with file, line and what was expected; other errors of imported files.
 */
int corefile_parse(struct arena *arena, const char *file, const char *text, size_t len,
		   struct corefile_tree *ret, struct err *err);

/* -EINVAL, with "FILE:LINE: " before the message. */
int corefile_fail(struct err *err, struct corefile_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
