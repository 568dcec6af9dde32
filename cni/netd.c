/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/netd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/span.h"
#include "common/cleanup.h"
#include "common/file.h"

#define FILE_MAX ((size_t)1024 * 1024)

void netd_free(struct netd *netd)
{
	for (size_t i = 0; i < netd->n; i++) {
		json_decref(netd->files[i].json);
		free(netd->files[i].text);
	}
	free(netd->files);
	*netd = (struct netd){0};
}

/* --- reading --- */

static bool ends(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && !strcmp(text + len - end_len, end);
}

static int is_configuration(const struct dirent *entry)
{
	return ends(entry->d_name, ".conf") || ends(entry->d_name, ".conflist") ||
	       ends(entry->d_name, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool has_text(const json_t *json, const char *key)
{
	return json_string_length(json_object_get(json, key)) > 0;
}

/* What a runtime asks of it; NULL: nothing more. */
static const char *why_not_valid(const json_t *json, bool is_list)
{
	const json_t *plugins = json_object_get(json, "plugins"), *plugin;
	size_t i;

	if (!json_is_object(json))
		return "it is not a JSON object";
	if (!has_text(json, "name"))
		return "it has no name";
	if (!is_list)
		return has_text(json, "type") ? NULL : "it has no type";
	if (!json_is_array(plugins) || !json_array_size(plugins))
		return "it has no plugins";
	json_array_foreach(plugins, i, plugin)
	{
		if (!has_text(plugin, "type"))
			return "one of its plugins has no type";
	}
	return NULL;
}

json_t *netd_parse(const char *text, size_t len, json_error_t *error)
{
	return json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, error);
}

static void read_file(const char *dir, struct netd_file *file)
{
	json_error_t error;
	const char *why;
	struct err err = {0};
	char path[PATH_MAX];

	file->is_list = ends(file->name, ".conflist");
	snprintf(path, sizeof(path), "%s/%s", dir, file->name);
	if (file_read(path, FILE_MAX, &file->text, &file->len, &err) < 0) {
		snprintf(file->why_not, sizeof(file->why_not), "%.127s", err.msg);
		return;
	}
	file->json = netd_parse(file->text, file->len, &error);
	why = file->json ? why_not_valid(file->json, file->is_list) : error.text;
	if (why) {
		snprintf(file->why_not, sizeof(file->why_not), "%.127s", why);
		json_decref(file->json);
		file->json = NULL;
	}
}

static size_t choose(const struct netd *netd, const char *name)
{
	size_t i = 0;

	while (i < netd->n &&
	       (!netd->files[i].json || (name && strcmp(netd->files[i].name, name) != 0)))
		i++;
	return i;
}

int netd_read(const char *dir, const char *name, struct netd *ret_netd, struct err *err)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_configuration, by_name), rc = 0;
	struct netd_file *files;

	*ret_netd = (struct netd){0};
	if (n < 0)
		return err_set(err, errno, "cannot read %s: %s", dir, err_text(errno));
	if (!(files = calloc((size_t)n + 1, sizeof(*files))))
		rc = err_set(err, ENOMEM, "out of memory for %s", dir);
	for (int i = 0; i < n; i++) {
		if (files) {
			snprintf(files[i].name, sizeof(files[i].name), "%s", entries[i]->d_name);
			read_file(dir, &files[i]);
		}
		free(entries[i]);
	}
	free(entries);
	if (!files)
		return rc;
	*ret_netd = (struct netd){.n = (size_t)n, .files = files};
	ret_netd->chosen = choose(ret_netd, name);
	return 0;
}

const char *netd_network(const struct netd_file *file)
{
	return json_string_value(json_object_get(file->json, "name"));
}

/* --- lists --- */

bool netd_is_ours(const json_t *plugin)
{
	const char *type = json_string_value(json_object_get(plugin, "type"));

	return type && !strcmp(type, NETD_PLUGIN);
}

size_t netd_count_entries(const json_t *list)
{
	json_t *plugin;
	size_t i, n = 0;

	json_array_foreach(json_object_get(list, "plugins"), i, plugin) n += netd_is_ours(plugin);
	return n;
}

static bool find_plugins(const struct netd_file *list, struct span *ret_array)
{
	return span_find((struct span){list->text, list->len}, "plugins", ret_array);
}

