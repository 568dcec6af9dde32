/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward_parts.h"
#include "resolver/loop.h"

#define LOOP_CHECK_MS 10000 /* between looks at a server that was a loop */

static void tell_state(const struct server *server, enum health_state before)
{
	char text[ENDPOINT_TEXT_MAX];

	atomic_store_explicit(&server->stats->state, server->health.state, memory_order_relaxed);
	if (server->health.state == HEALTH_DOWN && before != HEALTH_DOWN)
		log_warning("an upstream does not answer", "server=%s",
			    endpoint_format(&server->ep, text));
	else if (server->health.state != HEALTH_DOWN && before == HEALTH_DOWN)
		log_info("an upstream answers again", "server=%s",
			 endpoint_format(&server->ep, text));
}

void server_failed(struct worker *worker, struct server *server, int64_t sent_us, bool silent)
{
	enum health_state before = server->health.state;

	health_failed(&server->health, sent_us / 1000, worker->now_ms, server->how.max_fails);
	if (server->health.state == before || server->gone)
		return;
	tell_state(server, before);
	if (before != HEALTH_UP)
		return;
	/* Refusals are not to be had at any rate: the ICMP messages that tell of them are limited.
	 */
	timer_set(&worker->forward->timers, &server->probe,
		  worker->now_ms + (silent ? 0 : server->how.probe_ms));
	if (silent)
		timer_set(&worker->forward->timers, &server->loop, worker->now_ms);
}

void server_answered(struct worker *worker, struct server *server, int64_t sent_us)
{
	enum health_state before = server->health.state;

	health_answered(&server->health, (uint32_t)(worker->now_us - sent_us));
	atomic_store_explicit(&server->stats->srtt_us, server->health.srtt_us,
			      memory_order_relaxed);
	if (before == HEALTH_UP)
		return;
	tell_state(server, before);
	timer_cancel(&server->probe);
}

void probe_begin(struct worker *worker, struct server *server)
{
	if (server->gone || server->health.state == HEALTH_UP)
		return;
	timer_set(&worker->forward->timers, &server->probe, worker->now_ms + server->how.probe_ms);
	if (txn_new_probe(worker, server, TXN_PROBE, server->how.probe_name.name,
			  server->how.probe_name.len, DNS_TYPE_NS))
		upstream_count(server->stats, UPSTREAM_PROBES);
}

void probe_begin_loop(struct worker *worker, struct server *server)
{
	uint8_t name[DNS_NAME_MAX];
	const struct upstream_book *book = worker->config->book;
	size_t len;

	if (server->gone || server->is_loop_probed)
		return;
	len = loop_write_name(book->nonce, (uint16_t)server_number(worker, server),
			      random_u16(&worker->forward->random), name);
	server->loops_before = atomic_load_explicit(&server->page->loops, memory_order_relaxed);
	server->is_loop_probed =
		txn_new_probe(worker, server, TXN_LOOP, name, len, DNS_TYPE_HINFO) != NULL;
}

static void end_loop_probe(struct worker *worker, struct server *server)
{
	uint32_t loops = atomic_load_explicit(&server->page->loops, memory_order_relaxed);
	bool is_loop = loops != server->loops_before;

	server->is_loop_probed = false;
	atomic_store_explicit(&server->page->is_loop, is_loop, memory_order_relaxed);
	if (is_loop)
		timer_set(&worker->forward->timers, &server->loop, worker->now_ms + LOOP_CHECK_MS);
}

void probe_end(struct worker *worker, struct txn *txn, bool answered)
{
	struct server *server = txn->only;

	if (txn->kind == TXN_LOOP)
		end_loop_probe(worker, server);
	else if (!answered)
		upstream_count(server->stats, UPSTREAM_PROBES_FAILED);
}

bool probe_is_loop(struct worker *worker, const struct query *query)
{
	struct upstream_book *book = worker->config->book;
	struct upstream_page *page;
	char text[ENDPOINT_TEXT_MAX];
	uint16_t number;

	if (query->qtype != DNS_TYPE_HINFO || !loop_is_probe(query, book->nonce, &number) ||
	    number >= book->n_pages)
		return false;
	page = &book->page[number];
	atomic_fetch_add_explicit(&page->loops, 1, memory_order_relaxed);
	if (!atomic_exchange_explicit(&page->is_loop, true, memory_order_relaxed))
		log_error("an upstream is a loop: what goes there comes back to me; it is not "
			  "asked any more",
			  "server=%s", endpoint_format(&page->ep, text));
	return true;
}
