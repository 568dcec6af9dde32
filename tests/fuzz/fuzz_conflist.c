/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of plugins that others have written: with our entry in its text it is the same list with
 * one more plugin, and without it again the list without ours.
 */
#include <stdlib.h>
#include <string.h>

#include "cni/netd.h"
#include "common/cleanup.h"
#include "tests/fuzz/fuzz.h"

#define ENTRY "{\"type\": \"" NETD_PLUGIN "\"}"

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What it must come to, built the other way. */
static json_t *expected(const json_t *list, const json_t *entry)
{
	json_t *copy = json_deep_copy(list), *plugins = json_object_get(copy, "plugins");

	for (size_t i = json_array_size(plugins); i > 0; i--) {
		if (netd_is_ours(json_array_get(plugins, i - 1)))
			json_array_remove(plugins, i - 1);
	}
	if (entry)
		json_array_append(plugins, (json_t *)entry);
	return copy;
}

/* The list that the text becomes. */
static void edit(const struct netd_file *list, const json_t *entry, struct netd_file *ret_edited)
{
	json_t *right = expected(list->json, entry);
	struct err err = {0};

	*ret_edited = (struct netd_file){.is_list = true};
	must(netd_edit(list, entry, &ret_edited->text, &err) == 0);
	ret_edited->len = strlen(ret_edited->text);
	ret_edited->json = netd_parse(ret_edited->text, ret_edited->len, NULL);
	must(json_equal(ret_edited->json, right));
	json_decref(right);
}

static void forget(struct netd_file *file)
{
	json_decref(file->json);
	free(file->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netd_file list = {.is_list = true, .len = size}, with, back;
	json_t *entry = json_loads(ENTRY, 0, NULL);

	list.text = strndup((const char *)data, size);
	list.len = strlen(list.text);
	list.json = netd_parse(list.text, list.len, NULL);
	if (json_is_array(json_object_get(list.json, "plugins"))) {
		edit(&list, entry, &with);
		edit(&with, NULL, &back);
		must(netd_count_entries(list.json) || !strcmp(back.text, list.text));
		forget(&with);
		forget(&back);
	}
	json_decref(entry);
	forget(&list);
	return 0;
}
