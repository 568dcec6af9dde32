/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/cache.h"
#include "tests/unit/resolver/packets.h"

#define START 1000000 /* ms; the clock is the test's */

static struct cache *cache;
static struct stats_book pages;
static struct stats_sheets sheets = {&pages, 0};
static struct stats_cache *stats; /* of the page that questions are for */
static struct cache_entry *entry;
static struct keep_bounds bounds;
static int64_t now;

static void setup(void)
{
	now = START;
	bounds = keep_usual;
	bounds.stale_s = 3600;
	cr_assert_eq(stats_book_init(&pages, 1, NULL), 0);
	stats = &stats_sheet(&sheets, 0)->tally.cache;
	cache = cache_new(CACHE_MIN, &sheets);
	cr_assert(cache);
}

static void teardown(void)
{
	cache_free(cache);
	stats_book_free(&pages);
}

TestSuite(cache, .init = setup, .fini = teardown);

static struct query ask(const char *name, uint16_t type, uint16_t flags, bool edns, bool dnssec_ok)
{
	struct message m;
	struct query q;

	message_init(&m, DNS_FLAG_RD | flags, 1, 0, 0, edns);
	put_question(&m, name, type, DNS_CLASS_IN);
	if (edns)
		put_opt(&m, 1232, 0, dnssec_ok);
	cr_assert_eq(query_parse(m.bytes, m.w.pos, &q), QUERY_OURS);
	return q;
}

static struct query plain(const char *name)
{
	return ask(name, DNS_TYPE_A, 0, false, false);
}

static void put_soa(struct message *m, uint32_t ttl, uint8_t minimum)
{
	uint8_t soa[22] = {[21] = minimum};

	put_rr(m, "example", DNS_TYPE_SOA, DNS_CLASS_IN, ttl, soa, sizeof(soa));
}

/* A reply with one address of this TTL, or a denial with a SOA. */
static void store(const struct query *q, uint16_t flags, uint32_t ttl, bool soa)
{
	struct message m;

	message_init(&m, DNS_FLAG_QR | DNS_FLAG_RA | flags, 1, !soa, soa, 0);
	wire_put_bytes(&m.w, q->qname, q->qname_len);
	wire_put_u16(&m.w, q->qtype);
	wire_put_u16(&m.w, q->qclass);
	if (soa)
		put_soa(&m, ttl, 60);
	else
		put_rr(&m, "www.example", q->qtype, DNS_CLASS_IN, ttl, "\1\2\3\4", 4);
	cache_store(cache, q, &bounds, m.bytes, m.w.pos, now);
}

static enum cache_result look(const struct query *q)
{
	return cache_find(cache, q, &bounds, now, &entry);
}

/* For how long it is kept. */
static uint32_t entry_ttl(const struct query *q)
{
	cr_assert_eq(look(q), CACHE_HIT);
	return entry->ttl_s;
}

/* The TTL of the first record of what would be served. */
static uint32_t ttl_now(const struct query *q, bool stale)
{
	static uint8_t message[DNS_MESSAGE_MAX];
	struct wire w = wire_over(message, cache_copy(entry, q, now, stale, message));
	struct wire_rr rr;

	wire_take(&w, DNS_HEADER_LEN + q->question_len);
	cr_assert(wire_get_rr(&w, &rr));
	return rr.ttl;
}

Test(cache, ttls_count_down_and_end)
{
	struct query q = plain("www.example"), other = plain("WWW.Example");

	cr_expect_eq(look(&q), CACHE_MISS);
	store(&q, DNS_FLAG_AA, 60, false);
	cr_expect_eq(look(&other), CACHE_HIT, "in any case");
	cr_expect_eq(ttl_now(&q, false), 60);
	cr_expect_not(entry->message[2] & DNS_FLAG_AA >> 8);
	now += 59999;
	cr_expect_neq(look(&q), CACHE_MISS);
	cr_expect_eq(ttl_now(&q, false), 1);
	now++;
	cr_expect_eq(look(&q), CACHE_STALE);
	cr_expect_eq(ttl_now(&q, true), 30);
	now += 3600000;
	cr_expect_eq(look(&q), CACHE_MISS, "too old for anything");
}

