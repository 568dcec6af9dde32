/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files, with a limit. */
#ifndef MESHDNS_COMMON_FILE_H
#define MESHDNS_COMMON_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * Reads the regular file `path` of at most `max` bytes. *ret_data is malloc'ed, the caller's to
 * free, and ends in a NUL that *ret_len does not count. Errors name the path: -ENOENT, -EACCES,
 * -EFBIG (larger than `max`), -EINVAL (not a regular file), ...
 */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct err *err);

/* Likewise, but -EPERM unless root or this process's user owns it and nobody else may write it. */
int file_read_own(const char *path, size_t max, char **ret_data, size_t *ret_len, struct err *err);

/* write(2) until all of it is written; -1 with errno. */
int file_write_all(int fd, const void *data, size_t len);

/*
 * Makes `path` be a file of this content and mode: whoever opens it finds the old one or the new
 * one, whole, also after the power has failed. It is written beside it under a name that begins
 * with a dot, so the directory must be writable.
 */
int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/*
 * Likewise, with a text, but a file that is there keeps its mode and, where we may give it away,
 * its owner. -EAGAIN when it does not hold `was` any more; NULL: whatever is in it.
 */
int file_rewrite(const char *path, const char *was, const char *text, mode_t mode, struct err *err);

/* The inode of what is there; 0: nothing is. */
ino_t file_inode(const char *path);

/* Makes a directory of mode 0755, and those that it lies in; 0 where it is there. -1 with errno. */
int file_make_directory(const char *path);

#endif
