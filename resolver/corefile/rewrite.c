/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rewrite: questions turned into others. What it does with one is rewrite_apply.c's. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/mnemonic.h"
#include "resolver/nametext.h"

static const char *const hows[] = {[REWRITE_EXACT] = "exact",
				   [REWRITE_PREFIX] = "prefix",
				   [REWRITE_SUFFIX] = "suffix",
				   [REWRITE_SUBSTRING] = "substring",
				   [REWRITE_REGEX] = "regex"};
static const char *const whats[] = {[REWRITE_NAME] = "name",
				    [REWRITE_TYPE] = "type",
				    [REWRITE_CLASS] = "class",
				    [REWRITE_TTL] = "ttl",
				    [REWRITE_RCODE] = "rcode"};

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

/* Lower-cased, with a final dot. */
static const char *normalize(struct directive_parse *d, const char *text)
{
	size_t len = strlen(text);
	char *copy = arena_alloc(&d->corefile->arena, len + 2);

	for (size_t i = 0; copy && i < len; i++)
		copy[i] = (char)tolower((unsigned char)text[i]);
	if (copy && (len == 0 || copy[len - 1] != '.'))
		copy[len] = '.';
	return copy;
}

/* An expression, and what is put in place of what it matches: {1} is its first group. */
static int parse_regex(struct directive_parse *d, const char *from, const char **to,
		       struct regex **ret)
{
	int rc = directive_regex(d, d->line, from, ret);

	if (rc < 0 || !*to)
		return rc;
	for (const char *at = *to; (at = strchr(at, '{')); at++) {
		char *end;
		unsigned long group = strtoul(at + 1, &end, 10);

		if (end > at + 1 && *end == '}' && group >= regex_groups(*ret))
			return directive_fail(d, d->line, "{%lu}: there is no such group in %.60s",
					      group, from);
	}
	return (*to = normalize(d, *to)) ? 0 : directive_no_memory(d);
}

/* FROM and, for names, TO behind the kind of comparison. */
static int parse_names(struct directive_parse *d, struct corefile_rewrite *r, const char *from,
		       const char *to)
{
	uint8_t name[DNS_NAME_MAX];

	if (!from || (!to && r->what == REWRITE_NAME))
		return directive_fail(d, d->line,
				      "expected %s [exact|prefix|suffix|substring|regex] "
				      "FROM TO",
				      whats[r->what]);
	r->from = from;
	r->to = to;
	if (r->how == REWRITE_REGEX)
		return parse_regex(d, from, &r->to, &r->regex);
	if (!(r->from = normalize(d, from)) || (to && !(r->to = normalize(d, to))))
		return directive_no_memory(d);
	if (r->how == REWRITE_EXACT && to && !nametext_read(r->to, strlen(r->to), name))
		return directive_fail(d, d->line, "expected a domain but not \"%.60s\"", to);
	return 0;
}

/* Behind `answer`, which need not be repeated: auto, or name or value with FROM and TO. */
static int parse_answer(struct directive_parse *d, struct words *w, struct corefile_rewrite *r,
			struct corefile_rewrite_answer ***end)
{
	static const char *const kinds[] = {"name", "value", "auto"};
	struct corefile_rewrite_answer *answer;
	size_t kind;

