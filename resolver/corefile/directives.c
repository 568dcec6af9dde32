/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/directives.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

#define MANY DIRECTIVE_WORDS_MAX

/* `alternate` stands where Kuma's build of CoreDNS has it, `mesh` before all that asks elsewhere.
 */
const struct directive directives[] = {
	{"reload", "[INTERVAL [JITTER]]", 0, 2, false, true, false, reload_parse, reload_print},
	{"bufsize", "[SIZE]", 0, 1, false, true, true, bufsize_parse, bufsize_print},
	{"bind", "ADDRESS|INTERFACE...", 1, MANY, true, false, false, bind_parse, bind_print},
	{"debug", NULL, 0, 0, false, true, false, debug_parse, debug_print},
	{"ready", "[ADDRESS]", 0, 1, false, true, false, ready_parse, ready_print},
	{"health", "[ADDRESS]", 0, 1, true, true, false, health_parse, health_print},
	{"prometheus", "[ADDRESS]", 0, 1, true, true, true, prometheus_parse, prometheus_print},
	{"errors", "[stdout]", 0, 1, true, true, true, errors_parse, errors_print},
	{"log", "[NAMES...] [FORMAT]", 0, MANY, true, false, true, log_parse, log_print},
	{"any", NULL, 0, 0, false, true, true, any_parse, any_print},
	{"loadbalance", "[round_robin]", 0, 1, false, true, true, loadbalance_parse,
	 loadbalance_print},
	{"rewrite", "[continue|stop] FIELD FROM TO", 1, MANY, true, false, true, rewrite_parse,
	 rewrite_print},
	{"cache", "[TTL] [ZONES...]", 0, MANY, true, true, true, cache_parse, cache_print},
	{"template", "CLASS TYPE [ZONE...]", 2, MANY, true, false, true, template_parse,
	 template_print},
	{"hosts", "[FILE [ZONES...]]", 0, MANY, true, true, true, hosts_parse, hosts_print},
	{"mesh", "[ZONES...]", 0, MANY, true, true, true, mesh_parse, mesh_print},
	{"loop", NULL, 0, 0, false, true, true, loop_parse, loop_print},
	{"alternate", "[original] RCODE[,RCODE...] FROM TO...", 3, MANY, false, false, true,
	 alternate_parse, alternate_print},
	{"forward", "FROM TO...", 2, MANY, true, false, true, forward_parse, forward_print},
	{0},
};

const char *corefile_plugin(const struct corefile_server *server, size_t i)
{
	for (const struct directive *row = directives; row->name; row++) {
		if (row->is_plugin && server->directives >> (row - directives) & 1 && i-- == 0)
			return row->name;
	}
	return NULL;
}

struct corefile_owned {
	struct corefile_owned *next;
	void *thing;
	void (*free_thing)(void *thing);
};

int directive_own(struct directive_parse *d, void *thing, void (*free_thing)(void *))
{
	struct corefile_owned *owned = ARENA_NEW(&d->corefile->arena, struct corefile_owned);

	if (!owned) {
		free_thing(thing);
		return directive_no_memory(d);
	}
	*owned = (struct corefile_owned){d->corefile->owned, thing, free_thing};
	d->corefile->owned = owned;
	return 0;
}

void corefile_free(struct corefile *corefile)
{
	if (!corefile)
		return;
	for (struct corefile_owned *o = corefile->owned; o; o = o->next)
		o->free_thing(o->thing);
	arena_free(&corefile->arena);
	free(corefile);
}

/* "; did you mean X?", or nothing. The table is of structs of `size` that begin with the name. */
static void find_nearest(const void *table, size_t size, const char *word, char hint[64])
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	hint[0] = '\0';
	for (const char *row = table; *(const char *const *)(const void *)row; row += size) {
		const char *name = *(const char *const *)(const void *)row;
		size_t distance = nearest_distance(word, name);

		if (distance < best_distance) {
			best_distance = distance;
			best = name;
		}
	}
	if (best && nearest_is_close(word, best_distance))
		snprintf(hint, 64, "did you mean %s? ", best);
}

/* All names of such a table, with commas. */
static void list_names(const void *table, size_t size, char *text, size_t room)
{
	size_t used = 0;

	for (const char *row = table; *(const char *const *)(const void *)row && used < room;
	     row += size)
		used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "",
					 *(const char *const *)(const void *)row);
}

static int unknown_directive(const struct corefile_line *line, struct err *err)
{
	char hint[64], names[256];

	find_nearest(directives, sizeof(*directives), line->words[0], hint);
	list_names(directives, sizeof(*directives), names, sizeof(names));
	return corefile_fail(err, line->place, "unknown directive \"%.60s\"; %sthere are %s",
			     line->words[0], hint, names);
}

/* Whether the line has as many words as it may. */
static int check_words(struct directive_parse *d, const struct corefile_line *line,
		       const char *usage, size_t min, size_t max)
{
	size_t n = line->n_words - 1;

	if (n >= min && n <= max)
		return 0;
	if (!usage)
		return directive_fail(d, line, "%s: expected nothing behind it but \"%s\" is",
				      line->words[0], line->words[1]);
	return directive_fail(d, line, "expected %s %s", line->words[0], usage);
}

static int parse_line(struct directive_parse *d, const struct directive *row, bool *seen)
{
	const struct corefile_line *line = d->line;
	int rc = check_words(d, line, row->usage, row->min, row->max);

	if (rc < 0)
		return rc;
	if (*seen && row->once)
		return directive_fail(d, line, "expected once in a block, this is the second");
	if (line->has_block && !row->has_block)
		return directive_fail(d, line, "expected no block");
	*seen = true;
	d->server->directives |= 1u << (row - directives);
	return row->parse(d);
}

int directives_parse(struct corefile *corefile, struct corefile_server *server,
		     const struct corefile_line *lines, struct err *err)
{
	bool seen[sizeof(directives) / sizeof(*directives)] = {false};
	struct directive_parse d = {.corefile = corefile, .server = server, .err = err};
	int rc = 0;

	for (d.line = lines; d.line && rc == 0; d.line = d.line->next) {
		const struct directive *row = directives;

		while (row->name && strcmp(row->name, d.line->words[0]) != 0)
			row++;
		rc = row->name ? parse_line(&d, row, &seen[row - directives])
			       : unknown_directive(d.line, err);
	}
	return rc;
}

static int parse_property(struct directive_parse *d, const struct corefile_line *line,
			  const struct property *properties, void *config)
{
	const struct property *p = properties;
	char hint[64], names[400];
	int rc;

	while (p->name && strcmp(p->name, line->words[0]) != 0)
		p++;
	if (!p->name) {
		find_nearest(properties, sizeof(*properties), line->words[0], hint);
		list_names(properties, sizeof(*properties), names, sizeof(names));
		return directive_fail(d, line, "unknown property \"%.60s\"; %sthere are %s",
				      line->words[0], hint, names);
	}
	if (line->has_block)
		return directive_fail(d, line, "%s: expected no block", p->name);
	if ((rc = check_words(d, line, p->usage, p->min, p->max)) < 0)
		return rc;
	return p->parse(d, line, config);
}

int directive_properties(struct directive_parse *d, const struct property *properties, void *config)
{
	int rc = 0;

	for (const struct corefile_line *line = d->line->lines; line && rc == 0; line = line->next)
		rc = parse_property(d, line, properties, config);
	return rc;
}
