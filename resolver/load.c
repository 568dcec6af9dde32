/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "resolver/load_hash.h"
#include "resolver/names_join.h"

void load_skip(struct load *load, const char *reason, const char *text, size_t len)
{
	struct load_warnings *w = load->warnings;

	if (w->skipped < LOAD_WARNINGS_MAX)
		snprintf(w->text[w->skipped], sizeof(w->text[0]),
			 "source=%s place=\"line %zu\" reason=\"%s%.*s\"", load->source, load->line,
			 reason, (int)(len < 64 ? len : 64), text);
	w->skipped++;
}

/* A host name or, RFC 4592, "*." and one; not "*" alone, which would swallow the world. */
static size_t parse_name(const char *text, size_t len, uint8_t ret_name[DNS_NAME_MAX])
{
	uint8_t parent[DNS_NAME_MAX];
	size_t parent_len;

	if (len < 3 || text[0] != '*' || text[1] != '.')
		return wire_name_from_text(text, len, ret_name);
	parent_len = wire_name_from_text(text + 2, len - 2, parent);
	if (parent_len == 0 || parent_len + 2 > DNS_NAME_MAX)
		return 0;
	ret_name[0] = 1;
	ret_name[1] = '*';
	memcpy(ret_name + 2, parent, parent_len);
	return parent_len + 2;
}

bool load_name(struct load *load, const char *name, size_t len, uint32_t ttl, int *rc)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t wire_len;

	*rc = 0;
	/* Its IPv4 and IPv6 address often follow one another. */
	if (load->name_len && load->part_ttl == ttl && load->text_len == len &&
	    !memcmp(load->text, name, len))
		return true;
	if ((wire_len = parse_name(name, len, wire)) == 0) {
		load_skip(load, "not a host name: ", name, len);
		return false;
	}
	*rc = load_end_part(load);
	memcpy(load->text, name, len);
	load->text_len = len;
	memcpy(load->name, wire, wire_len);
	load->name_len = (uint8_t)wire_len;
	load->part_ttl = ttl;
	load->part_line = load->line;
	return *rc == 0;
}

bool load_parse_address(struct load *load, const char *text, size_t len, struct addr *ret_addr)
{
	char copy[INET6_ADDRSTRLEN];

	*ret_addr = (struct addr){.family = memchr(text, ':', len) ? AF_INET6 : AF_INET};
	/* No address has a NUL in it or is longer than the buffer; a scope has no place in DNS. */
	if (len < sizeof(copy)) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		if (strlen(copy) == len && inet_pton(ret_addr->family, copy, ret_addr->bytes) == 1)
			return true;
	}
	load_skip(load, "not an address: ", text, len);
	return false;
}

static int append(uint8_t **list, size_t *len, size_t *size, const void *bytes, size_t n)
{
	if (!join_reserve(list, size, *len, n, 1))
		return -ENOMEM;
	memcpy(*list + *len, bytes, n);
	*len += n;
	return 0;
}

int load_add_address(struct load *load, const struct addr *addr)
{
	int rc = 0;

	if (load->a_len / 4 == UINT16_MAX || load->aaaa_len / 16 == UINT16_MAX)
		rc = load_end_part(load); /* another part of the same name */
	if (rc < 0)
		return rc;
	if (addr->family == AF_INET)
		return append(&load->a, &load->a_len, &load->a_size, addr->bytes, 4);
	return append(&load->aaaa, &load->aaaa_len, &load->aaaa_size, addr->bytes, 16);
}

int load_add_alias(struct load *load, const char *text, size_t len)
{
	size_t wire_len = wire_name_from_text(text, len, load->alias);

	if (wire_len == 0)
		load_skip(load, "not a host name to be an alias of: ", text, len);
	load->alias_len = (uint8_t)wire_len;
	return 0;
}

int load_add_port(struct load *load, uint16_t number, uint8_t protocol, const uint8_t *name,
		  uint8_t len)
{
	uint8_t port[sizeof(struct names_port) + DNS_LABEL_MAX] = {(uint8_t)(number >> 8),
								   (uint8_t)number, protocol, len};

	if (load->ports_len + sizeof(port) > UINT16_MAX)
		return 0;
	memcpy(port + sizeof(struct names_port), name, len);
	return append(&load->ports, &load->ports_len, &load->ports_size, port,
		      sizeof(struct names_port) + len);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
	if (n)
		memcpy(at, bytes, n);
	return at + n;
}

