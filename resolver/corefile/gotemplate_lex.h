/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tokens of a template: text up to an action, and what is in the action. */
#ifndef MESHDNS_COREFILE_GOTEMPLATE_LEX_H
#define MESHDNS_COREFILE_GOTEMPLATE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gotemplate_token_kind {
	TOKEN_END, /* of the action */
	TOKEN_WORD,
	TOKEN_FIELD,    /* .Name */
	TOKEN_DOT,      /* . */
	TOKEN_VARIABLE, /* $name, $ */
	TOKEN_TEXT,     /* "..." or `...` */
	TOKEN_NUMBER,   /* 10, 0x1f, 'a' */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_PIPE,
	TOKEN_DECLARE, /* := */
	TOKEN_ASSIGN,  /* = */
};

struct gotemplate_token {
	enum gotemplate_token_kind kind;
	bool spaced; /* a blank before it */
	unsigned int line;
	const char *at; /* `len` bytes of the source */
	size_t len;
	const char *text; /* TOKEN_TEXT: `text_len` bytes, escapes resolved */
	size_t text_len;
	int64_t number;
};

struct gotemplate_lexer {
	char *at, *end;    /* of what is left of the source */
	char *spare;       /* where strings with escapes go: as long as the source at most */
	unsigned int line; /* at `at` */
	bool trims;        /* the last action ended in -}} */
	const char *wrong; /* what is wrong, when something is */
	struct gotemplate_token token;
};

/* `text` holds `len` bytes of source and has room for as many again behind it. */
void gotemplate_lexer_init(struct gotemplate_lexer *lexer, char *text, size_t len,
			   unsigned int line);

/* What comes behind a text. */
enum gotemplate_after { AFTER_ACTION, AFTER_COMMENT, AFTER_END };

/*
 * The text up to the next action or comment, trimmed as those on its sides say, or to the end of
 * the source. A comment is skipped. False: `wrong` says why.
 */
bool gotemplate_lex_text(struct gotemplate_lexer *lexer, const char **ret_text, size_t *ret_len,
			 enum gotemplate_after *ret_after);

/* The next token of the action. False: `wrong` says why. */
bool gotemplate_lex(struct gotemplate_lexer *lexer);

#endif
