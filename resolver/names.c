/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/names.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/names_shards.h"

size_t names_record_size(const struct names_record *record)
{
	size_t size = sizeof(*record) + record->name_len + record->alias_len +
		      (size_t)record->n_a * 4 + (size_t)record->n_aaaa * 16 + record->ports_len;

	return (size + NAMES_RECORD_ALIGN - 1) / NAMES_RECORD_ALIGN * NAMES_RECORD_ALIGN;
}

const struct names_port *names_next_port(const struct names_record *record,
					 const struct names_port *port)
{
	const uint8_t *first = names_record_ports(record), *next = first;

	if (port)
		next = port->name + port->name_len;
	return next < first + record->ports_len ? (const struct names_port *)next : NULL;
}

bool names_is_under(const uint8_t *name, size_t len, const uint8_t *domain, size_t domain_len)
{
	for (size_t i = 0; i < len && len - i >= domain_len; i += name[i] + 1u) {
		if (len - i == domain_len)
			return !memcmp(name + i, domain, domain_len);
	}
	return false;
}

static const struct names_record *find(const struct names_snapshot *names, uint32_t hash,
				       const uint8_t *name, size_t len)
{
	const struct names_shard *shard = names->shards[names_shard_of(hash, names->bits)];
	uint32_t i;

	if (!shard)
		return NULL;
	i = names_slot_of(hash, names->bits, shard->n_slots);
	while (shard->slots[i].record != NAMES_SLOT_EMPTY) {
		if (shard->slots[i].hash == hash) {
			const struct names_record *record = names_slot_record(shard, i);

			if (record->name_len == len && !memcmp(record->data, name, len))
				return record;
		}
		if (++i == shard->n_slots)
			i = 0;
	}
	return NULL;
}

const struct names_record *names_find(const struct names_snapshot *names, const uint8_t *name,
				      size_t len)
{
	return find(names, wire_name_hash(name, len), name, len);
}

