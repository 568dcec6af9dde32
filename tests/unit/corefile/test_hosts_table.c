/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conformance of `hosts`: a directive, a file, a question, and what must follow. */
#include "resolver/corefile/hosts_table.h"

#include <errno.h>

#include "common/cleanup.h"
#include "tests/unit/corefile/message_text.h"

/* The table of a directive whose FILE is a temporary one with this content. */
struct bench {
	char path[64];
	struct corefile *corefile;
	struct corefile_zones zones;
	struct hosts_table *table;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* Each FILE in the directive becomes the path. */
static void open_bench(struct bench *b, const char *block, const char *directive, const char *file)
{
	const char *at = strstr(directive, "FILE");
	char *text = NULL;
	struct err err = {0};

	strcpy(b->path, "/tmp/meshdns-hosts-XXXXXX");
	close(mkstemp(b->path));
	write_file(b->path, file);
	cr_assert_gt(asprintf(&text, "%s {\n%.*s%s%s\n}\n", block, (int)(at - directive), directive,
			      b->path, at + 4),
		     0);
	b->corefile = corefile_of(text);
	free(text);
	b->zones = (struct corefile_zones){&b->corefile->servers->keys[0].zone, 1};
	if (hosts_load(b->corefile->servers->hosts, &b->zones, true, &b->table, &err) < 0)
		cr_assert_fail("%s", err.msg);
}

static void close_bench(struct bench *b)
{
	hosts_free(b->table);
	corefile_free(b->corefile);
	unlink(b->path);
}

static const char *answer(const struct bench *b, const char *question)
{
	char name[300], type_text[16];
	struct message m;
	struct query query;
	const char *text, *rest;
	uint16_t type;
	size_t len;

	cr_assert_eq(sscanf(question, "%299s %15s", name, type_text), 2);
	cr_assert(mnemonic_find_type(type_text, strlen(type_text), &type));
	message_question(&m, name, type);
	cr_assert_eq(message_parse(&m, &query), QUERY_OURS);
	switch (hosts_answer(b->table, &query, m.bytes, 512, &len)) {
	case HOSTS_NONE: return "none";
	case HOSTS_SERVFAIL: return "SERVFAIL";
	case HOSTS_ANSWERED: break;
	}
	text = message_text(m.bytes, len);
	rest = strstr(text, " | ? ");
	cr_expect(!strncmp(text, "NOERROR qr aa rd ra |", 21) || strstr(text, " tc "), "%s", text);
	rest = strstr(rest + 3, " | ");
	return rest ? rest + 3 : "NODATA";
}

static const char file[] = "# a comment\n"
			   "10.0.0.1 example.org other.example.org # behind\n"
			   "::1\texample.org\r\n"
			   "10.0.0.2 EXAMPLE.org\n"
			   "10.0.0.1 example.org\n"
			   "fe80::1%nowhere0 scoped.org\n"
			   "::ffff:10.0.0.3 mapped.org\n"
			   "127.0.0.1 localhost localhost.domain\n"
			   "10.0.0.4 *.wild.org one.wild.org\n"
			   "::4 two.wild.org\n"
			   "not-an-address name.org\n"
			   "10.0.0.5\n"
			   "10.0.0.6 a..b good.org\n"
			   "10.0.0.7 last.org";

static const struct {
	const char *block, *directive, *question, *answer;
} rows[] = {
	{".", "hosts FILE", "example.ORG A",
	 "= example.ORG. 3600 A 10.0.0.1 | = example.ORG. 3600 A 10.0.0.2"},
	{".", "hosts FILE", "example.org AAAA", "= example.org. 3600 AAAA ::1"},
	{".", "hosts FILE", "other.example.org AAAA", "NODATA"},
	{".", "hosts FILE", "other.example.org MX", "NODATA"},
	{".", "hosts FILE", "scoped.org AAAA", "= scoped.org. 3600 AAAA fe80::1"},
	{".", "hosts FILE", "mapped.org A", "= mapped.org. 3600 A 10.0.0.3"},
	{".", "hosts FILE", "mapped.org AAAA", "NODATA"},
	{".", "hosts FILE", "name.org A", "SERVFAIL"},
	{".", "hosts FILE", "good.org A", "= good.org. 3600 A 10.0.0.6"},
	{".", "hosts FILE", "last.org A", "= last.org. 3600 A 10.0.0.7"},
	/* Reverse, all names in the file's order; what is not there is others'. */
	{".", "hosts FILE", "1.0.0.10.in-addr.arpa PTR",
	 "= 1.0.0.10.in-addr.arpa. 3600 PTR example.org."
	 " | = 1.0.0.10.in-addr.arpa. 3600 PTR other.example.org."},
	{".", "hosts FILE", "1.0.0.127.in-addr.arpa PTR",
	 "= 1.0.0.127.in-addr.arpa. 3600 PTR localhost."
	 " | = 1.0.0.127.in-addr.arpa. 3600 PTR localhost.domain."},
	{"org", "hosts FILE", "1.0.0.10.in-addr.arpa PTR",
	 "= 1.0.0.10.in-addr.arpa. 3600 PTR example.org."
	 " | = 1.0.0.10.in-addr.arpa. 3600 PTR other.example.org."},
	{".", "hosts FILE", "9.0.0.10.in-addr.arpa PTR", "none"},
	{".", "hosts FILE", "0.10.in-addr.arpa PTR", "none"},
	{".", "hosts FILE", "4.0.0.10.in-addr.arpa PTR",
	 "= 4.0.0.10.in-addr.arpa. 3600 PTR one.wild.org."},
	{".", "hosts FILE {\n no_reverse\n}", "1.0.0.10.in-addr.arpa PTR", "none"},
	{".", "hosts FILE", "1.0.0.10.in-addr.arpa A", "SERVFAIL"},
	/* A wildcard is for one label, and for those without a line of the family. */
	{".", "hosts FILE", "x.wild.org A", "= x.wild.org. 3600 A 10.0.0.4"},
	{".", "hosts FILE", "x.y.wild.org A", "SERVFAIL"},
	{".", "hosts FILE", "wild.org A", "SERVFAIL"},
	{".", "hosts FILE", "two.wild.org A", "= two.wild.org. 3600 A 10.0.0.4"},
	{".", "hosts FILE", "two.wild.org AAAA", "= two.wild.org. 3600 AAAA ::4"},
	{".", "hosts FILE", "*.wild.org A", "= *.wild.org. 3600 A 10.0.0.4"},
	/* Zones: the directive's own, else the block's. */
	{"org", "hosts FILE", "localhost A", "none"},
	{"org", "hosts FILE", "1.0.0.127.in-addr.arpa PTR", "none"},
	{".", "hosts FILE example.org", "other.example.org A",
	 "= other.example.org. 3600 A 10.0.0.1"},
	{".", "hosts FILE example.org", "last.org A", "none"},
	{".", "hosts FILE example.org", "x.example.org A", "SERVFAIL"},
	/* fallthrough */
	{".", "hosts FILE {\n fallthrough\n}", "x.org A", "none"},
	{".", "hosts FILE {\n fallthrough\n}", "x.org MX", "none"},
	{".", "hosts FILE {\n fallthrough\n}", "example.org MX", "NODATA"},
	{".", "hosts FILE {\n fallthrough net\n}", "x.org A", "SERVFAIL"},
	{".", "hosts FILE {\n fallthrough net org\n}", "x.org A", "none"},
	/* Inline, behind what is in the file. */
	{".", "hosts FILE {\n 10.1.0.1 example.org Inline.org\n ::2 *.in.org\n ttl 60\n}",
	 "example.org A",
	 "= example.org. 60 A 10.0.0.1 | = example.org. 60 A 10.0.0.2 | = example.org. 60 A "
	 "10.1.0.1"},
	{".", "hosts FILE {\n 10.1.0.1 Inline.org\n}", "inline.org A",
	 "= inline.org. 3600 A 10.1.0.1"},
	{".", "hosts FILE {\n ::2 *.in.org\n}", "x.in.org AAAA", "= x.in.org. 3600 AAAA ::2"},
	{".", "hosts FILE {\n 10.1.0.1 Inline.org\n}", "1.0.1.10.in-addr.arpa PTR",
	 "= 1.0.1.10.in-addr.arpa. 3600 PTR inline.org."},
};

Test(hosts_table, rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench b;

		open_bench(&b, rows[i].block, rows[i].directive, file);
		cr_expect_str_eq(answer(&b, rows[i].question), rows[i].answer, "%s %s\n gives %s",
				 rows[i].directive, rows[i].question, answer(&b, rows[i].question));
		close_bench(&b);
	}
}

