/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a snapshot and a change to the next snapshot.
 *
 * The change becomes a list of operations, sorted by shard. Of each shard that has any, the parts
 * are gathered, old and new, sorted by name, joined and written anew. What that makes or unmakes of
 * names counts at their parents, which is a further round of operations, until there are none. The
 * addresses that came and went are noted on the way and applied at the end.
 */
#include <errno.h>

#include "resolver/names_join.h"
#include "resolver/names_sort.h"
#include "resolver/names_vips.h"

#define SHARD_NAMES 128 /* on average, to begin with */

/* Something to be done to a name: a part joins it, children are counted, or parts may be gone. */
struct op {
	uint32_t hash;
	int32_t children;                /* so many more, or fewer */
	const struct names_record *part; /* new; NULL: none */
	const uint8_t *name;             /* whose children; NULL: nobody's */
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
	struct vips vips;
	struct join_entry *entries; /* of the shard in hand */
	size_t n_entries, entries_size;
	struct join_entry *spare; /* for sorting them */
	size_t spare_size;
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
	size_t label = entry->name[0] + 1u, len = entry->name_len - label;
	const uint8_t *parent = entry->name + label;
	struct op *last = u->n_ops ? &u->ops[u->n_ops - 1] : NULL;

	if (len <= 1)
		return 0;
	/* Neighbours are often siblings. */
	if (last && wire_name_len(last->name) == len && !memcmp(last->name, parent, len)) {
		last->children += n;
		return 0;
	}
	return add_op(u, &(struct op){wire_name_hash(parent, len), n, NULL, parent});
}

/* Takes note of what is different about a name. */
static int note_difference(struct update *u, const struct join_entry *entry,
			   const struct names_record *was, const struct names_record *is)
{
	int rc = 0;

	if (!was != !is)
		rc = count_at_parent(u, entry, is ? 1 : -1);
	return rc < 0 ? rc : vips_note(&u->vips, entry->hash, was, is);
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

/* Takes a shard into the sums (1) or out of them (-1). */
static void count_shard(struct names_snapshot *names, const struct names_shard *shard, int sign)
{
	if (!shard)
		return;
	names->n_records += (size_t)sign * shard->n_records;
	names->n_names += (size_t)sign * shard->n_names;
	names->n_wildcards += (size_t)sign * shard->n_wildcards;
	names->n_bytes += (size_t)sign * shard->bytes;
}

static int gather_ops(struct update *u, const struct op *ops, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct names_record *part = ops[i].part;

		if (part) {
			__builtin_prefetch(part); /* all over the text's parts, and read soon */
			__builtin_prefetch(part->data + 44);
		}
	}
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct names_record *part = ops[i].part;

		if (part)
			rc = add_entry(u, ops[i].hash, part->data, part->name_len, part, 0, false);
		else if (ops[i].name)
			rc = add_entry(u, ops[i].hash, ops[i].name,
				       (uint8_t)wire_name_len(ops[i].name), NULL, ops[i].children,
				       false);
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
	if ((before && (rc = gather_old(u, before, s)) < 0) || (rc = gather_ops(u, ops, n)) < 0)
		return rc;
	if (!join_reserve(&u->spare, &u->spare_size, 0, u->n_entries, sizeof(*u->spare)))
		return -ENOMEM;
	sort_in_shard(u->entries, u->spare, u->n_entries, sizeof(*u->entries), u->next->bits,
		      compare_entry);
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
	count_shard(u->next, u->next->shards[s], -1);
	count_shard(u->next, shard, 1);
	u->next->shards[s] = shard;
	u->fresh[s] = true;
	return 0;
}

/* --- all shards ----------------------------------------------------------------------------- */

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
	next->is_partial = u->change->is_partial;
	n_shards = (size_t)1 << next->bits;
	next->shards = calloc(n_shards, sizeof(*next->shards));
	next->reverse = calloc(n_shards, sizeof(*next->reverse));
	u->fresh = calloc(n_shards, sizeof(*u->fresh));
	if (!next->shards || !next->reverse || !u->fresh)
		return -ENOMEM;
	next->n_bytes = sizeof(*next) + n_shards * 2 * sizeof(void *);
	if (u->old && u->old->bits == next->bits) {
		next->n_names = u->old->n_names;
		next->n_records = u->old->n_records;
		next->n_wildcards = u->old->n_wildcards;
		next->n_bytes = u->old->n_bytes;
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
	for (size_t i = 0; i < change->n_added; i++)
		u->ops[u->n_ops++] =
			(struct op){.hash = change->added[i].hash, .part = change->added[i].part};
	for (size_t i = 0; i < change->n_gone_hashes; i++)
		u->ops[u->n_ops++] = (struct op){.hash = change->gone_hashes[i]};
	return 0;
}

/* Cut anew, the VIPs of names that stay are in no difference: all are taken from the records. */
static int collect_vips(struct update *u)
{
	u->vips.n = 0;
	for (size_t s = 0; s < (size_t)1 << u->next->bits; s++) {
		const struct names_shard *shard = u->next->shards[s];

		for (uint32_t i = 0; shard && i < shard->n_slots; i++) {
			int rc = 0;

			if (shard->slots[i].record != NAMES_SLOT_EMPTY)
				rc = vips_note(&u->vips, shard->slots[i].hash, NULL,
					       names_slot_record(shard, i));
			if (rc < 0)
				return rc;
		}
	}
	return 0;
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
	if (again && (rc = collect_vips(u)) < 0)
		return rc;
	return vips_apply(&u->vips, again ? NULL : u->old, u->next);
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
	vips_free(&u.vips);
	free(u.entries);
	free(u.spare);
	join_free(&u.out);
	return rc == 0 ? 0 : err_set(err, rc, "cannot build the table of names: %s", err_text(rc));
}
