/* SPDX-License-Identifier: GPL-2.0-or-later */
#define XXH_INLINE_ALL
#include "resolver/wire.h"

#include <xxhash.h>

/* Label lengths are at most 63 and so never look like letters: names can be folded octet by octet.
 */
static inline uint8_t fold(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

void wire_get_header(struct wire *w, struct wire_header *ret_header)
{
	ret_header->id = wire_get_u16(w);
	ret_header->flags = wire_get_u16(w);
	ret_header->qdcount = wire_get_u16(w);
	ret_header->ancount = wire_get_u16(w);
	ret_header->nscount = wire_get_u16(w);
	ret_header->arcount = wire_get_u16(w);
}

void wire_put_header(struct wire *w, const struct wire_header *header)
{
	wire_put_u16(w, header->id);
	wire_put_u16(w, header->flags);
	wire_put_u16(w, header->qdcount);
	wire_put_u16(w, header->ancount);
	wire_put_u16(w, header->nscount);
	wire_put_u16(w, header->arcount);
}

size_t wire_get_name(struct wire *w, uint8_t ret_name[DNS_NAME_MAX])
{
	size_t len = 0;

	while (true) {
		uint8_t label = wire_get_u8(w);
		const uint8_t *octets;

		if (w->failed || label > DNS_LABEL_MAX || len + 1 + label > DNS_NAME_MAX)
			break;
		ret_name[len++] = label;
		if (label == 0)
			return len;
		if (!(octets = wire_take(w, label)))
			break;
		for (size_t i = 0; i < label; i++)
			ret_name[len++] = fold(octets[i]);
	}
	w->failed = true;
	return 0;
}

void wire_skip_name(struct wire *w)
{
	size_t start = w->pos, len = 0;

	while (!w->failed) {
		uint8_t label = wire_get_u8(w);

		if ((label & 0xc0) == 0xc0) {
			size_t target = (size_t)(label & 0x3f) << 8 | wire_get_u8(w);

			if (target < DNS_HEADER_LEN || target >= start)
				w->failed = true;
			return;
		}
		len += 1 + (size_t)label;
		if (label > DNS_LABEL_MAX || len > DNS_NAME_MAX)
			w->failed = true;
		if (label == 0)
			return;
		wire_take(w, label);
	}
}

#define POINTERS_MAX (DNS_NAME_MAX / 2) /* as many as there can be labels */

size_t wire_follow_name(struct wire *w, uint8_t ret_name[DNS_NAME_MAX])
{
	struct wire at = *w; /* leaves the name at its first pointer, *w does not */
	size_t start = w->pos, len = 0, pointers = 0;

	wire_skip_name(w);
	while (!w->failed) {
		uint8_t label = wire_get_u8(&at);
		const uint8_t *octets;

		if ((label & 0xc0) == 0xc0) {
			size_t target = (size_t)(label & 0x3f) << 8 | wire_get_u8(&at);

			if (at.failed || target < DNS_HEADER_LEN || target >= start ||
			    pointers++ == POINTERS_MAX)
				break;
			at.pos = start = target;
			continue;
		}
		octets = wire_take(&at, label);
		if (at.failed || label > DNS_LABEL_MAX || len + 1 + label > DNS_NAME_MAX)
			break;
		ret_name[len++] = label;
		if (label == 0)
			return len;
		memcpy(ret_name + len, octets, label);
		len += label;
	}
	w->failed = true;
	return 0;
}

bool wire_get_rr(struct wire *w, struct wire_rr *ret_rr)
{
	size_t start = w->pos;

	wire_skip_name(w);
	ret_rr->owner_is_root = w->pos == start + 1;
	ret_rr->type = wire_get_u16(w);
	ret_rr->class = wire_get_u16(w);
	ret_rr->ttl = (uint32_t)wire_get_u16(w) << 16;
	ret_rr->ttl |= wire_get_u16(w);
	ret_rr->rdlength = wire_get_u16(w);
	ret_rr->rdata = wire_take(w, ret_rr->rdlength);
	return !w->failed;
}

bool wire_name_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && fold(a[i]) != fold(b[i]))
			return false;
	}
	return true;
}

void wire_name_fold(uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		name[i] = fold(name[i]);
}

/* Whoever could choose names that collide writes the table himself. */
uint32_t wire_name_hash(const uint8_t *name, size_t len)
{
	return (uint32_t)XXH3_64bits(name, len);
}

static bool is_host_octet(uint8_t folded)
{
	return (folded >= 'a' && folded <= 'z') || (folded >= '0' && folded <= '9') ||
	       folded == '-' || folded == '_';
}

size_t wire_name_from_text(const char *text, size_t len, uint8_t ret_name[DNS_NAME_MAX])
{
	size_t label = 0; /* where the length octet of the label in hand goes */
	size_t pos = 1;

	if (len && text[len - 1] == '.')
		len--;
	if (len == 0 || len + 2 > DNS_NAME_MAX)
		return 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '.') {
			ret_name[pos] = fold((uint8_t)text[i]);
			if (!is_host_octet(ret_name[pos++]))
				return 0;
			continue;
		}
		if (pos - label - 1 == 0 || pos - label - 1 > DNS_LABEL_MAX)
			return 0;
		ret_name[label] = (uint8_t)(pos - label - 1);
		label = pos++;
	}
	ret_name[label] = 0;
	return pos;
}
