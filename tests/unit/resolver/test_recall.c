/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/cache.h"
#include "resolver/recall.h"
#include "tests/unit/resolver/packets.h"

static struct block block = {.has_cache = true};
static struct recall_flush flush;
static struct worker_config config = {.cache_size = CACHE_MIN, .flush = &flush};
static struct stats_book pages;
static struct worker worker = {.config = &config, .now_ms = 1000000, .sheets = {&pages, 0}};

static void setup(void)
{
	block.keep = keep_usual;
	cr_assert_eq(stats_book_init(&pages, 1, NULL), 0);
	cr_assert(recall_new(&config, &worker.sheets, &worker.recall));
}

static void teardown(void)
{
	recall_free(worker.recall);
	stats_book_free(&pages);
}

TestSuite(recall, .init = setup, .fini = teardown);

static struct query ask(struct message *m, const char *name, bool edns)
{
	struct query q;

	message_init(m, DNS_FLAG_RD, 1, 0, 0, edns);
	put_question(m, name, DNS_TYPE_A, DNS_CLASS_IN);
	if (edns)
		put_opt(m, 4096, 0, false);
	cr_assert_eq(query_parse(m->bytes, m->w.pos, &q), QUERY_OURS);
	return q;
}

static void keep(const char *name)
{
	struct message asked, m;
	struct query q = ask(&asked, name, false);

	message_init(&m, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RA, 1, 1, 0, 0);
	put_question(&m, name, DNS_TYPE_A, DNS_CLASS_IN);
	put_rr(&m, name, DNS_TYPE_A, DNS_CLASS_IN, 60, "\1\2\3\4", 4);
	recall_keep(&worker, &block, &q, m.bytes, m.w.pos);
}

static bool knows(const char *name)
{
	struct message m;
	struct query q = ask(&m, name, false);
	size_t len;

	return recall_answer(&worker, &block, &q, m.bytes, RESOLVE_UDP, false, &len);
}

Test(recall, an_answer_is_the_clients_own)
{
	struct message m;
	struct query q = ask(&m, "wWw.example", true);
	struct wire_header h;
	struct wire_rr rr;
	struct wire w;
	size_t len;

	keep("www.EXAMPLE");
	q.id = 0x4711;
	cr_assert(recall_answer(&worker, &block, &q, m.bytes, RESOLVE_UDP, false, &len));
	w = wire_over(m.bytes, len);
	wire_get_header(&w, &h);
	cr_expect_eq(h.id, 0x4711);
	cr_expect_eq(h.flags, DNS_FLAG_QR | DNS_FLAG_RA | DNS_FLAG_RD);
	cr_expect_arr_eq(wire_take(&w, q.question_len), "\3wWw\7example\0\0\1\0\1", 17);
	cr_expect(wire_get_rr(&w, &rr));
	cr_expect_eq(rr.ttl, 60);
	cr_expect(wire_get_rr(&w, &rr));
	cr_expect_eq(rr.type, DNS_TYPE_OPT, "for it asked with one");
	cr_expect_eq(wire_left(&w), 0);
}

Test(recall, orders_to_forget)
{
	struct message m;
	struct query a = ask(&m, "a.example", false);

	keep("a.example");
	keep("b.example");
	recall_round(worker.recall);
	cr_expect(knows("a.example"), "nothing was ordered");
	recall_order_flush(&flush, a.qname, a.qname_len);
	recall_round(worker.recall);
	cr_expect_not(knows("a.example"));
	cr_expect(knows("b.example"));
	recall_order_flush(&flush, a.qname, a.qname_len);
	recall_order_flush(&flush, a.qname, a.qname_len);
	recall_round(worker.recall);
	cr_expect_not(knows("b.example"), "an order was missed: it may have been about this");
	keep("b.example");
	recall_order_flush(&flush, NULL, 0);
	recall_round(worker.recall);
	cr_expect_not(knows("b.example"));
}
