/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message, over both transports, against a table that has what the corpus asks for. Beyond not
 * crashing, the answer must be one: a response with the question's ID, within the client's size,
 * that parses to its last octet.
 */
#include <stdio.h>
#include <stdlib.h>

#include "resolver/service.h"
#include "tests/fuzz/fuzz.h"
#include "tests/table.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Addresses of both families, wildcards, aliases, ports, loops, and an RRset too large for UDP. */
static struct names_snapshot *make_table(void)
{
	struct table *table = table_new();
	static const char text[] =
		"{\"records\":["
		"{\"name\":\"redis.mesh\",\"ips\":[\"240.0.0.100\",\"fd00:fd00::64\"],"
		"\"ports\":[{\"name\":\"redis\",\"port\":6379},{\"port\":53,\"protocol\":\"udp\"}]}"
		","
		"{\"name\":\"only4.mesh\",\"ips\":[\"240.0.0.4\"]},"
		"{\"name\":\"*.static.mesh\",\"ips\":[\"240.0.0.6\"]},"
		"{\"name\":\"a.b.static.mesh\",\"ips\":[\"240.0.0.7\"]},"
		"{\"name\":\"alias.mesh\",\"alias\":\"redis.mesh\"},"
		"{\"name\":\"wild.mesh\",\"alias\":\"x.static.mesh\"},"
		"{\"name\":\"loop.mesh\",\"alias\":\"pool.mesh\"},"
		"{\"name\":\"pool.mesh\",\"alias\":\"loop.mesh\"},"
		"{\"name\":\"out.mesh\",\"alias\":\"www.example.org\"},"
		"{\"name\":\"www.example.com\",\"ips\":[\"240.0.0.5\"]}]}";

	must(load_text(&table->load, text, strlen(text), true, LOAD_WHOLE, NULL) == 0);
	for (int i = 1; i < 100; i++) {
		char address[32];

		snprintf(address, sizeof(address), "240.0.1.%d", i);
		table_add(table, "big.mesh", address, 60);
	}
	return table_build(table);
}

static void check_reply(const uint8_t *query, uint8_t *reply, size_t len, size_t limit)
{
	struct wire w = wire_over(reply, len);
	struct wire_header h;
	struct wire_rr rr;
	uint8_t name[DNS_NAME_MAX];

	must(len <= limit);
	wire_get_header(&w, &h);
	must(!w.failed && h.id == (query[0] << 8 | query[1]) && h.flags & DNS_FLAG_QR);
	must(h.qdcount <= 1);
	if (h.qdcount) {
		must(wire_get_name(&w, name) > 0);
		wire_take(&w, 4);
	}
	for (int n = h.ancount + h.nscount + h.arcount; n > 0; n--)
		must(wire_get_rr(&w, &rr));
	must(!w.failed && wire_left(&w) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names_snapshot *names;
	static struct resolve_domains zones, search;
	static const struct block block = {
		.zone.len = 1, .table = TABLE_ALL, .authoritative = &zones, .search = &search};
	static const struct service_place place = {.block = &block};
	static const struct service_listen listening = {
		.places = &place, .n_places = 1, .is_root = true};
	struct resolve_context context = {
		.listen = &listening, .version = "meshdns fuzz", .server_id = "host"};

	if (!names) {
		names = make_table();
		resolve_domains_add(&zones, "zone.mesh", 9);
		resolve_domains_add(&zones, "0.240.in-addr.arpa", 18);
		resolve_domains_add(&search, "svc.cluster.local", 17);
	}
	context.names = names;
	for (int tcp = 0; tcp < 2; tcp++) {
		size_t room = tcp ? RESOLVE_TCP_BUFFER : RESOLVE_UDP_BUFFER, len = 0, limit;
		uint8_t *packet;
		struct query query;

		if (size > room)
			continue;
		/* First as it lies there, against the end of its buffer: parsing only reads. */
		packet = malloc(room);
		must(packet);
		query_parse((uint8_t *)data, size, &query);
		memcpy(packet, data, size);
		if (resolve_message(&context, packet, size, tcp ? RESOLVE_TCP : RESOLVE_UDP, &query,
				    &len) == RESOLVE_REPLY) {
			limit = tcp ? DNS_MESSAGE_MAX : query_udp_limit(&query);
			check_reply(data, packet, len, limit);
		} else {
			must(!memcmp(packet, data, size));
		}
		free(packet);
	}
	return 0;
}
