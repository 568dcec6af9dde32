/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ctl lookup`: a question asked of ourselves, and what the worker told about the answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "resolver/ctl_parts.h"
#include "resolver/edns.h"
#include "resolver/metrics.h"

#define LOOKUP_MS 6000

static size_t make_query(struct ctl_lookup *lookup, const uint8_t *name, size_t name_len,
			 uint16_t type, uint8_t packet[DNS_UDP_MIN_SIZE])
{
	struct wire w = wire_over(packet, DNS_UDP_MIN_SIZE);
	struct edns edns = {.present = true};

	if (getrandom(&lookup->id, sizeof(lookup->id), 0) < 0)
		lookup->id = 1;
	wire_put_header(
		&w, &(struct wire_header){
			    .id = lookup->id, .flags = DNS_FLAG_RD, .qdcount = 1, .arcount = 1});
	wire_put_bytes(&w, name, name_len);
	wire_put_u16(&w, type);
	wire_put_u16(&w, DNS_CLASS_IN);
	edns_put(&w, &edns, DNS_RCODE_NOERROR);
	return w.pos;
}

/* Where a listener is reached from this host. */
static struct endpoint reachable(struct endpoint ep)
{
	if (addr_is_unspecified(&ep.addr)) {
		if (ep.addr.family == AF_INET)
			ep.addr.v4.s_addr = htonl(INADDR_LOOPBACK);
		else
			ep.addr.v6 = in6addr_loopback;
	}
	return ep;
}

static int send_query(struct ctl *ctl, const uint8_t *packet, size_t len, struct err *err)
{
	struct endpoint server = reachable(ctl->facts->server);
	struct sockaddr_storage sa;
	socklen_t sa_len = endpoint_to_sockaddr(&server, &sa);
	struct sockaddr_in6 own = {0};
	socklen_t own_len = sizeof(own);
	cleanup_fd int fd =
		socket(server.addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sa_len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &own_len) < 0)
		return err_set(err, errno, "cannot ask myself: %s", err_text(errno));
	/* Before the question is sent, so that the worker knows that it is watched. */
	atomic_store(&ctl->wish->lookup_port, ntohs(own.sin6_port));
	atomic_fetch_or(&ctl->wish->lookers, TAP_LOOKUP);
	if (send(fd, packet, len, MSG_DONTWAIT) < 0)
		return err_set(err, errno, "cannot ask myself: %s", err_text(errno));
	ctl->lookup.fd = take_fd(&fd);
	return 0;
}

int ctl_lookup_start(struct ctl *ctl, struct oneshot_conn *conn, const char *name, const char *type,
		     struct err *err)
{
	struct ctl_lookup *lookup = &ctl->lookup;
	uint8_t wire[DNS_NAME_MAX], packet[DNS_UDP_MIN_SIZE];
	size_t name_len = wire_name_from_text(name, strlen(name), wire);
	int number = stats_type_number(type);
	int rc;

	if (!name_len)
		return err_set(err, EINVAL, "\"%.64s\" is not a name", name);
	if (number < 0)
		return err_set(err, EINVAL, "\"%.64s\" is not a type", type);
	if (lookup->fd >= 0)
		return err_set(err, EBUSY, "another lookup is under way");
	*lookup = (struct ctl_lookup){.fd = -1, .conn = conn, .began_ms = ctl->facts->now_ms};
	memcpy(lookup->wire, wire, name_len);
	lookup->wire_len = name_len;
	snprintf(lookup->name, sizeof(lookup->name), "%.255s", name);
	snprintf(lookup->type, sizeof(lookup->type), "%.15s", type);
	rc = send_query(ctl, packet, make_query(lookup, wire, name_len, (uint16_t)number, packet),
			err);
	if (rc < 0)
		atomic_fetch_and(&ctl->wish->lookers, ~(uint32_t)TAP_LOOKUP);
	return rc;
}

static struct ctl_try *add_try(struct ctl_lookup *lookup, const struct tap_event *event)
{
	struct ctl_try *try;

	if (lookup->n_tries == CTL_TRIES_MAX)
		return NULL;
	try = &lookup->tries[lookup->n_tries++];
	*try = (struct ctl_try){.upstream = event->upstream, .sent_us = event->at_us};
	return try;
}

/* The first one to this server that is open: it is not said which it is about. */
static struct ctl_try *find_try(struct ctl_lookup *lookup, const struct tap_event *event)
{
	for (size_t i = 0; i < lookup->n_tries; i++) {
		struct ctl_try *try = &lookup->tries[i];

		if (try->upstream == event->upstream && !try->is_answered && !try->has_failed)
			return try;
	}
	return NULL;
}

static void note_response(struct ctl_try *try, const struct tap_event *event)
{
	struct wire w = wire_over((void *)tap_message(event), event->kept);
	struct wire_header h;

	wire_get_header(&w, &h);
	if (!try || w.failed)
		return;
	try->is_answered = true;
	try->rcode = h.flags & DNS_RCODE_MASK;
	try->answered_us = event->at_us;
}

void ctl_lookup_event(struct ctl *ctl, const struct tap_event *event)
{
	struct ctl_lookup *lookup = &ctl->lookup;
	struct ctl_try *try = find_try(lookup, event);

	switch (event->kind) {
	case TAP_CLIENT_RESPONSE: lookup->seen = *event; break;
	case TAP_FORWARDER_QUERY: add_try(lookup, event); break;
	case TAP_FORWARDER_RESPONSE: note_response(try, event); break;
	case TAP_FORWARDER_FAILED:
		if (try || (try = add_try(lookup, event))) /* or it could not even be sent */
			try->has_failed = true;
	}
}

/* The addresses in the answer section; of other types only which. */
static json_t *answers(struct wire *w, const struct wire_header *h)
{
	json_t *list = json_array();
	uint8_t name[DNS_NAME_MAX];
	struct wire_rr rr;
	char text[INET6_ADDRSTRLEN];

	wire_get_name(w, name);
	wire_take(w, 4);
	for (int i = 0; i < h->ancount && wire_get_rr(w, &rr); i++) {
		if (rr.type == DNS_TYPE_A && rr.rdlength == 4)
			inet_ntop(AF_INET, rr.rdata, text, sizeof(text));
		else if (rr.type == DNS_TYPE_AAAA && rr.rdlength == 16)
			inet_ntop(AF_INET6, rr.rdata, text, sizeof(text));
		else
			stats_type_text(rr.type, text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

/* In words, why there is no answer; NULL: there is one. */
static const char *why_not(const struct ctl *ctl, unsigned int rcode, size_t n_answers)
{
	const struct tap_event *seen = &ctl->lookup.seen;

	if (seen->size && seen->upstream == -1 && rcode == DNS_RCODE_SERVFAIL)
		return "no upstream gave an answer";
	if (rcode == DNS_RCODE_NXDOMAIN)
		return "there is no such name";
	if (rcode != DNS_RCODE_NOERROR)
		return "the answer is an error";
	return n_answers ? NULL : "the name has nothing of this type";
}

/* The server's address, as a new string. */
static json_t *server(const struct ctl *ctl, int number)
{
	const struct upstream_book *book = ctl->facts->book;
	char text[ENDPOINT_TEXT_MAX];

	if (number < 0 || (size_t)number >= book->n_pages)
		return json_null();
	return json_string(endpoint_format(&book->page[number].ep, text));
}

/* Who was asked, when, and what became of it. */
static json_t *tries(const struct ctl *ctl)
{
	const struct ctl_lookup *lookup = &ctl->lookup;
	json_t *list = json_array();

	for (size_t i = 0; i < lookup->n_tries; i++) {
		const struct ctl_try *try = &lookup->tries[i];
		int64_t at_us = try->sent_us - lookup->seen.began_us;
		json_t *object = json_pack("{s:o,s:f,s:s}", "server", server(ctl, try->upstream),
					   "asked_at_ms", (double)at_us / 1000, "outcome",
					   try->is_answered  ? metrics_rcode_name(try->rcode)
					   : try->has_failed ? "not reached"
							     : "no answer");

		if (try->is_answered)
			json_object_set_new(
				object, "took_ms",
				json_real((double)(try->answered_us - try->sent_us) / 1000));
		json_array_append_new(list, object);
	}
	return list;
}

static void describe_source(const struct ctl *ctl, json_t *object)
{
	const struct ctl_lookup *lookup = &ctl->lookup;
	const struct tap_event *seen = &lookup->seen;
	const struct names_record *record = NULL;

	if (!seen->size)
		return;
	json_object_set_new(object, "took_ms",
			    json_real((double)(seen->at_us - seen->began_us) / 1000));
	if (seen->upstream >= 0)
		json_object_set_new(object, "upstream", server(ctl, seen->upstream));
	json_object_set_new(
		object, "answered_by",
		json_string(seen->upstream == WORKER_CACHED ? "cache"
			    : seen->upstream >= 0           ? "upstream"
			    : seen->rcode == DNS_RCODE_NOERROR || seen->rcode == DNS_RCODE_NXDOMAIN
				    ? "mesh"
				    : "resolver"));
	if (ctl->facts->table)
		record = names_match(ctl->facts->table, lookup->wire, lookup->wire_len);
	if (record && names_has_data(record))
		json_object_set_new(object, "sources", ctl_record_sources(ctl->facts, record));
	if (lookup->n_tries)
		json_object_set_new(object, "tries", tries(ctl));
}

static void finish(struct ctl *ctl, json_t *object)
{
	struct ctl_lookup *lookup = &ctl->lookup;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	atomic_fetch_and(&ctl->wish->lookers, ~(uint32_t)TAP_LOOKUP);
	close(lookup->fd);
	lookup->fd = -1;
	if (out) {
		json_dumpf(object, out, JSON_COMPACT);
		fputc('\n', out);
		fclose(out);
	}
	if (text && lookup->conn->is_waiting) /* else whoever asked has gone */
		oneshot_finish(lookup->conn, text, len);
	else
		free(text);
	json_decref(object);
}

static void tell(struct ctl *ctl, uint8_t *reply, size_t len)
{
	struct ctl_lookup *lookup = &ctl->lookup;
	struct wire w = wire_over(reply, len);
	struct wire_header h;
	json_t *list, *object;
	const char *reason;
	unsigned int rcode;

	wire_get_header(&w, &h);
	if (w.failed || h.id != lookup->id)
		return;
	rcode = h.flags & DNS_RCODE_MASK;
	list = answers(&w, &h);
	reason = why_not(ctl, rcode, json_array_size(list));
	object = json_pack("{s:s,s:s,s:s,s:b,s:o}", "name", lookup->name, "type", lookup->type,
			   "rcode", metrics_rcode_name(rcode), "truncated",
			   (h.flags & DNS_FLAG_TC) != 0, "answers", list);
	describe_source(ctl, object);
	if (reason)
		json_object_set_new(object, "failed", json_string(reason));
	finish(ctl, object);
}

void ctl_lookup_run(struct ctl *ctl)
{
	struct ctl_lookup *lookup = &ctl->lookup;
	uint8_t reply[EDNS_UDP_LIMIT];
	ssize_t n;

	if (lookup->fd < 0)
		return;
	n = recv(lookup->fd, reply, sizeof(reply), MSG_DONTWAIT);
	if (n > 0)
		tell(ctl, reply, (size_t)n);
	else if (ctl->facts->now_ms - lookup->began_ms > LOOKUP_MS)
		finish(ctl, json_pack("{s:s,s:s,s:s}", "name", lookup->name, "type", lookup->type,
				      "failed", "the resolver itself gave no answer"));
}
