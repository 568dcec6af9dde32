/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward_parts.h"
#include "resolver/upstream_tcp.h"
#include "resolver/upstream_udp.h"

static void server_free(struct worker *worker, struct server *server)
{
	upstream_udp_drop(worker, server);
	upstream_conn_close(&server->conn);
	timer_cancel(&server->probe);
	timer_cancel(&server->loop);
	server->used = false;
}

void server_unref(struct worker *worker, struct server *server)
{
	if (--server->refs == 0 && server->gone)
		server_free(worker, server);
}

static struct server *server_new(struct worker *worker, uint16_t page)
{
	struct forward *f = worker->forward;
	struct upstream_book *book = worker->config->book;
	struct server *server = NULL;
	uint16_t generation;

	for (size_t i = 0; i < SERVERS && !server; i++) {
		if (!f->servers[i].used)
			server = &f->servers[i];
	}
	if (!server)
		return NULL;
	generation = server->conn.generation;
	*server = (struct server){
		.used = true,
		.index = (uint8_t)(server - f->servers),
		.ep = book->page[page].ep,
		.page = &book->page[page],
		.stats = &book->page[page].stats[worker->number],
		.conn.generation = generation,
	};
	upstream_conn_init(&server->conn);
	timer_init(&server->probe, TIMER_PROBE);
	timer_init(&server->loop, TIMER_LOOP);
	if (worker->number == 0) /* one of us looks, all are told */
		timer_set(&f->timers, &server->loop, worker->now_ms);
	return server;
}

static struct server *server_find(struct forward *f, const struct upstream_page *page)
{
	for (size_t i = 0; i < SERVERS; i++) {
		if (f->servers[i].used && f->servers[i].page == page)
			return &f->servers[i];
	}
	return NULL;
}

void forward_take_over(struct worker *worker, const struct upstreams *upstreams)
{
	struct forward *f = worker->forward;

	if (upstreams->version == f->upstreams.version)
		return;
	f->upstreams = *upstreams;
	for (size_t i = 0; i < SERVERS; i++)
		f->servers[i].gone = true;
	for (size_t i = 0; i < upstreams->n_servers; i++) {
		uint16_t page = upstreams->server[i].page;

		f->server[i] = server_find(f, &worker->config->book->page[page]);
		if (!f->server[i])
			f->server[i] = server_new(worker, page);
		if (f->server[i])
			f->server[i]->gone = false;
	}
	for (size_t i = 0; i < SERVERS; i++) {
		if (f->servers[i].used && f->servers[i].gone && f->servers[i].refs == 0)
			server_free(worker, &f->servers[i]);
	}
}
