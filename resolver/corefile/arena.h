/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is freed all at once: the tokens, the tree and the configuration of a Corefile, which
 * live and die together. Pieces are zeroed and aligned for anything.
 */
#ifndef MESHDNS_COREFILE_ARENA_H
#define MESHDNS_COREFILE_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* Starts zeroed but for `max`. */
struct arena {
	struct arena_chunk *chunks;
	size_t used, max; /* bytes handed out, and how many may be */
};

/* NULL when out of memory, or beyond `max`: what a hostile file would have. */
void *arena_alloc(struct arena *arena, size_t n);

/* A copy of `len` bytes with a NUL behind them. */
char *arena_copy(struct arena *arena, const char *text, size_t len);

void arena_free(struct arena *arena);

/* One zeroed `type`, or `n` of them. */
#define ARENA_NEW(arena, type)      ((type *)arena_alloc(arena, sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc(arena, (n) * sizeof(type)))

#endif
