/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/parser.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/environment.h"
#include "resolver/corefile/import.h"

#define FRAMES_MAX 64
#define WORDS_MAX  1024 /* of a line; keys of a block */

struct snippet {
	struct snippet *next;
	const char *name;
	struct corefile_tokens tokens;
};

struct parser {
	struct arena *arena;
	/* Where words come from: the file, and on top of it what is being imported. */
	struct {
		struct corefile_tokens tokens;
		size_t at;
	} frames[FRAMES_MAX];
	size_t n_frames;
	struct snippet *snippets;
	size_t n_imports, n_imported; /* expansions, words in them */
	unsigned int nesting;
	struct corefile_place place; /* of the last word taken */
	struct err *err;
};

int corefile_fail(struct err *err, struct corefile_place place, const char *fmt, ...)
{
	char what[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(err, EINVAL, "%s:%u: %s", place.file, place.line, what);
}

static int out_of_memory(struct parser *p)
{
	return err_set(p->err, ENOMEM, "%s: no memory left for it", p->place.file);
}

/* The word at hand, NULL at the end. */
static const struct corefile_token *peek(struct parser *p)
{
	while (p->n_frames > 0) {
		size_t top = p->n_frames - 1;

		if (p->frames[top].at < p->frames[top].tokens.n)
			return &p->frames[top].tokens.list[p->frames[top].at];
		p->n_frames--;
	}
	return NULL;
}

static const struct corefile_token *take(struct parser *p)
{
	const struct corefile_token *token = peek(p);

	if (token) {
		p->frames[p->n_frames - 1].at++;
		p->place = (struct corefile_place){token->file, token->line};
	}
	return token;
}

static bool is(const struct corefile_token *token, const char *text)
{
	return token && !strcmp(token->text, text);
}

/* There is another word on the line. */
static bool goes_on(const struct corefile_token *token)
{
	return token && !token->starts_line;
}

/* --- imports ------------------------------------------------------------------------------------
 */

static const struct snippet *find_snippet(const struct parser *p, const char *name)
{
	const struct snippet *snippet = p->snippets;

	while (snippet && strcmp(snippet->name, name) != 0)
		snippet = snippet->next;
	return snippet;
}

static int push(struct parser *p, struct corefile_tokens tokens)
{
	if (++p->n_imports > COREFILE_IMPORTS_MAX || p->n_frames == FRAMES_MAX)
		return corefile_fail(p->err, p->place,
				     "import: too many, or too many in each other: does one import "
				     "itself?");
	p->n_imported += tokens.n;
	if (p->n_imported > COREFILE_TOKENS_MAX)
		return corefile_fail(p->err, p->place, "import: more than %d words in all",
				     COREFILE_TOKENS_MAX);
	p->frames[p->n_frames].tokens = tokens;
	p->frames[p->n_frames++].at = 0;
	return 0;
}

/* The word at hand is `import`. */
static int expand_import(struct parser *p)
{
	struct corefile_place place;
	const struct corefile_token *what;
	const struct snippet *snippet;
	struct corefile_tokens tokens;
	const char *name;
	int rc;

	take(p);
	place = p->place;
	what = peek(p);
	if (!goes_on(what) || is(what, "{") || is(what, "}"))
		return corefile_fail(p->err, place, "import: expected a snippet, a file or a glob");
	take(p);
	if ((rc = environment_expand(p->arena, what->text, place, &name, p->err)) < 0)
		return rc;
	if (goes_on(peek(p)))
		return corefile_fail(p->err, place, "import: expected nothing behind \"%s\"", name);
	if ((snippet = find_snippet(p, name)))
		return push(p, snippet->tokens);
	if ((rc = import_files(p->arena, place, name, &tokens, p->err)) < 0)
		return rc;
	return push(p, tokens);
}

/* Puts in what is imported at the beginning of the line at hand, if anything is. */
static int expand_imports(struct parser *p)
{
	const struct corefile_token *token;
	int rc = 0;

	while (rc == 0 && (token = peek(p)) && token->starts_line && is(token, "import"))
		rc = expand_import(p);
	return rc;
}

/* --- lines --------------------------------------------------------------------------------------
 */

static int parse_lines(struct parser *p, bool has_braces, struct corefile_line **ret_lines);

/* The word taken last as a word of `words`; there is room for one more and a NULL. */
static int add_word(struct parser *p, const struct corefile_token *token, const char **words,
		    size_t *n)
{
	int rc;

	if (*n + 2 > WORDS_MAX)
		return corefile_fail(p->err, p->place, "more than %d words on a line",
				     WORDS_MAX - 2);
	if ((rc = environment_expand(p->arena, token->text, p->place, &words[*n], p->err)) < 0)
		return rc;
	if (!strcmp(words[*n], "{") || !strcmp(words[*n], "}"))
		return corefile_fail(p->err, p->place, "expected no brace out of a variable");
	words[++*n] = NULL;
	return 0;
}

static const char **keep_words(struct parser *p, const char **words, size_t n)
{
	const char **kept = ARENA_ARRAY(p->arena, const char *, n + 1);

	if (kept && n)
		memcpy(kept, words, n * sizeof(*words));
	return kept;
}

/* The block of a line whose `{` is at hand. */
static int parse_sub_block(struct parser *p, struct corefile_line *line)
{
	const struct corefile_token *token;
	int rc;

	take(p);
	line->has_block = true;
	if (++p->nesting > COREFILE_NESTING_MAX)
		return corefile_fail(p->err, p->place, "more than %d blocks in each other",
				     COREFILE_NESTING_MAX);
	if ((rc = parse_lines(p, true, &line->lines)) < 0)
		return rc;
	p->nesting--;
	token = peek(p);
	if (goes_on(token) && !is(token, "}"))
		return corefile_fail(p->err, p->place, "expected nothing behind } but \"%s\" is",
				     token->text);
	return 0;
}

static int parse_line(struct parser *p, struct corefile_line **ret)
{
	const struct corefile_token *token = take(p);
	struct corefile_line *line = ARENA_NEW(p->arena, struct corefile_line);
	const char *words[WORDS_MAX];
	size_t n = 0;
	int rc;

	if (!line)
		return out_of_memory(p);
	line->place = p->place;
	if ((rc = add_word(p, token, words, &n)) < 0)
		return rc;
	while (goes_on(token = peek(p)) && !line->has_block) {
		if (is(token, "{")) {
			rc = parse_sub_block(p, line);
		} else if (is(token, "}")) {
			rc = corefile_fail(p->err, line->place,
					   "%s: expected } on a line of its own", words[0]);
		} else {
			take(p);
			rc = add_word(p, token, words, &n);
		}
		if (rc < 0)
			return rc;
	}
	if (!(line->words = keep_words(p, words, n)))
		return out_of_memory(p);
	line->n_words = n;
	*ret = line;
	return 0;
}

/* Lines up to the } that belongs to the { taken last, or to the end. */
static int parse_lines(struct parser *p, bool has_braces, struct corefile_line **ret_lines)
{
	struct corefile_place opened = p->place;
	const struct corefile_token *token;
	int rc;

	while ((rc = expand_imports(p)) == 0) {
		if (!(token = peek(p)))
			return has_braces ? corefile_fail(p->err, opened, "expected a } for this {")
					  : 0;
		if (is(token, "}")) {
			take(p);
			return has_braces ? 0
					  : corefile_fail(p->err, p->place, "a } without its {");
		}
		if (is(token, "{"))
			return corefile_fail(p->err,
					     (struct corefile_place){token->file, token->line},
					     "expected a directive or } but not {");
		if ((rc = parse_line(p, ret_lines)) < 0)
			return rc;
		ret_lines = &(*ret_lines)->next;
	}
	return rc;
}

/* --- blocks -------------------------------------------------------------------------------------
 */

/* Keys up to the { or the end of their line; a comma at the end of a line continues it. */
static int parse_keys(struct parser *p, const char **keys, size_t *n)
{
	const struct corefile_token *token;
	bool wants_more = false;
	int rc;

	while ((rc = expand_imports(p)) == 0 && (token = peek(p))) {
		size_t len = strlen(token->text);
		struct corefile_token key = *token;

		if (is(token, "{"))
			break;
		if (*n && token->starts_line && !wants_more)
			return 0;
		take(p);
		if (is(token, "}"))
			return corefile_fail(p->err, p->place, "a } without its {");
		wants_more = len > 0 && token->text[len - 1] == ',';
		if (wants_more && !(key.text = arena_copy(p->arena, token->text, len - 1)))
			return out_of_memory(p);
		if (*key.text && (rc = add_word(p, &key, keys, n)) < 0)
			return rc;
	}
	if (rc == 0 && wants_more)
		return corefile_fail(p->err, p->place, "expected another key behind the comma");
	return rc;
}

/* Keeps what is between braces as it is. */
static int parse_snippet(struct parser *p, const char *key)
{
	struct snippet *snippet = ARENA_NEW(p->arena, struct snippet);
	struct corefile_place opened = p->place;
	const struct corefile_token *token;
	struct corefile_token *list;
	size_t depth = 1, n = 0, top, first;

	if (!snippet || !(snippet->name = arena_copy(p->arena, key + 1, strlen(key) - 2)))
		return out_of_memory(p);
	if (find_snippet(p, snippet->name))
		return corefile_fail(p->err, opened, "the snippet %s was there before", key);
	if (!is(take(p), "{"))
		return corefile_fail(p->err, opened, "%s: expected a { behind it", key);
	top = p->n_frames;
	first = p->frames[top - 1].at;
	for (; depth && (token = take(p)) && p->n_frames == top; n++)
		depth += is(token, "{") ? 1 : is(token, "}") ? (size_t)-1 : 0;
	if (depth)
		return corefile_fail(p->err, opened, "%s: expected a } for its {", key);
	if (!(list = ARENA_ARRAY(p->arena, struct corefile_token, n)))
		return out_of_memory(p);
	memcpy(list, p->frames[top - 1].tokens.list + first, n * sizeof(*list));
	list[0].starts_line = true;
	snippet->tokens = (struct corefile_tokens){list, n - 1};
	snippet->next = p->snippets;
	p->snippets = snippet;
	return 0;
}

static bool is_snippet(const char *key)
{
	size_t len = strlen(key);

	return len > 2 && key[0] == '(' && key[len - 1] == ')';
}

static int parse_block(struct parser *p, struct corefile_block ***end)
{
	struct corefile_block *block;
	const char *keys[WORDS_MAX];
	bool has_braces;
	size_t n = 0;
	int rc;

	if ((rc = parse_keys(p, keys, &n)) < 0 || (n == 0 && !peek(p)))
		return rc;
	if (n == 0)
		return corefile_fail(p->err, p->place,
				     "expected a key as .:53 or example.org before the {");
	if (n == 1 && is_snippet(keys[0]))
		return parse_snippet(p, keys[0]);
	if (!(block = ARENA_NEW(p->arena, struct corefile_block)) ||
	    !(block->keys = keep_words(p, keys, n)))
		return out_of_memory(p);
	block->n_keys = n;
	block->place = p->place;
	**end = block;
	*end = &block->next;
	if ((has_braces = is(peek(p), "{")))
		take(p);
	if ((rc = parse_lines(p, has_braces, &block->lines)) < 0)
		return rc;
	if (goes_on(peek(p)))
		return corefile_fail(p->err, p->place, "expected nothing behind } but \"%s\" is",
				     peek(p)->text);
	return 0;
}

int corefile_parse(struct arena *arena, const char *file, const char *text, size_t len,
		   struct corefile_tree *ret, struct err *err)
{
	struct parser p = {.arena = arena, .n_frames = 1, .err = err, .place = {file, 1}};
	struct corefile_block **end = &ret->blocks;
	int rc = corefile_lex(arena, file, text, len, &p.frames[0].tokens, err);

	*ret = (struct corefile_tree){0};
	while (rc == 0 && peek(&p))
		rc = parse_block(&p, &end);
	return rc;
}
