/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a file of names, hosts(5) or JSON, up to a snapshot that is asked. */
#include <stdlib.h>

#include "common/log.h"
#include "resolver/load.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t domain[] = "\4mesh";
	struct load load = {.builder = names_builder_new(), .ttl = 60};
	struct names_snapshot *names;
	char *text = malloc(size + 1);
	struct err err;

	if (!load.builder || !text)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
	memcpy(text, data, size);
	text[size] = '\0';
	if (load_text(&load, "input", text, size, &err) == 0) {
		if (names_build(load.builder, domain, sizeof(domain), &names, &err) < 0)
			abort();
		names_find(names, domain, sizeof(domain));
		names_free(names);
	}
	names_builder_free(load.builder);
	free(text);
	return 0;
}
