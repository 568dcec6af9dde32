/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/rebuild.h"

/*
 * What the data of a type is made of: so many octets, `s`trings, the `v`alue and other `n`ames.
 * What is left is copied. RFC 1035's own types may have their names shortened again.
 */
static const struct layout {
	uint16_t type;
	bool shortens;
	const char *fields;
} layouts[] = {
	{2, true, "v"},       /* NS */
	{3, true, "n"},       /* MD */
	{4, true, "n"},       /* MF */
	{5, true, "v"},       /* CNAME */
	{6, true, "vn"},      /* SOA */
	{7, true, "n"},       /* MB */
	{8, true, "n"},       /* MG */
	{9, true, "n"},       /* MR */
	{12, true, "v"},      /* PTR */
	{14, true, "nn"},     /* MINFO */
	{15, true, "2v"},     /* MX */
	{17, false, "nn"},    /* RP */
	{18, false, "2n"},    /* AFSDB */
	{21, false, "2n"},    /* RT */
	{24, false, "99n"},   /* SIG */
	{26, false, "2nn"},   /* PX */
	{30, false, "n"},     /* NXT */
	{33, false, "6v"},    /* SRV */
	{35, false, "4sssv"}, /* NAPTR */
	{36, false, "2n"},    /* KX */
	{39, false, "v"},     /* DNAME */
	{46, false, "99n"},   /* RRSIG */
};

/* --- names ------------------------------------------------------------------------------------
 */

#define POINTER_MAX 0x3fff
#define LABELS_MAX  (DNS_NAME_MAX / 2)

/* Where the labels of a name begin, the root left out; how many. */
static size_t find_labels(const uint8_t *name, uint8_t ret_at[LABELS_MAX])
{
	size_t n = 0;

	for (size_t at = 0; name[at]; at += name[at] + 1u)
		ret_at[n++] = (uint8_t)at;
	return n;
}

/* How many octets at the end of the two names are the same labels, the root not counted. */
static size_t common_end(const uint8_t *a, const uint8_t *b)
{
	uint8_t a_at[LABELS_MAX], b_at[LABELS_MAX];
	size_t n_a = find_labels(a, a_at), n_b = find_labels(b, b_at), common = 0;

	while (n_a && n_b) {
		const uint8_t *label = a + a_at[--n_a], *other = b + b_at[--n_b];

		if (*label != *other || !wire_name_equal(label + 1, other + 1, *label))
			break;
		common += *label + 1u;
	}
	return common;
}

/* Which octets of the name are to be written; those behind are at *ret_pointer. */
static size_t find_end(const struct rebuild *r, const uint8_t *name, size_t len, size_t *ret_at)
{
	size_t best = 0;

	for (size_t i = 0; i < r->n_seen; i++) {
		size_t common = common_end(name, r->seen[i].name);
		size_t skip = r->seen[i].len - 1u - common;

		if (common > best && skip < r->seen[i].literal &&
		    r->seen[i].at + skip <= POINTER_MAX) {
			best = common;
			*ret_at = r->seen[i].at + skip;
		}
	}
	return best ? len - 1 - best : len;
}

static void remember(struct rebuild *r, size_t at, const uint8_t *name, size_t len, size_t literal)
{
	/* The question's stays, then the oldest goes. */
	size_t slot = r->n_seen;

	if (at > POINTER_MAX || literal == 0 || len == 1)
		return;
	if (r->n_seen > REBUILD_SEEN) {
		memmove(&r->seen[1], &r->seen[2], (REBUILD_SEEN - 1) * sizeof(r->seen[0]));
		slot = REBUILD_SEEN;
	} else {
		r->n_seen++;
	}
	r->seen[slot].at = (uint16_t)at;
	r->seen[slot].len = (uint8_t)len;
	r->seen[slot].literal = (uint8_t)literal;
	memcpy(r->seen[slot].name, name, len);
}

static void put_name(struct rebuild *r, const uint8_t *name, size_t len, bool shortens)
{
	size_t at = r->out.pos, target = 0,
	       literal = shortens ? find_end(r, name, len, &target) : len;

	wire_put_bytes(&r->out, name, literal);
	if (target)
		wire_put_u16(&r->out, (uint16_t)(0xc000 | target));
	if (!r->out.failed)
		remember(r, at, name, len, literal);
}

static bool copy_name(struct rebuild *r, struct wire *in, enum rebuild_place place, bool shortens)
{
	uint8_t name[DNS_NAME_MAX];
	size_t len = wire_follow_name(in, name);

	if (!len || (r->change && !r->change(r->context, place, name, &len)))
		return false;
	put_name(r, name, len, shortens);
	return true;
}

/* --- records ----------------------------------------------------------------------------------
 */

/* `n` octets; false if there are not as many. */
static bool copy_octets(struct rebuild *r, struct wire *in, size_t n)
{
	const uint8_t *octets = wire_take(in, n);

	if (!octets)
		return false;
	wire_put_bytes(&r->out, octets, n);
	return true;
}

static bool copy_field(struct rebuild *r, struct wire *in, char field, bool shortens)
{
	uint8_t len;

	switch (field) {
	case 'v': return copy_name(r, in, REBUILD_VALUE, shortens);
	case 'n': return copy_name(r, in, REBUILD_OTHER, shortens);
	case 's':
		len = wire_get_u8(in);
		wire_put_u8(&r->out, len);
		return copy_octets(r, in, len);
	default: return copy_octets(r, in, (size_t)(field - '0'));
	}
}

/* `in` ends with the data. */
static bool copy_data(struct rebuild *r, struct wire *in, uint16_t type)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		if (layouts[i].type != type || wire_left(in) == 0)
			continue;
		for (const char *field = layouts[i].fields; *field; field++) {
			if (!copy_field(r, in, *field, layouts[i].shortens))
				return false;
		}
	}
	return copy_octets(r, in, wire_left(in));
}

static uint32_t bounded(const struct rebuild *r, uint32_t ttl)
{
	return ttl < r->ttl_min ? r->ttl_min : ttl > r->ttl_max ? r->ttl_max : ttl;
}

void rebuild_begin(struct rebuild *r, struct wire out, const uint8_t *question, size_t question_len,
		   size_t qname_len)
{
	r->out = out;
	r->ttl_min = 0;
	r->ttl_max = UINT32_MAX;
	r->change = NULL;
	r->n_seen = 0;
	wire_take(&r->out, DNS_HEADER_LEN);
	wire_put_bytes(&r->out, question, question_len);
	if (qname_len && !r->out.failed)
		remember(r, DNS_HEADER_LEN, question, qname_len, qname_len);
}

bool rebuild_copy(struct rebuild *r, struct wire *in)
{
	struct wire data = *in;
	struct wire_rr rr;
	size_t length_at, end;

	if (!wire_get_rr(in, &rr))
		return false;
	if (rr.type == DNS_TYPE_OPT)
		return copy_octets(r, &data, in->pos - data.pos) && !r->out.failed;
	if (!copy_name(r, &data, REBUILD_OWNER, true))
		return false;
	wire_put_u16(&r->out, rr.type);
	wire_put_u16(&r->out, rr.class);
	wire_put_u32(&r->out, bounded(r, rr.ttl));
	length_at = r->out.pos;
	wire_put_u16(&r->out, 0);
	data.pos = in->pos - rr.rdlength;
	data.size = in->pos;
	if (!copy_data(r, &data, rr.type) || r->out.failed)
		return false;
	end = r->out.pos;
	r->out.pos = length_at;
	wire_put_u16(&r->out, (uint16_t)(end - length_at - 2));
	r->out.pos = end;
	return true;
}
