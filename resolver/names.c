/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/names.h"

#include <errno.h>
#include <stdlib.h>

struct slot {
	uint32_t hash;
	uint32_t
		record; /* in units of RECORD_ALIGN from the start of `records`; SLOT_EMPTY: none */
};
#define SLOT_EMPTY   UINT32_MAX
#define RECORD_ALIGN 4

struct vip {
	uint8_t bytes[16];
	uint32_t record; /* as in struct slot */
	uint32_t seq;    /* when it was added */
};

struct names_snapshot {
	struct slot *slots; /* n_slots of them, a power of two, at most half full */
	uint8_t *records;
	struct vip *vips[2]; /* IPv4 and IPv6, each sorted by address */
	size_t n_vips[2];
	size_t n_slots, n_names, n_bytes;
};

static const struct names_record *record_at(const struct names_snapshot *names, uint32_t offset)
{
	return (const struct names_record *)(names->records + (size_t)offset * RECORD_ALIGN);
}

const struct names_record *names_find(const struct names_snapshot *names, const uint8_t *name,
				      size_t len)
{
	uint32_t hash = wire_name_hash(name, len);
	size_t mask = names->n_slots - 1;

	for (size_t i = hash & mask; names->slots[i].record != SLOT_EMPTY; i = (i + 1) & mask) {
		const struct names_record *record;

		if (names->slots[i].hash != hash)
			continue;
		record = record_at(names, names->slots[i].record);
		if (record->name_len == len && !memcmp(record->data, name, len))
			return record;
	}
	return NULL;
}

static size_t vip_family(const struct addr *addr)
{
	return addr->family == AF_INET ? 0 : 1;
}

static int compare_vip(const void *a, const void *b)
{
	return memcmp(((const struct vip *)a)->bytes, ((const struct vip *)b)->bytes, 16);
}

const struct names_record *names_find_addr(const struct names_snapshot *names,
					   const struct addr *addr)
{
	size_t family = vip_family(addr);
	struct vip key = {0};
	const struct vip *vip;

	memcpy(key.bytes, addr->bytes, addr_len(addr));
	vip = bsearch(&key, names->vips[family], names->n_vips[family], sizeof(key), compare_vip);
	return vip ? record_at(names, vip->record) : NULL;
}

size_t names_count(const struct names_snapshot *names)
{
	return names->n_names;
}

size_t names_bytes(const struct names_snapshot *names)
{
	return names->n_bytes;
}

void names_free(struct names_snapshot *names)
{
	if (!names)
		return;
	free(names->slots);
	free(names->records);
	free(names->vips[0]);
	free(names->vips[1]);
	free(names);
}

/* --- building ------------------------------------------------------------------------------- */

struct pair {
	size_t name; /* offset in the builder's text */
	uint32_t seq;
	uint32_t ttl;
	struct addr addr;
	uint8_t name_len;
};

struct names_builder {
	uint8_t *text; /* the names, one behind the other, for the pairs to point into */
	struct pair *pairs;
	size_t text_len, text_size, n_pairs, pairs_size;
};

struct names_builder *names_builder_new(void)
{
	return calloc(1, sizeof(struct names_builder));
}

void names_builder_free(struct names_builder *builder)
{
	if (!builder)
		return;
	free(builder->text);
	free(builder->pairs);
	free(builder);
}

/* Makes room for `more` further elements behind `used` in *array, by doubling. */
static bool reserve(void *array, size_t *size, size_t used, size_t more, size_t element)
{
	size_t wanted = *size ? *size : 1024;
	void *grown;

	if (used + more <= *size)
		return true;
	while (wanted < used + more)
		wanted *= 2;
	if (!(grown = reallocarray(*(void **)array, wanted, element)))
		return false;
	*(void **)array = grown;
	*size = wanted;
	return true;
}

