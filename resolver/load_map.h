/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file as memory, to look at: of a large one in the page cache, that takes half the time that it
 * takes to read it. What is to be used of it should be read nevertheless: when somebody truncates
 * the file meanwhile, what lies behind its end turns to zeros. (The kernel sends SIGBUS to who
 * looks there, which is caught for the mapping in hand, and for nothing else.)
 */
#ifndef MESHDNS_RESOLVER_LOAD_MAP_H
#define MESHDNS_RESOLVER_LOAD_MAP_H

#include <stddef.h>

/* One at a time; any thread may look. NULL: it cannot be mapped. */
const char *load_map(int fd, size_t size);
void load_unmap(const char *text, size_t size);

#endif
