/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scope-bound cleanup: a variable so marked is released on every way out of its block.
 * File descriptors start at -1. Giving a thing away is explicit: take_fd(&fd), take_ptr(&p).
 */
#ifndef MESHDNS_COMMON_CLEANUP_H
#define MESHDNS_COMMON_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_file_(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_dir_(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(p)                             \
	__extension__({                         \
		__typeof__(*(p)) taken_ = *(p); \
		*(p) = NULL;                    \
		taken_;                         \
	})

#define cleanup_free  __attribute__((cleanup(cleanup_free_)))
#define cleanup_fd    __attribute__((cleanup(cleanup_fd_)))
#define cleanup_file  __attribute__((cleanup(cleanup_file_)))
#define cleanup_dir   __attribute__((cleanup(cleanup_dir_)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
