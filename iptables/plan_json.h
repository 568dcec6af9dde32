/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as a JSON value, for what prints more than a plan. */
#ifndef MESHDNS_IPTABLES_PLAN_JSON_H
#define MESHDNS_IPTABLES_PLAN_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "common/err.h"
#include "iptables/plan.h"

static inline void cleanup_json_(json_t **json)
{
	json_decref(*json);
}
#define cleanup_json __attribute__((cleanup(cleanup_json_)))

/* What plan_print_json() prints; the caller's. NULL: out of memory. */
json_t *plan_json(const struct plan *plan);

/* Prints it, indented; NULL counts as -ENOMEM. Negative errno when `out` cannot be written. */
int plan_json_print(json_t *json, FILE *out, struct err *err);

#endif
