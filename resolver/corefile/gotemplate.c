/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler: recursive descent over the actions, straight into ops. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/nearest.h"
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

enum keyword { KEYWORD_NONE, KEYWORD_IF, KEYWORD_WITH, KEYWORD_ELSE, KEYWORD_END };

static bool fail(struct compiler *c, const char *what)
{
	const struct gotemplate_token *token = &c->lex.token;

	if (c->lex.wrong)
		what = c->lex.wrong;
	err_set(c->err, EINVAL, "%s:%u: %s%s%.*s%s", c->t->file, token->line, what,
		token->len ? ", at \"" : "", (int)(token->len > 40 ? 40 : token->len), token->at,
		token->len ? "\"" : "");
	return false;
}

static bool next(struct compiler *c)
{
	return gotemplate_lex(&c->lex) || fail(c, "");
}

static bool is_token(const struct compiler *c, enum gotemplate_token_kind kind)
{
	return c->lex.token.kind == kind;
}

static bool is_text(const struct compiler *c, const char *text)
{
	return strlen(text) == c->lex.token.len && !memcmp(text, c->lex.token.at, c->lex.token.len);
}

static bool is_word(const struct compiler *c, const char *word)
{
	return is_token(c, TOKEN_WORD) && is_text(c, word);
}

/* --- ops ----------------------------------------------------------------------------------------
 */

/* `effect`: by how much the stack grows. */
static bool emit(struct compiler *c, struct op op, int effect)
{
	struct gotemplate *t = c->t;

	op.line = c->lex.token.line;
	if (t->n_ops == OPS_MAX)
		return fail(c, "the template is too long");
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
	return c->depth < STACK_MAX || fail(c, "too many arguments or parentheses in each other");
}

static bool emit_code(struct compiler *c, enum op_code code, int effect)
{
	return emit(c, (struct op){.code = (uint8_t)code}, effect);
}

/* A jump whose target comes later: patch() it. */
static bool emit_jump(struct compiler *c, enum op_code code, size_t *ret_at)
{
	*ret_at = c->t->n_ops;
	return emit_code(c, code, code == OP_JUMP ? 0 : -1);
}

static void patch(struct compiler *c, size_t at)
{
	c->t->ops[at].at = (uint32_t)c->t->n_ops;
}

static bool emit_number(struct compiler *c, int64_t number)
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
	return emit(c, (struct op){.code = OP_NUMBER, .at = (uint32_t)t->n_numbers++}, 1);
}

static bool emit_text(struct compiler *c, enum op_code code, const char *at, size_t len, int effect)
{
	return emit(c,
		    (struct op){.code = (uint8_t)code,
				.at = (uint32_t)(at - c->t->text),
				.len = (uint32_t)len},
		    effect);
}

/* --- expressions --------------------------------------------------------------------------------
 */

static bool compile_pipeline(struct compiler *c, size_t *ret_stored);

static bool check_root_field(struct compiler *c)
{
	const struct gotemplate_token *token = &c->lex.token;
	const char *const *fields = c->dialect ? c->dialect->fields : NULL;

	for (size_t i = 0; fields && fields[i]; i++) {
		if (strlen(fields[i]) == token->len - 1 &&
		    !memcmp(fields[i], token->at + 1, token->len - 1))
			return true;
	}
	return !fields || fail(c, "there is no such field");
}

