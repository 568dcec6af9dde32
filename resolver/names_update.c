/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a snapshot and a change to the next snapshot.
 *
 * The change becomes a list of operations, sorted by shard. Of each shard that has any, the parts
 * are gathered, old and new, sorted by name, joined and written anew. What that makes or unmakes of
 * names counts at their parents, which is a further round of operations, until there are none. The
 * addresses that came and went are collected on the way and are the last round's.
 */
#include <errno.h>
#include <stdlib.h>

#include "resolver/names_join.h"
#include "resolver/names_shards.h"

#define SHARD_NAMES 128 /* on average, to begin with */

/* Something to be done to a name. */
struct op {
	uint32_t hash;
	int32_t children; /* so many more, or fewer */
	const uint8_t *name;
	const struct names_record *part; /* new; NULL: none */
	uint8_t name_len;                /* 0: nothing, but parts may be gone */
};

struct vip_op {
	struct names_vip vip;
	uint32_t order; /* of what is added: by place and line, not 0; 0: it is removed */
};

struct update {
	const struct names_snapshot *old;
	const struct names_change *change;
	struct names_snapshot *next;
	bool *fresh;                   /* by shard: it is next's own */
	struct names_shard **replaced; /* fresh ones that a later round replaced */
	size_t n_replaced, replaced_size;
	struct op *ops; /* of the round to come */
	size_t n_ops, ops_size;
	struct vip_op *vips;
	size_t n_vips, vips_size;
	struct join_entry *entries; /* of the shard in hand */
	size_t n_entries, entries_size;
	struct join_output out;
};

static int add_op(struct update *u, const struct op *op)
{
	if (!join_reserve(&u->ops, &u->ops_size, u->n_ops, 1, sizeof(*op)))
		return -ENOMEM;
	u->ops[u->n_ops++] = *op;
	return 0;
}

/* --- one shard ------------------------------------------------------------------------------ */

static int add_entry(struct update *u, uint32_t hash, const uint8_t *name, uint8_t name_len,
		     const struct names_record *part, int32_t children, bool is_old)
{
	if (!join_reserve(&u->entries, &u->entries_size, u->n_entries, 1, sizeof(*u->entries)))
		return -ENOMEM;
	u->entries[u->n_entries++] = (struct join_entry){
		.hash = hash,
		.name = name,
		.name_len = name_len,
		.part = part,
		.children = children,
		.is_old = is_old,
		.is_gone = is_old && part && part->place < u->change->n_places &&
			   u->change->is_gone[part->place],
	};
	return 0;
}

static int gather_record(struct update *u, uint32_t hash, const struct names_record *record)
{
	const struct names_record *part = record;
	uint32_t n = record->flags & NAMES_PARTS ? names_parts(record, &part) : 1;
	int rc = 0;

	for (; n > 0 && rc == 0; n--, part = names_next_part(part)) {
		bool is_tree = part->flags & NAMES_TREE;

		rc = add_entry(u, hash, record->data, record->name_len, is_tree ? NULL : part,
			       is_tree ? (int32_t)part->ttl : 0, true);
	}
	return rc;
}

/* What `from` has of shard `s` of next; it may be cut into more or fewer shards. */
static int gather_old(struct update *u, const struct names_snapshot *from, size_t s)
{
	unsigned int bits = u->next->bits;
	size_t first, last;

	if (from->bits >= bits) {
		first = s << (from->bits - bits);
		last = first + ((size_t)1 << (from->bits - bits));
	} else {
		first = s >> (bits - from->bits);
		last = first + 1;
	}
	for (; first < last; first++) {
		const struct names_shard *shard = from->shards[first];

		for (uint32_t i = 0; shard && i < shard->n_slots; i++) {
			uint32_t hash = shard->slots[i].hash;
			int rc;

			if (shard->slots[i].record == NAMES_SLOT_EMPTY ||
			    names_shard_of(hash, bits) != s)
				continue;
			if ((rc = gather_record(u, hash, names_slot_record(shard, i))) < 0)
				return rc;
		}
	}
	return 0;
}

