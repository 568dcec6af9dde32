/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler's part that is between {{ and }}: pipelines of calls and values. */
#include <stdio.h>
#include <string.h>

#include "common/nearest.h"
#include "resolver/corefile/gotemplate_compiler.h"

static bool check_root_field(struct compiler *c)
{
	const struct gotemplate_token *token = &c->lex.token;
	const char *const *fields = c->dialect ? c->dialect->fields : NULL;

	for (size_t i = 0; fields && fields[i]; i++) {
		if (strlen(fields[i]) == token->len - 1 &&
		    !memcmp(fields[i], token->at + 1, token->len - 1))
			return true;
	}
	return !fields || compiler_fail(c, "there is no such field");
}

/* .A.B.C behind what is on the stack; `of_root`: that is the data itself. */
static bool compile_chain(struct compiler *c, bool of_root)
{
	while (compiler_is_token(c, TOKEN_FIELD) && !c->lex.token.spaced) {
		if ((of_root && !check_root_field(c)) ||
		    !compiler_emit_text(c, OP_FIELD, c->lex.token.at + 1, c->lex.token.len - 1,
					0) ||
		    !compiler_next(c))
			return false;
		of_root = false;
	}
	return true;
}

static bool find_variable(const struct compiler *c, size_t *ret_slot)
{
	const struct gotemplate_token *token = &c->lex.token;

	for (size_t i = c->n_variables; i-- > 0;) {
		if (c->variables[i].len == token->len &&
		    !memcmp(c->variables[i].name, token->at, token->len)) {
			*ret_slot = i;
			return true;
		}
	}
	return false;
}

static bool compile_variable(struct compiler *c)
{
	bool is_root = c->lex.token.len == 1;
	size_t slot = 0;

	if (is_root)
		return compiler_emit_code(c, OP_ROOT, 1) && compiler_next(c) &&
		       compile_chain(c, true);
	if (!find_variable(c, &slot))
		return compiler_fail(c, "there is no such variable");
	return compiler_emit(c, (struct op){.code = OP_LOAD, .at = (uint32_t)slot}, 1) &&
	       compiler_next(c) && compile_chain(c, false);
}

static bool compile_parentheses(struct compiler *c)
{
	bool stored = false;
	size_t slot = SIZE_MAX;

	if (++c->nesting > NESTING_MAX)
		return compiler_fail(c, "too many parentheses in each other");
	if (!compiler_next(c) || !compiler_pipeline(c, &slot))
		return false;
	stored = slot != SIZE_MAX;
	if (stored || !compiler_is_token(c, TOKEN_CLOSE))
		return compiler_fail(c, stored ? "a variable cannot be set in parentheses"
					       : "expected )");
	c->nesting--;
	return compiler_next(c) && compile_chain(c, false);
}

static bool is_operand(const struct compiler *c)
{
	switch (c->lex.token.kind) {
	case TOKEN_FIELD:
	case TOKEN_DOT:
	case TOKEN_VARIABLE:
	case TOKEN_TEXT:
	case TOKEN_NUMBER:
	case TOKEN_OPEN:
	case TOKEN_WORD: return true;
	default: return false;
	}
}

/* One operand; the token behind it is the next. */
static bool compile_operand(struct compiler *c)
{
	const struct gotemplate_token *token = &c->lex.token;

	switch (token->kind) {
	case TOKEN_DOT: return compiler_emit_code(c, OP_DOT, 1) && compiler_next(c);
	case TOKEN_FIELD:
		c->lex.token.spaced = false;
		return compiler_emit_code(c, OP_DOT, 1) && compile_chain(c, c->dots == 0);
	case TOKEN_VARIABLE: return compile_variable(c);
	case TOKEN_TEXT:
		return compiler_emit_text(c, OP_STRING, token->text, token->text_len, 1) &&
		       compiler_next(c);
	case TOKEN_NUMBER: return compiler_emit_number(c, token->number) && compiler_next(c);
	case TOKEN_OPEN: return compile_parentheses(c);
	case TOKEN_WORD:
		if (compiler_is_word(c, "true") || compiler_is_word(c, "false"))
			return compiler_emit_code(
				       c, compiler_is_word(c, "true") ? OP_TRUE : OP_FALSE, 1) &&
			       compiler_next(c);
		if (compiler_is_word(c, "nil"))
			return compiler_emit_code(c, OP_NIL, 1) && compiler_next(c);
		return compiler_fail(c, "a function among arguments wants parentheses");
	default: return compiler_fail(c, "expected a value");
	}
}

static bool is_literal_word(const struct compiler *c)
{
	return compiler_is_word(c, "true") || compiler_is_word(c, "false") ||
	       compiler_is_word(c, "nil");
}

static bool unknown_function(struct compiler *c)
{
	const struct gotemplate_function *best = NULL;
	size_t best_distance = SIZE_MAX;
	char word[32], what[96];

	snprintf(word, sizeof(word), "%.*s", (int)(c->lex.token.len > 31 ? 31 : c->lex.token.len),
		 c->lex.token.at);
	for (const struct gotemplate_function *f = gotemplate_functions; f->name; f++) {
		size_t distance = nearest_distance(word, f->name);

		if (distance < best_distance) {
			best_distance = distance;
			best = f;
		}
	}
	snprintf(what, sizeof(what), "there is no such function%s%s",
		 best && nearest_is_close(word, best_distance) ? "; did you mean " : "",
		 best && nearest_is_close(word, best_distance) ? best->name : "");
	return compiler_fail(c, what);
}

