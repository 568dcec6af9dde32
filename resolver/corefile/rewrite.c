/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rewrite: questions turned into others. What it does with one is rewrite_apply.c's. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/mnemonic.h"

static const char *const hows[] = {[REWRITE_EXACT] = "exact",
				   [REWRITE_PREFIX] = "prefix",
				   [REWRITE_SUFFIX] = "suffix",
				   [REWRITE_SUBSTRING] = "substring",
				   [REWRITE_REGEX] = "regex"};
static const char *const whats[] = {[REWRITE_NAME] = "name",
				    [REWRITE_TYPE] = "type",
				    [REWRITE_CLASS] = "class",
				    [REWRITE_TTL] = "ttl"};

/* The words of the rule as they are taken: those of the line, then those of its block. */
struct words {
	const char *list[64];
	size_t n, at;
};

static int collect(struct directive_parse *d, struct words *w)
{
	for (const struct corefile_line *line = d->line; line;
	     line = line == d->line ? line->lines : line->next) {
		for (size_t i = line == d->line; i < line->n_words; i++) {
			if (w->n == sizeof(w->list) / sizeof(*w->list))
				return directive_fail(d, line, "too many words");
			w->list[w->n++] = line->words[i];
		}
		if (line != d->line && line->has_block)
			return directive_fail(d, line, "expected no block in the block");
	}
	return 0;
}

/* The next word, NULL at the end. */
static const char *take(struct words *w)
{
	return w->at < w->n ? w->list[w->at++] : NULL;
}

static bool find_word(const char *word, const char *const *names, size_t n, size_t *ret)
{
	for (size_t i = 0; word && i < n; i++) {
		if (!strcasecmp(word, names[i])) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Lower-cased, with a final dot where it is to have one. */
static const char *normalize(struct directive_parse *d, const char *text, bool wants_dot)
{
	size_t len = strlen(text);
	char *copy = arena_alloc(&d->corefile->arena, len + 2);

	for (size_t i = 0; copy && i < len; i++)
		copy[i] = (char)tolower((unsigned char)text[i]);
	if (copy && wants_dot && (len == 0 || copy[len - 1] != '.'))
		copy[len] = '.';
	return copy;
}

/* FROM and TO of a rule about names, behind the kind of comparison. */
static int parse_names(struct directive_parse *d, struct corefile_rewrite *r, const char *from,
		       const char *to)
{
	bool is_regex = r->how == REWRITE_REGEX;
	bool from_dot = r->how == REWRITE_EXACT || r->how == REWRITE_SUFFIX;
	int rc;

	if (!from || (!to && r->what == REWRITE_NAME))
		return directive_fail(d, d->line,
				      "expected %s [exact|prefix|suffix|substring|regex] "
				      "FROM TO",
				      whats[r->what]);
	r->from = is_regex ? from : normalize(d, from, from_dot);
	if (to)
		r->to = normalize(d, to, from_dot || is_regex);
	if (!r->from || (to && !r->to))
		return directive_no_memory(d);
	if (is_regex && (rc = directive_regex(d, d->line, from, &r->regex)) < 0)
		return rc;
	return 0;
}

static int parse_answer(struct directive_parse *d, struct words *w, struct corefile_rewrite *r,
			struct corefile_rewrite_answer ***end)
{
	static const char *const kinds[] = {"name", "value", "auto"};
	struct corefile_rewrite_answer *answer;
	size_t kind;
	int rc;

	if (!find_word(take(w), kinds, 3, &kind))
		return directive_fail(d, d->line,
				      "answer: expected auto, name FROM TO or value FROM TO");
	if (kind == 2) {
		if (r->how == REWRITE_REGEX)
			return directive_fail(d, d->line, "answer auto: not with regex");
		r->answer_auto = true;
		return 0;
	}
	if (!(answer = ARENA_NEW(&d->corefile->arena, struct corefile_rewrite_answer)))
		return directive_no_memory(d);
	answer->is_value = kind == 1;
	answer->from = take(w);
	answer->to = take(w);
	if (!answer->from || !answer->to)
		return directive_fail(d, d->line, "answer %s: expected FROM TO", kinds[kind]);
	if ((rc = directive_regex(d, d->line, answer->from, &answer->regex)) < 0)
		return rc;
	if (!(answer->to = normalize(d, answer->to, true)))
		return directive_no_memory(d);
	**end = answer;
	*end = &answer->next;
	return 0;
}

static int parse_name(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	struct corefile_rewrite_answer **end = &r->answers;
	size_t how = REWRITE_EXACT;
	const char *from, *word;
	int rc;

	if (w->n - w->at > 2 && find_word(w->list[w->at], hows, 5, &how))
		w->at++;
	r->how = (enum rewrite_how)how;
	from = take(w);
	rc = parse_names(d, r, from, take(w));
	while (rc == 0 && (word = take(w))) {
		if (strcmp(word, "answer") != 0)
			return directive_fail(d, d->line, "expected answer but not \"%.60s\"",
					      word);
		rc = parse_answer(d, w, r, &end);
	}
	return rc;
}

/* SECONDS, MIN-MAX, MIN- or -MAX */
static bool parse_ttl_range(const char *text, uint32_t *ret_min, uint32_t *ret_max)
{
	const char *dash = strchr(text, '-');
	char first[16];
	uint64_t min = 0, max = INT32_MAX;
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	if (len >= sizeof(first) || strlen(text) < 1 || !strcmp(text, "-"))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)len, text);
	if (len && !options_parse_number(first, 0, INT32_MAX, &min))
		return false;
	if (dash && dash[1] && !options_parse_number(dash + 1, 0, INT32_MAX, &max))
		return false;
	*ret_min = (uint32_t)min;
	*ret_max = dash ? (uint32_t)max : (uint32_t)min;
	return *ret_min <= *ret_max;
}