static int compare_entry(const void *a, const void *b)
{
	const struct join_entry *x = a, *y = b;
	uint32_t place_x, place_y;
	int order;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->name != y->name && (order = memcmp(x->name, y->name, x->name_len)))
		return order;
	if (x->is_gone != y->is_gone)
		return x->is_gone ? 1 : -1;
	place_x = x->part ? x->part->place : UINT32_MAX;
	place_y = y->part ? y->part->place : UINT32_MAX;
	if (place_x != place_y)
		return place_x < place_y ? -1 : 1;
	return x->part && y->part
		       ? (x->part->line > y->part->line) - (x->part->line < y->part->line)
		       : 0;
}

static bool is_same_name(const struct join_entry *x, const struct join_entry *y)
{
	return x->hash == y->hash && x->name_len == y->name_len &&
	       (x->name == y->name || !memcmp(x->name, y->name, x->name_len));
}

/* The name came to be (1) or ceased to (-1): that counts at its parent. The root needs no count. */
static int count_at_parent(struct update *u, const struct join_entry *entry, int32_t n)
{
	size_t label = entry->name[0] + 1u;
	struct op op = {.children = n,
			.name = entry->name + label,
			.name_len = (uint8_t)(entry->name_len - label)};
	struct op *last = u->n_ops ? &u->ops[u->n_ops - 1] : NULL;

	if (op.name_len <= 1)
		return 0;
	if (last && last->name_len == op.name_len && !memcmp(last->name, op.name, op.name_len)) {
		last->children += n; /* neighbours are often siblings */
		return 0;
	}
	op.hash = wire_name_hash(op.name, op.name_len);
	return add_op(u, &op);
}

static int add_vip(struct update *u, const uint8_t *bytes, size_t len, uint32_t name_hash,
		   uint32_t order)
{
	if (!join_reserve(&u->vips, &u->vips_size, u->n_vips, 1, sizeof(*u->vips)))
		return -ENOMEM;
	u->vips[u->n_vips++] = (struct vip_op){{names_addr_hash(bytes, len), name_hash}, order};
	return 0;
}

/* What is in only one of two sorted lists of addresses, which is to leave or to join the VIPs. */
static int diff_addresses(struct update *u, uint32_t name_hash, uint32_t order, const uint8_t *was,
			  size_t n_was, const uint8_t *is, size_t n_is, size_t len)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while ((i < n_was || j < n_is) && rc == 0) {
		int side = i == n_was  ? 1
			   : j == n_is ? -1
				       : memcmp(was + i * len, is + j * len, len);

		if (side < 0)
			rc = add_vip(u, was + i * len, len, name_hash, 0);
		else if (side > 0)
			rc = add_vip(u, is + j * len, len, name_hash, order);
		i += side <= 0;
		j += side >= 0;
	}
	return rc;
}

/* Which of a name's addresses are different. Either record may be NULL. */
static int note_addresses(struct update *u, uint32_t hash, const struct names_record *was,
			  const struct names_record *is)
{
	static const struct names_record none;
	const struct names_record *named = is ? is : was;
	uint32_t order;
	int rc;

	if (!named || (named->data[0] == 1 && named->data[1] == '*'))
		return 0; /* a wildcard is no name for an address */
	was = was ? was : &none;
	is = is ? is : &none;
	/* A piece of text has few lines; where one has more, the order of their names is open. */
	order = is->place << 12 | (is->line < 4094 ? is->line + 1u : 4095);
	if ((rc = diff_addresses(u, hash, order, names_record_a(was), was->n_a, names_record_a(is),
				 is->n_a, 4)) < 0)
		return rc;
	return diff_addresses(u, hash, order, names_record_aaaa(was), was->n_aaaa,
			      names_record_aaaa(is), is->n_aaaa, 16);
}

