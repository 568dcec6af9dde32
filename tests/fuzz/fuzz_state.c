/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anything as a file of kept names: once as it is, and once as the parts of one whose hashes are
 * right, their number before them, for none would get past those. What passes is a table.
 */
#include <stdlib.h>
#include <string.h>

#include "resolver/state_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/table.h"

static int look_at(void *arg, const struct names_record *part, const uint8_t *name, size_t name_len)
{
	const struct names_snapshot *names = arg;
	const struct names_port *port = NULL;
	struct addr addr = {.family = AF_INET};

	if (!names_match(names, name, name_len))
		abort();
	while ((port = names_next_port(part, port)))
		addr.bytes[0] ^= port->number[0];
	if (part->n_a) {
		memcpy(addr.bytes, names_record_a(part), 4);
		if (!names_find_addr(names, &addr) && name[1] != '*')
			abort();
	}
	return 0;
}

static void parse(void *data, size_t len)
{
	struct names_snapshot *names;

	if (state_file_parse(data, len, &table_settings, &names, NULL) < 0)
		return;
	names_each(names, look_at, names);
	names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_header *header = malloc(sizeof(*header) + size);

	if (!header)
		abort();
	memcpy(header, data, size);
	parse(header, size);
	if (size > 0) {
		*header = (struct state_header){.negative_ttl = 60, .n_parts = data[0]};
		memcpy(header + 1, data + 1, size - 1);
		state_file_seal(header, header + 1, size - 1);
		parse(header, sizeof(*header) + size - 1);
	}
	free(header);
	return 0;
}
