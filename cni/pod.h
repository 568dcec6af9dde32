/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a request to what should be in the pod's namespace: whether it wants rules, and which.
 *
 * Options come from the network's configuration, then from the annotations, then from CNI_ARGS'
 * MESHDNS_CONFIG (base64 of YAML); a later place wins. Where none says what to capture, all DNS is.
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
