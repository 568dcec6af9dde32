/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transaction machine by a clock that the test moves: a worker without a thread, its servers
 * and its client sockets on loopback, where what is sent has arrived when send(2) returns.
 */
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

/* One block with a route for all names to one group; the first alternate's is another. */
static struct upstream_group group, other_group;
static struct service_route route;
static struct service_alternate alternate;
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
static int bound(int type, uint16_t port, struct endpoint *ret_ep)
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

static void add_server_to(struct upstream_group *to, size_t i)
{
	struct endpoint ep;

	server_fd[i] = bound(SOCK_DGRAM, 0, &ep);
	servers[service.n_servers] = service_server_usual;
	servers[service.n_servers++].page = (uint16_t)upstream_group_add(to, &book, &ep, NULL);
}

static void add_server(size_t i)
{
	add_server_to(&group, i);
}

/* The service is another now. */
static void take_over(void)
{
	service.version++;
	worker.service = &service;
	forward_take_over(&worker);
}

/* A worker with so many servers, at 1000 ms. */
static void begin(size_t n_servers)
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

static void end(void)
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

static void pass(int64_t ms)
{
	worker.now_ms += ms;
	worker.now_us += ms * 1000;
	forward_expire(&worker);
}

static void events(void)
{
	struct epoll_event event;
	struct event_ref ref;

	while (epoll_wait(worker.epoll_fd, &event, 1, 0) > 0) {
		memcpy(&ref, &event.data, sizeof(ref));
		forward_handle(&worker, ref, event.events);
	}
}

/* A client's question, with this ID. */
static bool ask(uint16_t id, const char *name)
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
static bool gets_type(size_t server, uint16_t type)
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

static bool gets(size_t server)
{
	return gets_type(server, DNS_TYPE_A);
}

/* The server answers what it got last: that and nothing else, with this rcode. */
static void answer(size_t server, uint8_t rcode)
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
static int told(void)
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

static uint64_t count(size_t server, enum upstream_counter counter)
{
	return upstream_book_sum(&book.page[server], 2, counter);
}

Test(forward, the_next_server_is_asked_when_a_try_has_had_its_time, .fini = end)
{
	struct got first;

	begin(2);
	cr_assert(ask(7, "a.example"));
	cr_expect(gets(0));
	first = got;
	pass(HEALTH_RTO_FIRST_MS - TIMERS_TICK_MS);
	cr_expect_not(gets(1));
	pass(2 * TIMERS_TICK_MS);
	cr_assert(gets(1));
	got = first;
	answer(0, 0);
	cr_expect_eq(told(), TOLD(7, 0), "a late answer is an answer");
	cr_expect_eq(worker.waiting, 0);
}

Test(forward, the_second_answer_is_late_and_nobody_is_told, .fini = end)
{
	struct got first;

	begin(2);
	cr_assert(ask(7, "a.example") && gets(0));
	first = got;
	pass(HEALTH_RTO_FIRST_MS + TIMERS_TICK_MS);
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	got = first;
	answer(0, 0);
	cr_expect_eq(told(), -1);
	cr_expect_eq(count(0, UPSTREAM_LATE), 1);
	cr_expect_eq(count(0, UPSTREAM_MISMATCHES), 0);
}

Test(forward, a_lonely_server_is_asked_ever_more_slowly_and_then_it_fails, .fini = end)
{
	static const int64_t due_ms[] = {0, 400, 1200, 2200, 3200, 4200};
	size_t n = 0;

	begin(1);
	cr_assert(ask(7, "a.example"));
	for (int64_t ms = 0; ms < FORWARD_TOTAL_MS; ms += TIMERS_TICK_MS) {
		while (gets(0)) {
			cr_assert_lt(n, sizeof(due_ms) / sizeof(due_ms[0]));
			cr_expect(ms >= due_ms[n] && ms <= due_ms[n] + 10 * TIMERS_TICK_MS,
				  "message %zu at %ld ms", n, (long)ms);
			n++;
		}
		cr_assert_eq(told(), -1);
		pass(TIMERS_TICK_MS);
	}
	pass(TIMERS_TICK_MS);
	cr_expect_eq(n, 6);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_SERVFAIL));
	cr_expect_eq(worker.waiting, 0);
}

