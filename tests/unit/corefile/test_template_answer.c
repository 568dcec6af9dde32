/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance of `template`: the directives of a block, a question, and what must follow. */
#include "resolver/corefile/template_answer.h"

#include "common/cleanup.h"
#include "tests/unit/corefile/message_text.h"

/* A message about `question`, a name and a type, asked by 192.0.2.7. */
struct asked {
	const char *question;
	uint16_t class, udp_size; /* 0: IN; no EDNS */
};

static void ask(const struct asked *asked, struct message *m)
{
	char name[300], type_text[16];
	uint16_t type;

	cr_assert_eq(sscanf(asked->question, "%299s %15s", name, type_text), 2);
	cr_assert(mnemonic_find_type(type_text, strlen(type_text), &type));
	message_init(m, DNS_FLAG_RD, 1, 0, 0, asked->udp_size > 0);
	put_question(m, name, type, asked->class ? asked->class : DNS_CLASS_IN);
	if (asked->udp_size)
		put_opt(m, asked->udp_size, 0, true);
}

static struct stats_templates counts;

static const char *answer(const char *block, const struct asked *asked,
			  struct template_outcome *ret_outcome)
{
	static const struct addr remote = {.family = AF_INET, .bytes = {192, 0, 2, 7}};
	static char failed[600];
	char *text = NULL;
	struct corefile *corefile;
	struct regex_scratch scratch = {0};
	struct template_context context = {.remote = &remote, .scratch = &scratch};
	struct corefile_zones zones;
	struct err err = {0};
	struct message m;
	struct query query;
	const char *result = failed;
	size_t len;

	cr_assert_gt(asprintf(&text, "example. {\n%s\n}\n", block), 0);
	corefile = corefile_of(text);
	zones = (struct corefile_zones){&corefile->servers->keys[0].zone, 1};
	context.templates = corefile->servers->templates;
	context.zones = &zones;
	ask(asked, &m);
	query_parse(m.bytes, m.w.pos, &query);
	switch (template_answer(&context, &query, m.bytes, query_udp_limit(&query), &len,
				ret_outcome, &err)) {
	case TEMPLATE_NONE: strcpy(failed, "none"); break;
	case TEMPLATE_SERVFAIL: snprintf(failed, sizeof(failed), "SERVFAIL %s", err.msg); break;
	case TEMPLATE_ANSWERED:
		cr_expect_leq(len, query_udp_limit(&query));
		result = message_text(m.bytes, len);
	}
	if (ret_outcome->by)
		template_count(&counts, &counts, &query, ret_outcome);
	regex_scratch_free(&scratch);
	corefile_free(corefile);
	free(text);
	return result;
}

#define DASHED "template IN A example. {\n match ^ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)[.]example[.]$\n"
#define RECORD "answer \"{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ .Group.b }}\"\n"

