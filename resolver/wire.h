/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cursor: the only way to the bytes of a DNS message.
 *
 * A cursor walks a buffer of known size. Its error is sticky: the first access past the end sets
 * `failed`, from then on reads give zeros and writes do nothing, so that a caller checks once, at
 * the end of a run of accesses. Numbers are in host order here, in network order in the buffer.
 *
 * Names are in wire form: length-prefixed labels up to and with the root label.
 */
#ifndef MESHDNS_RESOLVER_WIRE_H
#define MESHDNS_RESOLVER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "resolver/dns.h"

struct wire {
	uint8_t *data; /* borrowed */
	size_t size;
	size_t pos; /* pos <= size, always */
	bool failed;
};

/* RFC 1035 section 4.1.1. */
struct wire_header {
	uint16_t id, flags, qdcount, ancount, nscount, arcount;
};

static inline struct wire wire_over(void *data, size_t size)
{
	return (struct wire){.data = data, .size = size};
}

static inline size_t wire_left(const struct wire *w)
{
	return w->size - w->pos;
}

/* `n` bytes at the cursor, which moves past them; NULL and failed if there are not as many. */
static inline uint8_t *wire_take(struct wire *w, size_t n)
{
	uint8_t *at = w->data + w->pos;

	if (w->failed || n > wire_left(w)) {
		w->failed = true;
		return NULL;
	}
	w->pos += n;
	return at;
}

static inline uint8_t wire_get_u8(struct wire *w)
{
	const uint8_t *p = wire_take(w, 1);

	return p ? *p : 0;
}

static inline uint16_t wire_get_u16(struct wire *w)
{
	const uint8_t *p = wire_take(w, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline void wire_put_u8(struct wire *w, uint8_t value)
{
	uint8_t *p = wire_take(w, 1);

	if (p)
		*p = value;
}

static inline void wire_put_u16(struct wire *w, uint16_t value)
{
	uint8_t *p = wire_take(w, 2);

	if (p) {
		p[0] = (uint8_t)(value >> 8);
		p[1] = (uint8_t)value;
	}
}

static inline void wire_put_u32(struct wire *w, uint32_t value)
{
	wire_put_u16(w, (uint16_t)(value >> 16));
	wire_put_u16(w, (uint16_t)value);
}

static inline void wire_put_bytes(struct wire *w, const void *bytes, size_t n)
{
	uint8_t *p = wire_take(w, n);

	if (p && n)
		memcpy(p, bytes, n);
}

/* The header at the cursor; all zeros and failed if there is none. */
void wire_get_header(struct wire *w, struct wire_header *ret_header);
void wire_put_header(struct wire *w, const struct wire_header *header);

/*
 * Reads the uncompressed name at the cursor into `ret_name`, ASCII letters lower-cased (RFC 4343),
 * and returns its length, 1 to 255. 0 and failed: runs past the end, longer than 255 octets, a
 * label type other than 00. A compression pointer is one of those: the name of a question has
 * nothing before it to point to.
 */
size_t wire_get_name(struct wire *w, uint8_t ret_name[DNS_NAME_MAX]);

/*
 * Moves past the possibly compressed name at the cursor. Fails as wire_get_name does, and for a
 * pointer that does not lead strictly backwards or leads into the header (RFC 9267 section 2).
 * The pointer's target is not followed.
 */
void wire_skip_name(struct wire *w);

/*
 * Reads the possibly compressed name at the cursor, which moves past it, into `ret_name`: whole, in
 * the case it has. Returns its length; 0 and failed as above, or for pointers in endless rows.
 */
size_t wire_follow_name(struct wire *w, uint8_t ret_name[DNS_NAME_MAX]);

/* One resource record behind its owner name. */
struct wire_rr {
	uint16_t type, class;
	uint32_t ttl;
	uint16_t rdlength;
	uint8_t *rdata; /* rdlength bytes inside the message */
	bool owner_is_root;
};

/* Reads the record at the cursor, which moves past it; false and failed if it is not whole. */
bool wire_get_rr(struct wire *w, struct wire_rr *ret_rr);

/* Octets that differ at most in the case of ASCII letters. */
bool wire_name_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* Length of a name that is known to be good, uncompressed. */
static inline size_t wire_name_len(const uint8_t *name)
{
	size_t len = 1;

	for (; *name; name += *name + 1u)
		len += *name + 1u;
	return len;
}

/* Lower-cases ASCII letters in place. */
void wire_name_fold(uint8_t *name, size_t len);

/* Hash of a lower-cased name, for tables of names. */
uint32_t wire_name_hash(const uint8_t *name, size_t len);

/*
 * Text ("redis.mesh", final dot optional) to lower-cased wire form. Returns the length, or 0 when
 * it is no host name: empty or over-long labels, octets other than letters, digits, '-' and '_'.
 */
size_t wire_name_from_text(const char *text, size_t len, uint8_t ret_name[DNS_NAME_MAX]);

#endif
