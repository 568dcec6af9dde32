/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mesh table: names and their VIPs, as an immutable snapshot.
 *
 * A snapshot is an open-addressing hash of (hash, offset) slots, a block of records that the
 * offsets lead into, and two sorted arrays that lead from a VIP back to its name. A record holds
 * its answer records pre-rendered with their owner as a pointer to the question (c0 0c), so that
 * answering is one copy. Nothing in it changes after names_build(); who reads it and when it may be
 * freed is publish.h's affair.
 *
 * What was rejected: a tree (the table has no wildcards and no zone cuts, equality is all that is
 * asked), chained buckets (a cache miss a link), rendering at query time (the copy is cheaper).
 */
#ifndef MESHDNS_RESOLVER_NAMES_H
#define MESHDNS_RESOLVER_NAMES_H

#include "common/addr.h"
#include "common/err.h"
#include "resolver/wire.h"

#define NAMES_TTL_MAX 2147483647u /* RFC 2181 section 8 */

/* A pre-rendered resource record: pointer, type, class, TTL, length, address. */
#define NAMES_RR_A_LEN    16
#define NAMES_RR_AAAA_LEN 28

struct names_record {
	uint32_t ttl;
	uint16_t n_a, n_aaaa;
	uint8_t name_len;
	uint8_t domain_len; /* of the mesh domain when the name lies under it, else 0 */
	uint8_t data[];     /* name, lower-cased; n_a A records; n_aaaa AAAA records */
};

static inline const uint8_t *names_record_a(const struct names_record *record)
{
	return record->data + record->name_len;
}

static inline const uint8_t *names_record_aaaa(const struct names_record *record)
{
	return names_record_a(record) + (size_t)record->n_a * NAMES_RR_A_LEN;
}

struct names_snapshot;

/* The record of a lower-cased name, or NULL. */
const struct names_record *names_find(const struct names_snapshot *names, const uint8_t *name,
				      size_t len);

/* The record whose VIP `addr` is (the first that was added), or NULL. */
const struct names_record *names_find_addr(const struct names_snapshot *names,
					   const struct addr *addr);

size_t names_count(const struct names_snapshot *names);
size_t names_bytes(const struct names_snapshot *names);
void names_free(struct names_snapshot *names);

/*
 * Building: add pairs of name and address in any order, then build. Adding a pair twice is the same
 * as once; of several TTLs for a name the smallest wins, for an RRset has only one (RFC 2181
 * section 5.2). The builder is spent after names_build() and still the caller's to free.
 */
struct names_builder;

/* NULL when out of memory. */
struct names_builder *names_builder_new(void);
void names_builder_free(struct names_builder *builder);

/* `name` is lower-cased wire form. -ENOMEM, or -E2BIG from 2^32 - 1 records on. */
int names_add(struct names_builder *builder, const uint8_t *name, size_t len,
	      const struct addr *addr, uint32_t ttl, struct err *err);

/* `domain` is the mesh domain, lower-cased wire form. */
int names_build(struct names_builder *builder, const uint8_t *domain, size_t domain_len,
		struct names_snapshot **ret_names, struct err *err);

#endif
