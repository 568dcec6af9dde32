/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/protocol.h"

#include <stdio.h>
#include <string.h>

const char *const protocol_supported[] = {"0.3.0", "0.3.1",         "0.4.0",
					  "1.0.0", PROTOCOL_NEWEST, NULL};

/* Since then an address does not say of which family it is, and interfaces say more. */
#define PROTOCOL_FAMILY_IMPLIED "1.0.0"

/* Its place among the supported ones, or -1. */
static int rank(const char *version)
{
	for (int i = 0; protocol_supported[i]; i++) {
		if (!strcmp(protocol_supported[i], version))
			return i;
	}
	return -1;
}

bool protocol_is_supported(const char *version)
{
	return rank(version) >= 0;
}

bool protocol_is_since(const char *version, const char *since)
{
	return rank(version) >= rank(since);
}

int protocol_check(const char *version, struct failure *failure)
{
	size_t used;

	if (protocol_is_supported(version))
		return 0;
	failure_set(failure, FAILURE_VERSION, "incompatible CNI versions");
	used = (size_t)snprintf(failure->details, sizeof(failure->details),
				"config is \"%.32s\", plugin supports [", version);
	for (size_t i = 0; protocol_supported[i]; i++)
		used += (size_t)snprintf(failure->details + used, sizeof(failure->details) - used,
					 "%s\"%s\"", i ? " " : "", protocol_supported[i]);
	snprintf(failure->details + used, sizeof(failure->details) - used, "]");
	return -1;
}

static int keep_only(json_t *object, const char *const *names)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value)
	{
		const char *const *name = names;

		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name && json_object_del(object, key) < 0)
			return -1;
	}
	return 0;
}

/* Interfaces say less, addresses of which family they are. */
static int make_older(json_t *result)
{
	static const char *const interface_names[] = {"name", "mac", "sandbox", NULL};
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(result, "interfaces"), i, item)
	{
		if (keep_only(item, interface_names) < 0)
			return -1;
	}
	json_array_foreach(json_object_get(result, "ips"), i, item)
	{
		const char *address = json_string_value(json_object_get(item, "address"));
		const char *family = address && strchr(address, ':') ? "6" : "4";

		if (!address || json_object_set_new(item, "version", json_string(family)) < 0)
			return -1;
	}
	return 0;
}

static void make_newer(json_t *result)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(result, "ips"), i, item)
		json_object_del(item, "version");
}

int protocol_convert(json_t *result, const char *from, const char *to, struct failure *failure)
{
	bool was_newer = protocol_is_since(from, PROTOCOL_FAMILY_IMPLIED);
	bool is_newer = protocol_is_since(to, PROTOCOL_FAMILY_IMPLIED);

	if (is_newer && !was_newer)
		make_newer(result);
	if ((!is_newer && was_newer && make_older(result) < 0) ||
	    json_object_set_new(result, "cniVersion", json_string(to)) < 0)
		return failure_set(failure, FAILURE_DECODE,
				   "the result of the plugin before cannot be said in CNI %s: an "
				   "address is missing in its \"ips\"",
				   to);
	return 0;
}
