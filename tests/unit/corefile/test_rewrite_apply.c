/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conformance of `rewrite`: rules, a question, what becomes of it, an answer to that, and what
 * becomes of the answer.
 */
#include "resolver/corefile/rewrite_apply.h"

#include "common/cleanup.h"
#include "resolver/corefile/rrtext.h"
#include "tests/unit/corefile/message_text.h"

struct row {
	const char *rules, *question, *rewritten;
	const char *records; /* of the answer, a line each; behind "!" of its authority section */
	const char *answer;  /* without flags and question */
};

/* A Corefile with the rules and what is needed to apply them. */
struct bench {
	struct corefile *corefile;
	struct regex_scratch scratch;
	struct rewrite_context context;
	struct message m;
	struct query asked, query;
	uint8_t question[DNS_NAME_MAX + 4];
	size_t len;
	struct err err;
};

static void open_bench(struct bench *b, const char *rules, const char *question, bool has_edns)
{
	char name[300], type_text[16], *text = NULL;
	uint16_t type;

	memset(b, 0, sizeof(*b));
	cr_assert_gt(asprintf(&text, ". {\n%s\n}\n", rules), 0);
	b->corefile = corefile_of(text);
	free(text);
	b->context.rules = b->corefile->servers->rewrite;
	b->context.scratch = &b->scratch;
	cr_assert_eq(sscanf(question, "%299s %15s", name, type_text), 2);
	cr_assert(mnemonic_find_type(type_text, strlen(type_text), &type));
	message_init(&b->m, DNS_FLAG_RD, 1, 0, 0, has_edns);
	put_question(&b->m, name, type, strstr(question, " CH") ? DNS_CLASS_CH : DNS_CLASS_IN);
	if (has_edns)
		put_rr(&b->m, "", DNS_TYPE_OPT, 1400, 0x8000, "\0\x0a\0\2ab", 6);
	b->len = b->m.w.pos;
	query_parse(b->m.bytes, b->len, &b->asked);
	b->query = b->asked;
	memcpy(b->question, b->m.bytes + DNS_HEADER_LEN, b->asked.question_len);
}

static void close_bench(struct bench *b)
{
	regex_scratch_free(&b->scratch);
	corefile_free(b->corefile);
}

static enum rewrite_verdict rewrite(struct bench *b)
{
	return rewrite_question(&b->context, &b->query, b->m.bytes, &b->len, sizeof(b->m.bytes),
				&b->err);
}

/* An answer with the records to the question in the bench, NXDOMAIN if there are none. */
static size_t reply(const struct bench *b, const char *records, uint8_t *bytes, size_t size)
{
	struct wire w = wire_over(bytes, size), head = w;
	struct wire_header h = {0x1234, DNS_FLAG_QR | DNS_FLAG_RD, 1, 0, 0, 0};
	struct err err = {0};
	uint16_t *count = &h.ancount;

	h.flags |= *records ? 0 : DNS_RCODE_NXDOMAIN;
	wire_take(&w, DNS_HEADER_LEN);
	wire_put_bytes(&w, b->m.bytes + DNS_HEADER_LEN, b->query.question_len);
	while (*records) {
		size_t len = strcspn(records, "\n");

		if (*records == '!') {
			count = &h.nscount;
			records++;
			len--;
		}
		cr_assert(rrtext_put(&w, records, len, &err), "%s", err.msg);
		records += len + (records[len] == '\n');
		++*count;
	}
	wire_put_header(&head, &h);
	return w.pos;
}

static const char *answer(struct bench *b, const char *records)
{
	static uint8_t out[DNS_MESSAGE_MAX], bytes[DNS_MESSAGE_MAX];
	size_t len = reply(b, records, bytes, sizeof(bytes));
	const char *text, *rest;

	len = rewrite_answer(&b->context, &b->asked, b->question, bytes, len, out, sizeof(out),
			     &b->err);
	if (!len)
		return b->err.msg;
	cr_expect_arr_eq(out + DNS_HEADER_LEN, b->question, b->asked.question_len);
	text = message_text(out, len);
	rest = strstr(strstr(text, " | ") + 3, " | ");
	return rest ? rest + 3 : strstr(text, "NXDOMAIN") ? "NXDOMAIN" : "";
}