static const struct {
	const char *block;
	struct asked asked;
	const char *result; /* without the question, unless there is a '?' in it */
} rows[] = {
	/* The groups, the case as asked, and owners as pointers. */
	{DASHED RECORD "}",
	 {"IP-4-5.Example A", 0, 0},
	 "NOERROR qr aa rd ra | ? IP-4-5.Example. A | = IP-4-5.Example. 60 A 10.0.4.5"},
	{DASHED "answer \"{{ index .Match 0 }} A 1.2.{{ index .Match 1 }}.{{ .Group.b }}\"\n}",
	 {"ip-4-5.example A", 0, 0},
	 "NOERROR qr aa rd ra | ? ip-4-5.example. A | = ip-4-5.example. 3600 A 1.2.4.5"},
	{DASHED "answer \"{{ .Name }} A 1.2.3.{{ index .Group `1` }}\"\n}",
	 {"ip-4-5.example A", 0, 0},
	 "NOERROR qr aa rd ra | ? ip-4-5.example. A | = ip-4-5.example. 3600 A 1.2.3.4"},
	/* A number in hexadecimal, as CoreDNS' documentation has it. */
	{"template IN A { \n match ^ip0a(?P<b>[a-f0-9]{2})(?P<c>[a-f0-9]{2})(?P<d>[a-f0-9]{2})[.]\n"
	 "answer \"{{ .Name }} 60 IN A 10.{{ parseInt .Group.b 16 8 }}.{{ parseInt .Group.c 16 8 "
	 "}}."
	 "{{ parseInt .Group.d 16 8 }}\"\n}",
	 {"ip0a5f0c09.example A", 0, 0},
	 "NOERROR qr aa rd ra | ? ip0a5f0c09.example. A | = ip0a5f0c09.example. 60 A 10.95.12.9"},
	/* Others' class, type and zone are passed over, whatever falls through. */
	{DASHED RECORD "}", {"ip-4-5.example AAAA", 0, 0}, "none"},
	{DASHED RECORD "}", {"ip-4-5.example A", 3, 0}, "none"},
	{DASHED RECORD "}", {"ip-4-5.other A", 0, 0}, "none"},
	{"template ANY A other. {\n rcode NXDOMAIN\n}", {"x.example A", 0, 0}, "none"},
	{"template IN A {\n rcode NXDOMAIN\n}", {"x.other A", 0, 0}, "none"}, /* of the block */
	/* Expressions that do not match: the end, or the next one's turn. */
	{DASHED RECORD "}", {"x.example A", 0, 0}, "SERVFAIL "},
	{DASHED RECORD "fallthrough\n}", {"x.example A", 0, 0}, "none"},
	{DASHED RECORD "fallthrough other.\n}", {"x.example A", 0, 0}, "SERVFAIL "},
	{DASHED RECORD "fallthrough\n}\ntemplate IN ANY {\n rcode NXDOMAIN\n}",
	 {"x.example A", 0, 0},
	 "NXDOMAIN qr aa rd ra | ? x.example. A"},
	{"template IN A {\n match ^b ^x\n answer \"x.example. A 1.2.3.4\"\n}",
	 {"x.example A", 0, 0},
	 "NOERROR qr aa rd ra | ? x.example. A | = x.example. 3600 A 1.2.3.4"},
	/* ANY in the question is everybody's. */
	{"template IN HTTPS {\n answer \"{{ .Name }} TXT {{ .Type }}-{{ .Class }}\"\n}",
	 {"x.example ANY", 255, 0},
	 "NOERROR qr aa rd ra | ? x.example. ANY ANY | = x.example. 3600 TXT 0848545450532d494e"},
	/* Kuma's own: no addresses of the other family. */
	{"template ANY AAAA . {\n rcode NOERROR\n fallthrough\n}",
	 {"x.y AAAA", 0, 0},
	 "NOERROR qr aa rd ra | ? x.y. AAAA"},
	/* SERVFAIL says nothing else. */
	{"template IN A {\n rcode SERVFAIL\n answer \"x. A 1.2.3.4\"\n}",
	 {"x.example A", 0, 0},
	 "SERVFAIL "},
	/* Sections, and an owner that the question ends in. */
	{"template IN A {\n rcode NXDOMAIN\n additional \"ns.{{ .Zone }} A 1.2.3.4\"\n"
	 " authority \"{{ .Zone }} 60 IN SOA ns.{{ .Zone }} h.{{ .Zone }} (1 60 60 60 60)\"\n}",
	 {"x.example A", 0, 1232},
	 "NXDOMAIN qr aa rd ra | ? x.example. A"
	 " | ! example. 60 SOA ns.example. h.example. 1 60 60 60 60"
	 " | + ns.example. 3600 A 1.2.3.4 | + . OPT 1232 do"},
	/* An extended error goes to those who have EDNS, and so do rcodes above 15. */
	{"template IN A {\n rcode REFUSED\n ederror 21 \"not here\"\n}",
	 {"x.example A", 0, 1232},
	 "REFUSED qr aa rd ra | ? x.example. A | + . OPT 1232 do 000f000a00156e6f742068657265"},
	{"template IN A {\n ederror 21\n}",
	 {"x.example A", 0, 1232},
	 "NOERROR qr aa rd ra | ? x.example. A | + . OPT 1232 do 000f00020015"},
	{"template IN A {\n ederror 21\n}",
	 {"x.example A", 0, 0},
	 "NOERROR qr aa rd ra | ? x.example. A"},
	{"template IN A {\n rcode BADCOOKIE\n}",
	 {"x.example A", 0, 1232},
	 "YXRRSET qr aa rd ra | ? x.example. A | + . OPT 1232 do rcode+16"},
	{"template IN A {\n rcode BADCOOKIE\n}", {"x.example A", 0, 0}, "SERVFAIL "},
	/* What there is to see. */
	{"template IN TXT {\n match ^x(y)?(?P<last>z)[.]\n answer \"{{ .Name }} TXT \\\"{{ .Zone }}"
	 " {{ .Question.Name }} {{ .Question.Qtype }} {{ .Remote }} {{ .Regex }}\\\"\"\n}",
	 {"XZ.example TXT", 0, 0},
	 "NOERROR qr aa rd ra | ? XZ.example. TXT | = XZ.example. 3600 TXT "
	 /* example. XZ.example. 16 192.0.2.7 ^x(y)?(?P<last>z)[.] */
	 "366578616d706c652e20585a2e6578616d706c652e203136203139322e302e322e3720"
	 "5e782879293f283f503c6c6173743e7a295b2e5d"},
	{"template IN TXT {\n answer \"{{ .Name }} TXT {{ len .Group }}/{{ .Meta `a/b` }}/"
	 "{{ .Message.Id }}{{ if .Message.RecursionDesired }}/rd{{ end }}/"
	 "{{ (index .Message.Question 0).Qclass }}\"\n}",
	 {"x.example TXT", 0, 0},
	 "NOERROR qr aa rd ra | ? x.example. TXT | = x.example. 3600 TXT "
	 "0c312f2f343636302f72642f31"}, /* 1//4660/rd/1 */
	/* Failures. */
	{"template IN A {\n answer \"{{ index .Match 7 }} A 1.2.3.4\"\n}",
	 {"x.example A", 0, 0},
	 "SERVFAIL Corefile:3: index: out of range"},
	{"template IN A {\n answer \"{{ .Name }} A 1.2.3\"\n}",
	 {"x.example A", 0, 0},
	 "SERVFAIL not an IPv4 address: \"1.2.3\""},
	{"template IN A {\n answer \"{{ .Name }} A 1.2.3.4\"\n authority \"nothing\"\n}",
	 {"x.example A", 0, 0},
	 "SERVFAIL a record without a type"},
	{"template IN TXT {\n answer \"{{ .Name }} TXT {{ printf `%999s` `x` }}"
	 "{{ printf `%999s` `x` }}{{ printf `%999s` `x` }}{{ printf `%999s` `x` }}"
	 "{{ printf `%999s` `x` }}\"\n}",
	 {"x.example TXT", 0, 0},
	 "SERVFAIL Corefile:3: the result is larger than 4096 bytes"},
};

