/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/kube.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/pod.h"
#include "common/log.h"
#include "iptables/xt_exec.h"

#define NAME_BYTES 256 /* and no name of Kubernetes is longer */
#define OUTPUT_MAX ((size_t)4 * 1024 * 1024)

/* Beside us, whatever PATH says. */
static void find_program(char ret_path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret_path, PATH_MAX - sizeof(KUBE_PROGRAM) - 1);
	char *slash;

	ret_path[n > 0 ? n : 0] = '\0';
	slash = strrchr(ret_path, '/');
	memcpy(slash ? slash + 1 : ret_path, KUBE_PROGRAM, sizeof(KUBE_PROGRAM));
}

static int require_program(char ret_path[PATH_MAX], struct failure *failure)
{
	find_program(ret_path);
	if (access(ret_path, X_OK) == 0)
		return 0;
	return failure_set(failure, FAILURE_CONFIGURATION,
			   "%s is not there, which the plugin's \"kubeconfig\" needs: install it "
			   "beside the plugin",
			   ret_path);
}

/* "" where it is not given; what is too long is no name in Kubernetes. */
static void copy_arg(const struct request *request, const char *key, char ret[NAME_BYTES])
{
	size_t len = 0;
	const char *value = request_arg(request, key, &len);

	snprintf(ret, NAME_BYTES, "%.*s", len < NAME_BYTES ? (int)len : 0, value ? value : "");
}

static int read_output(const struct xt_result *result, json_t **ret_annotations,
		       struct failure *failure)
{
	if (result->status != 0)
		return failure_set(failure,
				   result->status == KUBE_EXIT_NEVER ? FAILURE_CONFIGURATION
								     : FAILURE_AGAIN,
				   "the pod's annotations are not known: %.300s",
				   *result->complaint ? result->complaint
						      : "asking the Kubernetes API took too long");
	*ret_annotations = json_loadb(result->output, result->output_len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(*ret_annotations)) {
		json_decref(*ret_annotations);
		return failure_set(failure, FAILURE_INTERNAL, KUBE_PROGRAM " prints nonsense");
	}
	return 0;
}

static int ask(const struct request *request, const struct conf *conf, json_t **ret_annotations,
	       struct failure *failure)
{
	char program[PATH_MAX], timeout[16], retries[16];
	char namespace[NAME_BYTES], name[NAME_BYTES], uid[NAME_BYTES];
	const char *const argv[] = {
		program, "--kubeconfig", conf->kubeconfig, "--namespace", namespace,
		"--pod", name,           "--uid",          uid,           "--timeout",
		timeout, "--retries",    retries,          NULL,
	};
	struct xt_result result;
	int rc;

	copy_arg(request, REQUEST_POD_NAMESPACE, namespace);
	copy_arg(request, REQUEST_POD_NAME, name);
	copy_arg(request, REQUEST_POD_UID, uid);
	snprintf(timeout, sizeof(timeout), "%u", conf->api_timeout_s);
	snprintf(retries, sizeof(retries), "%u", conf->api_retries);
	if (require_program(program, failure) < 0)
		return -1;
	if (xt_run(argv, NULL, OUTPUT_MAX, &result, &failure->err) < 0)
		rc = failure_is(failure, FAILURE_IO);
	else
		rc = read_output(&result, ret_annotations, failure);
	free(result.output);
	return rc;
}

/* What it would answer has no weight, or is known. */
static bool is_needless(const struct request *request, const struct conf *conf)
{
	const char *namespace;
	size_t len;

	namespace = request_arg(request, REQUEST_POD_NAMESPACE, &len);
	return !conf->kubeconfig || !namespace || conf_excludes(conf, namespace, len) ||
	       request_capability(request, REQUEST_ANNOTATIONS_KEY) ||
	       request_arg(request, REQUEST_CONFIG, &len);
}

/* As the runtime would have. */
static int tell(json_t *conf, json_t *annotations, struct failure *failure)
{
	json_t *runtime = json_object_get(conf, "runtimeConfig");

	if (!json_is_object(runtime)) {
		json_object_set_new(conf, "runtimeConfig", json_object());
		runtime = json_object_get(conf, "runtimeConfig");
	}
	if (json_object_set_new(runtime, REQUEST_ANNOTATIONS_KEY, annotations) < 0)
		return failure_set(failure, FAILURE_INTERNAL, "out of memory");
	return 0;
}

int kube_ask(const struct request *request, struct failure *failure)
{
	json_t *annotations = NULL;
	struct conf conf;

	if (conf_read(request->conf, &conf, failure) < 0)
		return -1;
	if (is_needless(request, &conf))
		return 0;
	if (ask(request, &conf, &annotations, failure) == 0)
		return tell(request->conf, annotations, failure);
	if (!conf.skip_on_api_failure)
		return -1;
	log_warning("the pod is taken for one without annotations, as on_api_failure says",
		    "container=%s reason=\"%s\"", request->container, failure->err.msg);
	return 0;
}

/* A runtime that is told to pass the annotations does, for what we know. */
int kube_check(const struct request *request, struct failure *failure)
{
	json_t *capabilities = json_object_get(request->conf, "capabilities");
	char program[PATH_MAX];
	struct conf conf;

	if (conf_read(request->conf, &conf, failure) < 0)
		return -1;
	if (!conf.kubeconfig || conf.skip_on_api_failure ||
	    json_is_true(json_object_get(capabilities, REQUEST_ANNOTATIONS_KEY)))
		return 0;
	if (access(conf.kubeconfig, R_OK) < 0)
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "cannot read the kubeconfig %.200s: %s", conf.kubeconfig,
				   err_text(errno));
	return require_program(program, failure);
}
