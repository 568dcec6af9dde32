/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files, with a limit. */
#ifndef MESHDNS_COMMON_FILE_H
#define MESHDNS_COMMON_FILE_H

#include <stddef.h>

#include "common/err.h"

/*
 * Reads the regular file `path` of at most `max` bytes. *ret_data is malloc'ed, the caller's to
 * free, and ends in a NUL that *ret_len does not count. Errors name the path: -ENOENT, -EACCES,
 * -EFBIG (larger than `max`), -EINVAL (not a regular file), ...
 */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct err *err);

#endif
