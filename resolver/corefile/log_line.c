/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/log_line.h"

#include <stdarg.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/corefile/mnemonic.h"
#include "resolver/nametext.h"

/* --- lines ------------------------------------------------------------------------------------
 */

/* The answer's question and header, and a line under construction. */
struct line {
	const struct log_line_facts *facts;
	struct wire_header header;
	uint8_t name[DNS_NAME_MAX];
	uint16_t type, class;
	char *at;
	size_t left;
};

static void put(struct line *l, const char *text, size_t len)
{
	if (len > l->left)
		len = l->left;
	memcpy(l->at, text, len);
	l->at += len;
	l->left -= len;
}

static void put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

static void __attribute__((format(printf, 2, 3))) put_format(struct line *l, const char *fmt, ...)
{
	char text[64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_text(l, text);
}

static void put_address(struct line *l, const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	if (addr->family)
		put_format(l, addr->family == AF_INET6 ? "[%s]" : "%s", addr_format(addr, text));
	else
		put_text(l, "-");
}

static void put_type(struct line *l)
{
	char text[MNEMONIC_TEXT_MAX];

	put_text(l, mnemonic_type_text(l->type, text));
}

static void put_class(struct line *l)
{
	const char *name = mnemonic_name(mnemonic_classes, l->class);

	if (name)
		put_text(l, name);
	else
		put_format(l, "CLASS%u", l->class);
}

static void put_name(struct line *l)
{
	char text[NAMETEXT_MAX];

	put(l, text, nametext_write(l->name, text));
}

static void put_proto(struct line *l)
{
	put_text(l, l->facts->is_tcp ? "tcp" : "udp");
}

static void put_remote(struct line *l)
{
	put_address(l, &l->facts->remote.addr);
}

static void put_port(struct line *l)
{
	put_format(l, "%u", l->facts->remote.port);
}

static void put_local(struct line *l)
{
	put_address(l, &l->facts->local);
}

static void put_size(struct line *l)
{
	put_format(l, "%u", l->facts->query_size);
}

static void put_id(struct line *l)
{
	put_format(l, "%u", l->header.id);
}

static void put_opcode(struct line *l)
{
	put_format(l, "%d", (l->header.flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT);
}

static void put_do(struct line *l)
{
	put_text(l, l->facts->dnssec_ok ? "true" : "false");
}

/* How much the client takes. */
static void put_bufsize(struct line *l)
{
	unsigned int size = l->facts->edns_size;

	if (l->facts->is_tcp)
		size = DNS_MESSAGE_MAX;
	else if (size < DNS_UDP_MIN_SIZE)
		size = DNS_UDP_MIN_SIZE;
	put_format(l, "%u", size);
}

static void put_rcode(struct line *l)
{
	uint16_t rcode = l->header.flags & DNS_RCODE_MASK;
	const char *name = mnemonic_name(mnemonic_rcodes, rcode);

	if (name)
		put_text(l, name);
	else
		put_format(l, "%u", rcode);
}

static void put_rflags(struct line *l)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = {{DNS_FLAG_QR, "qr"}, {DNS_FLAG_AA, "aa"}, {DNS_FLAG_TC, "tc"},
		     {DNS_FLAG_RD, "rd"}, {DNS_FLAG_RA, "ra"}, {DNS_FLAG_Z, "z"},
		     {DNS_FLAG_AD, "ad"}, {DNS_FLAG_CD, "cd"}};
	const char *between = "";

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (l->header.flags & flags[i].bit) {
			put_text(l, between);
			put_text(l, flags[i].name);
			between = ",";
		}
	}
}

static void put_rsize(struct line *l)
{
	put_format(l, "%u", l->facts->answer_size);
}

static void put_duration(struct line *l)
{
	put_format(l, "%.6fs", (double)l->facts->duration_us / 1e6);
}

static void put_nothing(struct line *l)
{
	put_text(l, "-");
}

/* --- formats ----------------------------------------------------------------------------------
 */

static const struct label {
	const char *name;
	void (*put)(struct line *l);
} labels[] = {
	{"type", put_type},         {"class", put_class},    {"name", put_name},
	{"proto", put_proto},       {"remote", put_remote},  {"port", put_port},
	{"local", put_local},       {"size", put_size},      {">id", put_id},
	{">opcode", put_opcode},    {">do", put_do},         {">bufsize", put_bufsize},
	{"rcode", put_rcode},       {">rflags", put_rflags}, {"rsize", put_rsize},
	{"duration", put_duration},
};

