/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/cache.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/base64.h"
#include "cni/netd.h"
#include "cni/protocol.h"
#include "common/cleanup.h"
#include "common/file.h"

#define KIND "cniCacheV1"

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static json_t *decode_list(const json_t *json)
{
	json_t *config = json_object_get(json, "config"), *list = NULL;
	char *text;
	size_t len;

	if (json_is_string(config) &&
	    base64_decode(json_string_value(config), json_string_length(config), &text, &len)) {
		list = netd_parse(text, len, NULL);
		free(text);
	}
	return list;
}

/* [["K", "V"], ...] as K=V;... */
static char *join_args(const json_t *json)
{
	json_t *list = json_object_get(json, "cniArgs"), *pair;
	size_t i, size = 1, used = 0;
	char *args;

	json_array_foreach(list, i, pair)
	{
		size += json_string_length(json_array_get(pair, 0)) +
			json_string_length(json_array_get(pair, 1)) + 2;
	}
	if (!(args = calloc(1, size)))
		return NULL;
	json_array_foreach(list, i, pair)
	{
		const char *key = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));

		if (key && value)
			used += (size_t)snprintf(args + used, size - used, "%s%s=%s",
						 used ? ";" : "", key, value);
	}
	return args;
}

/* Old versions do not keep it, but the interface in the pod is known by it. */
static const char *find_netns(const json_t *json, const char *ifname)
{
	json_t *interfaces = json_object_get(json_object_get(json, "result"), "interfaces");
	const char *netns = text_of(json, "netns");
	json_t *interface;
	size_t i;

	if (*netns)
		return netns;
	json_array_foreach(interfaces, i, interface)
	{
		const char *sandbox = text_of(interface, "sandbox");

		if (*sandbox && !strcmp(text_of(interface, "name"), ifname))
			return sandbox;
	}
	return "";
}

int cache_read(const char *text, size_t len, cache_fn *each, void *arg)
{
	struct cache_entry entry = {.json = json_loadb(text, len, JSON_ALLOW_NUL, NULL)};
	int rc = 0;

	if (!strcmp(text_of(entry.json, "kind"), KIND)) {
		entry.list = decode_list(entry.json);
		entry.container = text_of(entry.json, "containerId");
		entry.ifname = text_of(entry.json, "ifName");
		entry.network = text_of(entry.json, "networkName");
		entry.netns = find_netns(entry.json, entry.ifname);
		if ((entry.args = join_args(entry.json)))
			rc = each(&entry, arg);
	}
	free(entry.args);
	json_decref(entry.list);
	json_decref(entry.json);
	return rc;
}

static int visit(const char *path, cache_fn *each, void *arg)
{
	cleanup_free char *text = NULL;
	size_t len;

	if (file_read(path, REQUEST_BYTES_MAX, &text, &len, NULL) < 0)
		return 0;
	return cache_read(text, len, each, arg);
}

int cache_each(const char *dir, cache_fn *each, void *arg)
{
	cleanup_dir DIR *files = opendir(dir);
	struct dirent *file;
	int rc = files ? 0 : -1;

	while (rc == 0 && (file = readdir(files))) {
		char path[PATH_MAX];

		if (file->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, file->d_name) < (int)sizeof(path))
			rc = visit(path, each, arg);
	}
	return rc;
}

bool cache_request(const struct cache_entry *cached, json_t *entry, struct request *ret_request)
{
	json_t *capabilities = json_object_get(cached->json, "capabilityArgs");
	json_t *result = json_object_get(cached->json, "result");
	json_t *version = json_object_get(result, "cniVersion");
	json_t *conf = json_deep_copy(entry);

	*ret_request = (struct request){
		.container = cached->container,
		.ifname = cached->ifname,
		.netns = cached->netns,
		.args = cached->args,
		.network = cached->network,
		.version = json_string_value(version),
	};
	if (!conf || !ret_request->version || !protocol_is_supported(ret_request->version) ||
	    json_object_set(conf, "cniVersion", version) < 0 ||
	    json_object_set_new(conf, "name", json_string(cached->network)) < 0 ||
	    json_object_set(conf, "prevResult", result) < 0 ||
	    (capabilities && json_object_set(conf, "runtimeConfig", capabilities) < 0) ||
	    request_check_environment(ret_request, REQUEST_CONTAINER | REQUEST_IFNAME,
				      &(struct failure){0}) < 0) {
		json_decref(conf);
		return false;
	}
	ret_request->conf = conf;
	return true;
}