static const struct row rows[] = {
	/* Nothing that applies. */
	{"rewrite name a.org b.org", "c.org A", NULL, NULL, NULL},
	{"rewrite name a.org b.org", "x.a.org A", NULL, NULL, NULL},
	/* Exact: in any case, and the answer is the old name's. */
	{"rewrite name A.org B.Net", "a.ORG A", "b.net. A", "b.net. 60 A 1.2.3.4",
	 "= a.ORG. 60 A 1.2.3.4"},
	{"rewrite name exact a.org b.net", "a.org A", "b.net. A",
	 "b.net. 60 CNAME c.net.\nc.net. 60 A 1.2.3.4\n!net. 60 SOA b.net. b.net. 1 2 3 4 5",
	 "= a.org. 60 CNAME c.net. | = c.net. 60 A 1.2.3.4"
	 " | ! net. 60 SOA a.org. b.net. 1 2 3 4 5"},
	{"rewrite name a.org b.net", "a.org MX", "b.net. MX",
	 "b.net. 60 MX 5 mail.b.net.\nb.net. SRV 1 2 3 b.net.\nb.net. NAPTR 1 2 s \"\" \"\" b.net.",
	 "= a.org. 60 MX 5 mail.a.org. | = a.org. 3600 SRV 1 2 3 a.org."
	 " | = a.org. 3600 NAPTR 00010002017300000161036f726700"},
	/* Prefix, suffix and substring of the text. */
	{"rewrite name prefix foo bar", "foo.example A", "bar.example. A", "bar.example. A 1.2.3.4",
	 "= bar.example. 3600 A 1.2.3.4"},
	{"rewrite name prefix foo bar", "foobar.example A", NULL, NULL, NULL},
	{"rewrite name prefix foo bar answer auto", "foo.Example A", "bar.example. A",
	 "bar.example. A 1.2.3.4", "= foo.Example. 3600 A 1.2.3.4"},
	{"rewrite name suffix .schmoogle.com. .google.com.", "a.b.schmoogle.com A",
	 "a.b.google.com. A", "a.b.google.com. A 1.2.3.4", "= a.b.google.com. 3600 A 1.2.3.4"},
	{"rewrite name suffix .schmoogle.com. .google.com.", "schmoogle.com A", NULL, NULL, NULL},
	{"rewrite name suffix .in.co -nginx.co answer auto", "a.in.co A", "a-nginx.co. A",
	 "a-nginx.co. CNAME b-nginx.co.\nb-nginx.co. A 1.2.3.4",
	 "= a.in.co. 3600 CNAME b.in.co. | = b.in.co. 3600 A 1.2.3.4"},
	{"rewrite name substring service.us. svc.", "ftp.service.us.x A", "ftp.svc.x. A", "",
	 "NXDOMAIN"},
	{"rewrite name substring a. b.", "a.a.xa.c A", "b.b.xb.c. A", "", "NXDOMAIN"},
	/* Regular expressions. */
	{"rewrite name regex (.*)-(us-west-1)\\.coredns\\.rocks {1}.service.{2}.consul",
	 "ftp-us-west-1.coredns.rocks A", "ftp.service.us-west-1.consul. A",
	 "ftp.service.us-west-1.consul. A 1.2.3.4",
	 "= ftp.service.us-west-1.consul. 3600 A 1.2.3.4"},
	{"rewrite stop {\nname regex (.*)-(us)\\.rocks {1}.service.{2}.consul\n"
	 "answer name (.*)\\.service\\.(us)\\.consul {1}-{2}.rocks\n"
	 "answer value (.*)\\.service\\.(us)\\.consul {2}.{1}\n}",
	 "ftp-us.rocks A", "ftp.service.us.consul. A",
	 "ftp.service.us.consul. CNAME x.service.us.consul.\nx.service.us.consul. A 1.2.3.4",
	 "= ftp-us.rocks. 3600 CNAME us.x. | = x-us.rocks. 3600 A 1.2.3.4"},
	{"rewrite name regex ^(.*)\\.a\\.$ {1}.b answer auto", "x.a A", "x.b. A",
	 "x.b. A 1.2.3.4\ny.b. A 1.2.3.4", "= x.a. 3600 A 1.2.3.4 | = y.b. 3600 A 1.2.3.4"},
	{"rewrite name regex (a)(b)? {0}-{1}-{2}{x}-{.c", "ab.d A", "ab-a-b{x}-{.c. A", "",
	 "NXDOMAIN"},
	{"rewrite stop {\n name suffix .arpa .arpa\n answer name auto\n"
	 " answer value (.*)\\.service\\.consul\\. {1}.coredns.rocks.\n}",
	 "30.10.in-addr.arpa PTR", "30.10.in-addr.arpa. PTR",
	 "30.10.in-addr.arpa. 60 PTR ftp.service.consul.",
	 "= 30.10.in-addr.arpa. 60 PTR ftp.coredns.rocks."},
	/* One after the other, and the last undone first. */
	{"rewrite continue name a.org b.org\nrewrite name b.org c.org", "a.org A", "c.org. A",
	 "c.org. A 1.2.3.4", "= a.org. 3600 A 1.2.3.4"},
	{"rewrite stop name a.org b.org\nrewrite name b.org c.org", "a.org A", "b.org. A", "",
	 "NXDOMAIN"},
	{"rewrite name x.org y.org\nrewrite name a.org b.org", "a.org A", "b.org. A", "",
	 "NXDOMAIN"},
	{"rewrite name a.org a.org\nrewrite name a.org b.org", "a.org A", "a.org. A", "",
	 "NXDOMAIN"},
	/* Type and class. */
	{"rewrite type ANY HINFO", "a.org ANY", "a.org. HINFO", "", "NXDOMAIN"},
	{"rewrite type ANY HINFO", "a.org A", NULL, NULL, NULL},
	{"rewrite class CH IN", "a.org A CH", "a.org. A", "a.org. A 1.2.3.4",
	 "= a.org. 3600 A 1.2.3.4"},
	{"rewrite continue type A AAAA\nrewrite name a.org b.org", "a.org A", "b.org. AAAA",
	 "b.org. AAAA ::1", "= a.org. 3600 AAAA ::1"},
	/* TTLs and rcodes. */
	{"rewrite ttl a.org 30-300", "a.org A", "a.org. A",
	 "a.org. 10 A 1.2.3.4\na.org. 100 A 1.2.3.4\na.org. 1000 A 1.2.3.4\n!org. 7 NS a.org.",
	 "= a.org. 30 A 1.2.3.4 | = a.org. 100 A 1.2.3.4 | = a.org. 300 A 1.2.3.4"
	 " | ! org. 30 NS a.org."},
	{"rewrite continue ttl suffix .org 50\nrewrite ttl regex .* 10-30", "a.org A", "a.org. A",
	 "a.org. 5 A 1.2.3.4", "= a.org. 50 A 1.2.3.4"},
	{"rewrite continue ttl suffix .org 20-60\nrewrite ttl a.org 40-90", "a.org A", "a.org. A",
	 "a.org. 5 A 1.2.3.4\na.org. 95 A 1.2.3.4",
	 "= a.org. 40 A 1.2.3.4 | = a.org. 60 A 1.2.3.4"},
	{"rewrite continue ttl suffix .org 20-600\nrewrite ttl a.org 40-90", "a.org A", "a.org. A",
	 "a.org. 95 A 1.2.3.4", "= a.org. 90 A 1.2.3.4"},
	{"rewrite rcode suffix .org NXDOMAIN NOERROR", "a.org A", "a.org. A", "", ""},
	/* Names that are none. */
	{"rewrite name regex (.*) {1}.", "a.org A",
	 "! Corefile:2: what it makes of the name is none", NULL, NULL},
	{"rewrite stop {\n name regex a.(.*)[.]$ b.{1}\n answer name b.org ..\n}", "a.org A",
	 "b.org. A", "b.org. A 1.2.3.4", "the answer cannot be changed back"},
};

