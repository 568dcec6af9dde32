/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of names for tests and fuzz targets, by the way that loaders take. */
#ifndef MESHDNS_TESTS_TABLE_H
#define MESHDNS_TESTS_TABLE_H

#include <stdlib.h>
#include <string.h>

#include "resolver/load.h"

static const struct load_settings table_settings = {.ttl = 60, .domain = "\4mesh", .domain_len = 6};

struct table {
	struct load load;
	struct load_warnings warnings;
};

static inline struct table *table_new(void)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->load = (struct load){.settings = &table_settings,
				.source = "test",
				.ttl = 60,
				.first_line = 1,
				.piece_line = 1,
				.warnings = &t->warnings};
	return t;
}

static inline void table_free(struct table *t)
{
	load_free(&t->load);
	free(t);
}

/* What was loaded becomes the snapshot after `old`. */
static inline struct names_snapshot *table_snapshot(struct table *t,
						    const struct names_snapshot *old)
{
	struct names_change change = {.negative_ttl = t->load.ttl};
	struct names_snapshot *names;
	struct names_added *added;

	if (load_end_part(&t->load) < 0 || !(added = calloc(t->load.n_parts + 1, sizeof(*added))))
		abort();
	load_added(&t->load, added);
	change.added = added;
	change.n_added = t->load.n_parts;
	if (names_update(old, &change, &names, NULL) < 0)
		abort();
	free(added);
	return names;
}

static inline void table_add(struct table *t, const char *name, const char *address, uint32_t ttl)
{
	struct addr addr;
	int rc;

	t->load.line = t->load.n_parts + 1;
	if (!load_parse_address(&t->load, address, strlen(address), &addr) ||
	    !load_name(&t->load, name, strlen(name), ttl, &rc) || rc < 0 ||
	    load_add_address(&t->load, &addr) < 0)
		abort();
}

/* Builds with the mesh domain "mesh" and frees the table. */
static inline struct names_snapshot *table_build(struct table *t)
{
	struct names_snapshot *names = table_snapshot(t, NULL);

	table_free(t);
	return names;
}

/* Of a text that is good. */
static inline struct names_snapshot *table_of(const char *text)
{
	struct table *t = table_new();

	if (load_text(&t->load, text, strlen(text), load_is_json(text), LOAD_WHOLE, NULL) < 0)
		abort();
	return table_build(t);
}

#endif
