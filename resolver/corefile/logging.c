/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log and errors: what is told of questions. What they do is log_line.c's and errors_log.c's.
 */
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/log_line.h"

/* --- log ----------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	unsigned int class;
} classes[] = {
	{"success", LOG_SUCCESS}, {"denial", LOG_DENIAL}, {"error", LOG_ERROR}, {"all", LOG_ALL}};

static int parse_class(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_log *log = config;

	for (size_t i = 1; i < line->n_words; i++) {
		unsigned int class = 0;

		for (size_t j = 0; j < sizeof(classes) / sizeof(*classes); j++)
			class |= strcmp(line->words[i], classes[j].name) ? 0 : classes[j].class;
		if (!class)
			return directive_fail(d, line,
					      "class: expected success, denial, error or all but "
					      "not \"%.60s\"",
					      line->words[i]);
		log->classes |= class;
	}
	return 0;
}

/* The last word is a format if it has braces in it. */
static const char *find_format(const struct corefile_line *line)
{
	const char *last = line->words[line->n_words - 1];

	if (line->n_words == 1 || !strchr(last, '{'))
		return NULL;
	if (!strcmp(last, "{common}"))
		return LOG_FORMAT_COMMON;
	return !strcmp(last, "{combined}") ? LOG_FORMAT_COMBINED : last;
}

/* These two stand for formats within another one, too. NULL: out of memory. */
static const char *expand(struct arena *arena, const char *format)
{
	static const struct {
		const char *word, *text;
	} known[] = {{"{common}", LOG_FORMAT_COMMON}, {"{combined}", LOG_FORMAT_COMBINED}};

	for (size_t i = 0; i < ARRAY_SIZE(known) && format; i++) {
		const char *at;

		while (format && (at = strstr(format, known[i].word))) {
			size_t size = strlen(format) + strlen(known[i].text) + 1;
			char *longer = arena_alloc(arena, size);

			if (longer)
				snprintf(longer, size, "%.*s%s%s", (int)(at - format), format,
					 known[i].text, at + strlen(known[i].word));
			format = longer;
		}
	}
	return format;
}

int log_parse(struct directive_parse *d)
{
	static const struct property properties[] = {
		{"class", "success|denial|error|all...", 1, DIRECTIVE_WORDS_MAX, parse_class},
		{0},
	};
	struct corefile_log *log = ARENA_NEW(&d->corefile->arena, struct corefile_log);
	struct corefile_log **end = &d->server->log;
	struct corefile_line names = *d->line;
	const char *format = find_format(d->line);
	int rc;

	if (!log)
		return directive_no_memory(d);
	names.n_words -= format != NULL;
	log->format = format ? format : LOG_FORMAT_COMMON;
	if (!(format = expand(&d->corefile->arena, log->format)) ||
	    !(log->compiled = log_line_compile(&d->corefile->arena, format)))
		return directive_no_memory(d);
	if ((rc = directive_zones(d, &names, 1, &log->zones)) < 0 ||
	    (rc = directive_properties(d, properties, log)) < 0)
		return rc;
	if (!log->classes)
		log->classes = LOG_ALL;
	while (*end)
		end = &(*end)->next;
	*end = log;
	return 0;
}

void log_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_log *log = server->log; log; log = log->next) {
		fputs("    log", out);
		print_zones(&log->zones, out);
		if (strcmp(log->format, LOG_FORMAT_COMMON) != 0) {
			fputc(' ', out);
			corefile_print_word(log->format, out);
		}
		if (log->classes != LOG_ALL) {
			fputs(" {\n        class", out);
			for (size_t i = 0; i < 3; i++) {
				if (log->classes & classes[i].class)
					fprintf(out, " %s", classes[i].name);
			}
			fputs("\n    }", out);
		}
		fputc('\n', out);
	}
}

/* --- errors -------------------------------------------------------------------------------------
 */

static const char *const levels[] = {[COREFILE_ERROR] = "error",
				     [COREFILE_WARNING] = "warning",
				     [COREFILE_INFO] = "info",
				     [COREFILE_DEBUG] = "debug"};

static int parse_stacktrace(struct directive_parse *d, const struct corefile_line *line,
			    void *config)
{
	(void)d, (void)line;
	((struct corefile_errors *)config)->stacktrace = true;
	return 0;
}

/* DURATION REGEX [LEVEL] [show_first] */
static int parse_consolidate(struct directive_parse *d, const struct corefile_line *line,
			     void *config)
{
	struct corefile_consolidate *c =
		ARENA_NEW(&d->corefile->arena, struct corefile_consolidate);
	struct corefile_consolidate **end = &((struct corefile_errors *)config)->consolidate;
	int rc;

	if (!c)
		return directive_no_memory(d);
	c->pattern = line->words[2];
	if ((rc = directive_duration(d, line, 1, &c->period_ms)) < 0 ||
	    (rc = directive_regex(d, line, c->pattern, &c->regex)) < 0)
		return rc;
	if (c->period_ms == 0)
		return directive_fail(d, line, "consolidate: expected a duration above 0");
	for (size_t i = 3; i < line->n_words; i++) {
		size_t level = 0;

		while (level < 4 && strcmp(line->words[i], levels[level]) != 0)
			level++;
		if (level < 4 && i == 3)
			c->level = (enum corefile_level)level;
		else if (!strcmp(line->words[i], "show_first") && !c->show_first)
			c->show_first = true;
		else
			return directive_fail(
				d, line,
				"consolidate: expected error, warning, info or debug, "
				"then show_first, but not \"%.60s\"",
				line->words[i]);
	}
	while (*end)
		end = &(*end)->next;
	*end = c;
	return 0;
}

int errors_parse(struct directive_parse *d)
{
	static const struct property properties[] = {
		{"stacktrace", NULL, 0, 0, parse_stacktrace},
		{"consolidate", "DURATION REGEX [LEVEL] [show_first]", 2, 4, parse_consolidate},
		{0},
	};
	struct corefile_errors *errors = ARENA_NEW(&d->corefile->arena, struct corefile_errors);

	if (!errors)
		return directive_no_memory(d);
	if (d->line->n_words > 1 && strcmp(d->line->words[1], "stdout") != 0)
		return directive_fail(d, d->line, "expected stdout but not \"%.60s\"",
				      d->line->words[1]);
	d->server->errors = errors;
	return directive_properties(d, properties, errors);
}

void errors_print(const struct corefile_server *server, FILE *out)
{
	const struct corefile_errors *errors = server->errors;
	bool has_block = errors && (errors->stacktrace || errors->consolidate);

	if (!errors)
		return;
	fprintf(out, "    errors%s\n", has_block ? " {" : "");
	if (errors->stacktrace)
		fputs("        stacktrace\n", out);
	for (const struct corefile_consolidate *c = errors->consolidate; c; c = c->next) {
		fputs("        consolidate ", out);
		print_duration(c->period_ms, out);
		fputc(' ', out);
		corefile_print_word(c->pattern, out);
		fprintf(out, " %s%s\n", levels[c->level], c->show_first ? " show_first" : "");
	}
	if (has_block)
		fputs("    }\n", out);
}
