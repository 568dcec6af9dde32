/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/netd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define FILE_MAX ((size_t)1024 * 1024)

void netd_free(struct netd *netd)
{
	for (size_t i = 0; i < netd->n; i++)
		json_decref(netd->files[i].json);
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

static void read_file(const char *dir, struct netd_file *file)
{
	cleanup_free char *text = NULL;
	json_error_t error;
	const char *why;
	struct err err = {0};
	char path[PATH_MAX];
	size_t len;

	file->is_list = ends(file->name, ".conflist");
	snprintf(path, sizeof(path), "%s/%s", dir, file->name);
	if (file_read(path, FILE_MAX, &text, &len, &err) < 0) {
		snprintf(file->why_not, sizeof(file->why_not), "%.127s", err.msg);
		return;
	}
	file->json = json_loadb(text, len, JSON_ALLOW_NUL, &error);
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

static bool is_ours(const json_t *plugin)
{
	const char *type = json_string_value(json_object_get(plugin, "type"));

	return type && !strcmp(type, NETD_PLUGIN);
}

json_t *netd_find_entry(const json_t *list)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(json_object_get(list, "plugins"), i, plugin)
	{
		if (is_ours(plugin))
			return plugin;
	}
	return NULL;
}

json_t *netd_without_entry(const json_t *list)
{
	json_t *copy = json_deep_copy(list), *plugins = json_object_get(copy, "plugins");

	for (size_t i = json_array_size(plugins); i > 0; i--) {
		if (is_ours(json_array_get(plugins, i - 1)))
			json_array_remove(plugins, i - 1);
	}
	return copy;
}

json_t *netd_with_entry(const json_t *list, json_t *entry)
{
	json_t *copy = netd_without_entry(list);

	if (copy && json_array_append(json_object_get(copy, "plugins"), entry) < 0) {
		json_decref(copy);
		copy = NULL;
	}
	return copy;
}

/* Name and version are the list's. */
json_t *netd_wrap(const json_t *single)
{
	json_t *plugin = json_deep_copy(single), *list;
	json_t *version = json_object_get(single, "cniVersion");

	list = json_pack("{s:O*, s:O, s:[O]}", "cniVersion", version, "name",
			 json_object_get(single, "name"), "plugins", plugin);
	json_object_del(plugin, "cniVersion");
	json_object_del(plugin, "name");
	json_decref(plugin);
	return list;
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

json_t *netd_entry_in_effect(const char *dir, const struct netd_file *file)
{
	json_t *entry = netd_find_entry(file->json);
	char path[PATH_MAX];

	if (entry)
		return json_incref(entry);
	if (!netd_takes_drop_ins(file))
		return NULL;
	netd_drop_in_path(dir, netd_network(file), path);
	return json_load_file(path, JSON_ALLOW_NUL, NULL);
}
