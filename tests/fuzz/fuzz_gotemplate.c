/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a template, run on data of every kind. */
#include <stdlib.h>

#include "common/cleanup.h"
#include "resolver/corefile/gotemplate.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gotemplate_value match[] = {
		{.kind = GOTEMPLATE_STRING, .text = "10", .n = 2}};
	static const struct gotemplate_field group[] = {
		{"a", {.kind = GOTEMPLATE_STRING, .text = "0x0a", .n = 4}}};
	static const struct gotemplate_field fields[] = {
		{"Port", {.kind = GOTEMPLATE_INT, .number = 15053}},
		{"On", {.kind = GOTEMPLATE_BOOL, .boolean = true}},
		{"Name", {.kind = GOTEMPLATE_STRING, .text = "redis.mesh.", .n = 11}},
		{"Match", {.kind = GOTEMPLATE_LIST, .items = match, .n = 1}},
		{"Group", {.kind = GOTEMPLATE_MAP, .fields = group, .n = 1}},
	};
	static const struct gotemplate_dialect dialect = {.is_coredns = true};
	struct gotemplate_value root = {
		.kind = GOTEMPLATE_STRUCT, .fields = fields, .n = ARRAY_SIZE(fields)};
	struct gotemplate *template = NULL;
	struct err err = {0};
	size_t len = 0, room = 300;
	char *out = malloc(room);

	if (gotemplate_compile((const char *)data, size, (struct gotemplate_place){"input", 1},
			       &dialect, &template, &err) < 0)
		must(!template && *err.msg);
	else if (gotemplate_execute(template, &root, out, room, &len, &err) < 0)
		must(*err.msg);
	must(len <= room);
	gotemplate_free(template);
	free(out);
	return 0;
}
