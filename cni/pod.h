/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a request to what should be in the pod's namespace: whether it wants rules, and which.
 *
 * Options come from the network's configuration, then from the annotations, then from CNI_ARGS'
 * MESHDNS_CONFIG (base64 of YAML); a later place wins. Where none says what to capture, all DNS is.
 *
 * Which pods want rules, when no namespace is excluded:
 *
 *  inject     annotations are known    not known, a kubelet's pod    not known, another's
 *  (unsaid)   who asks for it          error, or none of them (*)    all
 *  annotated  who asks for it          error, or none of them (*)    none
 *  always     who does not decline it  all                           all
 *
 * (*) as on_api_failure says. They are known when the runtime tells them (null is none), or the
 * Kubernetes API has (kube.h). A kubelet's runtime has K8S_POD_NAMESPACE in CNI_ARGS; podman, ctr
 * and libcni's own tool do not. MESHDNS_CONFIG asks for rules where annotations are not known.
 */
#ifndef MESHDNS_CNI_POD_H
#define MESHDNS_CNI_POD_H

#include <stdbool.h>

#include "cni/failure.h"
#include "cni/request.h"
#include "iptables/plan.h"
#include "redirector/settings.h"

/* All zero is an empty one; pod_free() releases what it holds. Borrows from the request. */
struct pod {
	bool wanted;     /* rules are; the rest is filled only then */
	const char *why; /* or why not */
	struct settings settings;
	struct plan plan;
	char *args_config; /* MESHDNS_CONFIG, decoded */
};

void pod_free(struct pod *pod);

#define cleanup_pod __attribute__((cleanup(pod_free)))

/* Changes nothing anywhere. */
int pod_read(const struct request *request, struct pod *ret_pod, struct failure *failure);

/* The request's configuration without what pod_read() does not look at; NULL: out of memory. */
json_t *pod_reduce(const struct request *request);

/* What the configuration alone asks for, with a nameserver made up: whether it makes sense. */
int pod_read_example(const struct request *request, struct pod *ret_pod, struct failure *failure);

#endif
