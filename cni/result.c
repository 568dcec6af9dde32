/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/result.h"

#include <stdlib.h>
#include <string.h>

#include "cni/protocol.h"
#include "cni/span.h"
#include "common/cleanup.h"
#include "common/file.h"

#define PREVIOUS "prevResult"

/* --- ADD --- */

json_t *result_previous(const struct request *request)
{
	json_t *previous = json_object_get(request->conf, PREVIOUS);

	return json_is_null(previous) ? NULL : previous;
}

int result_check_previous(const struct request *request, struct failure *failure)
{
	json_t *previous = result_previous(request);

	if (!previous)
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "required prevResult missing: this plugin makes no network, put "
				   "it behind one that does in the list of \"plugins\"");
	if (!json_is_object(previous))
		return failure_set(failure, FAILURE_DECODE, "prevResult is not an object");
	return 0;
}

static int out_of_memory(struct failure *failure)
{
	return failure_set(failure, FAILURE_INTERNAL, "out of memory for the result");
}

/* Its own bytes, with `inserted` behind the opening brace. */
static int compose_bytes(struct span result, const char *inserted, char **ret_text,
			 struct failure *failure)
{
	size_t len = strlen(inserted);
	char *text = malloc(result.len + len + 1);

	if (!text)
		return out_of_memory(failure);
	text[0] = '{';
	memcpy(text + 1, inserted, len);
	memcpy(text + 1 + len, result.data + 1, result.len - 1);
	text[len + result.len] = '\0';
	*ret_text = text;
	return 0;
}

static int compose_converted(const struct request *request, const char *from, char **ret_text,
			     struct failure *failure)
{
	json_t *result = json_deep_copy(result_previous(request));
	int rc = -1;

	if (!protocol_is_supported(from))
		failure_set(failure, FAILURE_VERSION,
			    "the plugin before answers in CNI \"%.20s\", which has no chains; give "
			    "the network's list a cniVersion from 0.3.1 on",
			    from);
	else if (!result)
		out_of_memory(failure);
	else
		rc = protocol_convert(result, from, request->version, failure);
	if (rc == 0 && !(*ret_text = json_dumps(result, JSON_COMPACT)))
		rc = out_of_memory(failure);
	json_decref(result);
	return rc;
}

int result_compose(const struct request *request, char **ret_text, struct failure *failure)
{
	json_t *previous = result_previous(request), *version;
	struct span whole = {request->text, request->text_len}, bytes;
	const char *from, *own;
	char inserted[64];

	if (result_check_previous(request, failure) < 0)
		return -1;
	version = json_object_get(previous, "cniVersion");
	own = json_string_value(version);
	from = own && *own ? own : request->version; /* old plugins do not say */
	if (strcmp(from, request->version) != 0 || (version && from != own) ||
	    !span_find(whole, PREVIOUS, &bytes))
		return compose_converted(request, from, ret_text, failure);
	if (version)
		return compose_bytes(bytes, "", ret_text, failure);
	snprintf(inserted, sizeof(inserted), "\"cniVersion\":\"%s\"%s", request->version,
		 json_object_size(previous) ? "," : "");
	return compose_bytes(bytes, inserted, ret_text, failure);
}

/* --- writing --- */

bool result_write(int fd, const char *text)
{
	return file_write_all(fd, text, strlen(text)) == 0;
}

static bool write_json(int fd, json_t *json)
{
	cleanup_free char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text && result_write(fd, text);
}

/* Words may quote what came from outside, cut anywhere: only UTF-8 can be told. */
static json_t *words(const char *text)
{
	json_t *json = json_string(text);

	if (!json) {
		char ascii[sizeof(((struct err *)NULL)->msg)];
		size_t i = 0;

		for (; text[i] && i < sizeof(ascii) - 1; i++)
			ascii[i] = text[i] & (char)0x80 ? '?' : text[i];
		ascii[i] = '\0';
		json = json_string(ascii);
	}
	return json;
}

bool result_write_failure(int fd, const char *version, const struct failure *failure)
{
	json_t *json = json_pack("{s:s, s:i, s:o}", "cniVersion", version, "code",
				 (int)failure->code, "msg", words(failure->err.msg));

	if (json && *failure->details)
		json_object_set_new(json, "details", words(failure->details));
	return write_json(fd, json);
}

bool result_write_versions(int fd, const char *asked)
{
	json_t *list = json_array();

	for (size_t i = 0; list && protocol_supported[i]; i++)
		json_array_append_new(list, json_string(protocol_supported[i]));
	return write_json(fd,
			  json_pack("{s:s, s:o}", "cniVersion", asked, "supportedVersions", list));
}
