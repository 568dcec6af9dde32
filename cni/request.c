/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/request.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cni/protocol.h"
#include "common/cleanup.h"

#define CHUNK 4096

void request_free(struct request *request)
{
	free(request->text);
	json_decref(request->conf);
	*request = (struct request){0};
}

/* --- environment --- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

void request_read_environment(struct request *request)
{
	*request = (struct request){
		.container = variable("CNI_CONTAINERID"),
		.netns = variable("CNI_NETNS"),
		.ifname = variable("CNI_IFNAME"),
		.args = variable("CNI_ARGS"),
		.version = "",
		.network = "",
	};
}

/* The specification's pattern for ids and for names of networks. */
static bool is_name(const char *text)
{
	if (!isalnum((unsigned char)*text))
		return false;
	while (isalnum((unsigned char)*text) || (*text && strchr("_.-", *text)))
		text++;
	return !*text;
}

static bool is_ifname(const char *text)
{
	size_t len = strlen(text);

	if (!len || len >= IFNAMSIZ || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++) {
		if (*text == '/' || *text == ':' || isspace((unsigned char)*text))
			return false;
	}
	return true;
}

int request_check_environment(const struct request *request, unsigned int needs,
			      struct failure *failure)
{
	const struct {
		unsigned int need;
		const char *name, *value;
	} variables[] = {
		{REQUEST_CONTAINER, "CNI_CONTAINERID", request->container},
		{REQUEST_NETNS, "CNI_NETNS", request->netns},
		{REQUEST_IFNAME, "CNI_IFNAME", request->ifname},
	};
	char missing[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		size_t used = strlen(missing);

		if (needs & variables[i].need && !*variables[i].value)
			snprintf(missing + used, sizeof(missing) - used, "%s%s", used ? "," : "",
				 variables[i].name);
	}
	if (*missing)
		return failure_set(failure, FAILURE_ENVIRONMENT,
				   "required env variables [%s] missing", missing);
	if (needs & REQUEST_CONTAINER && !is_name(request->container))
		return failure_set(failure, FAILURE_ENVIRONMENT,
				   "invalid characters in containerID: CNI_CONTAINERID is "
				   "\"%.100s\"",
				   request->container);
	if (needs & REQUEST_CONTAINER && strlen(request->container) > REQUEST_ID_MAX)
		return failure_set(failure, FAILURE_ENVIRONMENT,
				   "CNI_CONTAINERID is longer than %d bytes", REQUEST_ID_MAX);
	if (needs & REQUEST_IFNAME && !is_ifname(request->ifname))
		return failure_set(failure, FAILURE_ENVIRONMENT,
				   "CNI_IFNAME \"%.100s\" is no name of an interface",
				   request->ifname);
	return 0;
}

const char *request_arg(const struct request *request, const char *key, size_t *ret_len)
{
	size_t key_len = strlen(key);
	const char *pair = request->args;

	while (*pair) {
		size_t len = strcspn(pair, ";");

		if (len > key_len && pair[key_len] == '=' && !strncmp(pair, key, key_len)) {
			*ret_len = len - key_len - 1;
			return pair + key_len + 1;
		}
		pair += len + (pair[len] == ';');
	}
	return NULL;
}

/* --- standard input --- */

int request_read_input(struct request *request, int fd, struct failure *failure)
{
	size_t size = 0;
	ssize_t n = 1;

	while (n != 0) {
		if (size - request->text_len < 2) {
			char *grown = realloc(request->text, size = 2 * size + CHUNK);

			if (!grown)
				return failure_set(failure, FAILURE_IO,
						   "out of memory for standard input");
			request->text = grown;
		}
		n = read(fd, request->text + request->text_len, size - request->text_len - 1);
		if (n < 0 && errno != EINTR)
			return failure_set(failure, FAILURE_IO, "cannot read standard input: %s",
					   err_text(errno));
		request->text_len += n > 0 ? (size_t)n : 0;
		if (request->text_len > REQUEST_BYTES_MAX)
			return failure_set(failure, FAILURE_IO,
					   "standard input is larger than %zu bytes, the limit",
					   REQUEST_BYTES_MAX);
	}
	request->text[request->text_len] = '\0';
	return 0;
}

static int check_conf(struct request *request, struct failure *failure)
{
	json_t *version = json_object_get(request->conf, "cniVersion");
	json_t *name = json_object_get(request->conf, "name");
	const char *said = json_string_value(version);

	if (version && !said && !json_is_null(version))
		return failure_set(failure, FAILURE_DECODE, "cniVersion is not a string");
	request->version = said && *said ? said : "0.1.0"; /* as the specification has it */
	if (protocol_check(request->version, failure) < 0)
		return -1;
	if (!name)
		return failure_set(failure, FAILURE_CONFIGURATION, "missing network name");
	request->network = json_string_value(name);
	if (!request->network || !is_name(request->network)) {
		failure_set(failure, FAILURE_CONFIGURATION,
			    "invalid characters found in network name: \"%.100s\"",
			    request->network ? request->network : "");
		request->network = "";
		return -1;
	}
	return 0;
}

int request_parse(struct request *request, struct failure *failure)
{
	json_error_t error;

	request->conf = json_loadb(request->text, request->text_len, JSON_ALLOW_NUL, &error);
	if (!request->conf)
		return failure_set(failure, FAILURE_DECODE,
				   "standard input is not JSON: line %d, column %d: %s", error.line,
				   error.column, error.text);
	if (!json_is_object(request->conf)) {
		json_decref(request->conf);
		request->conf = NULL;
		return failure_set(failure, FAILURE_DECODE, "standard input is not a JSON object");
	}
	return check_conf(request, failure);
}

json_t *request_member(json_t *object, const char *key)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (!strcasecmp(name, key))
			return value;
	}
	return NULL;
}

json_t *request_capability(const struct request *request, const char *key)
{
	return request_member(json_object_get(request->conf, "runtimeConfig"), key);
}