/* .A.B.C behind what is on the stack; `of_root`: that is the data itself. */
static bool compile_chain(struct compiler *c, bool of_root)
{
	while (is_token(c, TOKEN_FIELD) && !c->lex.token.spaced) {
		if ((of_root && !check_root_field(c)) ||
		    !emit_text(c, OP_FIELD, c->lex.token.at + 1, c->lex.token.len - 1, 0) ||
		    !next(c))
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
		return emit_code(c, OP_ROOT, 1) && next(c) && compile_chain(c, true);
	if (!find_variable(c, &slot))
		return fail(c, "there is no such variable");
	return emit(c, (struct op){.code = OP_LOAD, .at = (uint32_t)slot}, 1) && next(c) &&
	       compile_chain(c, false);
}

static bool compile_parentheses(struct compiler *c)
{
	bool stored = false;
	size_t slot = SIZE_MAX;

	if (++c->nesting > NESTING_MAX)
		return fail(c, "too many parentheses in each other");
	if (!next(c) || !compile_pipeline(c, &slot))
		return false;
	stored = slot != SIZE_MAX;
	if (stored || !is_token(c, TOKEN_CLOSE))
		return fail(c, stored ? "a variable cannot be set in parentheses" : "expected )");
	c->nesting--;
	return next(c) && compile_chain(c, false);
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
	case TOKEN_DOT: return emit_code(c, OP_DOT, 1) && next(c);
	case TOKEN_FIELD:
		c->lex.token.spaced = false;
		return emit_code(c, OP_DOT, 1) && compile_chain(c, c->dots == 0);
	case TOKEN_VARIABLE: return compile_variable(c);
	case TOKEN_TEXT: return emit_text(c, OP_STRING, token->text, token->text_len, 1) && next(c);
	case TOKEN_NUMBER: return emit_number(c, token->number) && next(c);
	case TOKEN_OPEN: return compile_parentheses(c);
	case TOKEN_WORD:
		if (is_word(c, "true") || is_word(c, "false"))
			return emit_code(c, is_word(c, "true") ? OP_TRUE : OP_FALSE, 1) && next(c);
		if (is_word(c, "nil"))
			return emit_code(c, OP_NIL, 1) && next(c);
		return fail(c, "a function among arguments wants parentheses");
	default: return fail(c, "expected a value");
	}
}

static bool is_literal_word(const struct compiler *c)
{
	return is_word(c, "true") || is_word(c, "false") || is_word(c, "nil");
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
	return fail(c, what);
}

static bool is_coredns(const struct compiler *c)
{
	return c->dialect && c->dialect->is_coredns;
}

/* The one method that there is: of the data itself. */
static bool is_method(const struct compiler *c)
{
	return is_token(c, TOKEN_FIELD) && is_coredns(c) && c->dots == 0 && is_text(c, ".Meta");
}

static bool find_function(struct compiler *c, size_t *ret_number)
{
	for (size_t i = 0; gotemplate_functions[i].name; i++) {
		if (is_text(c, gotemplate_functions[i].name)) {
			*ret_number = i;
			return is_coredns(c) || !is_word(c, "parseInt") || unknown_function(c);
		}
	}
	return unknown_function(c);
}

/* `and A B C`: what follows is evaluated only as long as it matters. */
static bool compile_short_circuit(struct compiler *c, enum op_code code)
{
	size_t jumps[STACK_MAX], n = 0;

	if (!next(c))
		return false;
	do {
		if (n == STACK_MAX)
			return fail(c, "too many arguments");
		if (n && !emit_jump(c, code, &jumps[n - 1]))
			return false;
		if (!compile_operand(c))
			return false;
		n++;
	} while (is_operand(c));
	for (size_t i = 0; i + 1 < n; i++)
		patch(c, jumps[i]);
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
	if (!piped && (is_word(c, "and") || is_word(c, "or")))
		return compile_short_circuit(c, is_word(c, "and") ? OP_AND : OP_OR);
	if (!next(c))
		return false;
	for (; is_operand(c); n++) {
		if (n == f->max) {
			snprintf(what, sizeof(what), "%s takes %u argument%s", f->name, f->max,
				 f->max == 1 ? "" : "s at most");
			return fail(c, what);
		}
		if (!compile_operand(c))
			return false;
	}
	if (n < f->min) {
		snprintf(what, sizeof(what), "%s wants %u argument%s, there %s %zu", f->name,
			 f->min, f->min == 1 ? "" : "s", n == 1 ? "is" : "are", n);
		return fail(c, what);
	}
	return emit(c,
		    (struct op){.code = piped ? OP_CALL_PIPED : OP_CALL,
				.count = (uint8_t)n,
				.at = (uint32_t)number},
		    1 - (int)n);
}

static bool compile_command(struct compiler *c, bool piped)
{
	if ((is_token(c, TOKEN_WORD) && !is_literal_word(c)) || is_method(c))
		return compile_call(c, piped);
	if (piped)
		return fail(c, "only a function can stand behind a |");
	if (is_word(c, "nil"))
		return fail(c, "nil is no command");
	if (!compile_operand(c))
		return false;
	return !is_operand(c) || fail(c, "only a function takes arguments");
}

