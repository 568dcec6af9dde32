/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table as Kuma's data plane serves it at GET /dns. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "resolver/load.h"

static int load_ips(struct load *load, const char *source, size_t index, const json_t *name,
		    const json_t *ips, uint32_t ttl, struct err *err)
{
	const json_t *ip;
	size_t i;
	int rc = 0;

	json_array_foreach(ips, i, ip)
	{
		char place[64];

		snprintf(place, sizeof(place), "records[%zu].ips[%zu]", index, i);
		if (!json_is_string(ip)) {
			load_skip(load, source, place, "not a string");
			continue;
		}
		rc = load_record(load, source, place, json_string_value(name),
				 json_string_length(name), json_string_value(ip),
				 json_string_length(ip), ttl, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int load_records(struct load *load, const char *source, const json_t *records, uint32_t ttl,
			struct err *err)
{
	const json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		const json_t *name = json_object_get(record, "name");
		const json_t *ips = json_object_get(record, "ips");
		int rc;

		if (!json_is_string(name) || !json_is_array(ips)) {
			char place[32];

			snprintf(place, sizeof(place), "records[%zu]", i);
			load_skip(load, source, place,
				  "wants a string \"name\" and a list \"ips\"");
			continue;
		}
		if ((rc = load_ips(load, source, i, name, ips, ttl, err)) < 0)
			return rc;
	}
	return 0;
}

/* "ttl" in seconds; absent means the default. A bad one is skipped, not the table. */
static uint32_t table_ttl(struct load *load, const char *source, const json_t *root)
{
	const json_t *ttl = json_object_get(root, "ttl");
	json_int_t value = json_integer_value(ttl);

	if (!ttl)
		return load->ttl;
	if (!json_is_integer(ttl) || value < 0 || value > NAMES_TTL_MAX) {
		load_skip(load, source, "ttl", "not a number of seconds; the default is used");
		return load->ttl;
	}
	return (uint32_t)value;
}

int load_json(struct load *load, const char *source, const char *text, size_t len, struct err *err)
{
	json_error_t why;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	const json_t *records = json_object_get(root, "records");
	int rc;

	if (!root)
		rc = err_set(err, EINVAL, "%s, line %d: %s", source, why.line, why.text);
	else if (!json_is_array(records))
		rc = err_set(err, EINVAL, "%s: no list \"records\" in it", source);
	else
		rc = load_records(load, source, records, table_ttl(load, source, root), err);
	json_decref(root);
	return rc;
}