Test(hosts_table, count)
{
	struct bench b;
	size_t skipped;

	open_bench(&b, ".", "hosts FILE", file);
	/* 14 pairs, one of them twice; 12 of those that are left are no wildcards. */
	cr_expect_eq(hosts_count(b.table, &skipped), 13 + 12, "%zu", hosts_count(b.table, NULL));
	cr_expect_eq(skipped, 2, "%zu", skipped);
	close_bench(&b);
	open_bench(&b, ".", "hosts FILE", "");
	cr_expect_eq(hosts_count(b.table, NULL), 0);
	cr_expect_str_eq(answer(&b, "a.org A"), "SERVFAIL");
	cr_expect_str_eq(answer(&b, "1.0.0.10.in-addr.arpa PTR"), "none");
	close_bench(&b);
}

/* Whole records as far as they fit, and TC. */
Test(hosts_table, truncation)
{
	char text[4096], *at = text;
	const char *got;
	struct bench b;
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		at += sprintf(at, "10.0.1.%d many.org\n", i);
	open_bench(&b, ".", "hosts FILE", text);
	got = answer(&b, "many.org A");
	for (const char *p = got; (p = strstr(p, "= ")); p++)
		n++;
	cr_expect_eq(n, (512 - 12 - 14) / 16);
	cr_expect_not_null(
		strstr(got, "= many.org. 3600 A 10.0.1.0 | = many.org. 3600 A 10.0.1.1"));
	close_bench(&b);
}