int names_add(struct names_builder *builder, const uint8_t *name, size_t len,
	      const struct addr *addr, uint32_t ttl, struct err *err)
{
	struct names_builder *b = builder;
	const struct pair *last = b->n_pairs ? &b->pairs[b->n_pairs - 1] : NULL;
	size_t at = b->text_len;

	if (b->n_pairs == UINT32_MAX)
		return err_set(err, E2BIG, "more than %u records", UINT32_MAX);
	/* Sources give a name's addresses one after the other: its text is stored once for them. */
	if (last && last->name_len == len && !memcmp(b->text + last->name, name, len)) {
		at = last->name;
	} else {
		if (!reserve(&b->text, &b->text_size, b->text_len, len, 1))
			return err_set(err, ENOMEM, "out of memory");
		memcpy(b->text + at, name, len);
		b->text_len += len;
	}
	if (!reserve(&b->pairs, &b->pairs_size, b->n_pairs, 1, sizeof(*b->pairs)))
		return err_set(err, ENOMEM, "out of memory");
	b->pairs[b->n_pairs] = (struct pair){
		.name = at,
		.name_len = (uint8_t)len,
		.seq = (uint32_t)b->n_pairs,
		.ttl = ttl,
		.addr = *addr,
	};
	b->n_pairs++;
	return 0;
}

/* Pairs of a name together, IPv4 first, equal ones side by side, the first added in front. */
static int compare_pair(const void *a, const void *b, void *text)
{
	const struct pair *x = a, *y = b;
	int order;

	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->name != y->name &&
	    (order = memcmp((uint8_t *)text + x->name, (uint8_t *)text + y->name, x->name_len)))
		return order;
	if ((order = addr_compare(&x->addr, &y->addr)))
		return order;
	return x->seq < y->seq ? -1 : 1;
}

static bool same_name(const struct names_builder *b, const struct pair *x, const struct pair *y)
{
	return x->name_len == y->name_len &&
	       !memcmp(b->text + x->name, b->text + y->name, x->name_len);
}

