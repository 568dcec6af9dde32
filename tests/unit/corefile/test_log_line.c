/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance of `log`: formats, classes, and who is logged at all. */
#include "resolver/corefile/log_line.h"

#include "common/cleanup.h"
#include "tests/unit/corefile/message_text.h"

static const char *write_line(const char *format, const struct log_line_facts *facts)
{
	static char line[LOG_LINE_MAX];
	struct arena arena = {.max = 1 << 20};
	struct log_format *compiled = log_line_compile(&arena, format);

	cr_assert_not_null(compiled);
	cr_expect_eq(log_line_write(compiled, facts, line), strlen(line));
	arena_free(&arena);
	return line;
}

/* An answer to "ReDis.mesh AAAA" from 192.0.2.1 and [fd00::1]. */
static const struct log_line_facts *facts_of(bool v6)
{
	static struct message m;
	static struct log_line_facts facts;

	message_init(&m, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD | DNS_FLAG_RA | DNS_RCODE_NXDOMAIN,
		     1, 0, 0, 0);
	put_question(&m, "ReDis.mesh", v6 ? DNS_TYPE_AAAA : 65280, v6 ? DNS_CLASS_IN : 77);
	facts = (struct log_line_facts){
		.remote.port = 50759,
		.is_tcp = !v6,
		.dnssec_ok = v6,
		.edns_size = v6 ? 1232 : 0,
		.query_size = 39,
		.answer_size = 4660,
		.duration_us = 1234567,
		.answer = m.bytes,
		.kept = m.w.pos,
	};
	cr_assert(addr_parse(v6 ? "fd00::1" : "192.0.2.1", &facts.remote.addr));
	if (v6)
		cr_assert(addr_parse("::1", &facts.local));
	return &facts;
}

static const struct {
	const char *format, *v6, *v4;
} formats[] = {
	{LOG_FORMAT_COMMON,
	 "[fd00::1]:50759 - 4660 \"AAAA IN redis.mesh. udp 39 true 1232\" NXDOMAIN qr,aa,rd,ra "
	 "4660 1.234567s",
	 "192.0.2.1:50759 - 4660 \"TYPE65280 CLASS77 redis.mesh. tcp 39 false 65535\" NXDOMAIN "
	 "qr,aa,rd,ra 4660 1.234567s"},
	{"{local} {>opcode}", "[::1] 0", "- 0"},
	{"", "", ""},
	{"nothing", "nothing", "nothing"},
	{"{type}{class}", "AAAAIN", "TYPE65280CLASS77"},
	{"{ {type} }", "{ AAAA }", "{ TYPE65280 }"},
	{"} {type} {", "} AAAA {", "} TYPE65280 {"},
	{"{what} {TYPE} {>type} {} {{>id}}", "{what} {TYPE} {>type} {} {4660}",
	 "{what} {TYPE} {>type} {} {4660}"},
	{"{/metadata/x} {>id}", "- 4660", "- 4660"},
	{"a\nb\t{>id}\033", "a b 4660 ", "a b 4660 "},
};

Test(log_line, formats)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		cr_expect_str_eq(write_line(formats[i].format, facts_of(true)), formats[i].v6);
		cr_expect_str_eq(write_line(formats[i].format, facts_of(false)), formats[i].v4);
	}
}

/* Whatever the name is, it makes no second line and no escape sequence. */
Test(log_line, hostile_names)
{
	struct log_line_facts facts = *facts_of(true);
	struct message m;

	message_init(&m, DNS_FLAG_QR, 1, 0, 0, 0);
	wire_put_bytes(&m.w, "\x8\n\033[2J\" .\1\xff\0\0\1\0\1", 16);
	facts.answer = m.bytes;
	facts.kept = m.w.pos;
	cr_expect_str_eq(write_line("\"{name}\"", &facts), "\"\\010\\027[2j\\\"\\032\\..\\255.\"");
	facts.kept = m.w.pos - 5;
	cr_expect_str_eq(write_line("{name} {type}", &facts), ". TYPE0", "cut");
	facts.kept = 0;
	cr_expect_str_eq(write_line("{name} {rcode} {>rflags}|", &facts), ". NOERROR |");
}