Test(template_answer, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct template_outcome outcome;

		cr_expect_str_eq(answer(rows[i].block, &rows[i].asked, &outcome), rows[i].result,
				 "%s\n  %s\n  gives  %s\n  not    %s", rows[i].block,
				 rows[i].asked.question,
				 answer(rows[i].block, &rows[i].asked, &outcome), rows[i].result);
	}
}

Test(template_answer, outcome)
{
	static const struct asked a = {"x.example A", 0, 0}, mx = {"x.example MX", 0, 0};
	const char *block = "template IN ANY {\n answer \"{{ .Name }} CNAME Other.example\"\n}";
	struct template_outcome outcome;

	cr_expect_str_eq(answer(block, &a, &outcome), "NOERROR qr aa rd ra | ? x.example. A"
						      " | = x.example. 3600 CNAME Other.example.");
	cr_expect_eq(outcome.target, DNS_HEADER_LEN + 15 + 12);
	cr_expect_eq(outcome.failure, TEMPLATE_NOT_FAILED);
	answer(block, &mx, &outcome);
	cr_expect_eq(outcome.target, 0, "whoever asks for others has no use for it");
	answer("template IN ANY {\n answer \"x. CNAME y.\" \"y. A 1.2.3.4\"\n}", &a, &outcome);
	cr_expect_eq(outcome.target, 0, "the answer does not end with it");

	answer("template IN ANY {\n answer \"x. A 1.2.3.4\" \"{{ index .Match 9 }}\"\n}", &a,
	       &outcome);
	cr_expect_eq(outcome.failure, TEMPLATE_NOT_RENDERED);
	cr_expect_eq(outcome.section, TEMPLATE_ANSWER);
	cr_expect_eq(outcome.record, 1);
	answer("template IN ANY {\n authority \"x.\"\n}", &a, &outcome);
	cr_expect_eq(outcome.failure, TEMPLATE_NO_RECORD);
	cr_expect_eq(outcome.section, TEMPLATE_AUTHORITY);
	answer("template IN MX {\n rcode NXDOMAIN\n}", &a, &outcome);
	cr_expect_null(outcome.by);
}

