/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/lexer.h"

#include <errno.h>
#include <string.h>

struct lexer {
	const char *at, *end;
	const char *file;
	unsigned int line;
	bool starts_line; /* no word yet on the current line */
	char *out;        /* where the words' text goes; never longer than what it is made of */
	struct corefile_tokens *tokens;
	size_t max;
};

static bool begins(const char *at, const char *end, const char *text, size_t len)
{
	return (size_t)(end - at) >= len && !memcmp(at, text, len);
}

size_t corefile_blank_len(const char *at, const char *end)
{
	static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
					   "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
					   "\xe2\x81\x9f", "\xe3\x80\x80", NULL};
	unsigned char c = (unsigned char)*at;

	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\f');
	for (size_t i = 0; wide[i]; i++) {
		if (begins(at, end, wide[i], strlen(wide[i])))
			return strlen(wide[i]);
	}
	/* U+2000 to U+200A */
	if (begins(at, end, "\xe2\x80", 2) && end - at >= 3 && (unsigned char)at[2] >= 0x80 &&
	    (unsigned char)at[2] <= 0x8a)
		return 3;
	return 0;
}

/* Blanks and comments up to the next word; false: there is none. */
static bool skip_blanks(struct lexer *l)
{
	while (l->at < l->end) {
		size_t n = corefile_blank_len(l->at, l->end);

		if (*l->at == '#') {
			const char *eol = memchr(l->at, '\n', (size_t)(l->end - l->at));

			l->at = eol ? eol : l->end;
			continue;
		}
		if (*l->at == '\n') {
			l->line++;
			l->starts_line = true;
		}
		if (n == 0 && *l->at != '\r')
			return true;
		l->at += n ? n : 1;
	}
	return false;
}

/* Behind the opening quote; false: there is no closing one. */
static bool lex_quoted(struct lexer *l)
{
	for (; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at == '\\' && l->end - l->at > 1) {
			if (l->at[1] != '"')
				*l->out++ = '\\';
			l->at++;
		}
		l->line += *l->at == '\n';
		*l->out++ = *l->at;
	}
	return l->at++ < l->end;
}

static void lex_bare(struct lexer *l)
{
	while (l->at < l->end && *l->at != '#' && corefile_blank_len(l->at, l->end) == 0) {
		if (*l->at != '\r')
			*l->out++ = *l->at;
		l->at++;
	}
}

int corefile_lex(struct arena *arena, const char *file, const char *text, size_t len,
		 struct corefile_tokens *ret, struct err *err)
{
	struct lexer l = {.at = text,
			  .end = text + len,
			  .file = file,
			  .line = 1,
			  .starts_line = true,
			  .tokens = ret};

	if (len > COREFILE_SIZE_MAX)
		return err_set(err, EINVAL, "%s: larger than %zu bytes", file, COREFILE_SIZE_MAX);
	if (len && memchr(text, '\0', len))
		return err_set(err, EINVAL, "%s: not a text: there is a NUL in it", file);
	if (begins(text, text + len, "\xef\xbb\xbf", 3))
		l.at += 3;
	*ret = (struct corefile_tokens){0};
	/* A word and the blank before it are two bytes at least, and a NUL goes behind each. */
	l.max = len / 2 + 1 < COREFILE_TOKENS_MAX ? len / 2 + 1 : COREFILE_TOKENS_MAX;
	l.out = arena_alloc(arena, len + l.max + 1);
	ret->list = ARENA_ARRAY(arena, struct corefile_token, l.max);
	if (!l.out || !ret->list)
		return err_set(err, ENOMEM, "%s: no memory left for it", file);
	while (skip_blanks(&l)) {
		if (ret->n == l.max)
			return err_set(err, EINVAL, "%s:%u: more than %zu words", file, l.line,
				       l.max);
		ret->list[ret->n++] = (struct corefile_token){
			.text = l.out, .file = file, .line = l.line, .starts_line = l.starts_line};
		l.starts_line = false;
		if (*l.at == '"') {
			l.at++;
			if (!lex_quoted(&l))
				return err_set(err, EINVAL, "%s:%u: a quote without its end", file,
					       ret->list[ret->n - 1].line);
		} else {
			lex_bare(&l);
		}
		*l.out++ = '\0';
	}
	return 0;
}