	if (!find_word(take(w), kinds, 3, &kind))
		return directive_fail(d, d->line,
				      "answer: expected auto, name FROM TO or value FROM TO");
	if (kind == 0 && w->at < w->n && !strcmp(w->list[w->at], "auto")) {
		w->at++; /* `answer name auto`: so CoreDNS' documentation has it */
		kind = 2;
	}
	if (kind == 2) {
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
	**end = answer;
	*end = &answer->next;
	return parse_regex(d, answer->from, &answer->to, &answer->regex);
}

/* How names are compared, if that is said: when there are more words than must be. */
static void parse_how(struct words *w, size_t words, struct corefile_rewrite *r)
{
	size_t how = REWRITE_EXACT;

	if (w->n - w->at > words && find_word(w->list[w->at], hows, 5, &how))
		w->at++;
	r->how = (enum rewrite_how)how;
}

static int parse_name(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	struct corefile_rewrite_answer **end = &r->answers;
	const char *from;
	int rc;

	parse_how(w, 2, r);
	from = take(w);
	if ((rc = parse_names(d, r, from, take(w))) < 0)
		return rc;
	if (w->at < w->n && strcmp(w->list[w->at], "answer") != 0)
		return directive_fail(d, d->line, "expected answer but not \"%.60s\"",
				      w->list[w->at]);
	while (rc == 0 && w->at < w->n) {
		if (!strcmp(w->list[w->at], "answer"))
			w->at++;
		rc = parse_answer(d, w, r, &end);
	}
	for (const struct corefile_rewrite_answer *a = r->answers; rc == 0 && a; a = a->next) {
		if (r->answer_auto && !a->is_value)
			return directive_fail(d, d->line, "answer auto: not with answer name");
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
	const char *from, *ttl;

	parse_how(w, 2, r);
	from = take(w);
	ttl = take(w);
	if (!from || !ttl || !parse_ttl_range(ttl, &r->ttl_min, &r->ttl_max))
		return directive_fail(d, d->line,
				      "ttl: expected [exact|prefix|suffix|substring|regex] NAME "
				      "SECONDS or NAME MIN-MAX");
	return parse_names(d, r, from, NULL);
}

/* A name of the table, in any case; of an rcode also the number that it has there. */
static bool parse_number(const char *word, const struct mnemonic *table, uint16_t *ret)
{
	char upper[16] = "";
	uint64_t number;

	if (table == mnemonic_rcodes && options_parse_number(word, 0, UINT16_MAX, &number)) {
		*ret = (uint16_t)number;
		return mnemonic_name(table, *ret);
	}
	for (size_t i = 0; i < sizeof(upper) - 1 && word[i]; i++)
		upper[i] = (char)toupper((unsigned char)word[i]);
	return mnemonic_find(table, upper, strlen(upper), ret);
}

static int parse_numbers(struct directive_parse *d, struct words *w, struct corefile_rewrite *r,
			 const struct mnemonic *table, const char *example)
{
	uint16_t *const numbers[] = {&r->from_number, &r->to_number};

	for (size_t i = 0; i < 2; i++) {
		const char *word = take(w);

		if (!word || !parse_number(word, table, numbers[i]))
			return directive_fail(d, d->line, "%s: expected two as %s", whats[r->what],
					      example);
	}
	return 0;
}

static int parse_rcode(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	int rc;

	parse_how(w, 3, r);
	if ((rc = parse_names(d, r, take(w), NULL)) < 0)
		return rc;
	if ((rc = parse_numbers(d, w, r, mnemonic_rcodes, "NXDOMAIN NOERROR")) < 0)
		return rc;
	if (r->from_number > DNS_RCODE_MASK || r->to_number > DNS_RCODE_MASK)
		return directive_fail(d, d->line, "rcode: expected two as fit into a header");
	return 0;
}

static int parse_rule(struct directive_parse *d, struct words *w, struct corefile_rewrite *r)
{
	static const char *const modes[] = {"stop", "continue"};
	const char *word = take(w);
	size_t what, mode;
	int rc = 0;

	if (find_word(word, modes, 2, &mode)) {
		r->goes_on = mode == 1;
		word = take(w);
	}
	if (!find_word(word, whats, 5, &what))
		return directive_fail(d, d->line,
				      "expected name, type, class, ttl or rcode but not \"%.60s\"",
				      word ? word : "");
	r->what = (enum rewrite_what)what;
	switch (r->what) {
	case REWRITE_NAME: rc = parse_name(d, w, r); break;
	case REWRITE_TTL: rc = parse_ttl(d, w, r); break;
	case REWRITE_RCODE: rc = parse_rcode(d, w, r); break;
	case REWRITE_TYPE: rc = parse_numbers(d, w, r, mnemonic_types, "ANY HINFO"); break;
	case REWRITE_CLASS: rc = parse_numbers(d, w, r, mnemonic_classes, "CH IN"); break;
	}
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

static void print_numbers(const struct corefile_rewrite *r, FILE *out)
{
	const struct mnemonic *table = r->what == REWRITE_TYPE    ? mnemonic_types
				       : r->what == REWRITE_CLASS ? mnemonic_classes
								  : mnemonic_rcodes;

	print_pair(mnemonic_name(table, r->from_number), mnemonic_name(table, r->to_number), out);
}

void rewrite_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_rewrite *r = server->rewrite; r; r = r->next) {
		fprintf(out, "    rewrite %s %s", r->goes_on ? "continue" : "stop", whats[r->what]);
		if (r->from) {
			fprintf(out, " %s ", hows[r->how]);
			corefile_print_word(r->from, out);
		}
		if (r->what == REWRITE_NAME) {
			fputc(' ', out);
			corefile_print_word(r->to, out);
		} else if (r->what == REWRITE_TTL) {
			fprintf(out, " %u-%u", r->ttl_min, r->ttl_max);
		} else {
			print_numbers(r, out);
		}
		fputs(r->answer_auto ? " answer auto" : "", out);
		for (const struct corefile_rewrite_answer *a = r->answers; a; a = a->next) {
			fprintf(out, " answer %s", a->is_value ? "value" : "name");
			print_pair(a->from, a->to, out);
		}
		fputc('\n', out);
	}
}
