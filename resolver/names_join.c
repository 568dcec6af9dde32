/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/names_join.h"

#include <errno.h>
#include <stdlib.h>

bool join_reserve(void *array, size_t *size, size_t used, size_t more, size_t element)
{
	size_t wanted = *size ? *size : 64;
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

void join_begin(struct join_output *out)
{
	out->used = out->n_slots = 0;
	out->n_names = out->n_wildcards = 0;
}

void join_free(struct join_output *out)
{
	free(out->block);
	free(out->slots);
	free(out->list);
}

/* --- lists ---------------------------------------------------------------------------------- */

static int compare4(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static int compare16(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* All parts' addresses of a family, sorted, each once, into out->list; how many. -ENOMEM. */
static int join_addresses(struct join_output *out, const struct join_entry *entries, size_t n,
			  size_t len)
{
	size_t used = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct names_record *part = entries[i].part;
		size_t count = len == 4 ? part->n_a : part->n_aaaa;

		if (!join_reserve(&out->list, &out->list_size, used, count * len, 1))
			return -ENOMEM;
		if (count)
			memcpy(out->list + used,
			       len == 4 ? names_record_a(part) : names_record_aaaa(part),
			       count * len);
		used += count * len;
	}
	used /= len;
	if (used > 1)
		qsort(out->list, used, len, len == 4 ? compare4 : compare16);
	for (size_t i = 0; i < used && kept < UINT16_MAX; i++) {
		if (kept == 0 ||
		    memcmp(out->list + (kept - 1) * len, out->list + i * len, len) != 0) {
			memmove(out->list + kept * len, out->list + i * len, len);
			kept++;
		}
	}
	return (int)kept;
}

static size_t port_size(const struct names_port *port)
{
	return sizeof(*port) + port->name_len;
}

/* All parts' ports, each once, into out->list; how many octets. -ENOMEM. */
static int join_ports(struct join_output *out, const struct join_entry *entries, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const struct names_port *port = NULL;

		while ((port = names_next_port(entries[i].part, port))) {
			size_t size = port_size(port), at = 0;

			while (at < used) {
				const struct names_port *other =
					(const struct names_port *)(out->list + at);

				if (port_size(other) == size && !memcmp(other, port, size))
					break;
				at += port_size(other);
			}
			if (at < used || used + size > UINT16_MAX)
				continue;
			if (!join_reserve(&out->list, &out->list_size, used, size, 1))
				return -ENOMEM;
			memcpy(out->list + used, port, size);
			used += size;
		}
	}
	return (int)used;
}

/* --- records -------------------------------------------------------------------------------- */

static int put(struct join_output *out, const void *bytes, size_t n)
{
	if (!join_reserve(&out->block, &out->size, out->used, n, 1))
		return -ENOMEM;
	if (n)
		memcpy(out->block + out->used, bytes, n);
	out->used += n;
	return 0;
}

static int align(struct join_output *out)
{
	static const uint8_t zeros[NAMES_RECORD_ALIGN];

	return put(out, zeros, -out->used % NAMES_RECORD_ALIGN);
}

/* A part as it is, with the name or without. */
static int put_part(struct join_output *out, const struct names_record *part, const uint8_t *name,
		    uint8_t name_len)
{
	/* The analyzer loses sight of what join_name() keeps: entries that have a part. */
	struct names_record header = *part; /* NOLINT(clang-analyzer-core.NullDereference) */
	size_t body;
	int rc;

	if (header.name_len && name_len) /* the same name */
		return put(out, part, names_record_size(part));
	header.name_len = name_len;
	header.flags = 0;
	body = part->alias_len + (size_t)part->n_a * 4 + (size_t)part->n_aaaa * 16 +
	       part->ports_len;
	if ((rc = put(out, &header, sizeof(header))) < 0 || (rc = put(out, name, name_len)) < 0 ||
	    (rc = put(out, names_record_alias(part), body)) < 0)
		return rc;
	return align(out);
}

/* A record that only counts children. */
static int put_children(struct join_output *out, int32_t children, const uint8_t *name,
			uint8_t name_len)
{
	struct names_record header = {
		.ttl = (uint32_t)children, .name_len = name_len, .flags = NAMES_TREE};
	int rc;

	if ((rc = put(out, &header, sizeof(header))) < 0 || (rc = put(out, name, name_len)) < 0)
		return rc;
	return align(out);
}

/* All the parts say, as one record. */
static int put_joined(struct join_output *out, const struct join_entry *entries, size_t n,
		      const uint8_t *name, uint8_t name_len, uint8_t flags)
{
	struct names_record header =
		*entries->part; /* NOLINT(clang-analyzer-core.NullDereference) */
	size_t at = out->used;
	const uint8_t *alias = NULL;
	int count, rc;

	header.name_len = name_len;
	header.alias_len = 0;
	header.flags = flags;
	for (size_t i = 0; i < n; i++) {
		const struct names_record *part = entries[i].part;

		if (part->ttl < header.ttl)
			header.ttl = part->ttl;
		if (part->alias_len && !alias) {
			alias = names_record_alias(part);
			header.alias_len = part->alias_len;
		}
		/* A name with addresses is no alias: nothing stands beside a CNAME. */
		if (part->n_a || part->n_aaaa || part->ports_len) {
			header.alias_len = 0;
			alias = entries->part->data;
		}
	}
	if ((rc = put(out, &header, sizeof(header))) < 0 || (rc = put(out, name, name_len)) < 0 ||
	    (rc = put(out, alias, header.alias_len)) < 0)
		return rc;
	if ((count = join_addresses(out, entries, n, 4)) < 0 ||
	    put(out, out->list, (size_t)count * 4) < 0)
		return -ENOMEM;
	header.n_a = (uint16_t)count;
	if ((count = join_addresses(out, entries, n, 16)) < 0 ||
	    put(out, out->list, (size_t)count * 16) < 0)
		return -ENOMEM;
	header.n_aaaa = (uint16_t)count;
	if ((count = join_ports(out, entries, n)) < 0 || put(out, out->list, (size_t)count) < 0)
		return -ENOMEM;
	header.ports_len = (uint16_t)count;
	memcpy(out->block + at, &header, sizeof(header));
	return align(out);
}

/* Parts of one place come and go together: they are one. */
static size_t same_place(const struct join_entry *entries, size_t n)
{
	size_t same = 1;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): see put_part() */
	while (same < n && entries[same].part->place == entries->part->place)
		same++;
	return same;
}

