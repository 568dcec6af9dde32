/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a runtime hands over: the first line is CNI_ARGS, the rest standard input, with the pod's
 * annotations in it. What is composed of it must be JSON again, and what is remembered the same
 * pod.
 */
#include <stdlib.h>
#include <string.h>

#include "cni/pod.h"
#include "cni/result.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_answer(const struct request *request)
{
	cleanup_free char *answer = NULL;
	struct failure failure = {0};
	json_t *json;

	if (result_compose(request, &answer, &failure) < 0) {
		must(failure.code && *failure.err.msg);
		return;
	}
	json = json_loads(answer, JSON_ALLOW_NUL, NULL);
	must(json_is_object(json));
	must(!strcmp(json_string_value(json_object_get(json, "cniVersion")), request->version));
	json_decref(json);
}

static void check_remembered(const struct request *request, const struct pod *pod)
{
	cleanup_request struct request again = *request;
	cleanup_pod struct pod same = {0};
	struct failure failure = {0};

	again.text = NULL;
	again.conf = pod_reduce(request);
	must(pod_read(&again, &same, &failure) == 0 && same.wanted == pod->wanted);
	must(plan_diff(&pod->plan, &same.plan, NULL, NULL) == 0);
}

static void check_pod(const struct request *request)
{
	cleanup_pod struct pod pod = {0};
	struct failure failure = {0};

	if (pod_read(request, &pod, &failure) < 0) {
		must(failure.code && *failure.err.msg);
		return;
	}
	must(pod.why);
	if (!pod.wanted)
		return;
	must(plan_validate(&pod.plan, &failure.err) == 0);
	must(!pod.settings.netns && !pod.settings.dry_run);
	check_remembered(request, &pod);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	size_t line = line_end ? (size_t)(line_end - data) : 0;
	cleanup_free char *args = strndup((const char *)data, line);
	size_t skipped = line_end ? line + 1 : 0;
	cleanup_request struct request request = {.container = "c",
						  .netns = "",
						  .ifname = "eth0",
						  .args = args,
						  .text = malloc(size - skipped + 1),
						  .text_len = size - skipped,
						  .version = "",
						  .network = ""};
	struct failure failure = {0};

	log_set_level(LOG_LEVEL_ERROR);
	must(args && request.text);
	memcpy(request.text, data + skipped, size - skipped);
	request.text[size - skipped] = '\0';
	if (request_parse(&request, &failure) < 0) {
		must(failure.code && *failure.err.msg);
		return 0;
	}
	check_answer(&request);
	check_pod(&request);
	return 0;
}