static size_t record_size(const struct pair *group, size_t n)
{
	size_t size = sizeof(struct names_record) + group->name_len;

	for (size_t i = 0; i < n; i++)
		size += group[i].addr.family == AF_INET ? NAMES_RR_A_LEN : NAMES_RR_AAAA_LEN;
	return (size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* Length of `domain` when `name` is it or lies under it, cut at a label; else 0. */
static uint8_t match_domain(const uint8_t *name, size_t len, const uint8_t *domain,
			    size_t domain_len)
{
	for (size_t i = 0; i < len && len - i >= domain_len; i += name[i] + 1u) {
		if (len - i == domain_len)
			return memcmp(name + i, domain, domain_len) ? 0 : (uint8_t)domain_len;
	}
	return 0;
}

static void put_rr(struct wire *w, const struct addr *addr, uint32_t ttl)
{
	wire_put_u16(w, 0xc000 | DNS_HEADER_LEN); /* the question's name */
	wire_put_u16(w, addr->family == AF_INET ? DNS_TYPE_A : DNS_TYPE_AAAA);
	wire_put_u16(w, DNS_CLASS_IN);
	wire_put_u32(w, ttl);
	wire_put_u16(w, (uint16_t)addr_len(addr));
	wire_put_bytes(w, addr->bytes, addr_len(addr));
}

/* Renders a name's sorted pairs, equal ones once, into `record`, which has room for all. */
static void render_record(struct names_record *record, const uint8_t *name,
			  const struct pair *group, size_t n, size_t room)
{
	struct wire w = wire_over(record->data, room - sizeof(*record));

	record->ttl = NAMES_TTL_MAX;
	for (size_t i = 0; i < n; i++) {
		if (group[i].ttl < record->ttl)
			record->ttl = group[i].ttl;
	}
	record->name_len = group->name_len;
	wire_put_bytes(&w, name, group->name_len);
	for (size_t i = 0; i < n; i++) {
		uint16_t *count = group[i].addr.family == AF_INET ? &record->n_a : &record->n_aaaa;

		if ((i && addr_equal(&group[i].addr, &group[i - 1].addr)) || *count == UINT16_MAX)
			continue;
		put_rr(&w, &group[i].addr, record->ttl);
		(*count)++;
	}
}

static void insert_slot(struct names_snapshot *names, const uint8_t *name, size_t len,
			uint32_t offset)
{
	uint32_t hash = wire_name_hash(name, len);
	size_t mask = names->n_slots - 1, i = hash & mask;

	while (names->slots[i].record != SLOT_EMPTY)
		i = (i + 1) & mask;
	names->slots[i] = (struct slot){.hash = hash, .record = offset};
}

/* What the sorted pairs need: names, bytes of records, VIPs of either family. */
static void measure(const struct names_builder *b, struct names_snapshot *names,
		    size_t *ret_records_size)
{
	*ret_records_size = 0;
	for (size_t i = 0, n; i < b->n_pairs; i += n) {
		for (n = 1; i + n < b->n_pairs && same_name(b, &b->pairs[i], &b->pairs[i + n]);)
			n++;
		*ret_records_size += record_size(&b->pairs[i], n);
		names->n_names++;
	}
	for (size_t i = 0; i < b->n_pairs; i++)
		names->n_vips[vip_family(&b->pairs[i].addr)]++;
	for (names->n_slots = 2; names->n_slots < 2 * names->n_names;)
		names->n_slots *= 2;
}

static int allocate(struct names_snapshot *names, size_t records_size, struct err *err)
{
	if (records_size / RECORD_ALIGN >= SLOT_EMPTY) {
		err_set(err, E2BIG, "the names take more than 16 GiB");
		return -E2BIG;
	}
	/* calloc(0) may be NULL: one element more, and NULL means out of memory. */
	names->slots = calloc(names->n_slots, sizeof(*names->slots));
	names->records = calloc(records_size + 1, 1);
	names->vips[0] = calloc(names->n_vips[0] + 1, sizeof(struct vip));
	names->vips[1] = calloc(names->n_vips[1] + 1, sizeof(struct vip));
	if (!names->slots || !names->records || !names->vips[0] || !names->vips[1]) {
		err_set(err, ENOMEM, "out of memory for %zu names", names->n_names);
		return -ENOMEM;
	}
	for (size_t i = 0; i < names->n_slots; i++)
		names->slots[i].record = SLOT_EMPTY;
	names->n_bytes = names->n_slots * sizeof(*names->slots) + records_size +
			 (names->n_vips[0] + names->n_vips[1]) * sizeof(struct vip);
	return 0;
}

static int compare_vip_seq(const void *a, const void *b)
{
	const struct vip *x = a, *y = b;
	int order = compare_vip(a, b);

	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Sorts the VIPs and keeps of each only the name that was added first. */
static void finish_vips(struct vip *vips, size_t *n_vips)
{
	size_t kept = 0;

	qsort(vips, *n_vips, sizeof(*vips), compare_vip_seq);
	for (size_t i = 0; i < *n_vips; i++) {
		if (kept == 0 || compare_vip(&vips[kept - 1], &vips[i]))
			vips[kept++] = vips[i];
	}
	*n_vips = kept;
}

static void fill(const struct names_builder *b, struct names_snapshot *names, const uint8_t *domain,
		 size_t domain_len)
{
	size_t used[2] = {0, 0}, offset = 0;

	for (size_t i = 0, n; i < b->n_pairs; i += n) {
		const struct pair *group = &b->pairs[i];
		const uint8_t *name = b->text + group->name;
		uint32_t unit = (uint32_t)(offset / RECORD_ALIGN);
		struct names_record *record = (struct names_record *)(names->records + offset);

		for (n = 1; i + n < b->n_pairs && same_name(b, group, &group[n]);)
			n++;
		render_record(record, name, group, n, record_size(group, n));
		record->domain_len = match_domain(name, group->name_len, domain, domain_len);
		insert_slot(names, name, group->name_len, unit);
		for (size_t j = 0; j < n; j++) {
			size_t family = vip_family(&group[j].addr);
			struct vip *vip = &names->vips[family][used[family]++];

			memcpy(vip->bytes, group[j].addr.bytes, addr_len(&group[j].addr));
			vip->record = unit;
			vip->seq = group[j].seq;
		}
		offset += record_size(group, n);
	}
	for (size_t family = 0; family < 2; family++)
		finish_vips(names->vips[family], &names->n_vips[family]);
}

int names_build(struct names_builder *builder, const uint8_t *domain, size_t domain_len,
		struct names_snapshot **ret_names, struct err *err)
{
	struct names_builder *b = builder;
	struct names_snapshot *names = calloc(1, sizeof(*names));
	size_t records_size;
	int rc;

	if (!names)
		return err_set(err, ENOMEM, "out of memory");
	if (b->n_pairs)
		qsort_r(b->pairs, b->n_pairs, sizeof(*b->pairs), compare_pair, b->text);
	measure(b, names, &records_size);
	if ((rc = allocate(names, records_size, err)) < 0) {
		names_free(names);
		return rc;
	}
	fill(b, names, domain, domain_len);
	*ret_names = names;
	return 0;
}
