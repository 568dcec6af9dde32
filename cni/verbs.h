/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be in CNI_COMMAND: one row and one file each. VERSION, which asks nothing, is main's. */
#ifndef MESHDNS_CNI_VERBS_H
#define MESHDNS_CNI_VERBS_H

#include <stdbool.h>

#include "cni/failure.h"
#include "cni/request.h"

struct verb {
	const char *name;
	const char *since;  /* the version of the protocol that has it; NULL: all that we speak */
	unsigned int needs; /* enum request_need */
	bool lenient;       /* standard input need make no sense, except in its version */
	/* Prints nothing, but for ADD its answer into *ret_answer, which main writes and frees. */
	int (*run)(const struct request *request, char **ret_answer, struct failure *failure);
};

extern const struct verb verb_add, verb_del, verb_check, verb_gc, verb_status;

#endif
