/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of a file is as it was when it was last read: its pieces, told by their hashes. */
#ifndef MESHDNS_RESOLVER_LOAD_SAME_H
#define MESHDNS_RESOLVER_LOAD_SAME_H

#include "resolver/load.h"

/* Pieces at the beginning and at the end of the text, and their octets. */
struct load_same {
	size_t first, last;
	size_t first_len, last_len;
};

/*
 * Compares a text with its pieces of before. To compare is to read it all, at the speed of memory:
 * large ones are shared out to threads, one for each CPU that this process may use, up to
 * LOAD_THREADS_MAX; they end before this returns.
 */
#define LOAD_THREADS_MAX 4
struct load_same load_same_find(const struct load_piece *pieces, size_t n, const char *text,
				size_t size);

#endif
