/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `{$NAME}` and `{%NAME%}` in the words of a Corefile. */
#ifndef MESHDNS_COREFILE_ENVIRONMENT_H
#define MESHDNS_COREFILE_ENVIRONMENT_H

#include "resolver/corefile/parser.h"

/*
 * *ret is `word`, or a copy in the arena in which each variable has its value: nothing if it is not
 * set. A value may name others; it is not split into words. -EINVAL: they never end.
 */
int environment_expand(struct arena *arena, const char *word, struct corefile_place place,
		       const char **ret, struct err *err);

#endif
