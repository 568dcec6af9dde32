/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ctl upstreams`: the servers, how they are, and what was counted of them. */
#include "resolver/ctl_parts.h"
#include "resolver/metrics.h"

static const char *const counters[UPSTREAM_COUNTERS] = {
	[UPSTREAM_QUERIES] = "queries",
	[UPSTREAM_RETRANSMISSIONS] = "retransmissions",
	[UPSTREAM_COALESCED] = "coalesced",
	[UPSTREAM_NOERROR] = "noerror",
	[UPSTREAM_NXDOMAIN] = "nxdomain",
	[UPSTREAM_SERVFAIL] = "servfail",
	[UPSTREAM_REFUSED] = "refused",
	[UPSTREAM_FORMERR] = "formerr",
	[UPSTREAM_NOTIMP] = "notimp",
	[UPSTREAM_OTHER_RCODE] = "other_rcodes",
	[UPSTREAM_TRUNCATED] = "truncated",
	[UPSTREAM_TIMEOUTS] = "timeouts",
	[UPSTREAM_FAILURES] = "failures",
	[UPSTREAM_MISMATCHES] = "mismatches",
	[UPSTREAM_LATE] = "late",
	[UPSTREAM_SOCKETS] = "sockets",
	[UPSTREAM_SOCKETS_REUSED] = "sockets_reused",
	[UPSTREAM_TCP_CONNECTIONS] = "tcp_connections",
	[UPSTREAM_TCP_REUSED] = "tcp_reused",
	[UPSTREAM_PROBES] = "probes",
	[UPSTREAM_PROBES_FAILED] = "probes_failed",
};

static json_t *describe(const struct upstream_book *book, const struct upstream_page *page)
{
	uint32_t srtt_us = upstream_book_srtt_us(page, book->n_workers);
	char text[ENDPOINT_TEXT_MAX];
	json_t *object = json_pack(
		"{s:s,s:s,s:o?}", "server", endpoint_format(&page->ep, text), "state",
		!page->in_use   ? "left"
		: page->is_loop ? "loop"
				: metrics_state_name(upstream_book_state(page, book->n_workers)),
		"srtt_ms", srtt_us ? json_real((double)srtt_us / 1000) : NULL);

	for (int i = 0; i < UPSTREAM_COUNTERS; i++) {
		uint64_t sum = upstream_book_sum(page, book->n_workers, (enum upstream_counter)i);

		json_object_set_new(object, counters[i], json_integer((json_int_t)sum));
	}
	return object;
}

json_t *ctl_upstreams(struct ctl *ctl)
{
	const struct upstream_book *book = ctl->facts->book;
	json_t *list = json_array();

	for (size_t i = 0; i < book->n_pages; i++) {
		if (upstream_book_is_told(&book->page[i], book->n_workers))
			json_array_append_new(list, describe(book, &book->page[i]));
	}
	return json_pack("{s:o}", "upstreams", list);
}
