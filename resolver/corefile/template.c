/* SPDX-License-Identifier: GPL-2.0-or-later */
/* template: answers made of the question. What it does with one is template_answer.c's. */
#include <string.h>

#include "resolver/corefile/directives.h"
#include "resolver/corefile/mnemonic.h"

#define MATCHES_MAX 32

/* What {{ .X }} can be; template_answer.c provides it. */
static const char *const fields[] = {"Zone",    "Name",  "Class",  "Type",     "Match", "Regex",
				     "Message", "Group", "Remote", "Question", NULL};
static const struct gotemplate_dialect dialect = {.fields = fields, .is_coredns = true};

static int parse_match(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_template *t = config;
	int rc = 0;

	if (!t->match &&
	    (!(t->match = ARENA_ARRAY(&d->corefile->arena, struct regex *, MATCHES_MAX)) ||
	     !(t->match_text = ARENA_ARRAY(&d->corefile->arena, const char *, MATCHES_MAX))))
		return directive_no_memory(d);
	for (size_t i = 1; i < line->n_words && rc == 0; i++) {
		if (t->n_match == MATCHES_MAX)
			return directive_fail(d, line, "more than %d expressions", MATCHES_MAX);
		t->match_text[t->n_match] = line->words[i];
		rc = directive_regex(d, line, line->words[i], &t->match[t->n_match]);
		t->n_match += rc == 0;
	}
	return rc;
}

static void free_template(void *template)
{
	gotemplate_free(template);
}

static int parse_record(struct directive_parse *d, const struct corefile_line *line,
			const char *text, struct gotemplate **ret)
{
	struct gotemplate_place place = {line->place.file, line->place.line};
	struct err why = {0};

	if (gotemplate_compile(text, strlen(text), place, &dialect, ret, &why) < 0)
		return err_set(d->err, why.code, "%s (%s of a template)", why.msg, line->words[0]);
	return directive_own(d, *ret, free_template);
}

static int parse_section(struct directive_parse *d, const struct corefile_line *line,
			 struct corefile_template *t, enum template_section section)
{
	struct arena *arena = &d->corefile->arena;
	int rc = 0;

	if (!t->section[section].records &&
	    (!(t->section[section].records =
		       ARENA_ARRAY(arena, struct gotemplate *, TEMPLATE_RECORDS_MAX)) ||
	     !(t->section[section].text = ARENA_ARRAY(arena, const char *, TEMPLATE_RECORDS_MAX))))
		return directive_no_memory(d);
	for (size_t i = 1; i < line->n_words && rc == 0; i++) {
		size_t n = t->section[section].n;

		if (n == TEMPLATE_RECORDS_MAX)
			return directive_fail(d, line, "%s: more than %d records", line->words[0],
					      TEMPLATE_RECORDS_MAX);
		t->section[section].text[n] = line->words[i];
		rc = parse_record(d, line, line->words[i], &t->section[section].records[n]);
		t->section[section].n += rc == 0;
	}
	return rc;
}

static int parse_answer(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return parse_section(d, line, config, TEMPLATE_ANSWER);
}

static int parse_authority(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	return parse_section(d, line, config, TEMPLATE_AUTHORITY);
}

static int parse_additional(struct directive_parse *d, const struct corefile_line *line,
			    void *config)
{
	return parse_section(d, line, config, TEMPLATE_ADDITIONAL);
}

static int parse_rcode(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	const char *word = line->words[1];

	if (mnemonic_find(mnemonic_rcodes, word, strlen(word),
			  &((struct corefile_template *)config)->rcode))
		return 0;
	return directive_fail(d, line, "rcode: expected one as NXDOMAIN but not \"%.60s\"", word);
}

static int parse_ederror(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_template *t = config;
	uint32_t code;
	int rc = directive_number(d, line, 1, 0, UINT16_MAX, &code);

	if (rc < 0)
		return rc;
	t->has_ede = true;
	t->ede = (uint16_t)code;
	t->ede_text = line->n_words > 2 ? line->words[2] : "";
	return 0;
}

static int parse_upstream(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	(void)d, (void)line, (void)config; /* it says nothing any more */
	return 0;
}

static int parse_fallthrough(struct directive_parse *d, const struct corefile_line *line,
			     void *config)
{
	return property_fallthrough(d, line, &((struct corefile_template *)config)->fallthrough);
}

#define MANY DIRECTIVE_WORDS_MAX

static const struct property properties[] = {
	{"match", "REGEX...", 1, MANY, parse_match},
	{"answer", "RECORD...", 1, MANY, parse_answer},
	{"additional", "RECORD...", 1, MANY, parse_additional},
	{"authority", "RECORD...", 1, MANY, parse_authority},
	{"rcode", "RCODE", 1, 1, parse_rcode},
	{"ederror", "CODE [TEXT]", 1, 2, parse_ederror},
	{"upstream", "", 0, MANY, parse_upstream},
	{"fallthrough", "[ZONE...]", 0, MANY, parse_fallthrough},
	{0},
};

int template_parse(struct directive_parse *d)
{
	struct corefile_template *t = ARENA_NEW(&d->corefile->arena, struct corefile_template);
	struct corefile_template **end = &d->server->templates;
	const char *class = d->line->words[1], *type = d->line->words[2];
	int rc;

	if (!t)
		return directive_no_memory(d);
	t->place = d->line->place;
	if (!mnemonic_find(mnemonic_classes, class, strlen(class), &t->class))
		return directive_fail(d, d->line, "expected a class as IN or ANY but not \"%.60s\"",
				      class);
	if (!mnemonic_find(mnemonic_types, type, strlen(type), &t->type))
		return directive_fail(d, d->line,
				      "expected a type as AAAA or ANY but not \"%.60s\"", type);
	if ((rc = directive_zones(d, d->line, 3, &t->zones)) < 0 ||
	    (rc = directive_properties(d, properties, t)) < 0)
		return rc;
	while (*end)
		end = &(*end)->next;
	*end = t;
	return 0;
}

static void print_property(const char *name, const char *value, FILE *out)
{
	fprintf(out, "        %s ", name);
	corefile_print_word(value, out);
	fputc('\n', out);
}

void template_print(const struct corefile_server *server, FILE *out)
{
	static const char *const sections[] = {"answer", "authority", "additional"};

	for (const struct corefile_template *t = server->templates; t; t = t->next) {
		fprintf(out, "    template %s %s", mnemonic_name(mnemonic_classes, t->class),
			mnemonic_name(mnemonic_types, t->type));
		print_zones(&t->zones, out);
		fputs(" {\n", out);
		for (size_t i = 0; i < t->n_match; i++)
			print_property("match", t->match_text[i], out);
		for (size_t s = 0; s < TEMPLATE_SECTIONS; s++) {
			for (size_t i = 0; i < t->section[s].n; i++)
				print_property(sections[s], t->section[s].text[i], out);
		}
		if (t->rcode)
			print_property("rcode", mnemonic_name(mnemonic_rcodes, t->rcode), out);
		if (t->has_ede) {
			fprintf(out, "        ederror %u ", t->ede);
			corefile_print_word(t->ede_text, out);
			fputc('\n', out);
		}
		print_fallthrough(&t->fallthrough, out);
		fputs("    }\n", out);
	}
}
