/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the compiler's files share: a template under construction. */
#ifndef MESHDNS_COREFILE_GOTEMPLATE_COMPILER_H
#define MESHDNS_COREFILE_GOTEMPLATE_COMPILER_H

#include "resolver/corefile/gotemplate_lex.h"
#include "resolver/corefile/gotemplate_parts.h"

struct compiler {
	struct gotemplate *t;
	struct gotemplate_lexer lex;
	const struct gotemplate_dialect *dialect;
	size_t n_ops_max, n_numbers_max;
	size_t depth, nesting; /* of the stack; of blocks and parentheses together */
	size_t dots;           /* with-blocks around: . is the data when there are none */
	struct {
		const char *name;
		size_t len;
	} variables[VARIABLES_MAX];
	size_t n_variables, n_slots;
	struct err *err;
};

/* All of these but the questions are false after an error, which is in c->err then. */

/* False, always: `what` and the token at hand are in c->err. */
bool compiler_fail(struct compiler *c, const char *what);

/* Takes the next token. */
bool compiler_next(struct compiler *c);

/* What the token at hand is. */
bool compiler_is_token(const struct compiler *c, enum gotemplate_token_kind kind);
bool compiler_is_text(const struct compiler *c, const char *text);
bool compiler_is_word(const struct compiler *c, const char *word);

/* Appends an op; `effect`: by how much the stack grows. */
bool compiler_emit(struct compiler *c, struct op op, int effect);
bool compiler_emit_code(struct compiler *c, enum op_code code, int effect);
bool compiler_emit_number(struct compiler *c, int64_t number);
bool compiler_emit_text(struct compiler *c, enum op_code code, const char *at, size_t len,
			int effect);

/* A jump whose target comes later: that is the op after compiler_patch(). */
bool compiler_emit_jump(struct compiler *c, enum op_code code, size_t *ret_at);
void compiler_patch(struct compiler *c, size_t at);

/*
 * An expression, whose value is left on the stack. *ret_stored: the variable that is set to it;
 * SIZE_MAX: none.
 */
bool compiler_pipeline(struct compiler *c, size_t *ret_stored);

#endif
