/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the Kubernetes API for one pod. */
#ifndef MESHDNS_CNI_KUBE_GET_H
#define MESHDNS_CNI_KUBE_GET_H

#include "cni/kube_answer.h"
#include "cni/kube_config.h"

struct kube_limits {
	unsigned int timeout_s; /* of each request, from its start to the answer's end */
	unsigned int retries;   /* of what may pass, after 0.2 s, 0.4 s, ... 2 s */
};

/*
 * The pod's annotations, the caller's. Errors are those of kube_answer_read(), and -EAGAIN where
 * another time it may work: nobody there, a time-out, no such pod yet, the server's own trouble.
 */
int kube_get(const struct kube_config *config, const struct kube_pod *pod,
	     const struct kube_limits *limits, json_t **ret_annotations, struct err *err);

#endif
