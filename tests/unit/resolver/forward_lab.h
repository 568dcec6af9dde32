/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transaction machine by a clock that the test moves: a worker without a thread, its servers
 * and its client sockets on loopback, where what is sent has arrived when send(2) returns.
 */
#ifndef MESHDNS_TESTS_FORWARD_LAB_H
#define MESHDNS_TESTS_FORWARD_LAB_H

#include "resolver/forward_parts.h"
#include "resolver/service_make.h"
#include "resolver/udp.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "tests/unit/resolver/packets.h"

#define SERVERS_MAX    3
#define MAX_CONCURRENT 4

static struct upstream_book book;
static struct stats_book pages;
static struct inflight inflight;
static struct publish no_names, no_services;
static _Atomic int order;
static struct tap_wish wish;
static struct worker_config config;
static struct worker worker;

/* One block with a route for all names to one group. */
static struct upstream_group group;
static struct service_route route;
static struct block block;
static struct service_server servers[SERVERS_MAX];
static struct service service = {.servers = servers};

static int server_fd[SERVERS_MAX], listener, client_fd;
static struct client client;

/* What a server got last, to be answered. */
static struct got {
	uint8_t bytes[512];
	size_t len;
	struct sockaddr_storage from;
	socklen_t from_len;
} got;

/* A socket on loopback; its address is in *ret_ep. */
static inline int bound(int type, uint16_t port, struct endpoint *ret_ep)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	cr_assert(endpoint_from_sockaddr(&ss, ret_ep));
	return fd;
}

static inline void add_server_to(struct upstream_group *to, size_t i)
{
	struct endpoint ep;

	server_fd[i] = bound(SOCK_DGRAM, 0, &ep);
	servers[service.n_servers] = service_server_usual;
	servers[service.n_servers++].page = (uint16_t)upstream_group_add(to, &book, &ep, NULL);
}

static inline void add_server(size_t i)
{
	add_server_to(&group, i);
}

/* The service is another now. */
static inline void take_over(void)
{
	service.version++;
	worker.service = &service;
	forward_take_over(&worker);
}

/* A worker with so many servers, at 1000 ms. */
static inline void begin(size_t n_servers)
{
	struct err err;
	struct endpoint ep;

	cr_assert_eq(upstream_book_init(&book, 2, NULL), 0);
	cr_assert_eq(stats_book_init(&pages, 2, NULL), 0);
	config = (struct worker_config){
		.publish = &no_names,
		.services = &no_services,
		.book = &book,
		.pages = &pages,
		.max_concurrent = MAX_CONCURRENT,
		.upstream_sockets = 64,
		.tcp_clients = 1,
		.inflight = &inflight,
		.order = &order,
		.tap_wish = &wish,
	};
	/* The second one: the first would look for loops. */
	cr_assert_eq(worker_init(&worker, 1, &config, NULL, NULL, NULL, eventfd(0, 0), &err), 0);
	worker.now_ms = 1000;
	worker.now_us = 1000000;
	for (size_t i = 0; i < n_servers; i++)
		add_server(i);
	route = (struct service_route){.from.len = 1, .group = &group};
	block = (struct block){.routes = &route, .n_routes = 1};
	take_over();

	listener = bound(SOCK_DGRAM, 0, &ep);
	client_fd = bound(SOCK_DGRAM, 0, &ep);
	client.port = ep.port;
	client.udp.fd = listener;
	client.peer_len = sizeof(client.peer);
	cr_assert_eq(getsockname(client_fd, (struct sockaddr *)&client.peer, &client.peer_len), 0);
}

static inline void end(void)
{
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		if (server_fd[i] > 0)
			close(server_fd[i]);
	}
	close(listener);
	close(client_fd);
	worker_free(&worker);
	upstream_book_free(&book);
	stats_book_free(&pages);
}

static inline void pass(int64_t ms)
{
	worker.now_ms += ms;
	worker.now_us += ms * 1000;
	forward_expire(&worker);
}

static inline void events(void)
{
	struct epoll_event event;
	struct event_ref ref;

	while (epoll_wait(worker.epoll_fd, &event, 1, 0) > 0) {
		memcpy(&ref, &event.data, sizeof(ref));
		forward_handle(&worker, ref, event.events);
	}
}

/* A client's question, with this ID. */
static inline bool ask(uint16_t id, const char *name)
{
	struct message m;
	struct query q;
	bool started;

	message_question(&m, name, DNS_TYPE_A);
	m.bytes[0] = (uint8_t)(id >> 8);
	m.bytes[1] = (uint8_t)id;
	cr_assert_eq(query_parse(m.bytes, m.w.pos, &q), QUERY_OURS);
	started = forward_start(&worker, &client, m.bytes, m.w.pos, &q, &block, false) ==
		  DNS_RCODE_NOERROR;
	worker.waiting += started; /* worker_reply() takes it away */
	return started;
}

/* Whether this server has got a question of type `type`; the others that it got are gone. */
static inline bool gets_type(size_t server, uint16_t type)
{
	ssize_t n;

	for (;;) {
		got.from_len = sizeof(got.from);
		n = recvfrom(server_fd[server], got.bytes, sizeof(got.bytes), 0,
			     (struct sockaddr *)&got.from, &got.from_len);
		if (n < 0)
			return false;
		got.len = (size_t)n;
		if (got.bytes[got.len - 3] == type)
			return true;
	}
}

static inline bool gets(size_t server)
{
	return gets_type(server, DNS_TYPE_A);
}

/* The server answers what it got last: that and nothing else, with this rcode. */
static inline void answer(size_t server, uint8_t rcode)
{
	got.bytes[2] |= 0x80;
	got.bytes[3] = rcode;
	cr_assert_eq(sendto(server_fd[server], got.bytes, got.len, 0, (struct sockaddr *)&got.from,
			    got.from_len),
		     (ssize_t)got.len);
	events();
}

/* The ID and rcode of what the client was told, -1: nothing. Its name is in told_name. */
static char told_name[64];
static inline int told(void)
{
	uint8_t bytes[512];
	ssize_t n;

	udp_flush(&worker);
	n = recv(client_fd, bytes, sizeof(bytes), 0);
	if (n < DNS_HEADER_LEN)
		return -1;
	memcpy(told_name, bytes + DNS_HEADER_LEN + 1, bytes[DNS_HEADER_LEN]);
	told_name[bytes[DNS_HEADER_LEN]] = '\0';
	return (bytes[0] << 8 | bytes[1]) << 8 | (bytes[3] & DNS_RCODE_MASK);
}

#define TOLD(id, rcode) ((id) << 8 | (rcode))

static inline uint64_t count(size_t server, enum upstream_counter counter)
{
	return upstream_book_sum(&book.page[server], 2, counter);
}

#endif