static uint32_t place_in_hand(struct load *load)
{
	while (load->next_place < load->n_used && load->used[load->next_place])
		load->next_place++;
	return load->next_place;
}

static int write_part(struct load *load, const struct names_record *header)
{
	size_t size = names_record_size(header);
	uint8_t *at;

	if (!join_reserve(&load->parts, &load->parts_size, load->n_parts, 1,
			  sizeof(*load->parts)) ||
	    !join_reserve(&load->block, &load->block_size, load->block_len, size, 1))
		return -ENOMEM;
	load->parts[load->n_parts++] =
		(struct load_part){wire_name_hash(load->name, load->name_len), load->block_len};
	at = load->block + load->block_len;
	load->block_len += size;
	memset(at + size - NAMES_RECORD_ALIGN, 0, NAMES_RECORD_ALIGN);
	at = put(at, header, sizeof(*header));
	at = put(at, load->name, load->name_len);
	at = put(at, load->alias, load->alias_len);
	at = put(at, load->a, load->a_len);
	at = put(at, load->aaaa, load->aaaa_len);
	put(at, load->ports, load->ports_len);
	return 0;
}

int load_end_part(struct load *load)
{
	struct names_record header = {
		.ttl = load->part_ttl,
		.place = place_in_hand(load),
		.line = (uint16_t)(load->part_line - load->piece_line),
		.n_a = (uint16_t)(load->a_len / 4),
		.n_aaaa = (uint16_t)(load->aaaa_len / 16),
		.ports_len = (uint16_t)load->ports_len,
		.name_len = load->name_len,
		.alias_len = load->alias_len,
	};
	int rc = 0;

	if (load->name_len && names_has_data(&header)) {
		if (names_is_under(load->name, load->name_len, load->settings->domain,
				   load->settings->domain_len))
			header.domain_len = (uint8_t)load->settings->domain_len;
		rc = write_part(load, &header);
	}
	load->a_len = load->aaaa_len = load->ports_len = load->alias_len = 0;
	load->name_len = 0;
	return rc;
}

int load_end_piece(struct load *load, const char *text, size_t len, size_t next_line, bool is_open)
{
	size_t n = 0;
	struct load_piece piece = {
		.text_hash = load_hash(text, len),
		.place = place_in_hand(load),
		.text_len = (uint32_t)len,
		.lines = (uint32_t)(next_line - load->piece_line),
		.is_open = is_open,
	};

	if (load_end_part(load) < 0 ||
	    !join_reserve(&load->pieces, &load->pieces_size, load->n_pieces, 1, sizeof(piece)))
		return -ENOMEM;
	n = load->n_parts - load->piece_parts;
	if (n && !(piece.hashes = reallocarray(NULL, n, sizeof(*piece.hashes))))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		piece.hashes[i] = load->parts[load->piece_parts + i].hash;
	piece.n_hashes = (uint32_t)n;
	load->pieces[load->n_pieces++] = piece;
	load->next_place++;
	load->piece_parts = load->n_parts;
	load->piece_line = next_line;
	return 0;
}

bool load_is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

int load_text(struct load *load, const char *text, size_t len, bool is_json,
	      enum load_part_of which, struct err *err)
{
	load->piece_line = load->first_line;
	return is_json ? load_json(load, text, len, which, err) : load_hosts(load, text, len, err);
}

void load_added(struct load *load, struct names_added *ret_added)
{
	for (size_t i = 0; i < load->n_parts; i++) {
		struct names_record *part =
			(struct names_record *)(load->block + load->parts[i].at);

		/* A table's own TTL is known only when all of it has been read. */
		if (part->ttl == LOAD_TTL_TABLE)
			part->ttl = load->ttl;
		ret_added[i] = (struct names_added){load->parts[i].hash, part};
	}
}

void load_free(struct load *load)
{
	for (size_t i = 0; i < load->n_pieces; i++)
		free(load->pieces[i].hashes);
	free(load->pieces);
	free(load->block);
	free(load->parts);
	free(load->a);
	free(load->aaaa);
	free(load->ports);
}
