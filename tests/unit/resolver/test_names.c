/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/resolver/packets.h"

static struct names_snapshot *sample(void)
{
	struct table *b = table_new();

	table_add(b, "redis.mesh", "240.0.0.100", 60);
	table_add(b, "other.mesh", "240.0.0.7", 60);
	table_add(b, "redis.mesh", "fd00:fd00::64", 60);
	table_add(b, "Redis.Mesh.", "240.0.0.99", 30);
	table_add(b, "redis.mesh", "240.0.0.100", 60);
	table_add(b, "cache.mesh", "240.0.0.100", 60);
	table_add(b, "www.example.com", "240.0.0.5", 60);
	table_add(b, "xmesh", "240.0.0.6", 60);
	table_add(b, "mesh", "240.0.0.8", 60);
	return table_build(b);
}

Test(names, pairs_of_a_name_are_one_record)
{
	struct names_snapshot *names = sample();
	const struct names_record *r = table_find(names, "redis.mesh");

	cr_assert_not_null(r);
	cr_expect_eq(names_count(names), 6);
	cr_expect_eq(r->n_a, 2, "the address added twice counts once");
	cr_expect_eq(r->n_aaaa, 1);
	cr_expect_eq(r->ttl, 30, "an RRset has one TTL, the smallest");
	cr_expect_arr_eq(names_record_a(r), "\xf0\0\0\x63\xf0\0\0\x64", 8);
	cr_expect_arr_eq(names_record_aaaa(r), "\xfd\0\xfd\0\0\0\0\0\0\0\0\0\0\0\0\x64", 16);
	names_free(names);
}

Test(names, what_is_not_there_is_not_found)
{
	struct names_snapshot *names = sample();
	struct names_snapshot *empty = table_build(table_new());

	cr_expect_null(table_find(names, "redi.mesh"));
	cr_expect_null(table_find(names, "a.redis.mesh"));
	cr_expect_not(names_has_data(table_find(names, "com")), "a name lies below it");
	cr_expect_null(table_find(empty, "redis.mesh"));
	cr_expect_eq(names_count(empty), 0);
	names_free(names);
	names_free(empty);
}

Test(names, any_hash_can_be_prefetched)
{
	struct names_snapshot *names = sample(), *empty = table_build(table_new());
	uint32_t hashes[NAMES_PREFETCH_MAX];

	for (size_t i = 0; i < NAMES_PREFETCH_MAX; i++)
		hashes[i] = (uint32_t)i * UINT32_C(0x04104104); /* from one end to the other */
	names_prefetch(names, hashes, NAMES_PREFETCH_MAX);
	names_prefetch(empty, hashes, NAMES_PREFETCH_MAX);
	names_prefetch(names, hashes, 0);
	names_free(names);
	names_free(empty);
}

Test(names, domain_is_cut_at_labels)
{
	struct names_snapshot *names = sample();

	cr_expect_eq(table_find(names, "redis.mesh")->domain_len, 6);
	cr_expect_eq(table_find(names, "mesh")->domain_len, 6);
	cr_expect_eq(table_find(names, "xmesh")->domain_len, 0);
	cr_expect_eq(table_find(names, "www.example.com")->domain_len, 0);
	names_free(names);
}

Test(names, a_vip_leads_to_the_name_added_first)
{
	struct names_snapshot *names = sample();
	struct addr addr;
	const struct names_record *r;

	addr_parse("240.0.0.100", &addr);
	r = names_find_addr(names, &addr);
	cr_assert_not_null(r);
	cr_expect_eq(r, table_find(names, "redis.mesh"));
	addr_parse("fd00:fd00::64", &addr);
	cr_expect_eq(names_find_addr(names, &addr), r);
	addr_parse("240.0.0.101", &addr);
	cr_expect_null(names_find_addr(names, &addr));
	addr_parse("::240.0.0.100", &addr);
	cr_expect_null(names_find_addr(names, &addr), "the families are apart");
	names_free(names);
}

Test(names, many)
{
	struct table *b = table_new();
	struct names_snapshot *names;
	char name[64], address[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "svc-%d.mesh", i);
		snprintf(address, sizeof(address), "240.0.%d.%d", i / 256, i % 256);
		table_add(b, name, address, 60);
	}
	names = table_build(b);
	cr_expect_eq(names_count(names), 20000);
	for (int i = 0; i < 20000; i++) {
		const struct names_record *r;
		struct addr addr;

		snprintf(name, sizeof(name), "svc-%d.mesh", i);
		snprintf(address, sizeof(address), "240.0.%d.%d", i / 256, i % 256);
		addr_parse(address, &addr);
		r = table_find(names, name);
		cr_assert_not_null(r, "%s", name);
		cr_assert_arr_eq(names_record_a(r), addr.bytes, 4);
		cr_assert_eq(names_find_addr(names, &addr), r);
	}
	cr_expect_null(table_find(names, "svc-20000.mesh"));
	names_free(names);
}

/* --- pages ----------------------------------------------------------------------------------- */

struct names_page {
	int left, seen[300];
	uint8_t last[DNS_NAME_MAX];
	size_t last_len;
};

static int see(void *arg, const struct names_record *record)
{
	struct names_page *page = arg;

	if (page->left == 0)
		return 1;
	page->left--;
	page->seen[atoi((const char *)record->data + 2)]++;
	memcpy(page->last, record->data, record->name_len);
	page->last_len = record->name_len;
	return 0;
}

/* Each once, though the name that a page ends with is gone when the next one is asked for. */
Test(names, pages_are_whole_while_names_go)
{
	struct names_page page = {0};
	struct names_snapshot *names = NULL;
	int pages = 0, more;

	do {
		struct table *t = table_new();
		char name[32];

		for (int i = 0; i < 300; i++) {
			snprintf(name, sizeof(name), "x%03d.mesh", i);
			if (!page.seen[i] || i % 3)
				table_add(t, name, "240.0.0.1", 60);
		}
		names = table_build(t);
		page.left = 7;
		more = names_each_after(names, page.last, page.last_len, see, &page);
		names_free(names);
		pages++;
	} while (more == 1);
	cr_expect_eq(pages, 43, "300 names, 7 a page");
	for (int i = 0; i < 300; i++)
		cr_expect_eq(page.seen[i], 1, "name %d came %d times", i, page.seen[i]);
}

static int find_part(void *arg, const struct names_record *part, const uint8_t *name, size_t len)
{
	(void)name;
	(void)len;
	*(unsigned int *)arg += part->n_a;
	return 0;
}

Test(names, parts_of_one_record)
{
	struct names_snapshot *names = sample();
	unsigned int n = 0;

	cr_expect_eq(names_each_part(table_find(names, "redis.mesh"), find_part, &n), 0);
	cr_expect_eq(n, 2);
	names_each_part(table_find(names, "com"), find_part, &n);
	cr_expect_eq(n, 2, "only others lie below it");
	names_free(names);
}
