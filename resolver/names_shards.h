/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a snapshot, for names.c, which reads it, and names_update.c, which makes it. */
#ifndef MESHDNS_RESOLVER_NAMES_SHARDS_H
#define MESHDNS_RESOLVER_NAMES_SHARDS_H

#include "resolver/names.h"

#define NAMES_SHARD_BITS_MAX 20

struct names_slot {
	uint32_t hash;
	uint32_t record; /* in units of NAMES_RECORD_ALIGN from the block's start */
};
#define NAMES_SLOT_EMPTY UINT32_MAX

/* Names whose hash begins with the same bits. */
struct names_shard {
	uint32_t n_slots; /* more than there are records */
	uint32_t n_records, n_names, n_wildcards;
	size_t bytes;
	struct names_slot *slots; /* in one allocation with this */
	uint8_t *block;
};

struct names_vip {
	uint32_t addr_hash, name_hash;
};

/* Addresses whose hash begins with the same bits, sorted; equal ones in the order of adding. */
struct names_reverse {
	uint32_t n;
	struct names_vip vips[];
};

struct names_snapshot {
	unsigned int bits;           /* there are 1 << bits shards of either kind */
	struct names_shard **shards; /* NULL where there would be nothing in it */
	struct names_reverse **reverse;
	size_t n_names, n_records, n_wildcards, n_bytes;
	uint32_t negative_ttl;
	bool is_partial;
};

static inline size_t names_shard_of(uint32_t hash, unsigned int bits)
{
	return (size_t)((uint64_t)hash >> (32 - bits));
}

/* Where in a shard a hash belongs: the bits behind those that chose the shard, in their order. */
static inline uint32_t names_slot_of(uint32_t hash, unsigned int bits, uint32_t n_slots)
{
	return (uint32_t)(((uint64_t)(hash << bits) * n_slots) >> 32);
}

static inline const struct names_record *names_slot_record(const struct names_shard *shard,
							   uint32_t i)
{
	return (const struct names_record *)(shard->block +
					     (size_t)shard->slots[i].record * NAMES_RECORD_ALIGN);
}

/*
 * Behind a record with NAMES_PARTS: their number, and they, without names. The part with
 * NAMES_TREE, if there is one, has in its ttl how many children the name has. A record with
 * NAMES_TREE that has no parts is such a part itself.
 */
static inline uint32_t names_parts(const struct names_record *record,
				   const struct names_record **ret_first)
{
	const uint8_t *end = (const uint8_t *)record + names_record_size(record);

	*ret_first = (const struct names_record *)(end + sizeof(uint32_t));
	return *(const uint32_t *)end;
}

static inline const struct names_record *names_next_part(const struct names_record *part)
{
	return (const struct names_record *)((const uint8_t *)part + names_record_size(part));
}

uint32_t names_addr_hash(const uint8_t *bytes, size_t len);

#endif
