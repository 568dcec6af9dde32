/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of names to the records of a shard: names_update.c's lower half. */
#ifndef MESHDNS_RESOLVER_NAMES_JOIN_H
#define MESHDNS_RESOLVER_NAMES_JOIN_H

#include "resolver/names_shards.h"

/* A part of a name, or how many children it has. */
struct join_entry {
	uint32_t hash;
	int32_t children;
	const uint8_t *name;
	const struct names_record *part; /* NULL: only the children count */
	uint8_t name_len;
	bool is_old, is_gone;
};

/* Records of a shard under construction; reused for one after the other. */
struct join_output {
	uint8_t *block;
	size_t used, size;
	struct names_slot *slots; /* in the order of the records */
	size_t n_slots, slots_size;
	uint32_t n_names, n_wildcards;
	uint8_t *list; /* addresses or ports being joined */
	size_t list_size;
};

void join_begin(struct join_output *out);
void join_free(struct join_output *out);

/*
 * Appends the record of a name, of which all `n` entries are given, gone ones last. *ret_record is
 * it, until the next call, or NULL: nothing is left of the name. 0, -ENOMEM, -E2BIG.
 */
int join_name(struct join_output *out, struct join_entry *entries, size_t n,
	      const struct names_record **ret_record);

/* Makes a shard of the records, NULL if there are none. */
int join_shard(const struct join_output *out, unsigned int bits, struct names_shard **ret_shard);

/* Makes room for `more` elements behind `used` in *array, by doubling. */
bool join_reserve(void *array, size_t *size, size_t used, size_t more, size_t element);

#endif
