/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/gotemplate_lex.h"

#include <string.h>

#define BLANKS " \t\r\n"

void gotemplate_lexer_init(struct gotemplate_lexer *lexer, char *text, size_t len,
			   unsigned int line)
{
	*lexer = (struct gotemplate_lexer){
		.at = text, .end = text + len, .spare = text + len, .line = line};
	lexer->token.line = line;
}

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static bool begins(const struct gotemplate_lexer *lexer, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(lexer->end - lexer->at) >= len && !memcmp(lexer->at, text, len);
}

static void advance(struct gotemplate_lexer *lexer, size_t n)
{
	for (; n; n--) {
		if (*lexer->at++ == '\n')
			lexer->line++;
	}
}

static void skip_blanks(struct gotemplate_lexer *lexer)
{
	while (lexer->at < lexer->end && is_blank(*lexer->at))
		advance(lexer, 1);
}

static bool wrong(struct gotemplate_lexer *lexer, const char *what)
{
	lexer->wrong = what;
	return false;
}

/* Behind {{ and its trim marker: a comment ends in the delimiter at once, or in -}}. */
static bool skip_comment(struct gotemplate_lexer *lexer)
{
	char *end = memmem(lexer->at + 2, (size_t)(lexer->end - lexer->at) - 2, "*/", 2);

	if (!end)
		return wrong(lexer, "a comment without */");
	advance(lexer, (size_t)(end - lexer->at) + 2);
	skip_blanks(lexer);
	lexer->trims = begins(lexer, "-}}") && is_blank(lexer->at[-1]);
	if (!lexer->trims && !begins(lexer, "}}"))
		return wrong(lexer, "a comment wants }} behind it");
	advance(lexer, lexer->trims ? 3 : 2);
	return true;
}

bool gotemplate_lex_text(struct gotemplate_lexer *lexer, const char **ret_text, size_t *ret_len,
			 enum gotemplate_after *ret_after)
{
	char *begin, *end;

