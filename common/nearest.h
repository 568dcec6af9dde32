/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean ...?" */
#ifndef MESHDNS_COMMON_NEAREST_H
#define MESHDNS_COMMON_NEAREST_H

#include <stddef.h>

/*
 * Edit distance (insert, delete, replace, each 1) of two words; words over 63 bytes are as far
 * apart as can be.
 */
size_t nearest_distance(const char *a, const char *b);

/* True when `distance` is near enough to `word` to be worth offering. */
int nearest_is_close(const char *word, size_t distance);

#endif