/* `$x :=` or `$x =`, if that is what is there. *ret_slot: the variable; SIZE_MAX: none. */
static bool compile_target(struct compiler *c, size_t *ret_slot)
{
	struct gotemplate_lexer before = c->lex;

	*ret_slot = SIZE_MAX;
	if (!is_token(c, TOKEN_VARIABLE) || c->lex.token.len == 1)
		return true;
	if (!next(c))
		return false;
	if (is_token(c, TOKEN_DECLARE)) {
		if (c->n_variables == VARIABLES_MAX)
			return fail(c, "too many variables");
		*ret_slot = c->n_variables;
		return next(c);
	}
	if (is_token(c, TOKEN_ASSIGN)) {
		struct gotemplate_token token = c->lex.token;

		c->lex.token = before.token;
		if (!find_variable(c, ret_slot))
			return fail(c, "there is no such variable");
		c->lex.token = token;
		return next(c);
	}
	c->lex = before;
	return true;
}

static bool compile_pipeline(struct compiler *c, size_t *ret_stored)
{
	struct gotemplate_token target = c->lex.token;
	size_t slot;

	if (!compile_target(c, &slot) || !compile_command(c, false))
		return false;
	while (is_token(c, TOKEN_PIPE)) {
		if (!next(c) || !compile_command(c, true))
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
	return emit(c, (struct op){.code = OP_STORE, .at = (uint32_t)slot}, 0);
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static bool expect_end(struct compiler *c)
{
	return is_token(c, TOKEN_END) || fail(c, "expected }}");
}

static bool compile_list(struct compiler *c, enum keyword *ret_end);

static bool compile_block(struct compiler *c, bool is_with);

/* What stands between {{else}} and {{end}}; `else if` and `else with` are blocks in it. */
static bool compile_else(struct compiler *c, enum keyword *ret_end)
{
	if (is_word(c, "if") || is_word(c, "with")) {
		*ret_end = KEYWORD_END;
		return compile_block(c, is_word(c, "with"));
	}
	if (!expect_end(c) || !compile_list(c, ret_end))
		return false;
	return *ret_end != KEYWORD_ELSE || fail(c, "a second else");
}

static bool compile_block(struct compiler *c, bool is_with)
{
	size_t variables = c->n_variables, slot, to_else, to_end;
	unsigned int line = c->lex.token.line;
	enum keyword end;

	if (++c->nesting > NESTING_MAX)
		return fail(c, "too many blocks in each other");
	if (!next(c) || !compile_pipeline(c, &slot) || !expect_end(c) ||
	    !emit_jump(c, is_with ? OP_WITH : OP_JUMP_FALSE, &to_else))
		return false;
	c->dots += is_with;
	if (!compile_list(c, &end))
		return false;
	c->dots -= is_with;
	if (is_with && !emit_code(c, OP_UNDOT, 0))
		return false;
	if (end == KEYWORD_ELSE) {
		if (!emit_jump(c, OP_JUMP, &to_end))
			return false;
		patch(c, to_else);
		to_else = to_end;
		if (!compile_else(c, &end))
			return false;
	}
	if (end != KEYWORD_END) {
		c->lex.token.line = line;
		c->lex.token.len = 0;
		return fail(c, is_with ? "{{with}} without {{end}}" : "{{if}} without {{end}}");
	}
	patch(c, to_else);
	c->n_variables = variables;
	c->nesting--;
	return true;
}

static bool compile_statement(struct compiler *c)
{
	size_t slot;

	if (!compile_pipeline(c, &slot) || !expect_end(c))
		return false;
	return emit_code(c, slot == SIZE_MAX ? OP_PRINT : OP_DROP, -1);
}

/* The action at the token; *ret_end: it ends a list. */
static bool compile_action(struct compiler *c, enum keyword *ret_end)
{
	static const char *const unsupported[] = {"range",    "define", "block",
						  "template", "break",  "continue"};

	*ret_end = KEYWORD_NONE;
	if (is_word(c, "if") || is_word(c, "with"))
		return compile_block(c, is_word(c, "with"));
	if (is_word(c, "end")) {
		*ret_end = KEYWORD_END;
		return next(c) && expect_end(c);
	}
	if (is_word(c, "else")) {
		*ret_end = KEYWORD_ELSE;
		return next(c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		if (is_word(c, unsupported[i]))
			return fail(c, "not supported here");
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
			return fail(c, "");
		if (len && !emit_text(c, OP_TEXT, text, len, 0))
			return false;
		if (after == AFTER_END)
			return true;
		if (after == AFTER_COMMENT)
			continue;
		if (!next(c) || !compile_action(c, ret_end))
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
	     fail(&c, end == KEYWORD_END ? "{{end}} of nothing" : "{{else}} of nothing"))) {
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