/* --- as text --- */

static void put(const char *from, const char *to, FILE *out)
{
	fwrite(from, 1, (size_t)(to - from), out);
}

static void put_edited(const struct netd_file *list, struct span array, const json_t *entry,
		       FILE *out)
{
	const json_t *plugins = json_object_get(list->json, "plugins");
	const char *seen = array.data + 1, *indent = seen, *indent_end = seen;
	struct span item = {0};
	bool any = false;

	put(list->text, seen, out);
	for (size_t i = 0; span_next(array, &item); i++) {
		const char *comma = memchr(seen, ',', (size_t)(item.data - seen));
		const char *blanks = comma ? comma + 1 : seen;

		if (!netd_is_ours(json_array_get(plugins, i))) {
			put(any ? seen : blanks, item.data + item.len, out);
			indent = blanks;
			indent_end = item.data;
			any = true;
		}
		seen = item.data + item.len;
	}
	if (entry) {
		fputs(any ? "," : "", out);
		put(indent, indent_end, out);
		json_dumpf(entry, out, 0);
	}
	put(seen, list->text + list->len, out);
}

/* Closes `out`, which has written to *text, and takes that away where not all could be written. */
static int finish(FILE *out, char **text, struct err *err)
{
	bool failed = ferror(out);

	if (fclose(out) == 0 && !failed)
		return 0;
	free(take_ptr(text));
	return err_set(err, ENOMEM, "out of memory for a network's configuration");
}

int netd_edit(const struct netd_file *list, const json_t *entry, char **ret_text, struct err *err)
{
	struct span array;
	size_t len;
	FILE *out;

	if (!find_plugins(list, &array) || !(out = open_memstream(ret_text, &len)))
		return err_set(err, ENOMEM, "out of memory for %s", list->name);
	put_edited(list, array, entry, out);
	return finish(out, ret_text, err);
}

/* The plugin keeps its name and version, as it does when a runtime wraps it. */
int netd_wrap(const struct netd_file *single, const json_t *entry, char **ret_text, struct err *err)
{
	const json_t *version = json_object_get(single->json, "cniVersion");
	size_t len;
	FILE *out = open_memstream(ret_text, &len);

	if (!out)
		return err_set(err, ENOMEM, "out of memory for %s", single->name);
	fputs("{\n  ", out);
	if (version) {
		fputs("\"cniVersion\": ", out);
		json_dumpf(version, out, JSON_ENCODE_ANY);
		fputs(",\n  ", out);
	}
	fputs("\"name\": ", out);
	json_dumpf(json_object_get(single->json, "name"), out, JSON_ENCODE_ANY);
	fputs(",\n  \"plugins\": [\n    ", out);
	put(strchr(single->text, '{'), strrchr(single->text, '}') + 1, out);
	fputs(",\n    ", out);
	json_dumpf(entry, out, 0);
	fputs("\n  ]\n}\n", out);
	return finish(out, ret_text, err);
}

/* --- files that are dropped in --- */

void netd_drop_in_path(const char *dir, const char *network, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s/" NETD_DROP_IN, dir, network);
}

bool netd_takes_drop_ins(const struct netd_file *file)
{
	const char *network = netd_network(file);

	return file->is_list && !strchr(network, '/') && network[0] != '.' &&
	       !json_is_true(json_object_get(file->json, "loadOnlyInlinedPlugins"));
}

/* Of the text, for to us a number may be none but an integer. */
static json_t *read_entry(const struct netd_file *list)
{
	struct span array, item = {0};

	for (size_t i = 0; find_plugins(list, &array) && span_next(array, &item); i++) {
		if (netd_is_ours(json_array_get(json_object_get(list->json, "plugins"), i)))
			return json_loadb(item.data, item.len, JSON_ALLOW_NUL, NULL);
	}
	return NULL;
}

json_t *netd_entry_in_effect(const char *dir, const struct netd_file *file)
{
	char path[PATH_MAX];

	if (netd_count_entries(file->json))
		return read_entry(file);
	if (!netd_takes_drop_ins(file))
		return NULL;
	netd_drop_in_path(dir, netd_network(file), path);
	return json_load_file(path, JSON_ALLOW_NUL, NULL);
}
