/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Kubernetes API answers: annotations are texts, whatever it says. */
#include <stdlib.h>
#include <string.h>

#include "cni/kube_answer.h"
#include "tests/fuzz/fuzz.h"

static void must(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kube_pod pod = {"shop", "web-0", "u-1"};
	json_t *annotations, *value;
	struct err err = {0};
	char reason[256];
	const char *name;

	kube_answer_reason((const char *)data, size, reason);
	must(strlen(reason) < sizeof(reason));
	if (kube_answer_read((const char *)data, size, &pod, &annotations, &err) < 0) {
		must(err.code < 0 && *err.msg);
		return 0;
	}
	must(json_is_object(annotations));
	json_object_foreach(annotations, name, value) must(json_is_string(value));
	json_decref(annotations);
	return 0;
}
