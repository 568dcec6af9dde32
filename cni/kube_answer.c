/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/kube_answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define STATIC_UID "kubernetes.io/config.hash"

static bool says(const json_t *object, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && !strcmp(text, expected);
}

static bool is_pod(const json_t *json)
{
	return says(json, "apiVersion", "v1") ? says(json, "kind", "Pod")
					      : says(json, "kind", "PartialObjectMetadata");
}

static bool are_strings(json_t *annotations)
{
	const char *name;
	json_t *value;

	if (!json_is_object(annotations))
		return false;
	json_object_foreach(annotations, name, value)
	{
		if (!json_is_string(value))
			return false;
	}
	return true;
}

static int read_pod(json_t *json, const struct kube_pod *pod, json_t **ret_annotations,
		    struct err *err)
{
	json_t *metadata = json_object_get(json, "metadata");
	json_t *annotations = json_object_get(metadata, "annotations");

	if (!is_pod(json) || !says(metadata, "name", pod->name) ||
	    !says(metadata, "namespace", pod->namespace))
		return err_set(err, EPROTO,
			       "the Kubernetes API answers with something that is not "
			       "the pod that was asked for");
	if (*pod->uid && !says(metadata, "uid", pod->uid) &&
	    !says(annotations, STATIC_UID, pod->uid))
		return err_set(err, ESTALE,
			       "the Kubernetes API knows another pod of this name, with another "
			       "uid than %.64s",
			       pod->uid);
	if (!annotations || json_is_null(annotations))
		*ret_annotations = json_object();
	else if (are_strings(annotations))
		*ret_annotations = json_incref(annotations);
	else
		return err_set(err, EPROTO, "the pod's annotations are not all text");
	return *ret_annotations ? 0 : err_set(err, ENOMEM, "out of memory");
}

int kube_answer_read(const char *text, size_t len, const struct kube_pod *pod,
		     json_t **ret_annotations, struct err *err)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, &error);
	int rc;

	if (!json)
		return err_set(err, EPROTO, "the Kubernetes API's answer is no JSON: %s",
			       error.text);
	rc = read_pod(json, pod, ret_annotations, err);
	json_decref(json);
	return rc;
}

void kube_answer_reason(const char *text, size_t len, char ret_reason[256])
{
	json_t *json = json_loadb(text, len, 0, NULL); /* no NUL in it */
	const char *reason = json_string_value(json_object_get(json, "message"));

	snprintf(ret_reason, 256, "%.255s", reason ? reason : "");
	json_decref(json);
}