/* Longer than a line may be. */
Test(log_line, cut)
{
	char format[LOG_LINE_MAX + 100];

	memset(format, 'x', sizeof(format));
	strcpy(format + LOG_LINE_MAX - 5, "{name}{name}");
	cr_expect_eq(strlen(write_line(format, facts_of(true))), LOG_LINE_MAX - 1);
}

static const struct {
	uint16_t flags;
	const char *sections; /* a: an answer; s: SOA, n: NS, t: TXT in the authority section */
	unsigned int class;
} classes[] = {
	{0, "a", LOG_SUCCESS},
	{0, "as", LOG_SUCCESS},
	{0, "", LOG_SUCCESS},
	{0, "n", LOG_SUCCESS}, /* a delegation */
	{0, "t", LOG_SUCCESS},
	{0, "s", LOG_DENIAL},
	{0, "ns", LOG_DENIAL},
	{3, "", LOG_DENIAL},
	{3, "s", LOG_DENIAL},
	{3, "a", LOG_ERROR},
	{2, "", LOG_ERROR},
	{4, "", LOG_ERROR},
	{5, "s", LOG_ERROR},
	{DNS_OPCODE_NOTIFY << DNS_OPCODE_SHIFT, "", LOG_ERROR},
	{DNS_OPCODE_UPDATE << DNS_OPCODE_SHIFT, "", LOG_ERROR},
};

Test(log_line, classes)
{
	struct message m;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		const char *sections = classes[i].sections;
		bool has_answer = *sections == 'a';

		message_init(&m, DNS_FLAG_QR | classes[i].flags, 1, has_answer,
			     (uint16_t)(strlen(sections) - has_answer), 0);
		put_question(&m, "a.org", DNS_TYPE_A, DNS_CLASS_IN);
		for (; *sections; sections++)
			put_rr(&m, "a.org",
			       *sections == 'a'   ? 1
			       : *sections == 's' ? 6
			       : *sections == 'n' ? 2
						  : 16,
			       DNS_CLASS_IN, 60, "\1\2\3\4", 4);
		cr_expect_eq(log_line_class(m.bytes, m.w.pos), classes[i].class, "row %zu", i);
	}
	message_init(&m, DNS_FLAG_QR, 1, 0, 0, 0);
	put_question(&m, "a.org", DNS_TYPE_AXFR, DNS_CLASS_IN);
	cr_expect_eq(log_line_class(m.bytes, m.w.pos), LOG_ERROR);
	cr_expect_eq(log_line_class(m.bytes, 3), LOG_ERROR);
}

/* The first that is about the name, whatever its classes are. */
Test(log_line, find)
{
	struct corefile *corefile = corefile_of(
		". {\n log example.org a.net {\n class error\n}\n log net {combined}\n}\n");
	const struct corefile_log *logs = corefile->servers->log;
	static const struct {
		const char *name;
		int number;
	} rows[] = {{"\1x\7example\3org", 1}, {"\1a\3net", 1}, {"\1b\3net", 2}, {"\3org", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct corefile_log *found = log_line_find(
			logs, (const uint8_t *)rows[i].name, strlen(rows[i].name) + 1);

		cr_expect_eq(found, rows[i].number == 0   ? NULL
				    : rows[i].number == 1 ? logs
							  : logs->next);
	}
	cr_expect_eq(logs->classes, LOG_ERROR);
	cr_expect_str_eq(logs->next->format, LOG_FORMAT_COMBINED);
	corefile_free(corefile);
	corefile = corefile_of(". {\n log\n}\n");
	cr_expect_eq(log_line_find(corefile->servers->log, (const uint8_t *)"", 1),
		     corefile->servers->log);
	corefile_free(corefile);
}