Test(cache, a_ttl_has_bounds)
{
	struct query q = plain("www.example");

	store(&q, 0, 0xffffffff, false);
	cr_assert_eq(look(&q), CACHE_HIT);
	cr_expect_eq(ttl_now(&q, false), KEEP_MAX_S);
	bounds.min_s[0] = 100;
	store(&q, 0, 10, false);
	cr_expect_eq(entry_ttl(&q), 100);
	cr_expect_eq(ttl_now(&q, false), 100);
}

Test(cache, keys)
{
	struct query q = plain("www.example"),
		     edns = ask("www.example", DNS_TYPE_A, 0, true, false);
	struct query dnssec = ask("www.example", DNS_TYPE_A, 0, true, true);
	struct query unchecked = ask("www.example", DNS_TYPE_A, DNS_FLAG_CD, false, false);
	struct query ad = ask("www.example", DNS_TYPE_A, DNS_FLAG_AD, false, false);
	struct query aaaa = ask("www.example", DNS_TYPE_AAAA, 0, false, false);

	store(&q, 0, 60, false);
	cr_expect_eq(look(&edns), CACHE_HIT);
	cr_expect_eq(look(&dnssec), CACHE_MISS);
	cr_expect_eq(look(&unchecked), CACHE_MISS);
	cr_expect_eq(look(&aaaa), CACHE_MISS);
	edns.block = 1;
	cr_expect_eq(look(&edns), CACHE_MISS, "another block asks others");
	cr_expect_eq(look(&ad), CACHE_MISS, "it was not asked whether it is authentic");
	store(&ad, DNS_FLAG_AD, 60, false);
	cr_expect_eq(look(&ad), CACHE_HIT);
	cr_expect_eq(look(&q), CACHE_HIT);
	cr_expect_eq(stats_get(&stats->entries[0]), 1);
}

Test(cache, denials)
{
	struct query a = plain("www.example"), aaaa = ask("www.example", DNS_TYPE_AAAA, 0, 0, 0);
	struct message m;

	store(&a, 0, 3600, true);
	cr_expect_eq(look(&a), CACHE_HIT);
	cr_expect_eq(ttl_now(&a, false), 60, "the SOA's MINIMUM");
	cr_expect_eq(look(&aaaa), CACHE_MISS, "NODATA is of one type");
	store(&a, DNS_RCODE_NXDOMAIN, 20, true);
	cr_expect_eq(look(&aaaa), CACHE_HIT, "NXDOMAIN of all");
	cr_expect_eq(ttl_now(&aaaa, false), 20, "the SOA's TTL");
	cr_expect_eq(stats_get(&stats->entries[1]), 1);
	store(&aaaa, 0, 60, false);
	cr_expect_eq(look(&a), CACHE_MISS, "it exists after all");
	message_init(&m, DNS_FLAG_QR | DNS_RCODE_NXDOMAIN, 1, 1, 1, 0);
	put_question(&m, "www.example", DNS_TYPE_AAAA, DNS_CLASS_IN);
	put_rr(&m, "www.example", DNS_TYPE_CNAME, DNS_CLASS_IN, 60, "\1x", 3);
	put_soa(&m, 60, 60);
	cache_store(cache, &aaaa, &bounds, m.bytes, m.w.pos, now);
	cr_expect_eq(look(&aaaa), CACHE_HIT);
	cr_expect_eq(look(&a), CACHE_MISS, "it is the alias' target that is not there");
	store(&a, DNS_RCODE_SERVFAIL, 0, true);
	now += 4999;
	cr_expect_eq(look(&a), CACHE_HIT);
	now += 1;
	cr_expect_eq(look(&a), CACHE_MISS);
}