	if (lexer->trims)
		skip_blanks(lexer);
	lexer->trims = false;
	begin = lexer->at;
	end = memmem(begin, (size_t)(lexer->end - begin), "{{", 2);
	*ret_text = begin;
	*ret_len = (size_t)((end ? end : lexer->end) - begin);
	*ret_after = AFTER_END;
	advance(lexer, *ret_len);
	lexer->token.line = lexer->line;
	lexer->token.len = 0;
	if (!end)
		return true;
	advance(lexer, 2);
	*ret_after = AFTER_ACTION;
	if (lexer->end - lexer->at >= 2 && *lexer->at == '-' && is_blank(lexer->at[1])) {
		while (*ret_len && is_blank(begin[*ret_len - 1]))
			--*ret_len;
		advance(lexer, 1);
	}
	skip_blanks(lexer);
	if (!begins(lexer, "/*"))
		return true;
	*ret_after = AFTER_COMMENT;
	return skip_comment(lexer);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t word_length(const struct gotemplate_lexer *lexer, size_t from)
{
	size_t left = (size_t)(lexer->end - lexer->at);

	while (from < left && (is_letter(lexer->at[from]) || is_digit(lexer->at[from])))
		from++;
	return from;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `n` digits of a base that is 8 or 16, at `at`; -1 when they are not there. */
static int32_t code_digits(const char *at, const char *end, int n, int base)
{
	int32_t code = 0;

	if (end - at < n)
		return -1;
	for (int i = 0; i < n; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0 || digit >= base || code > 0x10ffff)
			return -1;
		code = code * base + digit;
	}
	return code;
}

static size_t put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/*
 * What stands for the escape whose backslash is at `at`, at most as long as it, goes to `out`.
 * Returns how long the escape is; 0: it is none.
 */
static size_t unescape(const char *at, const char *end, char quote, char *out, size_t *ret_len)
{
	static const char letters[] = "abfnrtv\\";
	static const char octets[] = "\a\b\f\n\r\t\v\\";
	const char *letter;
	int32_t code;
	int digits;

	*ret_len = 1;
	if (end - at < 2)
		return 0;
	if (at[1] && (letter = strchr(letters, at[1]))) {
		*out = octets[letter - letters];
		return 2;
	}
	if (at[1] == quote) {
		*out = quote;
		return 2;
	}
	if (at[1] == 'x' || (at[1] >= '0' && at[1] <= '3')) {
		bool is_hex = at[1] == 'x';

		code = code_digits(at + 1 + is_hex, end, is_hex ? 2 : 3, is_hex ? 16 : 8);
		if (code < 0)
			return 0;
		*out = (char)code;
		return 4;
	}
	if (at[1] != 'u' && at[1] != 'U')
		return 0;
	digits = at[1] == 'u' ? 4 : 8;
	code = code_digits(at + 2, end, digits, 16);
	if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_len = put_utf8(out, (uint32_t)code);
	return 2 + (size_t)digits;
}

/* "...", on one line. A string with escapes is put together behind the source. */
static bool lex_string(struct gotemplate_lexer *lexer)
{
	struct gotemplate_token *token = &lexer->token;
	const char *at = lexer->at + 1;
	char *out = lexer->spare;

	while (at < lexer->end && *at != '"') {
		size_t n = 1, len = 1;

		if (*at == '\n')
			break;
		if (*at != '\\')
			*out = *at;
		else if (!(n = unescape(at, lexer->end, '"', out, &len)))
			return wrong(lexer, "no such escape in a string");
		at += n;
		out += len;
	}
	if (at == lexer->end || *at != '"')
		return wrong(lexer, "a string without its closing quote");
	token->kind = TOKEN_TEXT;
	token->text = lexer->spare;
	token->text_len = (size_t)(out - lexer->spare);
	token->len = (size_t)(at + 1 - lexer->at);
	lexer->spare = out;
	return true;
}

static bool lex_raw_string(struct gotemplate_lexer *lexer)
{
	struct gotemplate_token *token = &lexer->token;
	char *end = memchr(lexer->at + 1, '`', (size_t)(lexer->end - lexer->at) - 1);

	if (!end)
		return wrong(lexer, "a raw string without its closing `");
	token->kind = TOKEN_TEXT;
	token->text = lexer->at + 1;
	token->text_len = (size_t)(end - token->text);
	token->len = (size_t)(end + 1 - lexer->at);
	return true;
}

/* 'a', '\n' */
static bool lex_character(struct gotemplate_lexer *lexer)
{
	struct gotemplate_token *token = &lexer->token;
	const char *at = lexer->at + 1;
	size_t n = 1, len;
	char out[4];

	if (at >= lexer->end || *at == '\'' || *at == '\n' || (uint8_t)*at >= 0x80)
		return wrong(lexer, "no character between quotes");
	out[0] = *at;
	if (*at == '\\' && (!(n = unescape(at, lexer->end, '\'', out, &len)) || len != 1))
		return wrong(lexer, "no such escape of a character");
	if ((size_t)(lexer->end - at) <= n || at[n] != '\'')
		return wrong(lexer, "a character without its closing quote");
	token->kind = TOKEN_NUMBER;
	token->number = (uint8_t)out[0];
	token->len = n + 2;
	return true;
}

/* [+-]digits, or with 0x, 0o, 0b, or a 0 alone before them (octal); _ between them. */
static bool lex_number(struct gotemplate_lexer *lexer)
{
	struct gotemplate_token *token = &lexer->token;
	bool is_negative = *lexer->at == '-', has_digit = false;
	size_t at = *lexer->at == '-' || *lexer->at == '+', end = word_length(lexer, at);
	uint64_t value = 0, max = INT64_MAX;
	unsigned int base = 10;

	if ((size_t)(lexer->end - lexer->at) > end && lexer->at[end] == '.')
		return wrong(lexer, "only whole numbers are supported");
	if (lexer->at[at] == '0' && end - at > 1) {
		char c = (char)(lexer->at[at + 1] | 0x20);

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		at += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	for (; at < end; at++) {
		int digit = hex_digit(lexer->at[at]);

		if (lexer->at[at] == '_')
			continue;
		if (digit < 0 || (unsigned int)digit >= base)
			return wrong(lexer, "that is no number");
		if (value > (max - (unsigned int)digit) / base)
			return wrong(lexer, "the number is too large");
		value = value * base + (unsigned int)digit;
		has_digit = true;
	}
	if (!has_digit)
		return wrong(lexer, "that is no number");
	token->kind = TOKEN_NUMBER;
	token->number = is_negative ? -(int64_t)value : (int64_t)value;
	token->len = end;
	return true;
}

/* What begins with `.` or `$`, and words. */
static bool lex_name(struct gotemplate_lexer *lexer)
{
	struct gotemplate_token *token = &lexer->token;
	char c = *lexer->at;

	if (c == '.' || c == '$') {
		bool is_named = lexer->end - lexer->at > 1 && is_letter(lexer->at[1]);

		token->len = is_named ? word_length(lexer, 1) : 1;
		token->kind = c == '$' ? TOKEN_VARIABLE : is_named ? TOKEN_FIELD : TOKEN_DOT;
		return true;
	}
	token->kind = TOKEN_WORD;
	token->len = word_length(lexer, 0);
	return true;
}

static bool lex_token(struct gotemplate_lexer *lexer)
{
	static const char marks[] = "()|=";
	static const enum gotemplate_token_kind kinds[] = {TOKEN_OPEN, TOKEN_CLOSE, TOKEN_PIPE,
							   TOKEN_ASSIGN};
	struct gotemplate_token *token = &lexer->token;
	char c = *lexer->at;
	const char *mark = c ? strchr(marks, c) : NULL;

	if (mark) {
		token->kind = kinds[mark - marks];
		token->len = 1;
		return true;
	}
	if (begins(lexer, ":=")) {
		token->kind = TOKEN_DECLARE;
		token->len = 2;
		return true;
	}
	if (c == '"')
		return lex_string(lexer);
	if (c == '`')
		return lex_raw_string(lexer);
	if (c == '\'')
		return lex_character(lexer);
	if (is_digit(c) || c == '-' || c == '+')
		return lex_number(lexer);
	if (c == '.' || c == '$' || is_letter(c))
		return lex_name(lexer);
	token->len = 1;
	return wrong(lexer, "no such sign here");
}

bool gotemplate_lex(struct gotemplate_lexer *lexer)
{
	const char *before = lexer->at;

	skip_blanks(lexer);
	lexer->token = (struct gotemplate_token){
		.spaced = lexer->at != before, .line = lexer->line, .at = lexer->at};
	if (lexer->at == lexer->end)
		return wrong(lexer, "{{ without }}");
	lexer->trims = begins(lexer, "-}}") && lexer->token.spaced;
	if (lexer->trims || begins(lexer, "}}")) {
		advance(lexer, lexer->trims ? 3 : 2);
		return true; /* TOKEN_END */
	}
	if (!lex_token(lexer))
		return false;
	advance(lexer, lexer->token.len);
	return true;
}