static void check_row(const struct row *row, bool has_edns)
{
	struct bench b;
	enum rewrite_verdict verdict;
	char name[NAMETEXT_MAX], type[MNEMONIC_TEXT_MAX], got[NAMETEXT_MAX + 64];
	struct query again;

	open_bench(&b, row->rules, row->question, has_edns);
	verdict = rewrite(&b);
	if (!row->rewritten || *row->rewritten == '!') {
		cr_expect_eq(verdict, row->rewritten ? REWRITE_FAILED : REWRITE_NONE, "%s",
			     row->rules);
		cr_expect_eq(b.len, b.m.w.pos);
		if (row->rewritten)
			cr_expect_str_eq(b.err.msg, row->rewritten + 2);
		close_bench(&b);
		return;
	}
	cr_assert_eq(verdict, REWRITE_DONE, "%s: %s", row->rules, b.err.msg);
	nametext_write(b.query.qname, name);
	snprintf(got, sizeof(got), "%s %s", name, mnemonic_type_text(b.query.qtype, type));
	cr_expect_str_eq(got, row->rewritten, "%s\n%s", row->rules, got);

	/* The packet says the same, and its OPT is still there. */
	cr_expect_neq(query_parse(b.m.bytes, b.len, &again), QUERY_FORMERR);
	cr_expect_eq(again.qname_len, b.query.qname_len);
	cr_expect_arr_eq(again.qname, b.query.qname, again.qname_len);
	cr_expect_eq(again.qtype, b.query.qtype);
	cr_expect_eq(again.edns.present, has_edns);
	cr_expect_eq(again.edns.options_len, b.asked.edns.options_len);
	cr_expect_eq(again.edns.options, b.query.edns.options);
	if (has_edns) {
		cr_expect_arr_eq(again.edns.options, "\0\x0a\0\2ab", 6);
		cr_expect(again.edns.dnssec_ok && again.edns.udp_size == 1400);
	}
	cr_expect_str_eq(answer(&b, row->records), row->answer, "%s\n  gives  %s", row->rules,
			 answer(&b, row->records));
	close_bench(&b);
}