Test(cache, not_kept)
{
	struct query q = plain("www.example");
	struct message m;

	store(&q, 0, 0, false);
	cr_expect_eq(look(&q), CACHE_MISS, "TTL 0");
	store(&q, DNS_FLAG_TC, 60, false);
	cr_expect_eq(look(&q), CACHE_MISS, "truncated");
	store(&q, DNS_RCODE_REFUSED, 60, false);
	cr_expect_eq(look(&q), CACHE_MISS, "refused");
	message_init(&m, DNS_FLAG_QR | DNS_RCODE_NXDOMAIN, 1, 0, 0, 0);
	put_question(&m, "www.example", DNS_TYPE_A, DNS_CLASS_IN);
	cache_store(cache, &q, &keep_usual, m.bytes, m.w.pos, now);
	cr_expect_eq(look(&q), CACHE_MISS, "no SOA");
	message_init(&m, DNS_FLAG_QR, 1, 1, 0, 1);
	put_question(&m, "www.example", DNS_TYPE_A, DNS_CLASS_IN);
	put_rr(&m, "www.example", DNS_TYPE_A, DNS_CLASS_IN, 60, "\1\2\3\4", 4);
	put_rr(&m, "", DNS_TYPE_OPT, 1232, 1u << 24, "", 0);
	cache_store(cache, &q, &keep_usual, m.bytes, m.w.pos, now);
	cr_expect_eq(look(&q), CACHE_MISS, "the rcode goes on in the OPT");
	cr_expect_eq(stats_get(&stats->drops), 5);
}

Test(cache, questions_that_pass_by)
{
	struct query rd = plain("www.example"), any = ask("www.example", DNS_TYPE_ANY, 0, 0, 0);
	static uint8_t ecs[] = {0, 8, 0, 4, 0, 1, 0, 0},
		       cookie[] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};

	cr_expect(keep_takes(&rd));
	cr_expect_not(keep_takes(&any));
	rd.edns = (struct edns){.present = true, .options = cookie, .options_len = sizeof(cookie)};
	cr_expect(keep_takes(&rd), "a cookie stays here");
	rd.edns = (struct edns){.present = true, .options = ecs, .options_len = sizeof(ecs)};
	cr_expect_not(keep_takes(&rd), "ECS");
	rd.edns = (struct edns){0};
	rd.flags = 0;
	cr_expect_not(keep_takes(&rd), "RD=0");
}

Test(cache, hot_ones_are_told_apart_once)
{
	struct query q = plain("www.example");

	store(&q, 0, 100, false);
	now += 95000;
	cr_expect_eq(look(&q), CACHE_HIT);
	cr_expect_eq(look(&q), CACHE_HIT);
	cr_expect_eq(look(&q), CACHE_HIT_HOT);
	cr_expect_eq(look(&q), CACHE_HIT, "it is being asked");
	store(&q, 0, 100, false);
	cr_expect_eq(look(&q), CACHE_HIT);
	cr_expect_eq(ttl_now(&q, false), 100);
}

Test(cache, hits_that_make_hot_are_close_and_late)
{
	struct query q = plain("www.example");

	bounds.hot = 2;
	bounds.hot_gap_ms = 1000;
	bounds.hot_percent = 50;
	store(&q, 0, 100, false);
	cr_expect_eq(look(&q), CACHE_HIT);
	cr_expect_eq(look(&q), CACHE_HIT, "too early");
	now += 49999;
	cr_expect_eq(look(&q), CACHE_HIT, "the first after a gap");
	now += 1001;
	cr_expect_eq(look(&q), CACHE_HIT, "and again");
	now += 1000;
	bounds.hot = 0;
	cr_expect_eq(look(&q), CACHE_HIT, "never");
	bounds.hot = 2;
	cr_expect_eq(look(&q), CACHE_HIT_HOT);
	bounds.hot = 1;
	bounds.hot_percent = 100;
	q = plain("fails.example");
	store(&q, DNS_RCODE_SERVFAIL, 0, true);
	cr_expect_eq(look(&q), CACHE_HIT, "nor a failure");
}

Test(cache, an_entry_is_stale_for_as_long_as_it_was_stored_with)
{
	struct query q = plain("www.example");

	bounds.stale_s = 5;
	store(&q, 0, 10, false);
	bounds.stale_s = 3600;
	now += 14999;
	cr_expect_eq(look(&q), CACHE_STALE);
	now++;
	cr_expect_eq(look(&q), CACHE_MISS);
	bounds.stale_s = 0;
	store(&q, 0, 10, false);
	now += 10000;
	cr_expect_eq(look(&q), CACHE_MISS);
	cr_expect_null(cache_find_stale(cache, &q, now));
}

