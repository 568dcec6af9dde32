/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that there are against the rules that there should be: what status and diff report. */
#ifndef MESHDNS_REDIRECTOR_COMPARE_H
#define MESHDNS_REDIRECTOR_COMPARE_H

#include <stdbool.h>

#include "common/err.h"
#include "iptables/backend.h"
#include "iptables/plan.h"
#include "iptables/plan_json.h"
#include "redirector/settings.h"

enum compare_state { COMPARE_NOT_INSTALLED, COMPARE_INSTALLED, COMPARE_SAME, COMPARE_DIFFERS };

/* All zero is an empty one; compare_free() releases what it holds. */
struct compare {
	enum compare_state state;      /* COMPARE_INSTALLED: there was no plan to compare with */
	const struct backend *backend; /* that it was found with; NULL: nothing was */
	struct plan found;
	json_t *differences; /* [{"sign": "-" or "+", "text": "..."}] */
};

void compare_free(struct compare *compare);

#define cleanup_compare __attribute__((cleanup(compare_free)))

/*
 * Enters the namespace that the settings name, reads the rules there and compares them with
 * `wanted`; NULL: with nothing, but what is not ours is a difference all the same. Negative errno
 * when that cannot be found out.
 */
int compare_rules(const struct settings *settings, const struct plan *wanted,
		  struct compare *ret_compare, struct err *err);

/* One difference a line, as in "- chain output-nat: ...". */
void compare_print_differences(const struct compare *compare, FILE *out);

#endif
