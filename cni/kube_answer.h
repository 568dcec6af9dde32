/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Kubernetes API answers when it is asked for a pod. */
#ifndef MESHDNS_CNI_KUBE_ANSWER_H
#define MESHDNS_CNI_KUBE_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

/* Whom the question was about. */
struct kube_pod {
	const char *namespace, *name;
	const char *uid; /* as the runtime knows it; "": it does not say */
};

/*
 * Of a Pod, or its metadata alone, the annotations: an object of strings, the caller's. -ESTALE
 * when it is another pod of that name. A static pod is known by its hash, for the API has it under
 * another uid.
 */
int kube_answer_read(const char *text, size_t len, const struct kube_pod *pod,
		     json_t **ret_annotations, struct err *err);

/* Of an error (a Status): its words, or "". Cut where they are too long. */
void kube_answer_reason(const char *text, size_t len, char ret_reason[256]);

#endif