static int put_parts(struct join_output *out, const struct join_entry *entries, size_t n,
		     int32_t children)
{
	uint32_t n_parts = children > 0;
	int rc;

	for (size_t i = 0; i < n; i += same_place(entries + i, n - i))
		n_parts++;
	if ((rc = put(out, &n_parts, sizeof(n_parts))) < 0)
		return rc;
	for (size_t i = 0, same; i < n; i += same) {
		same = same_place(entries + i, n - i);
		if ((rc = put_joined(out, entries + i, same, NULL, 0, 0)) < 0)
			return rc;
	}
	return children > 0 ? put_children(out, children, NULL, 0) : 0;
}

int join_name(struct join_output *out, struct join_entry *entries, size_t n,
	      const struct names_record **ret_record)
{
	const struct join_entry *first = entries;
	struct join_entry *parts = entries; /* those that stay, moved up */
	const uint8_t *name = first->name;
	uint8_t name_len = first->name_len;
	uint32_t hash = first->hash;
	const struct names_record *record;
	size_t kept = 0, at = out->used;
	int32_t children = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		children += entries[i].children;
		if (entries[i].part && !entries[i].is_gone) {
			struct join_entry part = entries[i];

			parts[i] = parts[kept];
			parts[kept++] = part;
		}
	}
	*ret_record = NULL;
	if (kept == 0 && children <= 0)
		return 0;
	if (out->used / NAMES_RECORD_ALIGN >= NAMES_SLOT_EMPTY)
		return -E2BIG;
	if (kept == 0)
		rc = put_children(out, children, name, name_len);
	else if (children <= 0 && kept == 1)
		rc = put_part(out, parts->part, name, name_len);
	else if (children <= 0 && same_place(parts, kept) == kept)
		rc = put_joined(out, parts, kept, name, name_len, 0);
	else if ((rc = put_joined(out, parts, kept, name, name_len,
				  NAMES_PARTS | (children > 0 ? NAMES_TREE : 0))) == 0)
		rc = put_parts(out, parts, kept, children);
	if (rc < 0)
		return rc;
	if (!join_reserve(&out->slots, &out->slots_size, out->n_slots, 1, sizeof(*out->slots)))
		return -ENOMEM;
	out->slots[out->n_slots++] = (struct names_slot){hash, (uint32_t)(at / NAMES_RECORD_ALIGN)};
	*ret_record = record = (const struct names_record *)(out->block + at);
	out->n_names += names_has_data(record);
	out->n_wildcards += name_len > 2 && name[0] == 1 && name[1] == '*';
	return 0;
}

int join_shard(const struct join_output *out, unsigned int bits, struct names_shard **ret_shard)
{
	size_t n_slots = out->n_slots + out->n_slots / 3 + 1, slots_bytes, bytes;
	struct names_shard *shard;

	*ret_shard = NULL;
	if (out->n_slots == 0)
		return 0;
	slots_bytes = n_slots * sizeof(struct names_slot);
	bytes = sizeof(*shard) + slots_bytes + out->used;
	if (!(shard = malloc(bytes)))
		return -ENOMEM;
	*shard = (struct names_shard){
		.n_slots = (uint32_t)n_slots,
		.n_records = (uint32_t)out->n_slots,
		.n_names = out->n_names,
		.n_wildcards = out->n_wildcards,
		.bytes = bytes,
		.slots = (struct names_slot *)(shard + 1),
		.block = (uint8_t *)(shard + 1) + slots_bytes,
	};
	memset(shard->slots, 0xff, slots_bytes);
	memcpy(shard->block, out->block, out->used);
	for (size_t i = 0; i < out->n_slots; i++) {
		uint32_t at = names_slot_of(out->slots[i].hash, bits, shard->n_slots);

		while (shard->slots[at].record != NAMES_SLOT_EMPTY)
			at = at + 1 == shard->n_slots ? 0 : at + 1;
		shard->slots[at] = out->slots[i];
	}
	*ret_shard = shard;
	return 0;
}