/* Takes note of what is different about a name. */
static int note_difference(struct update *u, const struct join_entry *entry,
			   const struct names_record *was, const struct names_record *is)
{
	int rc = 0;

	if (!was != !is)
		rc = count_at_parent(u, entry, is ? 1 : -1);
	return rc < 0 ? rc : note_addresses(u, entry->hash, was, is);
}

/* Joins the gathered entries, sorted, name by name, into u->out. */
static int join_names(struct update *u, const struct names_snapshot *before)
{
	int rc = 0;

	join_begin(&u->out);
	for (size_t i = 0, n; i < u->n_entries && rc == 0; i += n) {
		struct join_entry *group = &u->entries[i];
		const struct names_record *was = NULL, *is;
		bool touched = false;

		for (n = 0; i + n < u->n_entries && is_same_name(group, &group[n]); n++)
			touched |= !group[n].is_old || group[n].is_gone;
		if (before && touched)
			was = names_find(before, group->name, group->name_len);
		if ((rc = join_name(&u->out, group, n, &is)) == 0 && touched)
			rc = note_difference(u, group, was, is);
	}
	return rc;
}

/* Rebuilds shard `s` of next from what `before` has of it and these operations. */
static int rebuild_shard(struct update *u, const struct names_snapshot *before, size_t s,
			 const struct op *ops, size_t n)
{
	struct names_shard *shard = NULL;
	int rc;

	u->n_entries = 0;
	if (before && (rc = gather_old(u, before, s)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (ops[i].name_len && (rc = add_entry(u, ops[i].hash, ops[i].name, ops[i].name_len,
						       ops[i].part, ops[i].children, false)) < 0)
			return rc;
	}
	qsort(u->entries, u->n_entries, sizeof(*u->entries), compare_entry);
	if ((rc = join_names(u, before)) < 0 ||
	    (rc = join_shard(&u->out, u->next->bits, &shard)) < 0)
		return rc;
	if (u->fresh[s] && u->next->shards[s]) {
		/* The operations point into it. */
		if (!join_reserve(&u->replaced, &u->replaced_size, u->n_replaced, 1,
				  sizeof(*u->replaced))) {
			free(shard);
			return -ENOMEM;
		}
		u->replaced[u->n_replaced++] = u->next->shards[s];
	}
	u->next->shards[s] = shard;
	u->fresh[s] = true;
	return 0;
}

/* --- all shards ----------------------------------------------------------------------------- */

/* Sorts by shard, in two passes; *ret_starts has where each begins and where the last one ends. */
static void *sort_by_shard(const void *items, size_t n, size_t size, unsigned int bits,
			   size_t **ret_starts)
{
	size_t n_shards = (size_t)1 << bits, *starts = calloc(n_shards + 2, sizeof(*starts));
	uint8_t *sorted = reallocarray(NULL, n + 1, size);
	const uint8_t *from = items;

	if (!starts || !sorted) {
		free(starts);
		free(sorted);
		return NULL;
	}
	/* Either kind begins with its hash. */
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

static int run_round(struct update *u, const struct names_snapshot *before, bool all)
{
	size_t *starts, n_shards = (size_t)1 << u->next->bits;
	struct op *ops = sort_by_shard(u->ops, u->n_ops, sizeof(*ops), u->next->bits, &starts);
	int rc = 0;

	if (!ops)
		return -ENOMEM;
	u->n_ops = 0;
	for (size_t s = 0; s < n_shards && rc == 0; s++) {
		size_t n = starts[s + 1] - starts[s];

		if (n || all)
			rc = rebuild_shard(u, before, s, ops + starts[s], n);
	}
	free(ops);
	free(starts);
	return rc;
}

static int compare_vip(const void *a, const void *b)
{
	const struct vip_op *x = a, *y = b;

	if (x->vip.addr_hash != y->vip.addr_hash)
		return x->vip.addr_hash < y->vip.addr_hash ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static bool is_removed(const struct names_vip *vip, const struct vip_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!ops[i].order && ops[i].vip.addr_hash == vip->addr_hash &&
		    ops[i].vip.name_hash == vip->name_hash)
			return true;
	}
	return false;
}

/* Of equal addresses, what was there comes first. */
static void merge_vips(const struct names_reverse *was, const struct vip_op *ops, size_t n,
		       const struct vip_op *added, size_t n_added, struct names_reverse *reverse)
{
	size_t k = 0;

	reverse->n = 0;
	for (size_t i = 0; was && i < was->n; i++) {
		if (is_removed(&was->vips[i], ops, n))
			continue;
		while (k < n_added && added[k].vip.addr_hash < was->vips[i].addr_hash)
			reverse->vips[reverse->n++] = added[k++].vip;
		reverse->vips[reverse->n++] = was->vips[i];
	}
	while (k < n_added)
		reverse->vips[reverse->n++] = added[k++].vip;
}

/* The shard's VIPs: what it had without what is removed, and what is added. Sorts the operations.
 */
static int rebuild_reverse(struct update *u, size_t s, struct vip_op *ops, size_t n)
{
	const struct names_snapshot *old = u->old && u->old->bits == u->next->bits ? u->old : NULL;
	const struct names_reverse *was = old ? old->reverse[s] : NULL;
	size_t n_removed = 0, room = (was ? was->n : 0) + n;
	struct names_reverse *reverse = malloc(sizeof(*reverse) + room * sizeof(reverse->vips[0]));
	struct names_reverse *fitting;

	if (!reverse)
		return -ENOMEM;
	qsort(ops, n, sizeof(*ops), compare_vip);
	for (size_t i = 0; i < n; i++) {
		if (!ops[i].order)
			n_removed++;
		else if (n_removed) {
			struct vip_op removed = ops[i - n_removed];

			/* Removed ones to the end, the others in their order. */
			ops[i - n_removed] = ops[i];
			ops[i] = removed;
		}
	}
	merge_vips(was, ops + n - n_removed, n_removed, ops, n - n_removed, reverse);
	fitting = realloc(reverse, sizeof(*reverse) + reverse->n * sizeof(reverse->vips[0]));
	u->next->reverse[s] = fitting ? fitting : reverse;
	return 0;
}

static int run_vips(struct update *u)
{
	size_t *starts, n_shards = (size_t)1 << u->next->bits;
	struct vip_op *vips =
		sort_by_shard(u->vips, u->n_vips, sizeof(*vips), u->next->bits, &starts);
	int rc = 0;

	if (!vips)
		return -ENOMEM;
	for (size_t s = 0; s < n_shards && rc == 0; s++) {
		if (starts[s + 1] > starts[s])
			rc = rebuild_reverse(u, s, vips + starts[s], starts[s + 1] - starts[s]);
	}
	free(vips);
	free(starts);
	return rc;
}

/* --- the whole ------------------------------------------------------------------------------ */

static unsigned int choose_bits(const struct names_snapshot *old, size_t n)
{
	unsigned int bits = 0;

	while (bits < NAMES_SHARD_BITS_MAX && n >> bits > SHARD_NAMES)
		bits++;
	/* Cutting all anew is worth it only when the shards are far from what they should be. */
	if (old && bits < old->bits + 3 && old->bits < bits + 3)
		return old->bits;
	return bits;
}

static int begin(struct update *u)
{
	size_t had = u->old ? u->old->n_records : 0, n_shards, gone = u->change->n_gone_hashes;
	struct names_snapshot *next = calloc(1, sizeof(*next));

	if (!(u->next = next))
		return -ENOMEM;
	next->bits = choose_bits(u->old, had - (gone < had ? gone : had) + u->change->n_added);
	next->negative_ttl = u->change->negative_ttl;
	n_shards = (size_t)1 << next->bits;
	next->shards = calloc(n_shards, sizeof(*next->shards));
	next->reverse = calloc(n_shards, sizeof(*next->reverse));
	u->fresh = calloc(n_shards, sizeof(*u->fresh));
	if (!next->shards || !next->reverse || !u->fresh)
		return -ENOMEM;
	if (u->old && u->old->bits == next->bits) {
		memcpy(next->shards, u->old->shards, n_shards * sizeof(*next->shards));
		memcpy(next->reverse, u->old->reverse, n_shards * sizeof(*next->reverse));
	}
	return 0;
}

static int collect_ops(struct update *u)
{
	const struct names_change *change = u->change;
	size_t n = change->n_added + change->n_gone_hashes;

	if (!join_reserve(&u->ops, &u->ops_size, 0, n, sizeof(*u->ops)))
		return -ENOMEM;
	for (size_t i = 0; i < change->n_added; i++) {
		const struct names_record *part = change->added[i].part;

		u->ops[u->n_ops++] = (struct op){.hash = change->added[i].hash,
						 .name = part->data,
						 .name_len = part->name_len,
						 .part = part};
	}
	for (size_t i = 0; i < change->n_gone_hashes; i++)
		u->ops[u->n_ops++] = (struct op){.hash = change->gone_hashes[i]};
	return 0;
}

/* Cut anew, the VIPs of names that stay are in no difference: all are taken from the records. */
static int collect_vips(struct update *u)
{
	u->n_vips = 0;
	for (size_t s = 0; s < (size_t)1 << u->next->bits; s++) {
		const struct names_shard *shard = u->next->shards[s];

		for (uint32_t i = 0; shard && i < shard->n_slots; i++) {
			int rc = 0;

			if (shard->slots[i].record != NAMES_SLOT_EMPTY)
				rc = note_addresses(u, shard->slots[i].hash, NULL,
						    names_slot_record(shard, i));
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static void sum_up(struct names_snapshot *names)
{
	size_t n_shards = (size_t)1 << names->bits;

	names->n_bytes = sizeof(*names) + n_shards * 2 * sizeof(void *);
	for (size_t s = 0; s < n_shards; s++) {
		if (names->shards[s]) {
			names->n_records += names->shards[s]->n_records;
			names->n_names += names->shards[s]->n_names;
			names->n_wildcards += names->shards[s]->n_wildcards;
			names->n_bytes += names->shards[s]->bytes;
		}
		if (names->reverse[s])
			names->n_bytes += sizeof(struct names_reverse) +
					  names->reverse[s]->n * sizeof(struct names_vip);
	}
}

static int run(struct update *u)
{
	bool again = u->old && u->old->bits != u->next->bits;
	int rc;

	if ((rc = collect_ops(u)) < 0 || (rc = run_round(u, u->old, again)) < 0)
		return rc;
	while (u->n_ops) {
		if ((rc = run_round(u, u->next, false)) < 0)
			return rc;
	}
	if ((again && (rc = collect_vips(u)) < 0) || (rc = run_vips(u)) < 0)
		return rc;
	sum_up(u->next);
	return 0;
}

/* After a failure: next's own shards go, the old ones are the old snapshot's. */
static void discard(struct update *u)
{
	struct names_snapshot *next = u->next;

	if (next && next->shards && next->reverse && u->old && u->old->bits == next->bits) {
		for (size_t s = 0; s < (size_t)1 << next->bits; s++) {
			if (next->shards[s] == u->old->shards[s])
				next->shards[s] = NULL;
			if (next->reverse[s] == u->old->reverse[s])
				next->reverse[s] = NULL;
		}
	}
	names_free(next);
}

int names_update(const struct names_snapshot *old, const struct names_change *change,
		 struct names_snapshot **ret_names, struct err *err)
{
	struct update u = {.old = old, .change = change};
	int rc;

	if ((rc = begin(&u)) == 0)
		rc = run(&u);
	if (rc == 0)
		*ret_names = u.next;
	else
		discard(&u);
	for (size_t i = 0; i < u.n_replaced; i++)
		free(u.replaced[i]);
	free(u.replaced);
	free(u.fresh);
	free(u.ops);
	free(u.vips);
	free(u.entries);
	join_free(&u.out);
	return rc == 0 ? 0 : err_set(err, rc, "cannot build the table of names: %s", err_text(rc));
}
