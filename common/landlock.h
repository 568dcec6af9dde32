/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of privs_confine() that is about files: landlock(7). */
#ifndef MESHDNS_COMMON_LANDLOCK_H
#define MESHDNS_COMMON_LANDLOCK_H

#include "common/privs.h"

/*
 * From now on only `paths` can be opened, and nothing can be executed. What is open stays open, and
 * any path can still be looked at with stat(2). 0 also on a kernel without it, after a warning.
 */
int landlock_apply(const struct privs_path *paths, size_t n_paths, struct err *err);

#endif
