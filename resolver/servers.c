/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward_parts.h"
#include "resolver/upstream_tcp.h"
#include "resolver/upstream_udp.h"

static void server_free(struct worker *worker, struct server *server)
{
	upstream_udp_drop(worker, server);
	upstream_conn_free(&server->conn);
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

/* No longer to be found by its page: nobody is asked that is gone. */
static void forget_all(struct forward *f)
{
	memset(f->server, 0, sizeof(f->server));
	for (size_t i = 0; i < SERVERS; i++) {
		if (f->servers[i].used)
			f->servers[i].gone = true;
	}
}

void forward_take_over(struct worker *worker)
{
	struct forward *f = worker->forward;
	const struct service *service = worker->service;

	if (service->version == f->version)
		return;
	f->version = service->version;
	memset(f->busy, 0, sizeof(f->busy)); /* what is under way was the old groups' */
	forget_all(f);
	for (size_t i = 0; i < service->n_servers; i++) {
		uint16_t page = service->servers[i].page;
		struct server *server = server_find(f, &worker->config->book->page[page]);

		if (!server)
			server = server_new(worker, page);
		if (server) {
			bool other = server->how.tls != service->servers[i].tls;

			server->gone = false;
			server->how = service->servers[i];
			if (other && server->conn.fd >= 0)
				upstream_conn_break(worker, server);
		}
		f->server[page] = server;
	}
	for (size_t i = 0; i < SERVERS; i++) {
		if (f->servers[i].used && f->servers[i].gone && f->servers[i].refs == 0)
			server_free(worker, &f->servers[i]);
	}
}
