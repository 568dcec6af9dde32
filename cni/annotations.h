/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a pod's annotations say, Kuma's and ours. A pod's author may ask for what concerns the pod,
 * and for nothing that concerns the node: no file of it, no program, no other namespace.
 */
#ifndef MESHDNS_CNI_ANNOTATIONS_H
#define MESHDNS_CNI_ANNOTATIONS_H

#include <jansson.h>

#include "common/err.h"
#include "common/options.h"
#include "redirector/settings.h"

enum annotations_mark {
	ANNOTATIONS_SILENT,
	ANNOTATIONS_YES, /* kuma.io/sidecar-injected or, with more weight, meshdns.io/inject */
	ANNOTATIONS_NO,
};

enum annotations_mark annotations_mark(json_t *annotations);

/*
 * Sets what they ask for: first traffic.kuma.io/transparent-proxy-config, then Kuma's others, then
 * meshdns.io/config, then meshdns.io/OPTION for each option of `rows`. Errors name the annotation.
 * Strings are borrowed from `annotations`, or owned by the settings.
 */
int annotations_apply(json_t *annotations, const struct option_row *rows, struct settings *settings,
		      struct err *err);

/* A new object with those that the functions above look at; NULL stays NULL. */
json_t *annotations_reduce(json_t *annotations);

#endif