/* Text, then what a placeholder stands for; NULL behind the last. */
struct log_part {
	const char *text;
	size_t len;
	void (*put)(struct line *l);
};

struct log_format {
	size_t n;
	struct log_part parts[];
};

/* What is between braces; NULL: nothing that is known. */
static void (*find_label(const char *name, size_t len))(struct line *l)
{
	if (len && *name == '/')
		return put_nothing;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (strlen(labels[i].name) == len && !memcmp(labels[i].name, name, len))
			return labels[i].put;
	}
	return NULL;
}

struct log_format *log_line_compile(struct arena *arena, const char *format)
{
	struct log_format *result;
	const char *text = format; /* what has not been put into a part yet */
	size_t n = 1;

	for (const char *at = format; (at = strchr(at, '}')); at++)
		n++;
	result = arena_alloc(arena, sizeof(*result) + n * sizeof(*result->parts));
	if (!result)
		return NULL;
	/* From the right brace back to the left one: "{ {name} }" has a placeholder in it. */
	for (const char *at = format, *end; (end = strchr(at, '}')); at = end + 1) {
		const char *begin = memrchr(at, '{', (size_t)(end - at));
		void (*found)(struct line *) =
			begin ? find_label(begin + 1, (size_t)(end - begin) - 1) : NULL;

		if (!found)
			continue;
		result->parts[result->n++] = (struct log_part){text, (size_t)(begin - text), found};
		text = end + 1;
	}
	result->parts[result->n++] = (struct log_part){text, strlen(text), NULL};
	return result;
}

/* Line ends and the like in the Corefile's own text would look like lines of others. */
static void make_printable(char *text, const char *end)
{
	for (; text < end; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
	}
}

size_t log_line_write(const struct log_format *format, const struct log_line_facts *facts,
		      char ret_line[LOG_LINE_MAX])
{
	struct wire w = wire_over((void *)facts->answer, facts->kept);
	struct line l = {.facts = facts, .at = ret_line, .left = LOG_LINE_MAX - 1};

	wire_get_header(&w, &l.header);
	if (l.header.qdcount) {
		wire_get_name(&w, l.name);
		l.type = wire_get_u16(&w);
		l.class = wire_get_u16(&w);
	}
	if (w.failed)
		l.name[0] = 0;
	for (size_t i = 0; i < format->n; i++) {
		put(&l, format->parts[i].text, format->parts[i].len);
		if (format->parts[i].put)
			format->parts[i].put(&l);
	}
	make_printable(ret_line, l.at);
	*l.at = '\0';
	return (size_t)(l.at - ret_line);
}

/* --- which lines ------------------------------------------------------------------------------
 */

const struct corefile_log *log_line_find(const struct corefile_log *logs, const uint8_t *name,
					 size_t len)
{
	while (logs && logs->zones.n && !corefile_zones_find(&logs->zones, name, len))
		logs = logs->next;
	return logs;
}

/* Whether there is a SOA in the authority section. */
static bool has_soa(struct wire *w, const struct wire_header *h)
{
	bool is_soa = false;
	struct wire_rr rr;

	for (uint16_t i = 0; i < h->nscount && !is_soa && wire_get_rr(w, &rr); i++)
		is_soa = rr.type == DNS_TYPE_SOA;
	return is_soa;
}

unsigned int log_line_class(const uint8_t *answer, size_t len)
{
	struct wire w = wire_over((void *)answer, len);
	uint16_t rcode, type = 0;
	struct wire_header h;

	wire_get_header(&w, &h);
	rcode = h.flags & DNS_RCODE_MASK;
	if (h.qdcount) {
		wire_skip_name(&w);
		type = wire_get_u16(&w);
		wire_get_u16(&w);
	}
	if (w.failed || h.flags & DNS_OPCODE_MASK || type == DNS_TYPE_AXFR || type == DNS_TYPE_IXFR)
		return LOG_ERROR;
	if (h.ancount)
		return rcode == DNS_RCODE_NOERROR ? LOG_SUCCESS : LOG_ERROR;
	if (rcode == DNS_RCODE_NXDOMAIN)
		return LOG_DENIAL;
	if (rcode != DNS_RCODE_NOERROR)
		return LOG_ERROR;
	return has_soa(&w, &h) ? LOG_DENIAL : LOG_SUCCESS;
}