Test(forward, attempts_and_timeout_of_resolv_conf_are_kept_to, .fini = end)
{
	size_t n = 0;

	begin(1);
	group.try_max_ms = 200;
	group.tries = 2;
	cr_assert(ask(7, "a.example"));
	pass(200 + TIMERS_TICK_MS);
	while (gets(0))
		n++;
	cr_expect_eq(n, 2);
	for (int i = 0; i < 10; i++)
		pass(100);
	cr_expect_not(gets(0));
}

Test(forward, who_asks_the_same_is_answered_as_he_asked, .fini = end)
{
	begin(1);
	cr_assert(ask(1, "AB.example") && ask(2, "ab.example"));
	cr_expect(gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	for (int i = 0; i < 2; i++) {
		int reply = told();

		cr_expect(reply == TOLD(1, DNS_RCODE_NXDOMAIN) ||
			  reply == TOLD(2, DNS_RCODE_NXDOMAIN));
		cr_expect_str_eq(told_name, reply >> 8 == 1 ? "AB" : "ab");
	}
	cr_expect_not(gets(0), "it went upstream once");
	cr_expect_eq(count(0, UPSTREAM_COALESCED), 1);
}

Test(forward, more_than_can_wait_are_turned_away_and_room_comes_back, .fini = end)
{
	begin(1);
	for (int round = 0; round < 3; round++) {
		for (uint16_t i = 0; i < MAX_CONCURRENT; i++)
			cr_assert(ask(i, (const char *[]){"a", "b", "c", "d"}[i]));
		cr_expect_not(ask(9, "e"));
		for (uint16_t i = 0; i < MAX_CONCURRENT; i++) {
			cr_assert(gets(0));
			answer(0, 0);
			cr_expect_eq(told(), TOLD(i, 0));
		}
	}
}

Test(forward, servfail_is_not_the_last_word_while_another_can_be_asked, .fini = end)
{
	begin(2);
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_SERVFAIL);
	cr_expect_eq(told(), -1);
	cr_assert(gets(1), "at once");
	answer(1, DNS_RCODE_REFUSED);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_REFUSED));
}

Test(forward, whom_lies_are_told_to_believes_no_datagram_any_more, .fini = end)
{
	struct endpoint ep;
	int stream;

	begin(1);
	stream = bound(SOCK_STREAM, book.page[0].ep.port, &ep);
	cr_assert_eq(listen(stream, 1), 0);
	cr_assert(ask(7, "a.example") && gets(0));
	for (int i = 0; i < 3; i++) {
		got.bytes[DNS_HEADER_LEN + 1] = (uint8_t)('b' + i);
		answer(0, 0);
		cr_expect_eq(told(), -1);
		cr_expect_eq(count(0, UPSTREAM_TCP_CONNECTIONS), i == 2, "after lie %d", i);
	}
	got.bytes[DNS_HEADER_LEN + 1] = 'a';
	answer(0, 0);
	cr_expect_eq(told(), -1, "the truth comes too late");
	close(stream);
}

Test(forward, who_is_down_comes_last_until_it_answers_a_probe, .fini = end)
{
	static const uint8_t probe[] = {3, 'o', 'r', 'g', 0, 0, DNS_TYPE_NS, 0, DNS_CLASS_IN};

	begin(2);
	servers[0].probe_no_rd = true;
	servers[0].probe_name = (struct corefile_zone){5, {3, 'o', 'r', 'g'}};
	take_over();
	for (uint16_t i = 0; i <= HEALTH_FAILS_MAX; i++) {
		cr_assert(ask(i, (const char *[]){"a", "b", "c"}[i]));
		pass(HEALTH_RTO_MAX_MS);
		cr_assert(gets(1));
		answer(1, 0);
		cr_expect_eq(told(), TOLD(i, 0));
		pass(TIMERS_TICK_MS);
	}
	cr_expect_eq(worker.forward->server[0]->health.state, HEALTH_DOWN);
	while (gets(0) || gets(1))
		;
	cr_assert(ask(8, "d") && !gets(0) && gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(8, 0));
	pass(HEALTH_PROBE_MS + TIMERS_TICK_MS);
	cr_assert(gets_type(0, DNS_TYPE_NS));
	cr_expect_eq(got.bytes[2] & 1, 0, "RD");
	cr_expect_eq(got.len, DNS_HEADER_LEN + sizeof(probe));
	cr_expect_arr_eq(got.bytes + DNS_HEADER_LEN, probe, sizeof(probe));
	answer(0, 0);
	cr_expect_eq(worker.forward->server[0]->health.state, HEALTH_UP);
	cr_assert(ask(9, "e") && gets(0));
}

