/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message, over both transports, against a table that has what the corpus asks for. Beyond not
 * crashing, the answer must be one: a response with the question's ID, within the client's size,
 * that parses to its last octet.
 */
#include <stdio.h>
#include <stdlib.h>

#include "resolver/resolve.h"
#include "tests/fuzz/fuzz.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add(struct names_builder *builder, const char *name, const char *address)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t len = wire_name_from_text(name, strlen(name), wire);
	struct addr addr;

	must(len && addr_parse(address, &addr));
	must(names_add(builder, wire, len, &addr, 60, NULL) == 0);
}

static struct names_snapshot *make_table(void)
{
	static const uint8_t domain[] = "\4mesh";
	struct names_builder *builder = names_builder_new();
	struct names_snapshot *names;

	must(builder);
	add(builder, "redis.mesh", "240.0.0.100");
	add(builder, "redis.mesh", "fd00:fd00::64");
	add(builder, "only4.mesh", "240.0.0.4");
	add(builder, "www.example.com", "240.0.0.5");
	for (int i = 1; i < 100; i++) {
		char address[32];

		snprintf(address, sizeof(address), "240.0.1.%d", i);
		add(builder, "big.mesh", address);
	}
	must(names_build(builder, domain, sizeof(domain), &names, NULL) == 0);
	names_builder_free(builder);
	return names;
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
	must(h.qdcount <= 1 && h.arcount <= 1);
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
	struct resolve_context context = {.version = "meshdns fuzz", .server_id = "host"};

	if (!names)
		names = make_table();
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
