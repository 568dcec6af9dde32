/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/names_vips.h"

#include <errno.h>

#include "resolver/names_join.h"
#include "resolver/names_sort.h"

/* --- what is different ---------------------------------------------------------------------- */

static int add_op(struct vips *vips, const uint8_t *bytes, size_t len, uint32_t name_hash,
		  uint32_t order)
{
	if (!join_reserve(&vips->ops, &vips->size, vips->n, 1, sizeof(*vips->ops)))
		return -ENOMEM;
	vips->ops[vips->n++] = (struct vips_op){{names_addr_hash(bytes, len), name_hash}, order};
	return 0;
}

/* What is in only one of two sorted lists of addresses, which is to leave or to join the VIPs. */
static int diff_addresses(struct vips *vips, uint32_t name_hash, uint32_t order, const uint8_t *was,
			  size_t n_was, const uint8_t *is, size_t n_is, size_t len)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while ((i < n_was || j < n_is) && rc == 0) {
		int side = i == n_was  ? 1
			   : j == n_is ? -1
				       : memcmp(was + i * len, is + j * len, len);

		if (side < 0)
			rc = add_op(vips, was + i * len, len, name_hash, 0);
		else if (side > 0)
			rc = add_op(vips, is + j * len, len, name_hash, order);
		i += side <= 0;
		j += side >= 0;
	}
	return rc;
}

int vips_note(struct vips *vips, uint32_t name_hash, const struct names_record *was,
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
	if ((rc = diff_addresses(vips, name_hash, order, names_record_a(was), was->n_a,
				 names_record_a(is), is->n_a, 4)) < 0)
		return rc;
	return diff_addresses(vips, name_hash, order, names_record_aaaa(was), was->n_aaaa,
			      names_record_aaaa(is), is->n_aaaa, 16);
}

/* --- one shard ------------------------------------------------------------------------------ */

/* Of an address, what is removed comes first, by name, and then what is added, in its order. */
static int compare_ops(const void *a, const void *b)
{
	const struct vips_op *x = a, *y = b;

	if (x->vip.addr_hash != y->vip.addr_hash)
		return x->vip.addr_hash < y->vip.addr_hash ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->vip.name_hash > y->vip.name_hash) - (x->vip.name_hash < y->vip.name_hash);
}

static bool is_removed(const struct names_vip *vip, const struct vips_op *ops, size_t n)
{
	struct vips_op removal = {.vip = *vip};

	return bsearch(&removal, ops, n, sizeof(*ops), compare_ops);
}

static void put_added(struct names_reverse *reverse, const struct vips_op *op)
{
	if (op->order)
		reverse->vips[reverse->n++] = op->vip;
}

/* Of equal addresses, what was there comes first. The operations are sorted. */
static void merge(const struct names_reverse *was, const struct vips_op *ops, size_t n,
		  struct names_reverse *reverse)
{
	size_t k = 0;

	reverse->n = 0;
	for (size_t i = 0; was && i < was->n; i++) {
		const struct names_vip *vip = &was->vips[i];

		for (; k < n && ops[k].vip.addr_hash < vip->addr_hash; k++)
			put_added(reverse, &ops[k]);
		if (!is_removed(vip, ops + k, n - k))
			reverse->vips[reverse->n++] = *vip;
	}
	for (; k < n; k++)
		put_added(reverse, &ops[k]);
}

static size_t reverse_bytes(const struct names_reverse *reverse)
{
	return reverse ? sizeof(*reverse) + reverse->n * sizeof(reverse->vips[0]) : 0;
}

static int rebuild(struct names_snapshot *next, size_t s, const struct names_reverse *was,
		   const struct vips_op *ops, size_t n)
{
	size_t room = (was ? was->n : 0) + n;
	struct names_reverse *reverse = malloc(sizeof(*reverse) + room * sizeof(reverse->vips[0]));
	struct names_reverse *fitting;

	if (!reverse)
		return -ENOMEM;
	merge(was, ops, n, reverse);
	next->n_bytes += reverse_bytes(reverse) - reverse_bytes(was);
	fitting = realloc(reverse, reverse_bytes(reverse));
	next->reverse[s] = fitting ? fitting : reverse;
	return 0;
}

/* --- all of them ---------------------------------------------------------------------------- */

int vips_apply(const struct vips *vips, const struct names_snapshot *old,
	       struct names_snapshot *next)
{
	size_t *starts, n_shards = (size_t)1 << next->bits;
	struct vips_op *ops = sort_by_shard(vips->ops, vips->n, sizeof(*ops), next->bits, &starts);
	struct vips_op *spare = NULL;
	size_t spare_size = 0;
	int rc = 0;

	if (!ops)
		return -ENOMEM;
	for (size_t s = 0; s < n_shards && rc == 0; s++) {
		size_t n = starts[s + 1] - starts[s];

		if (n == 0)
			continue;
		if (!join_reserve(&spare, &spare_size, 0, n, sizeof(*spare))) {
			rc = -ENOMEM;
			break;
		}
		sort_in_shard(ops + starts[s], spare, n, sizeof(*ops), next->bits, compare_ops);
		rc = rebuild(next, s, old ? old->reverse[s] : NULL, ops + starts[s], n);
	}
	free(spare);
	free(ops);
	free(starts);
	return rc;
}

void vips_free(struct vips *vips)
{
	free(vips->ops);
}