Test(rewrite_apply, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check_row(&rows[i], false);
		check_row(&rows[i], true);
	}
}

/* A name of 255 octets does not grow, neither as question nor in the answer. */
Test(rewrite_apply, longest_names)
{
	struct bench b;
	char name[254], question[260], records[600];

	memset(name, 'a', sizeof(name));
	for (size_t i = 49; i < 245; i += 49)
		name[i] = '.';
	memcpy(name + 246, ".x.", 3);
	name[249] = '\0';
	snprintf(question, sizeof(question), "%s A", name);
	open_bench(&b, "rewrite name suffix .x .longer-x", question, true);
	cr_expect_eq(rewrite(&b), REWRITE_FAILED);
	close_bench(&b);

	open_bench(&b, "rewrite name suffix .longer-x .x answer auto", "a.longer-x A", true);
	cr_expect_eq(rewrite(&b), REWRITE_DONE);
	snprintf(records, sizeof(records), "a.x. CNAME %s", name);
	cr_expect_str_eq(answer(&b, records), "the answer cannot be changed back");
	close_bench(&b);

	open_bench(&b, "rewrite name much.longer.x x", "much.longer.x A", true);
	cr_expect_eq(rewrite(&b), REWRITE_DONE);
	snprintf(records, sizeof(records), "x. CNAME %s", name);
	cr_expect_str_eq(answer(&b, records), "the answer cannot be changed back");
	close_bench(&b);
}

/* No room for the longer question: all is as it was. */
Test(rewrite_apply, no_room)
{
	struct bench b;

	open_bench(&b, "rewrite name a.org longer.example.org", "a.org A", true);
	cr_expect_eq(rewrite_question(&b.context, &b.query, b.m.bytes, &b.len, b.len + 12, &b.err),
		     REWRITE_FAILED);
	cr_expect_eq(b.query.qname_len, b.asked.qname_len);
	cr_expect_arr_eq(b.m.bytes + DNS_HEADER_LEN, b.question, b.asked.question_len);
	cr_expect_eq(rewrite_question(&b.context, &b.query, b.m.bytes, &b.len, b.len + 13, &b.err),
		     REWRITE_DONE);
	close_bench(&b);
}

/* Whole records as far as they fit, TC, and an OPT for those who have EDNS. */
Test(rewrite_apply, limit)
{
	struct bench b;
	char records[8192], *at = records;
	uint8_t bytes[DNS_MESSAGE_MAX], out[DNS_MESSAGE_MAX];
	struct wire_header h;
	struct wire w = wire_over(out, sizeof(out));
	size_t len;

	for (int i = 0; i < 100; i++)
		at += sprintf(at, "c%d.net. 60 A 1.2.3.4\n", i);
	for (int has_edns = 0; has_edns < 2; has_edns++) {
		open_bench(&b, "rewrite name a.org b.net", "a.org A", has_edns);
		cr_expect_eq(rewrite(&b), REWRITE_DONE);
		len = reply(&b, records, bytes, sizeof(bytes));
		len = rewrite_answer(&b.context, &b.asked, b.question, bytes, len, out, 512,
				     &b.err);
		cr_expect_leq(len, 512);
		cr_expect_gt(len, 512 - 24 - EDNS_OPT_LEN);
		message_text(out, len);
		w.pos = 0;
		wire_get_header(&w, &h);
		cr_expect(h.flags & DNS_FLAG_TC);
		cr_expect_eq(h.arcount, has_edns);
		close_bench(&b);
	}
}
