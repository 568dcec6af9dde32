/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting what begins with a 32-bit hash. A million names are sorted several times on the way to a
 * snapshot, so all of this is inlined, with the size and the comparison as constants; and nothing
 * here takes quadratic time, whatever the hashes are.
 */
#ifndef MESHDNS_RESOLVER_NAMES_SORT_H
#define MESHDNS_RESOLVER_NAMES_SORT_H

#include <stdlib.h>

#include "resolver/names_shards.h"

#define SORT_BITS       8
#define SORT_BUCKETS    (1 << SORT_BITS)
#define SORT_BUCKET_MAX 16 /* items that are inserted one by one */

typedef int sort_compare_fn(const void *a, const void *b);

/*
 * Deals items out by shard, keeping their order; *ret_starts has where each shard begins and where
 * the last one ends. NULL: out of memory. Both arrays are the caller's.
 */
static inline __attribute__((always_inline)) void *
sort_by_shard(const void *items, size_t n, size_t size, unsigned int bits, size_t **ret_starts)
{
	size_t n_shards = (size_t)1 << bits, *starts = calloc(n_shards + 2, sizeof(*starts));
	uint8_t *sorted = reallocarray(NULL, n + 1, size);
	const uint8_t *from = items;

	if (!starts || !sorted) {
		free(starts);
		free(sorted);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		starts[names_shard_of(*(const uint32_t *)(from + i * size), bits) + 2]++;
	for (size_t s = 2; s < n_shards + 2; s++)
		starts[s] += starts[s - 1];
	for (size_t i = 0; i < n; i++) {
		size_t s = names_shard_of(*(const uint32_t *)(from + i * size), bits);

		memcpy(sorted + starts[s + 1]++ * size, from + i * size, size);
	}
	*ret_starts = starts;
	return sorted;
}

/* One by one, which is quick when next to nothing is out of its order. */
static inline __attribute__((always_inline)) void
sort_by_insertion(uint8_t *items, size_t n, size_t size, sort_compare_fn *compare)
{
	uint8_t item[64];

	for (size_t i = 1; i < n; i++) {
		size_t at = i;

		while (at > 0 && compare(items + (at - 1) * size, items + i * size) > 0)
			at--;
		if (at == i)
			continue;
		memcpy(item, items + i * size, size);
		memmove(items + (at + 1) * size, items + at * size, (i - at) * size);
		memcpy(items + at * size, item, size);
	}
}

/*
 * Sorts items of one shard, first by their hashes. These are spread evenly: dealing them out by the
 * bits behind those that chose the shard leaves little to compare. `spare` has room for as many.
 */
static inline __attribute__((always_inline)) void sort_in_shard(void *items, void *spare, size_t n,
								size_t size, unsigned int bits,
								sort_compare_fn *compare)
{
	size_t ends[SORT_BUCKETS + 1] = {0}, most = 0;
	uint8_t *from = items, *to = spare;

	if (n <= SORT_BUCKET_MAX) {
		sort_by_insertion(items, n, size, compare);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t b = *(uint32_t *)(from + i * size) << bits >> (32 - SORT_BITS);

		most = ++ends[b + 1] > most ? ends[b + 1] : most;
	}
	if (most > SORT_BUCKET_MAX) {
		qsort(items, n, size, compare);
		return;
	}
	for (size_t b = 1; b < SORT_BUCKETS; b++)
		ends[b] += ends[b - 1];
	for (size_t i = 0; i < n; i++) {
		size_t b = *(uint32_t *)(from + i * size) << bits >> (32 - SORT_BITS);

		memcpy(to + ends[b]++ * size, from + i * size, size);
	}
	sort_by_insertion(to, n, size, compare);
	memcpy(items, spare, n * size);
}

#endif