Test(cache, stale_after_a_failure_is_not_asked_for_a_while)
{
	struct query q = plain("www.example");

	store(&q, 0, 10, false);
	now += 10000;
	cr_expect_eq(look(&q), CACHE_STALE);
	cr_assert_eq(cache_find_stale(cache, &q, now), entry);
	entry->failed_ms = now;
	store(&q, DNS_RCODE_SERVFAIL, 0, true);
	cr_expect_eq(look(&q), CACHE_STALE_NOW, "a failure does not take its place");
	now += CACHE_RECHECK_MS;
	cr_expect_eq(look(&q), CACHE_STALE);
}

Test(cache, a_failure_that_lasts_is_asked_about_less_and_less)
{
	struct query q = plain("www.example");

	for (uint32_t s = KEEP_FAILURE_S; s <= KEEP_FAILURE_MAX_S; s *= 2) {
		store(&q, DNS_RCODE_SERVFAIL, 0, true);
		cr_assert_eq(entry_ttl(&q), (uint32_t)s);
		now += s * 1000 + 100;
		cr_expect_eq(look(&q), CACHE_MISS);
	}
	store(&q, DNS_RCODE_SERVFAIL, 0, true);
	cr_expect_eq(entry_ttl(&q), KEEP_FAILURE_MAX_S);
	now += KEEP_FAILURE_MAX_S * 2000;
	store(&q, DNS_RCODE_SERVFAIL, 0, true);
	cr_expect_eq(entry_ttl(&q), KEEP_FAILURE_S, "it is another failure");
	now += KEEP_FAILURE_S * 1000;
	store(&q, 0, 60, false);
	cr_expect_eq(look(&q), CACHE_HIT);
}

Test(cache, a_failure_that_lasts_is_kept_no_shorter_than_asked_for)
{
	struct query q = plain("www.example");

	bounds.failure_s = 300;
	for (int i = 0; i < 2; i++) {
		store(&q, DNS_RCODE_SERVFAIL, 0, true);
		cr_expect_eq(entry_ttl(&q), 300);
		now += 300100;
	}
}

/* Nobody makes a search long by asking for names, or here types, that lie in one chain. */
Test(cache, chains_are_short)
{
	for (uint16_t type = 1000; type < 1100; type++) {
		struct query q = ask("www.example", type, 0, false, false);

		store(&q, 0, 60, false);
		cr_assert_eq(look(&q), CACHE_HIT);
	}
	cr_expect_leq(stats_get(&stats->entries[0]), 33);
}

Test(cache, flushing)
{
	struct query q = plain("www.example"), other = plain("ftp.example");

	store(&q, 0, 60, false);
	store(&other, 0, 60, false);
	cache_flush_name(cache, q.qname, q.qname_len);
	cr_expect_eq(look(&q), CACHE_MISS);
	cr_expect_eq(look(&other), CACHE_HIT);
	cache_flush(cache);
	cr_expect_eq(look(&other), CACHE_MISS);
	cr_expect_eq(stats_get(&stats->entries[0]), 0);
}

/* Many times what fits: what is asked for stays, the rest makes room, and the books are right. */
Test(cache, room_is_made_by_those_that_are_not_asked_for)
{
	struct query hot = plain("hot.example");
	uint64_t seen = 0;

	store(&hot, 0, 3600, false);
	for (int i = 0; i < 20000; i++) {
		char name[32];
		struct query q;

		snprintf(name, sizeof(name), "n%d.example", i);
		q = plain(name);
		store(&q, 0, 3600, i % 2);
		cr_assert_eq(look(&q), CACHE_HIT);
		cr_assert_eq(look(&hot), CACHE_HIT, "after %d", i);
		now++;
	}
	for (int i = 0; i < 20000; i++) {
		char name[32];
		struct query q;

		snprintf(name, sizeof(name), "n%d.example", i);
		q = plain(name);
		seen += look(&q) == CACHE_HIT;
	}
	cr_expect_eq(seen + 1, stats_get(&stats->entries[0]) + stats_get(&stats->entries[1]));
	cr_expect_eq(stats_get(&stats->evictions[0]) + stats_get(&stats->evictions[1]),
		     20000 - seen);
	cr_expect(seen > CACHE_MIN / 256, "%lu", (unsigned long)seen);
}