/* As CoreDNS counts: what matched, and failures, by type. */
Test(template_answer, counts)
{
	static const struct asked a = {"x.example A", 0, 0}, any = {"x.example ANY", 0, 0};
	struct template_outcome outcome;
	size_t type_a = stats_type_index(DNS_TYPE_A), mx = stats_type_index(15);

	memset(&counts, 0, sizeof(counts));
	answer("template IN A {\n rcode NXDOMAIN\n}", &a, &outcome);
	answer("template IN A {\n rcode SERVFAIL\n}", &a, &outcome);
	answer("template IN MX {\n rcode NXDOMAIN\n}", &a, &outcome);
	answer("template IN A {\n match ^y\n}", &a, &outcome);
	cr_expect_eq(stats_get(&counts.matches[type_a]), 2);
	answer("template IN MX {\n rcode NXDOMAIN\n}", &any, &outcome);
	cr_expect_eq(stats_get(&counts.matches[mx]), 1);
	answer("template IN A {\n answer \"{{ index .Match 9 }}\"\n}", &a, &outcome);
	cr_expect_eq(stats_get(&counts.unrendered[type_a]), 1);
	answer("template IN A {\n authority \"x.\"\n}", &a, &outcome);
	cr_expect_eq(stats_get(&counts.malformed[type_a]), 1);
	cr_expect_eq(stats_get(&counts.matches[type_a]), 4);
}

/* The answer to a block with four records of 224 octets in a section. */
static const char *answer_many(const char *section, uint16_t udp_size)
{
	const struct asked a = {"x.example A", 0, udp_size};
	struct template_outcome outcome;
	char block[2048], *at = block;

	at += sprintf(at, "template IN A {\n");
	for (int i = 0; i < 4; i++)
		at += sprintf(at, " %s \"{{ .Name }} TXT %0200d\"\n", section, i);
	sprintf(at, "}\n");
	return answer(block, &a, &outcome);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text++;
		n++;
	}
	return n;
}

/* Whole records as far as they fit, and TC; but not for what is only additional. */
Test(template_answer, truncation)
{
	cr_expect_eq(count(answer_many("answer", 0), " | = "), 2);
	cr_expect_eq(count(answer_many("answer", 0), " tc "), 1);
	cr_expect_eq(count(answer_many("answer", 1232), " | = "), 4);
	cr_expect_eq(count(answer_many("answer", 1232), " tc "), 0);
	cr_expect_eq(count(answer_many("authority", 0), " tc "), 1);
	cr_expect_eq(count(answer_many("additional", 0), " tc "), 0);
	cr_expect_eq(count(answer_many("additional", 0), " | + "), 2);
}
