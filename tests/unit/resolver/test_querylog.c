/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdlib.h>

#include "resolver/querylog.h"
#include "tests/unit/resolver/packets.h"

static struct querylog querylog;
static char *text;

/* An answer about `name` at `now_ms`, as a worker puts it; what was logged of it. */
static const char *line(const char *name, int64_t now_ms)
{
	struct {
		struct tap_event event;
		uint8_t message[512];
	} put = {.event = {.query_len = 28,
			   .edns_size = 1232,
			   .rcode = 3,
			   .began_us = 1000,
			   .at_us = 1042,
			   .dnssec_ok = true}};
	struct message m;
	size_t len;
	FILE *out;

	message_question(&m, name, DNS_TYPE_AAAA);
	memcpy(put.message, m.bytes, m.w.pos);
	put.message[2] = 0x85; /* QR AA RD */
	put.event.kept = put.event.len = (uint16_t)m.w.pos;
	((struct sockaddr_in *)(void *)&put.event.peer)->sin_family = AF_INET;
	((struct sockaddr_in *)(void *)&put.event.peer)->sin_port = htons(4242);
	((struct sockaddr_in *)(void *)&put.event.peer)->sin_addr.s_addr = htonl(0x7f000001);
	free(text);
	out = open_memstream(&text, &len);
	querylog_event(&querylog, &put.event, now_ms, out);
	fclose(out);
	return text;
}

static int start(const char *words)
{
	char copy[256], *list[8], *rest;
	struct err err;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		list[n++] = word;
	return querylog_start(&querylog, list, n, 5000, &err);
}

Test(querylog, writes_coredns_common_format)
{
	cr_assert_eq(start(""), 0);
	cr_expect_str_eq(line("redis.mesh", 0),
			 "[INFO] 127.0.0.1:4242 - 4660 \"AAAA IN redis.mesh. udp 28 true 1232\" "
			 "NXDOMAIN qr,aa,rd 28 0.000042s\n");
}

Test(querylog, takes_words)
{
	cr_expect_eq(start("sample=10 rate=5 name=.Mesh for=60"), 0);
	cr_expect_eq(querylog.sample, 10);
	cr_expect_eq(querylog.rate, 5);
	cr_expect_eq(querylog.until_ms, 65000);
	cr_expect_str_eq(querylog.suffix, ".mesh.");
	cr_expect_lt(start("sample=0"), 0);
	cr_expect_lt(start("rate=x"), 0);
	cr_expect_lt(start("name=.."), 0);
	cr_expect_lt(start("name"), 0);
	cr_expect_lt(start("colour=red"), 0);
	cr_expect_eq(querylog.sample, 10, "a refused one changes nothing");
}

Test(querylog, is_limited_to_names_under_a_domain)
{
	start("name=mesh");
	cr_expect_neq(*line("redis.mesh", 0), '\0');
	cr_expect_neq(*line("mesh", 0), '\0');
	cr_expect_eq(*line("remesh", 0), '\0');
	cr_expect_eq(*line("mesh.example", 0), '\0');
}

Test(querylog, is_limited_in_rate)
{
	start("rate=2");
	cr_expect_neq(*line("a.mesh", 1000), '\0');
	cr_expect_neq(*line("b.mesh", 1500), '\0');
	cr_expect_eq(*line("c.mesh", 1999), '\0');
	cr_expect_neq(*line("d.mesh", 2000), '\0');
	cr_expect_eq(querylog.written, 3);
	cr_expect_eq(querylog.kept_back, 1);
}

Test(querylog, escapes_what_is_no_text)
{
	struct querylog_question q;
	static const uint8_t message[] = "\0\0\0\0\0\1\0\0\0\0\0\0\4a.\"\x1b\0\0\1\0\1";

	querylog_question(message, sizeof(message) - 1, &q);
	cr_expect_str_eq(q.name, "a\\.\\\"\\027.");
	querylog_question(message, 20, &q);
	cr_expect_str_eq(q.name, ".");
	cr_expect_str_eq(q.type, "TYPE0");
}
