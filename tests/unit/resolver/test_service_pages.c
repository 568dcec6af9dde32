/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The labels of a block's metrics: a Corefile and what must follow. */
#include <criterion/criterion.h>

#include "resolver/service_make.h"

#define AT(address) "server=\"dns://" address "\""

static struct service_source source;
static struct corefile *corefile;
static struct service *service;

static void setup(void)
{
	cr_assert_eq(stats_book_init(&source.pages, 1, NULL), 0);
}

static void teardown(void)
{
	service_free(service);
	corefile_free(corefile);
	stats_book_free(&source.pages);
}

TestSuite(service_pages, .init = setup, .fini = teardown);

/* The pages of the file's first block, at the address, in place of those of another file. */
static struct service_place place_of(const char *text, const char *at, uint16_t *ret_dropped)
{
	static struct corefile_zone key;
	static struct corefile_zones keys;
	struct service_place place;
	struct endpoint ep;
	struct err err;

	service_free(service);
	corefile_free(corefile);
	cr_assert_eq(corefile_read_text("test", text, strlen(text), 53, &corefile, &err), 0, "%s",
		     err.msg);
	service = service_new(1, 1);
	key = corefile->servers->keys[0].zone;
	keys = (struct corefile_zones){&key, 1};
	place.block = service_add_block(service, &key);
	((struct block *)place.block)->corefile = corefile->servers;
	((struct block *)place.block)->keys = &keys;
	cr_assert(endpoint_parse(at, 53, &ep));
	cr_assert_eq(service_find_pages(&source, service, &ep, &place, ret_dropped, &err), 0);
	return place;
}

static void expect(uint16_t page, enum stats_subject subject, const char *labels)
{
	const char *found = source.pages.page[page]->labels.of[subject];

	if (labels)
		cr_expect_str_eq(found ? found : "", labels);
	else
		cr_expect_null(found, "%s", found);
}

Test(service_pages, labels)
{
	static const struct {
		const char *corefile, *at, *labels[STATS_SUBJECTS];
	} rows[] = {
		{". {\n prometheus\n}", "0.0.0.0:5300", {AT(":5300") ",zone=\".\",view=\"\""}},
		{". {\n prometheus\n}", "[::]:5300", {AT(":5300") ",zone=\".\",view=\"\""}},
		{"Example.ORG {\n prometheus\n bind ::1\n}",
		 "[::1]:5300",
		 {AT("[::1]:5300") ",zone=\"example.org.\",view=\"\""}},
		{". {\n bind 127.0.0.1\n prometheus\n cache\n}",
		 "127.0.0.1:53",
		 {AT("127.0.0.1:53") ",zone=\".\",view=\"\"",
		  AT("127.0.0.1:53") ",zones=\".\",view=\"\""}},
		/* Without a plugin it is nobody's. */
		{". {\n debug\n}", "0.0.0.0:53", {AT(":53") ",zone=\"dropped\",view=\"\""}},
		/* Only its own questions need `prometheus` to be told. */
		{". {\n errors\n}", "0.0.0.0:53", {0}},
		{"a.example {\n cache\n}",
		 "0.0.0.0:53",
		 {NULL, AT(":53") ",zones=\"a.example.\",view=\"\""}},
		{". {\n cache 30 A.example b.example\n}",
		 "0.0.0.0:53",
		 {NULL, AT(":53") ",zones=\"a.example.,b.example.\",view=\"\""}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t dropped;
		struct service_place place = place_of(rows[i].corefile, rows[i].at, &dropped);

		for (int k = 0; k < STATS_SUBJECTS; k++)
			expect(place.page, (enum stats_subject)k, rows[i].labels[k]);
		cr_expect(source.pages.page[dropped]->once_used);
	}
	expect(2, STATS_OF_DNS, AT(":5300") ",zone=\".\",view=\"\"");
	expect(1, STATS_OF_DNS, AT(":5300") ",zone=\"dropped\",view=\"\"");
}

#define IN_ZONE(zone) AT(":53") ",zone=\"" zone "\",view=\"\""

Test(service_pages, templates_and_their_records)
{
	uint16_t dropped;
	struct service_place place =
		place_of(". {\n template IN A a.example b.example {\n rcode NXDOMAIN\n }\n"
			 "template IN A {\n answer \"{{ .Name }} A\"\n answer x\n authority y\n }\n"
			 "template IN MX b.example {\n additional z\n }\n}",
			 "0.0.0.0:53", &dropped);
	const struct corefile_template *t = corefile->servers->templates;
	const uint16_t *a = service_template_pages(&place, t, &t->zones.list[0]),
		       *b = service_template_pages(&place, t, &t->zones.list[1]), *pages;

	expect(*a, STATS_OF_TEMPLATES, IN_ZONE("a.example."));
	expect(*b, STATS_OF_TEMPLATES, IN_ZONE("b.example."));
	t = t->next;
	pages = service_template_pages(&place, t, &place.block->zone);
	expect(*pages, STATS_OF_TEMPLATES, IN_ZONE("."));
	expect(pages[1], STATS_OF_RECORDS,
	       IN_ZONE(".") ",section=\"answer\",template=\"{{ .Name }} A\"");
	expect(pages[2], STATS_OF_RECORDS, IN_ZONE(".") ",section=\"answer\",template=\"x\"");
	expect(pages[3], STATS_OF_RECORDS, IN_ZONE(".") ",section=\"authority\",template=\"y\"");
	t = t->next;
	pages = service_template_pages(&place, t, t->zones.list);
	cr_expect_eq(pages[0], *b);
	expect(pages[1], STATS_OF_RECORDS,
	       IN_ZONE("b.example.") ",section=\"additional\",template=\"z\"");
}