static bool is_coredns(const struct compiler *c)
{
	return c->dialect && c->dialect->is_coredns;
}

/* The one method that there is: of the data itself. */
static bool is_method(const struct compiler *c)
{
	return compiler_is_token(c, TOKEN_FIELD) && is_coredns(c) && c->dots == 0 &&
	       compiler_is_text(c, ".Meta");
}

static bool find_function(struct compiler *c, size_t *ret_number)
{
	for (size_t i = 0; gotemplate_functions[i].name; i++) {
		if (compiler_is_text(c, gotemplate_functions[i].name)) {
			*ret_number = i;
			return is_coredns(c) || !compiler_is_word(c, "parseInt") ||
			       unknown_function(c);
		}
	}
	return unknown_function(c);
}

/* `and A B C`: what follows is evaluated only as long as it matters. */
static bool compile_short_circuit(struct compiler *c, enum op_code code)
{
	size_t jumps[STACK_MAX], n = 0;

	if (!compiler_next(c))
		return false;
	do {
		if (n == STACK_MAX)
			return compiler_fail(c, "too many arguments");
		if (n && !compiler_emit_jump(c, code, &jumps[n - 1]))
			return false;
		if (!compile_operand(c))
			return false;
		n++;
	} while (is_operand(c));
	for (size_t i = 0; i + 1 < n; i++)
		compiler_patch(c, jumps[i]);
	return true;
}

static bool compile_call(struct compiler *c, bool piped)
{
	const struct gotemplate_function *f;
	size_t number = 0, n = piped ? 1 : 0;
	char what[80];

	if (!find_function(c, &number))
		return false;
	f = &gotemplate_functions[number];
	if (!piped && (compiler_is_word(c, "and") || compiler_is_word(c, "or")))
		return compile_short_circuit(c, compiler_is_word(c, "and") ? OP_AND : OP_OR);
	if (!compiler_next(c))
		return false;
	for (; is_operand(c); n++) {
		if (n == f->max) {
			snprintf(what, sizeof(what), "%s takes %u argument%s", f->name, f->max,
				 f->max == 1 ? "" : "s at most");
			return compiler_fail(c, what);
		}
		if (!compile_operand(c))
			return false;
	}
	if (n < f->min) {
		snprintf(what, sizeof(what), "%s wants %u argument%s, there %s %zu", f->name,
			 f->min, f->min == 1 ? "" : "s", n == 1 ? "is" : "are", n);
		return compiler_fail(c, what);
	}
	return compiler_emit(c,
			     (struct op){.code = piped ? OP_CALL_PIPED : OP_CALL,
					 .count = (uint8_t)n,
					 .at = (uint32_t)number},
			     1 - (int)n);
}

static bool compile_command(struct compiler *c, bool piped)
{
	if ((compiler_is_token(c, TOKEN_WORD) && !is_literal_word(c)) || is_method(c))
		return compile_call(c, piped);
	if (piped)
		return compiler_fail(c, "only a function can stand behind a |");
	if (compiler_is_word(c, "nil"))
		return compiler_fail(c, "nil is no command");
	if (!compile_operand(c))
		return false;
	return !is_operand(c) || compiler_fail(c, "only a function takes arguments");
}

/* `$x :=` or `$x =`, if that is what is there. *ret_slot: the variable; SIZE_MAX: none. */
static bool compile_target(struct compiler *c, size_t *ret_slot)
{
	struct gotemplate_lexer before = c->lex;

	*ret_slot = SIZE_MAX;
	if (!compiler_is_token(c, TOKEN_VARIABLE) || c->lex.token.len == 1)
		return true;
	if (!compiler_next(c))
		return false;
	if (compiler_is_token(c, TOKEN_DECLARE)) {
		if (c->n_variables == VARIABLES_MAX)
			return compiler_fail(c, "too many variables");
		*ret_slot = c->n_variables;
		return compiler_next(c);
	}
	if (compiler_is_token(c, TOKEN_ASSIGN)) {
		struct gotemplate_token token = c->lex.token;

		c->lex.token = before.token;
		if (!find_variable(c, ret_slot))
			return compiler_fail(c, "there is no such variable");
		c->lex.token = token;
		return compiler_next(c);
	}
	c->lex = before;
	return true;
}

bool compiler_pipeline(struct compiler *c, size_t *ret_stored)
{
	struct gotemplate_token target = c->lex.token;
	size_t slot;

	if (!compile_target(c, &slot) || !compile_command(c, false))
		return false;
	while (compiler_is_token(c, TOKEN_PIPE)) {
		if (!compiler_next(c) || !compile_command(c, true))
			return false;
	}
	*ret_stored = slot;
	if (slot == SIZE_MAX)
		return true;
	if (slot == c->n_variables) {
		c->variables[slot].name = target.at;
		c->variables[slot].len = target.len;
		c->n_variables++;
	}
	return compiler_emit(c, (struct op){.code = OP_STORE, .at = (uint32_t)slot}, 0);
}
