/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a question goes to, how often, and who is told. */
#include "resolver/tcp_parts.h"
#include "tests/unit/resolver/forward_lab.h"

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

Test(forward, servfail_is_not_the_last_word_while_another_is_asked, .fini = end)
{
	struct got first;

	begin(2);
	group.tries = 1;
	cr_assert(ask(7, "a.example") && gets(0));
	first = got;
	pass(HEALTH_RTO_FIRST_MS + TIMERS_TICK_MS);
	cr_assert(gets(1));
	answer(1, DNS_RCODE_SERVFAIL);
	cr_expect_eq(told(), -1);
	got = first;
	answer(0, 0);
	cr_expect_eq(told(), TOLD(7, 0));
}

Test(forward, whom_to_ask_first, .fini = end)
{
	begin(2);
	worker.forward->server[0]->health.state = HEALTH_SUSPECT;
	cr_expect(ask(7, "a.example") && !gets(0) && gets(1), "who has not failed");
	atomic_store(&book.page[1].is_loop, true);
	cr_expect(ask(8, "b.example") && gets(0) && !gets(1), "nobody who would ask us");
	atomic_store(&book.page[0].is_loop, true);
	cr_expect_not(ask(9, "c.example"));
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

/* A client over TCP, and its end of the connection. */
static int begin_over_tcp(void)
{
	static struct listener listeners[1];
	struct conn *conn;
	int pair[2];

	begin(1);
	group.prefer_udp = true;
	worker.listeners = listeners;
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	conn = tcp_add_conn(&worker, pair[0], &client.peer, 0);
	conn->pending = 1;
	client.is_tcp = true;
	client.tcp.index = 0;
	client.tcp.generation = conn->generation;
	return pair[1];
}

Test(forward, who_asks_over_tcp_is_not_told_to_come_over_tcp, .fini = end)
{
	int fd = begin_over_tcp();
	uint8_t bytes[64];

	cr_assert(ask(7, "a.example") && gets(0));
	got.bytes[2] |= DNS_FLAG_TC >> 8;
	answer(0, 0); /* and takes no connection */
	cr_assert_gt(recv(fd, bytes, sizeof(bytes), 0), 2 + DNS_HEADER_LEN);
	cr_expect_eq(bytes[4] & DNS_FLAG_TC >> 8, 0);
	cr_expect_eq(bytes[5] & DNS_RCODE_MASK, DNS_RCODE_SERVFAIL);
}