static int parse_ttl(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	size_t how = REWRITE_EXACT;
	const char *from, *ttl;

	if (w->n - w->at > 2 && find_word(w->list[w->at], hows, 5, &how))
		w->at++;
	r->how = (enum rewrite_how)how;
	from = take(w);
	ttl = take(w);
	if (!from || !ttl || !parse_ttl_range(ttl, &r->ttl_min, &r->ttl_max))
		return directive_fail(d, d->line,
				      "ttl: expected [exact|prefix|suffix|substring|regex] NAME "
				      "SECONDS or NAME MIN-MAX");
	return parse_names(d, r, from, NULL);
}

static int parse_number(struct directive_parse *d, struct words *w, struct corefile_rewrite *r,
			const struct mnemonic *table)
{
	const char *from = take(w), *to = take(w);

	if (!from || !to || !mnemonic_find(table, from, strlen(from), &r->from_number) ||
	    !mnemonic_find(table, to, strlen(to), &r->to_number))
		return directive_fail(d, d->line, "%s: expected two as %s", whats[r->what],
				      r->what == REWRITE_TYPE ? "ANY HINFO" : "CH IN");
	r->from = from;
	r->to = to;
	return 0;
}

static int parse_rule(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	const char *word = take(w);
	size_t what;
	int rc;

	if (word && (!strcmp(word, "continue") || !strcmp(word, "stop"))) {
		r->goes_on = *word == 'c';
		word = take(w);
	}
	if (!find_word(word, whats, 4, &what))
		return directive_fail(d, d->line,
				      "expected name, type, class or ttl but not \"%.60s\"",
				      word ? word : "");
	r->what = (enum rewrite_what)what;
	if (r->what == REWRITE_NAME)
		rc = parse_name(d, w, r);
	else if (r->what == REWRITE_TTL)
		rc = parse_ttl(d, w, r);
	else
		rc = parse_number(d, w, r,
				  r->what == REWRITE_TYPE ? mnemonic_types : mnemonic_classes);
	if (rc == 0 && w->at < w->n)
		return directive_fail(d, d->line, "expected nothing behind it but \"%.60s\" is",
				      w->list[w->at]);
	return rc;
}

int rewrite_parse(struct directive_parse *d)
{
	struct corefile_rewrite *r = ARENA_NEW(&d->corefile->arena, struct corefile_rewrite);
	struct corefile_rewrite **end = &d->server->rewrite;
	struct words words = {.n = 0};
	int rc;

	if (!r)
		return directive_no_memory(d);
	r->place = d->line->place;
	if ((rc = collect(d, &words)) < 0 || (rc = parse_rule(d, &words, r)) < 0)
		return rc;
	while (*end)
		end = &(*end)->next;
	*end = r;
	return 0;
}

static void print_pair(const char *from, const char *to, FILE *out)
{
	fputc(' ', out);
	corefile_print_word(from, out);
	fputc(' ', out);
	corefile_print_word(to, out);
}

void rewrite_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_rewrite *r = server->rewrite; r; r = r->next) {
		fprintf(out, "    rewrite %s %s", r->goes_on ? "continue" : "stop", whats[r->what]);
		if (r->what == REWRITE_NAME || r->what == REWRITE_TTL)
			fprintf(out, " %s", hows[r->how]);
		if (r->what == REWRITE_TTL) {
			fputc(' ', out);
			corefile_print_word(r->from, out);
			fprintf(out, " %u-%u", r->ttl_min, r->ttl_max);
		} else {
			print_pair(r->from, r->to, out);
		}
		fputs(r->answer_auto ? " answer auto" : "", out);
		for (const struct corefile_rewrite_answer *a = r->answers; a; a = a->next) {
			fprintf(out, " answer %s", a->is_value ? "value" : "name");
			print_pair(a->from, a->to, out);
		}
		fputc('\n', out);
	}
}
