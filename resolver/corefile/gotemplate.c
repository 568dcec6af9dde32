/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler: recursive descent over the actions, straight into ops. Here: ops and blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/gotemplate_compiler.h"

enum keyword { KEYWORD_NONE, KEYWORD_IF, KEYWORD_WITH, KEYWORD_ELSE, KEYWORD_END };

bool compiler_fail(struct compiler *c, const char *what)
{
	const struct gotemplate_token *token = &c->lex.token;

	if (c->lex.wrong)
		what = c->lex.wrong;
	err_set(c->err, EINVAL, "%s:%u: %s%s%.*s%s", c->t->file, token->line, what,
		token->len ? ", at \"" : "", (int)(token->len > 40 ? 40 : token->len), token->at,
		token->len ? "\"" : "");
	return false;
}

bool compiler_next(struct compiler *c)
{
	return gotemplate_lex(&c->lex) || compiler_fail(c, "");
}

bool compiler_is_token(const struct compiler *c, enum gotemplate_token_kind kind)
{
	return c->lex.token.kind == kind;
}

bool compiler_is_text(const struct compiler *c, const char *text)
{
	return strlen(text) == c->lex.token.len && !memcmp(text, c->lex.token.at, c->lex.token.len);
}

bool compiler_is_word(const struct compiler *c, const char *word)
{
	return compiler_is_token(c, TOKEN_WORD) && compiler_is_text(c, word);
}

/* --- ops ----------------------------------------------------------------------------------------
 */

bool compiler_emit(struct compiler *c, struct op op, int effect)
{
	struct gotemplate *t = c->t;

	op.line = c->lex.token.line;
	if (t->n_ops == OPS_MAX)
		return compiler_fail(c, "the template is too long");
	if (t->n_ops == c->n_ops_max) {
		size_t max = c->n_ops_max ? c->n_ops_max * 2 : 16;
		struct op *ops = reallocarray(t->ops, max, sizeof(*ops));

		if (!ops) {
			err_set(c->err, ENOMEM, "out of memory");
			return false;
		}
		t->ops = ops;
		c->n_ops_max = max;
	}
	t->ops[t->n_ops++] = op;
	c->depth += (size_t)effect;
	return c->depth < STACK_MAX ||
	       compiler_fail(c, "too many arguments or parentheses in each other");
}

bool compiler_emit_code(struct compiler *c, enum op_code code, int effect)
{
	return compiler_emit(c, (struct op){.code = (uint8_t)code}, effect);
}

bool compiler_emit_jump(struct compiler *c, enum op_code code, size_t *ret_at)
{
	*ret_at = c->t->n_ops;
	return compiler_emit_code(c, code, code == OP_JUMP ? 0 : -1);
}

void compiler_patch(struct compiler *c, size_t at)
{
	c->t->ops[at].at = (uint32_t)c->t->n_ops;
}

bool compiler_emit_number(struct compiler *c, int64_t number)
{
	struct gotemplate *t = c->t;

	if (t->n_numbers == c->n_numbers_max) {
		size_t max = c->n_numbers_max ? c->n_numbers_max * 2 : 8;
		int64_t *numbers = reallocarray(t->numbers, max, sizeof(*numbers));

		if (!numbers) {
			err_set(c->err, ENOMEM, "out of memory");
			return false;
		}
		t->numbers = numbers;
		c->n_numbers_max = max;
	}
	t->numbers[t->n_numbers] = number;
	return compiler_emit(c, (struct op){.code = OP_NUMBER, .at = (uint32_t)t->n_numbers++}, 1);
}