Test(forward, a_server_that_goes_may_finish_what_it_has_begun, .fini = end)
{
	struct got old;

	begin(1);
	cr_assert(ask(7, "a.example") && gets(0));
	old = got;
	group.n = 0;
	service.n_servers = 0;
	add_server(1);
	take_over();
	cr_assert(ask(8, "b.example") && gets(1));
	got = old;
	answer(0, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	cr_expect_not(worker.forward->servers[0].used, "nothing is under way there any more");
}

/* The first group has server 0, the one for these rcodes server 1. */
static void begin_chain(uint32_t rcodes)
{
	begin(1);
	alternate = (struct service_alternate){.rcodes = rcodes, .group = &other_group};
	block.alternates = &alternate;
	block.n_alternates = 1;
	other_group.number = 1;
	add_server_to(&other_group, 1);
	take_over();
}

Test(forward, an_rcode_that_another_group_is_for_goes_there, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN) | COREFILE_RCODE(DNS_RCODE_NOTIMP));
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), -1);
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	cr_assert(ask(8, "b.example") && gets(0));
	answer(0, DNS_RCODE_REFUSED);
	cr_expect_eq(told(), TOLD(8, DNS_RCODE_REFUSED), "not among the rcodes");
	cr_expect_not(gets(1));
}

Test(forward, the_other_groups_word_is_the_last, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	answer(1, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_NXDOMAIN));
	cr_expect_not(gets(0));
}

Test(forward, a_silent_group_leaves_time_for_the_other, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_SERVFAIL));
	cr_assert(ask(7, "a.example") && gets(0));
	for (int ms = 0; ms < FORWARD_FIRST_MS - 100; ms += 100)
		pass(100);
	cr_expect_not(gets(1), "too early");
	pass(200);
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
}

Test(forward, equal_questions_stay_together_on_the_way_to_the_other_group, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	cr_assert(ask(7, "a.example") && ask(8, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	cr_expect_not(gets(1), "asked once");
	cr_assert(ask(9, "a.example"));
	cr_expect_not(gets(0), "who comes later waits along");
	answer(1, 0);
	for (int i = 0; i < 3; i++)
		cr_expect_neq(told(), -1);
}

Test(forward, without_servers_of_a_route_the_table_has_the_word, .fini = end)
{
	begin_chain(COREFILE_RCODE(DNS_RCODE_NXDOMAIN));
	route.group = NULL;
	cr_assert(ask(7, "a.example"));
	cr_expect_not(gets(0));
	cr_assert(gets(1));
	answer(1, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	block.n_alternates = 0;
	cr_expect_not(ask(8, "b.example"));
	cr_expect_not(gets(1));
}

Test(forward, a_group_takes_so_many_questions_at_a_time, .fini = end)
{
	static struct corefile_errors errors;
	static const struct corefile_server with_errors = {.errors = &errors};

	begin(1);
	block.corefile = &with_errors;
	group.max_concurrent = 2;
	group.max_busy = 1;
	cr_assert(ask(7, "a.example") && gets(0));
	cr_expect_not(ask(8, "b.example"));
	cr_expect_str_eq(worker.chain.err.msg, "concurrent queries exceeded maximum 2");
	answer(0, 0);
	cr_expect_eq(told(), TOLD(7, 0));
	cr_expect(ask(9, "c.example"));
}

Test(forward, the_next_route_is_asked_after_its_rcodes, .fini = end)
{
	static struct service_route routes[2];

	begin(1);
	add_server_to(&other_group, 1);
	other_group.number = 1;
	routes[0] = route;
	routes[0].next = COREFILE_RCODE(DNS_RCODE_NXDOMAIN);
	routes[1] = (struct service_route){.from.len = 1, .group = &other_group};
	block.routes = routes;
	block.n_routes = 2;
	take_over();
	cr_assert(ask(7, "a.example") && gets(0));
	answer(0, DNS_RCODE_NXDOMAIN);
	cr_assert(gets(1));
	answer(1, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(told(), TOLD(7, DNS_RCODE_NXDOMAIN), "there is none behind it");
}
