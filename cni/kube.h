/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Kubernetes API, for clusters whose runtime does not pass the pods' annotations. The plugin
 * itself speaks no TLS: it starts meshdns-cni-kube, which lies beside it, when there is something
 * to ask.
 */
#ifndef MESHDNS_CNI_KUBE_H
#define MESHDNS_CNI_KUBE_H

#include <limits.h>

#include "cni/conf.h"
#include "cni/failure.h"
#include "cni/request.h"

#define KUBE_PROGRAM "meshdns-cni-kube"

/* How it ends when it does not print annotations. */
enum { KUBE_EXIT_AGAIN = 1, KUBE_EXIT_NEVER = 2 };

/*
 * Where the runtime does not tell the annotations of a kubelet's pod and the configuration has a
 * kubeconfig, asks for them, and puts them into the request where the runtime would have. Does
 * nothing where they would not matter. A failure is one only where on_api_failure says so.
 */
int kube_ask(const struct request *request, struct failure *failure);

/* Fails where every kube_ask() would, as far as that can be told without asking. */
int kube_check(const struct request *request, struct failure *failure);

#endif
