/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies of an upstream, kept and given again: the first two octets are seconds to pass, the rest
 * is the reply, sent to two questions. What comes out is whole, and longer by nothing than what
 * went in; and the ring holds together when a small cache is filled with it.
 */
#include <stdlib.h>

#include "resolver/cache.h"
#include "resolver/reply.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_whole(const struct query *query, uint8_t *message, size_t len)
{
	struct wire w = wire_over(message, len);
	struct wire_header h;
	struct wire_rr rr;

	wire_get_header(&w, &h);
	wire_take(&w, query->question_len);
	must(!(h.flags & (DNS_FLAG_AA | DNS_FLAG_TC)));
	for (int n = h.ancount + h.nscount + h.arcount; n > 0; n--) {
		must(wire_get_rr(&w, &rr));
		must(rr.type == DNS_TYPE_OPT || rr.ttl <= KEEP_MAX_S);
	}
	must(wire_left(&w) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t asked[33] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
					 "\3wWw\7example\3com\0\0\1\0\1";
	static struct stats_book pages;
	static const struct stats_sheets sheets = {&pages, 0};
	static uint8_t message[DNS_MESSAGE_MAX + REPLY_GROWTH];
	struct keep_bounds bounds = keep_usual;
	struct cache *cache;
	struct cache_entry *entry;
	int64_t now_ms = 1000;
	enum dns_rcode rcode;
	struct query query;
	uint8_t *reply;

	must(pages.n_pages || stats_book_init(&pages, 1, NULL) == 0);
	cache = cache_new(CACHE_MIN, &sheets);
	must(cache && query_parse((uint8_t *)asked, sizeof(asked), &query) == QUERY_OURS);
	must(keep_takes(&query));
	bounds.stale_s = 60;
	if (size < 2 || size > DNS_MESSAGE_MAX)
		goto out;
	reply = malloc(size - 1);
	must(reply);
	memcpy(reply, data + 2, size - 2);
	if (reply_check(&query, asked, 0xabcd, false, reply, size - 2, &rcode) == REPLY_WHOLE) {
		for (int i = 0; i < 40; i++) {
			query.flags ^= i % 2 ? DNS_FLAG_CD : 0;
			cache_store(cache, &query, &bounds, reply, size - 2, now_ms);
			now_ms += i ? 1 : data[0] * 256000 + data[1] * 1000;
			if (cache_find(cache, &query, &bounds, now_ms, &entry) == CACHE_MISS)
				continue;
			must(cache_copy(entry, &query, now_ms, i % 3 == 0, message) == size - 2);
			check_whole(&query, message, size - 2);
		}
		cache_flush_name(cache, query.qname, query.qname_len);
		must(cache_find(cache, &query, &bounds, now_ms, &entry) == CACHE_MISS);
	}
	free(reply);
out:
	cache_free(cache);
	return 0;
}
