/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a file of names, hosts(5) or JSON, up to a snapshot that is asked; and that snapshot
 * once more with the text again, as a change.
 */
#include <stdlib.h>

#include "common/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t domain[] = "\4mesh";
	struct names_snapshot *names, *next;
	struct table *table = table_new();
	char *text = malloc(size + 1);
	struct err err;

	if (!text)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
	memcpy(text, data, size);
	text[size] = '\0';
	if (load_text(&table->load, text, size, load_is_json(text), LOAD_WHOLE, &err) == 0) {
		names = table_snapshot(table, NULL);
		next = table_snapshot(table, names);
		if (names_count(names) != names_count(next))
			abort();
		names_match(next, domain, sizeof(domain));
		names_free_old(names, next);
		names_free(next);
	}
	table_free(table);
	free(text);
	return 0;
}