void names_prefetch(const struct names_snapshot *names, const uint32_t *hashes, size_t n)
{
	const struct names_shard *shard[NAMES_PREFETCH_MAX];

	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&names->shards[names_shard_of(hashes[i], names->bits)]);
	for (size_t i = 0; i < n; i++) {
		shard[i] = names->shards[names_shard_of(hashes[i], names->bits)];
		__builtin_prefetch(shard[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (shard[i])
			__builtin_prefetch(&shard[i]->slots[names_slot_of(hashes[i], names->bits,
									  shard[i]->n_slots)]);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t slot =
			shard[i] ? names_slot_of(hashes[i], names->bits, shard[i]->n_slots) : 0;

		if (shard[i] && shard[i]->slots[slot].record != NAMES_SLOT_EMPTY)
			__builtin_prefetch(names_slot_record(shard[i], slot)->data);
	}
}

/* --- wildcards ------------------------------------------------------------------------------ */

/* The wildcard right below `parent`, or NULL. */
static const struct names_record *find_wildcard(const struct names_snapshot *names,
						const uint8_t *parent, size_t len)
{
	uint8_t name[DNS_NAME_MAX] = {1, '*'};

	if (names->n_wildcards == 0 || len + 2 > sizeof(name))
		return NULL;
	memcpy(name + 2, parent, len);
	return names_find(names, name, len + 2);
}

const struct names_record *names_match(const struct names_snapshot *names, const uint8_t *name,
				       size_t len)
{
	const struct names_record *record = names_find(names, name, len);

	if (record || names->n_wildcards == 0)
		return record;
	/* The closest encloser is the first parent that exists, RFC 4592 section 3.3.1. */
	while (len > 1) {
		size_t label = name[0] + 1u;

		name += label;
		len -= label;
		if (len == 1 || names_find(names, name, len))
			return find_wildcard(names, name, len);
	}
	return NULL;
}

bool names_is_covered(const struct names_snapshot *names, const uint8_t *name, size_t len)
{
	return len > 1 && find_wildcard(names, name + name[0] + 1, len - name[0] - 1u);
}

/* --- addresses ------------------------------------------------------------------------------ */

uint32_t names_addr_hash(const uint8_t *bytes, size_t len)
{
	return wire_name_hash(bytes, len);
}

static bool has_addr(const struct names_record *record, const struct addr *addr)
{
	size_t len = addr_len(addr), n = addr->family == AF_INET ? record->n_a : record->n_aaaa;
	const uint8_t *at =
		addr->family == AF_INET ? names_record_a(record) : names_record_aaaa(record);

	for (size_t i = 0; i < n; i++) {
		if (!memcmp(at + i * len, addr->bytes, len))
			return true;
	}
	return false;
}

/* Of the names with this hash, the one that has the address. */
static const struct names_record *find_holder(const struct names_snapshot *names, uint32_t hash,
					      const struct addr *addr)
{
	const struct names_shard *shard = names->shards[names_shard_of(hash, names->bits)];
	uint32_t i = shard ? names_slot_of(hash, names->bits, shard->n_slots) : 0;

	while (shard && shard->slots[i].record != NAMES_SLOT_EMPTY) {
		if (shard->slots[i].hash == hash && has_addr(names_slot_record(shard, i), addr))
			return names_slot_record(shard, i);
		if (++i == shard->n_slots)
			i = 0;
	}
	return NULL;
}

const struct names_record *names_find_addr(const struct names_snapshot *names,
					   const struct addr *addr)
{
	uint32_t hash = names_addr_hash(addr->bytes, addr_len(addr));
	const struct names_reverse *r = names->reverse[names_shard_of(hash, names->bits)];
	size_t low = 0, high = r ? r->n : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (r->vips[middle].addr_hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; r && low < r->n && r->vips[low].addr_hash == hash; low++) {
		const struct names_record *record =
			find_holder(names, r->vips[low].name_hash, addr);

		if (record)
			return record;
	}
	return NULL;
}

/* --- the rest ------------------------------------------------------------------------------- */

size_t names_count(const struct names_snapshot *names)
{
	return names->n_names;
}

size_t names_bytes(const struct names_snapshot *names)
{
	return names->n_bytes;
}

uint32_t names_negative_ttl(const struct names_snapshot *names)
{
	return names->negative_ttl;
}

bool names_is_partial(const struct names_snapshot *names)
{
	return names->is_partial;
}

int names_each_part(const struct names_record *record, names_each_fn *fn, void *arg)
{
	const struct names_record *part = record;
	uint32_t n = record->flags & NAMES_PARTS ? names_parts(record, &part) : 1;
	int rc = 0;

	for (; n > 0 && rc == 0; n--, part = names_next_part(part)) {
		if (!(part->flags & NAMES_TREE))
			rc = fn(arg, part, record->data, record->name_len);
	}
	return rc;
}

int names_each(const struct names_snapshot *names, names_each_fn *fn, void *arg)
{
	for (size_t s = 0; s < (size_t)1 << names->bits; s++) {
		const struct names_shard *shard = names->shards[s];

		for (uint32_t i = 0; shard && i < shard->n_slots; i++) {
			int rc = 0;

			if (shard->slots[i].record != NAMES_SLOT_EMPTY)
				rc = names_each_part(names_slot_record(shard, i), fn, arg);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* A record among others: in the order of hashes, then of names. */
struct place {
	uint32_t hash;
	size_t len;
	const uint8_t *name;
	const struct names_record *record;
};

static int compare_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->name, y->name, x->len);
}

/* Those of a shard behind `after`, in their order; how many. `ret_places` has room for all. */
static size_t places_after(const struct names_shard *shard, const struct place *after,
			   struct place *ret_places)
{
	size_t n = 0;

	for (uint32_t i = 0; i < shard->n_slots; i++) {
		struct place place = {.hash = shard->slots[i].hash};

		if (shard->slots[i].record == NAMES_SLOT_EMPTY)
			continue;
		place.record = names_slot_record(shard, i);
		place.name = place.record->data;
		place.len = place.record->name_len;
		if (names_has_data(place.record) &&
		    (!after->len || compare_place(&place, after) > 0))
			ret_places[n++] = place;
	}
	qsort(ret_places, n, sizeof(*ret_places), compare_place);
	return n;
}

int names_each_after(const struct names_snapshot *names, const uint8_t *after, size_t len,
		     int (*fn)(void *arg, const struct names_record *record), void *arg)
{
	struct place from = {len ? wire_name_hash(after, len) : 0, len, after, NULL};
	size_t s = len ? names_shard_of(from.hash, names->bits) : 0;
	int rc = 0;

	for (; s < (size_t)1 << names->bits && rc == 0; s++) {
		const struct names_shard *shard = names->shards[s];
		struct place *places;
		size_t n;

		if (!shard)
			continue;
		if (!(places = reallocarray(NULL, shard->n_records, sizeof(*places))))
			return -ENOMEM;
		n = places_after(shard, &from, places);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = fn(arg, places[i].record);
		free(places);
	}
	return rc;
}

bool names_is_same(const struct names_snapshot *old, const struct names_snapshot *next)
{
	return old->bits == next->bits && old->negative_ttl == next->negative_ttl &&
	       old->is_partial == next->is_partial &&
	       !memcmp(old->shards, next->shards, sizeof(*old->shards) << old->bits);
}

static void free_arrays(struct names_snapshot *names)
{
	free(names->shards);
	free(names->reverse);
	free(names);
}

void names_free(struct names_snapshot *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < (size_t)1 << names->bits; i++) {
		if (names->shards)
			free(names->shards[i]);
		if (names->reverse)
			free(names->reverse[i]);
	}
	free_arrays(names);
}

void names_free_old(struct names_snapshot *old, const struct names_snapshot *next)
{
	if (!old || old->bits != next->bits) {
		names_free(old);
		return;
	}
	for (size_t i = 0; i < (size_t)1 << old->bits; i++) {
		if (old->shards[i] != next->shards[i])
			free(old->shards[i]);
		if (old->reverse[i] != next->reverse[i])
			free(old->reverse[i]);
	}
	free_arrays(old);
}