bool compiler_emit_text(struct compiler *c, enum op_code code, const char *at, size_t len,
			int effect)
{
	return compiler_emit(c,
			     (struct op){.code = (uint8_t)code,
					 .at = (uint32_t)(at - c->t->text),
					 .len = (uint32_t)len},
			     effect);
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static bool expect_end(struct compiler *c)
{
	return compiler_is_token(c, TOKEN_END) || compiler_fail(c, "expected }}");
}

static bool compile_list(struct compiler *c, enum keyword *ret_end);

static bool compile_block(struct compiler *c, bool is_with);

/* What stands between {{else}} and {{end}}; `else if` and `else with` are blocks in it. */
static bool compile_else(struct compiler *c, enum keyword *ret_end)
{
	if (compiler_is_word(c, "if") || compiler_is_word(c, "with")) {
		*ret_end = KEYWORD_END;
		return compile_block(c, compiler_is_word(c, "with"));
	}
	if (!expect_end(c) || !compile_list(c, ret_end))
		return false;
	return *ret_end != KEYWORD_ELSE || compiler_fail(c, "a second else");
}

static bool compile_block(struct compiler *c, bool is_with)
{
	size_t variables = c->n_variables, slot, to_else, to_end;
	unsigned int line = c->lex.token.line;
	enum keyword end;

	if (++c->nesting > NESTING_MAX)
		return compiler_fail(c, "too many blocks in each other");
	if (!compiler_next(c) || !compiler_pipeline(c, &slot) || !expect_end(c) ||
	    !compiler_emit_jump(c, is_with ? OP_WITH : OP_JUMP_FALSE, &to_else))
		return false;
	c->dots += is_with;
	if (!compile_list(c, &end))
		return false;
	c->dots -= is_with;
	if (is_with && !compiler_emit_code(c, OP_UNDOT, 0))
		return false;
	if (end == KEYWORD_ELSE) {
		if (!compiler_emit_jump(c, OP_JUMP, &to_end))
			return false;
		compiler_patch(c, to_else);
		to_else = to_end;
		if (!compile_else(c, &end))
			return false;
	}
	if (end != KEYWORD_END) {
		c->lex.token.line = line;
		c->lex.token.len = 0;
		return compiler_fail(c, is_with ? "{{with}} without {{end}}"
						: "{{if}} without {{end}}");
	}
	compiler_patch(c, to_else);
	c->n_variables = variables;
	c->nesting--;
	return true;
}

static bool compile_statement(struct compiler *c)
{
	size_t slot;

	if (!compiler_pipeline(c, &slot) || !expect_end(c))
		return false;
	return compiler_emit_code(c, slot == SIZE_MAX ? OP_PRINT : OP_DROP, -1);
}

/* The action at the token; *ret_end: it ends a list. */
static bool compile_action(struct compiler *c, enum keyword *ret_end)
{
	static const char *const unsupported[] = {"range",    "define", "block",
						  "template", "break",  "continue"};

	*ret_end = KEYWORD_NONE;
	if (compiler_is_word(c, "if") || compiler_is_word(c, "with"))
		return compile_block(c, compiler_is_word(c, "with"));
	if (compiler_is_word(c, "end")) {
		*ret_end = KEYWORD_END;
		return compiler_next(c) && expect_end(c);
	}
	if (compiler_is_word(c, "else")) {
		*ret_end = KEYWORD_ELSE;
		return compiler_next(c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		if (compiler_is_word(c, unsupported[i]))
			return compiler_fail(c, "not supported here");
	}
	return compile_statement(c);
}

/* Text and actions up to {{else}}, {{end}} or the end of the source (KEYWORD_NONE). */
static bool compile_list(struct compiler *c, enum keyword *ret_end)
{
	const char *text;
	size_t len;
	enum gotemplate_after after;

	*ret_end = KEYWORD_NONE;
	while (*ret_end == KEYWORD_NONE) {
		if (!gotemplate_lex_text(&c->lex, &text, &len, &after))
			return compiler_fail(c, "");
		if (len && !compiler_emit_text(c, OP_TEXT, text, len, 0))
			return false;
		if (after == AFTER_END)
			return true;
		if (after == AFTER_COMMENT)
			continue;
		if (!compiler_next(c) || !compile_action(c, ret_end))
			return false;
	}
	return true;
}

int gotemplate_compile(const char *source, size_t len, struct gotemplate_place place,
		       const struct gotemplate_dialect *dialect, struct gotemplate **ret,
		       struct err *err)
{
	struct err ignored;
	struct compiler c = {.dialect = dialect, .err = err ? err : &ignored};
	enum keyword end;

	if (len > GOTEMPLATE_SOURCE_MAX)
		return err_set(err, EFBIG, "%s: larger than %zu bytes", place.file,
			       GOTEMPLATE_SOURCE_MAX);
	if (!(c.t = calloc(1, sizeof(*c.t))) || !(c.t->text = malloc(2 * len + 1))) {
		gotemplate_free(c.t);
		return err_set(err, ENOMEM, "out of memory");
	}
	c.t->file = place.file;
	if (len)
		memcpy(c.t->text, source, len);
	gotemplate_lexer_init(&c.lex, c.t->text, len, place.line);
	if (compile_list(&c, &end) &&
	    (end == KEYWORD_NONE ||
	     compiler_fail(&c,
			   end == KEYWORD_END ? "{{end}} of nothing" : "{{else}} of nothing"))) {
		*ret = c.t;
		return 0;
	}
	gotemplate_free(c.t);
	return c.err->code;
}

void gotemplate_free(struct gotemplate *template)
{
	if (!template)
		return;
	free(template->ops);
	free(template->numbers);
	free(template->text);
	free(template);
}
