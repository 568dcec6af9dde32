/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mesh table: names and what is said of them, as an immutable snapshot.
 *
 * A snapshot is two arrays of shards, found by the top bits of a hash: by name, each shard a small
 * open-addressing hash of (hash, offset) slots over a block of records; and by address, each a
 * sorted array that leads from a VIP back to its names. Nothing in it changes once it is built; who
 * reads it and when it may be freed is publish.h's affair.
 *
 * A new snapshot is the old one with some shards replaced (names_update()): a changed name costs
 * the copying of its shard, a hundred records or so, whether the table holds ten names or a
 * million. The first one is an update of nothing.
 *
 * The name tree, RFC 4592: a name that others lie below exists. It has a record, if only an empty
 * one, so that wildcards stop where they must. Each name counts once at its parent, and so on up.
 *
 * What was rejected: one large hash with a small one on top for what changed since (two look-ups a
 * query, and a merge that comes at some bad moment); records rendered beforehand (16 and 28 octets
 * an address in place of 4 and 16, for nothing that could be measured); a tree (equality is what is
 * asked, wildcards are asked of the parents, one by one).
 */
#ifndef MESHDNS_RESOLVER_NAMES_H
#define MESHDNS_RESOLVER_NAMES_H

#include "common/addr.h"
#include "common/err.h"
#include "resolver/wire.h"

#define NAMES_TTL_MAX 2147483647u /* RFC 2181 section 8 */

enum names_flag {
	NAMES_TREE = 1,  /* names lie below */
	NAMES_PARTS = 2, /* what different places say follows the record; names_update's affair */
};

/*
 * What is known of a name. In a snapshot: all of it. From a loader: what one place says of it, a
 * part; parts of several places are joined by names_update().
 */
struct names_record {
	uint32_t ttl;   /* of an RRset there is one, the smallest: RFC 2181 section 5.2 */
	uint32_t place; /* opaque: which piece of which source said so first, and where in it */
	uint16_t line;
	uint16_t n_a, n_aaaa;
	uint16_t ports_len;
	uint8_t name_len;
	uint8_t domain_len; /* of the mesh domain when the name lies under it, else 0 */
	uint8_t alias_len;
	uint8_t flags;
	/* Name, lower-cased; the name it is an alias of; IPv4 addresses; IPv6 ones; ports. */
	uint8_t data[];
};

#define NAMES_RECORD_ALIGN 4 /* of records, and so of their sizes */

/* A service's port, one behind the other in ports_len octets. */
struct names_port {
	uint8_t number[2]; /* network order */
	uint8_t protocol;  /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t name_len;
	uint8_t name[]; /* lower-cased label; may be empty */
};

static inline const uint8_t *names_record_alias(const struct names_record *record)
{
	return record->data + record->name_len;
}

static inline const uint8_t *names_record_a(const struct names_record *record)
{
	return names_record_alias(record) + record->alias_len;
}

static inline const uint8_t *names_record_aaaa(const struct names_record *record)
{
	return names_record_a(record) + (size_t)record->n_a * 4;
}

static inline const uint8_t *names_record_ports(const struct names_record *record)
{
	return names_record_aaaa(record) + (size_t)record->n_aaaa * 16;
}

/* The port behind `port` (NULL: the first), or NULL. */
const struct names_port *names_next_port(const struct names_record *record,
					 const struct names_port *port);

/* False: the name exists only because others lie below. */
static inline bool names_has_data(const struct names_record *record)
{
	return record->n_a || record->n_aaaa || record->alias_len || record->ports_len;
}

struct names_snapshot;

/*
 * A hint: names with these hashes (wire_name_hash) are going to be looked up, NAMES_PREFETCH_MAX of
 * them at most. A lookup waits for memory four times, one after the other; those of a batch can
 * wait together.
 */
#define NAMES_PREFETCH_MAX 64
void names_prefetch(const struct names_snapshot *names, const uint32_t *hashes, size_t n);

/* The record of exactly this lower-cased name, which may be one without data, or NULL. */
const struct names_record *names_find(const struct names_snapshot *names, const uint8_t *name,
				      size_t len);

/*
 * What RFC 4592 section 4 has for the name: its own record, or that of the wildcard which covers
 * it, or NULL. A record without data: the name exists, and nothing else.
 */
const struct names_record *names_match(const struct names_snapshot *names, const uint8_t *name,
				       size_t len);

/* True when a wildcard would cover the name if it, and what lies below, did not exist. */
bool names_is_covered(const struct names_snapshot *names, const uint8_t *name, size_t len);

/* A record whose VIP `addr` is (the first that was added), or NULL. */
const struct names_record *names_find_addr(const struct names_snapshot *names,
					   const struct addr *addr);

size_t names_count(const struct names_snapshot *names); /* of those that have data */
size_t names_bytes(const struct names_snapshot *names);

/* The TTL of what is not there: that of the table, or the smallest of several. */
uint32_t names_negative_ttl(const struct names_snapshot *names);

/* True while a source has told nothing yet: what is not there may only not have come. */
bool names_is_partial(const struct names_snapshot *names);

/* Calls `fn` for every part that was added; ends at the first that is not 0, and returns it. */
typedef int names_each_fn(void *arg, const struct names_record *part, const uint8_t *name,
			  size_t name_len);
int names_each(const struct names_snapshot *names, names_each_fn *fn, void *arg);

/* Likewise for the parts of one record, which may have none. */
int names_each_part(const struct names_record *record, names_each_fn *fn, void *arg);

/*
 * Calls `fn` for the records with data that come behind the name `after` (len 0: from the first
 * on), in an order of their own, in which others may come and go meanwhile. Ends as names_each().
 */
int names_each_after(const struct names_snapshot *names, const uint8_t *after, size_t len,
		     int (*fn)(void *arg, const struct names_record *record), void *arg);

/* True when `next`, made of `old`, says the same: then they have everything in common. */
bool names_is_same(const struct names_snapshot *old, const struct names_snapshot *next);

void names_free(struct names_snapshot *names);

/* Frees `old` but for what `next`, which was made of it, has in common with it. */
void names_free_old(struct names_snapshot *old, const struct names_snapshot *next);

/* --- making one ----------------------------------------------------------------------------- */

/* A part that is new, name included. It is copied. */
struct names_added {
	uint32_t hash; /* wire_name_hash() */
	const struct names_record *part;
};

/*
 * The difference to the snapshot before. Whatever comes from a place that is gone is removed; the
 * hashes say which names that can be, so that the others need not be looked at.
 */
struct names_change {
	const struct names_added *added;
	size_t n_added;
	const uint32_t *gone_hashes;
	size_t n_gone_hashes;
	const bool *is_gone; /* by place */
	size_t n_places;
	uint32_t negative_ttl;
	bool is_partial;
};

/* `old` may be NULL, and stays as it is. -ENOMEM, -E2BIG. */
int names_update(const struct names_snapshot *old, const struct names_change *change,
		 struct names_snapshot **ret_names, struct err *err);

/* Octets that the part or record itself takes, without parts that follow it. */
size_t names_record_size(const struct names_record *record);

/* True when `name` is `domain` or lies under it, both in wire form. */
bool names_is_under(const uint8_t *name, size_t len, const uint8_t *domain, size_t domain_len);

#endif
