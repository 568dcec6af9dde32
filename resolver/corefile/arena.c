/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096
#define ALIGN alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) uint8_t bytes[];
};

void *arena_alloc(struct arena *arena, size_t n)
{
	struct arena_chunk *chunk = arena->chunks;
	void *piece;

	if (n > arena->max || arena->used > arena->max - n)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (!chunk || chunk->size - chunk->used < n) {
		size_t size = n > CHUNK ? n : CHUNK;

		if (!(chunk = calloc(1, sizeof(*chunk) + size)))
			return NULL;
		chunk->size = size;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	piece = chunk->bytes + chunk->used;
	chunk->used += n;
	arena->used += n;
	return piece;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	arena->used = 0;
}
