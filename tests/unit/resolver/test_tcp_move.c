/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients by TCP that move from one worker to another: workers without a thread, and a socket
 * between them as between two resolvers.
 */
#include "resolver/tcp_parts.h"

#include <criterion/criterion.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "resolver/handover.h"
#include "resolver/inflight.h"
#include "resolver/service.h"
#include "resolver/upstreams.h"

#define CLIENTS 2

static struct upstream_book book;
static struct stats_book pages;
static struct inflight inflight;
static struct publish no_names, no_services;
static _Atomic int order;
static struct tap_wish wish;
static struct handover handover;
static struct listener listener;
static struct worker_config config;
static struct worker worker;

static int client_fd[CLIENTS], other_fd; /* the other resolver's end */
static struct conn *conn[CLIENTS];

/* A client of the worker's, and the worker's end of the connection. */
static int connect_client(int listen_fd, struct sockaddr_in6 *peer, int *ret_client_fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in), peer_len = sizeof(*peer);
	int fd;

	cr_assert_eq(getsockname(listen_fd, (struct sockaddr *)&in, &len), 0);
	*ret_client_fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(*ret_client_fd, (struct sockaddr *)&in, len), 0);
	fd = accept4(listen_fd, (struct sockaddr *)peer, &peer_len, SOCK_NONBLOCK);
	cr_assert_geq(fd, 0);
	return fd;
}

static void begin(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct err err;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	handover = (struct handover){.old_fd = pair[0], .new_fd = pair[0]};
	other_fd = pair[1];
	cr_assert_eq(upstream_book_init(&book, 1, NULL), 0);
	cr_assert_eq(stats_book_init(&pages, 1, NULL), 0);
	config = (struct worker_config){
		.publish = &no_names,
		.services = &no_services,
		.book = &book,
		.pages = &pages,
		.max_concurrent = 1,
		.upstream_sockets = 1,
		.tcp_clients = CLIENTS,
		.tcp_idle_s = 10,
		.inflight = &inflight,
		.order = &order,
		.handover = &handover,
		.tap_wish = &wish,
	};
	cr_assert_eq(worker_init(&worker, 0, &config, &listener, NULL, NULL, eventfd(0, 0), &err),
		     0);
	listener.tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener.tcp_fd, (struct sockaddr *)&in, sizeof(in)), 0);
	cr_assert_eq(listen(listener.tcp_fd, CLIENTS), 0);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct sockaddr_in6 peer = {0};
		int fd = connect_client(listener.tcp_fd, &peer, &client_fd[i]);

		conn[i] = tcp_add_conn(&worker, fd, &peer, 0);
		cr_assert_not_null(conn[i]);
	}
}

static void end(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		close(client_fd[i]);
	close(listener.tcp_fd);
	close(handover.old_fd);
	close(other_fd);
	worker_free(&worker);
	upstream_book_free(&book);
	stats_book_free(&pages);
}

/* What wakes the worker up; nothing: EVENT_ORDER. */
static struct event_ref woken(void)
{
	struct event_ref ref = {.kind = EVENT_ORDER};
	struct epoll_event event;

	if (epoll_wait(worker.epoll_fd, &event, 1, 0) > 0)
		memcpy(&ref, &event.data, sizeof(ref));
	return ref;
}

Test(tcp_move, who_is_elsewhere_wakes_nobody_here, .init = begin, .fini = end)
{
	uint8_t said[8];
	int fd;

	worker.successor_fd = handover.new_fd;
	tcp_expire(&worker);
	cr_expect_eq(tcp_count(worker.tcp), 0);
	cr_assert_eq(handover_receive_client(other_fd, said, sizeof(said), &fd), 0);
	cr_assert_eq(send(client_fd[0], "x", 1, 0), 1);
	cr_expect_eq(woken().kind, EVENT_ORDER);
	cr_expect_eq(recv(fd, said, sizeof(said), MSG_DONTWAIT), 1);
	close(fd);
}

Test(tcp_move, who_was_held_still_and_cannot_move_is_read_from_again, .init = begin, .fini = end)
{
	struct event_ref refs[CLIENTS];

	worker.successor_fd = handover.new_fd;
	for (size_t i = 0; i < CLIENTS; i++) {
		cr_assert_eq(send(client_fd[i], "x", 1, 0), 1);
		refs[i] = (struct event_ref){.kind = EVENT_TCP, .index = (uint32_t)i};
		refs[i].generation = (uint16_t)conn[i]->generation;
	}
	while (send(handover.new_fd, "", 1, MSG_DONTWAIT) == 1)
		;
	tcp_handle(&worker, refs[0], EPOLLIN); /* not now */
	close(other_fd);
	tcp_handle(&worker, refs[1], EPOLLIN); /* nor ever */
	tcp_expire(&worker);
	cr_expect_eq(tcp_count(worker.tcp), CLIENTS);
	cr_expect_eq(woken().kind, EVENT_TCP);
	cr_expect_eq(conn[0]->events, EPOLLIN);
	cr_expect_eq(conn[1]->events, EPOLLIN);
}

Test(tcp_move, one_that_cannot_be_received_is_not_the_last, .init = begin, .fini = end)
{
	cr_assert_eq(send(other_fd, "x", 1, 0), 1); /* without a descriptor, as if none was left */
	cr_assert_eq(woken().kind, EVENT_TAKEOVER);
	tcp_take_over(&worker);
	cr_expect_eq(woken().kind, EVENT_ORDER);
	cr_assert_eq(handover_send_client(other_fd, client_fd[0], NULL, 0), 0);
	cr_expect_eq(woken().kind, EVENT_TAKEOVER);
}
