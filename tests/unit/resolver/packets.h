/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages and tables for the resolver's unit tests. */
#ifndef MESHDNS_TESTS_PACKETS_H
#define MESHDNS_TESTS_PACKETS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/names.h"
#include "resolver/nametext.h"
#include "resolver/resolve.h"
#include "tests/table.h"

/* A message under construction. Its bytes end where an untouchable page begins, once laid out. */
struct message {
	uint8_t bytes[RESOLVE_UDP_BUFFER];
	struct wire w;
};

/* In the case of the text; "" is the root. */
static inline void put_name(struct wire *w, const char *text)
{
	uint8_t name[DNS_NAME_MAX] = {0};
	size_t len = nametext_read(text, strlen(text), name);

	wire_put_bytes(w, name, len ? len : 1);
}

/* Header with the given flags and counts. */
static inline void message_init(struct message *m, uint16_t flags, uint16_t qd, uint16_t an,
				uint16_t ns, uint16_t ar)
{
	struct wire_header h = {0x1234, flags, qd, an, ns, ar};

	m->w = wire_over(m->bytes, sizeof(m->bytes));
	wire_put_header(&m->w, &h);
}

static inline void put_question(struct message *m, const char *name, uint16_t type, uint16_t class)
{
	put_name(&m->w, name);
	wire_put_u16(&m->w, type);
	wire_put_u16(&m->w, class);
}

static inline void put_rr(struct message *m, const char *owner, uint16_t type, uint16_t class,
			  uint32_t ttl, const void *rdata, uint16_t len)
{
	put_name(&m->w, owner);
	wire_put_u16(&m->w, type);
	wire_put_u16(&m->w, class);
	wire_put_u32(&m->w, ttl);
	wire_put_u16(&m->w, len);
	wire_put_bytes(&m->w, rdata, len);
}

static inline void put_opt(struct message *m, uint16_t size, uint8_t version, bool dnssec_ok)
{
	put_rr(m, "", DNS_TYPE_OPT, size, (uint32_t)version << 16 | (dnssec_ok ? 0x8000 : 0), "",
	       0);
}

/* A plain question in class IN, recursion desired. */
static inline void message_question(struct message *m, const char *name, uint16_t type)
{
	message_init(m, DNS_FLAG_RD, 1, 0, 0, 0);
	put_question(m, name, type, DNS_CLASS_IN);
}

/* query_parse() on a copy that ends at an untouchable page. */
static inline enum query_verdict parse_guarded(const uint8_t *bytes, size_t len,
					       struct query *ret_query)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (len + page - 1) / page * page + page;
	uint8_t *map =
		mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum query_verdict verdict;

	cr_assert_neq(map, MAP_FAILED);
	cr_assert_eq(mprotect(map + whole - page, page, PROT_NONE), 0);
	memcpy(map + whole - page - len, bytes, len);
	verdict = query_parse(map + whole - page - len, len, ret_query);
	munmap(map, whole);
	return verdict;
}

static inline enum query_verdict message_parse(const struct message *m, struct query *ret_query)
{
	cr_assert_not(m->w.failed);
	return parse_guarded(m->bytes, m->w.pos, ret_query);
}

static inline const struct names_record *table_find(const struct names_snapshot *names,
						    const char *name)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t len = wire_name_from_text(name, strlen(name), wire);

	return names_find(names, wire, len);
}

#endif
