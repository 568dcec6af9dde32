/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/note.h"

#include <time.h>

#include "resolver/corefile/log_line.h"

int64_t worker_precise_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* The rcode of an answer; the upper bits of an extended one we know only of our own. */
static unsigned int rcode_of(const struct query *query, enum stats_writer writer,
			     const uint8_t *packet, size_t len)
{
	struct wire w = wire_over((void *)packet, len);
	unsigned int rcode;

	w.pos = 2;
	rcode = wire_get_u16(&w) & DNS_RCODE_MASK;
	if (writer < STATS_FORWARD && rcode == 0 && query->edns.version > 0)
		return DNS_RCODE_BADVERS;
	return rcode;
}

static struct stats_tally *tally_of(const struct worker *worker, const struct query *query)
{
	return &stats_sheet(&worker->sheets, query->page)->tally;
}

void note_query(struct worker *worker, const struct client *client, const struct query *query,
		size_t len)
{
	stats_request(tally_of(worker, query), client->is_tcp, client->peer.sin6_family == AF_INET6,
		      query->qtype, query->edns.dnssec_ok, len);
}

void note_refusal(struct worker *worker, const struct client *client, const struct query *query,
		  enum dns_rcode rcode, size_t len)
{
	stats_response(tally_of(worker, query), client->is_tcp, query->qtype, STATS_SERVER, rcode,
		       len);
}

/* Why there is no better answer, for the block's `errors`. */
static void note_error(struct worker *worker, const struct query *query, unsigned int rcode,
		       const uint8_t *packet, size_t len)
{
	const struct err *err = &worker->chain.err;

	if (atomic_load_explicit(&worker->tap.wish->errors, memory_order_relaxed))
		tap_put_error(&worker->tap,
			      &(struct tap_event){.block = query->block,
						  .rcode = (uint16_t)rcode,
						  .len = (uint16_t)len},
			      packet, err->msg[0] ? err->msg : "no server has answered");
}

static enum stats_writer writer_of(const struct worker *worker, int upstream)
{
	if (upstream >= 0)
		return STATS_FORWARD;
	if (upstream == WORKER_CACHED)
		return STATS_CACHE;
	return worker->chain.answered_by ? worker->chain.answered_by : STATS_MESH;
}

void note_answer(struct worker *worker, const struct client *client, const struct query *query,
		 int upstream, const uint8_t *packet, size_t len)
{
	enum stats_writer writer = writer_of(worker, upstream);
	unsigned int rcode = rcode_of(query, writer, packet, len);

	if (writer == STATS_MESH && rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		writer = STATS_SERVER;
	stats_response(tally_of(worker, query), client->is_tcp, query->qtype, writer, rcode, len);
	if (writer == STATS_SERVER && (rcode == DNS_RCODE_SERVFAIL || worker->chain.err.msg[0]))
		note_error(worker, query, rcode, packet, len);
	if (tap_is_on(&worker->tap))
		tap_put(&worker->tap,
			&(struct tap_event){
				.kind = TAP_CLIENT_RESPONSE,
				.is_tcp = client->is_tcp,
				.dnssec_ok = query->edns.dnssec_ok,
				.upstream = (int16_t)upstream,
				.rcode = (uint16_t)rcode,
				.listener = client->listener,
				.block = query->block,
				.log_class = (uint8_t)log_line_class(packet, len),
				.query_len = client->query_len,
				.edns_size = query->edns.present ? query->edns.udp_size : 0,
				.len = (uint16_t)len,
				.client_port = client->port,
				.began_us = client->received_us,
				.at_us = worker_precise_us(),
				.peer = client->peer,
			},
			packet);
}

void note_arrival(struct worker *worker, const struct client *client, const uint8_t *packet,
		  size_t len)
{
	if (!tap_is_on(&worker->tap))
		return;
	tap_put(&worker->tap,
		&(struct tap_event){
			.kind = TAP_CLIENT_QUERY,
			.is_tcp = client->is_tcp,
			.upstream = -1,
			.len = (uint16_t)len,
			.began_us = client->received_us,
			.at_us = client->received_us,
			.peer = client->peer,
		},
		packet);
}

void worker_tap_server(struct worker *worker, enum tap_kind kind, const struct client *client,
		       int upstream, const struct endpoint *server, const uint8_t *message,
		       size_t len)
{
	struct sockaddr_storage sa;
	struct tap_event event = {
		.kind = (uint8_t)kind,
		.is_tcp = client->is_tcp,
		.upstream = (int16_t)upstream,
		.len = (uint16_t)len,
		.client_port = client->port,
		.began_us = client->received_us,
	};

	if (!tap_is_on(&worker->tap))
		return;
	event.at_us = worker_precise_us();
	endpoint_to_sockaddr(server, &sa);
	memcpy(&event.peer, &sa, sizeof(event.peer));
	tap_put(&worker->tap, &event, message);
}

void note_to_measure(struct worker *worker, const struct query *query)
{
	struct stats_sheet *sheet = stats_sheet(&worker->sheets, query->page);

	if (sheet->unmeasured++)
		return;
	sheet->next_unmeasured = worker->unmeasured;
	worker->unmeasured = sheet;
}

void note_measured(struct worker *worker, int64_t us)
{
	for (struct stats_sheet *sheet = worker->unmeasured; sheet;
	     sheet = sheet->next_unmeasured) {
		stats_duration(&sheet->tally.duration, us, sheet->unmeasured);
		stats_long_duration(&worker->stats.duration, us, sheet->unmeasured);
		sheet->unmeasured = 0;
	}
	worker->unmeasured = NULL;
}

void note_duration(struct worker *worker, const struct query *query, int64_t us)
{
	stats_duration(&tally_of(worker, query)->duration, us, 1);
	stats_long_duration(&worker->stats.duration, us, 1);
}