Test(hosts_table, reload)
{
	struct hosts_table *other = NULL;
	struct err err = {0};
	struct bench b;

	open_bench(&b, ".", "hosts FILE {\n 10.1.0.1 inline.org\n}", "10.0.0.1 a.org\n");
	cr_expect_not(hosts_is_stale(b.table));
	write_file(b.path, "10.0.0.1 a.org b.org\n");
	cr_expect(hosts_is_stale(b.table));
	cr_expect_eq(hosts_load(b.corefile->servers->hosts, &b.zones, true, &other, &err), 0);
	hosts_free(b.table);
	b.table = other;
	cr_expect_not(hosts_is_stale(b.table));
	cr_expect_str_eq(answer(&b, "b.org A"), "= b.org. 3600 A 10.0.0.1");

	unlink(b.path);
	cr_expect_not(hosts_is_stale(b.table), "what was known is kept");
	cr_expect_eq(hosts_load(b.corefile->servers->hosts, &b.zones, true, &other, &err), -ENOENT);
	cr_expect_not_null(strstr(err.msg, b.path));
	hosts_free(b.table);
	cr_expect_eq(hosts_load(b.corefile->servers->hosts, &b.zones, false, &b.table, &err), 0);
	cr_expect_str_eq(answer(&b, "a.org A"), "SERVFAIL");
	cr_expect_str_eq(answer(&b, "inline.org A"), "= inline.org. 3600 A 10.1.0.1");
	cr_expect_not(hosts_is_stale(b.table));
	write_file(b.path, "");
	cr_expect(hosts_is_stale(b.table), "it is there now");
	close_bench(&b);
}
