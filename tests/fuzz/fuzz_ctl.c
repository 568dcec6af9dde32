/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any line on the control socket: one JSON object on one line, or the promise of one. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/eyes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings settings;
	static struct names_snapshot *table;
	struct tap_wish wish = {0};
	struct querylog log = {0};
	static struct upstream_book book;
	static struct stats_book pages;
	static struct state state;
	struct facts facts = {.settings = &settings,
			      .book = &book,
			      .pages = &pages,
			      .state = &state,
			      .complaint = ""};
	struct ctl ctl = {.facts = &facts, .log = &log, .wish = &wish, .lookup.fd = -1};
	struct oneshot_conn conn = {.fd = -1};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	if (!table)
		table = table_of("240.0.0.1 redis.mesh cache.mesh *.wild.mesh\n"
				 "fd00::1 redis.mesh\n");
	facts.table = table;
	endpoint_parse("127.0.0.1:9", 9, &facts.server); /* nobody is there */
	if (ctl_answer(&ctl, &conn, (const char *)data, size, out)) {
		json_t *object;

		fclose(out);
		object = json_loadb(text, len, 0, NULL);
		if (!json_is_object(object) || memchr(text, '\n', len) != text + len - 1)
			abort();
		json_decref(object);
	} else {
		fclose(out);
	}
	if (ctl.lookup.fd >= 0)
		close(ctl.lookup.fd);
	free(text);
	return 0;
}
