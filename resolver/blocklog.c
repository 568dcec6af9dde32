/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/blocklog.h"

#include <stdlib.h>

#include "resolver/corefile/errors_log.h"
#include "resolver/corefile/log_line.h"
#include "resolver/listen.h"
#include "resolver/service.h"

struct block_errors {
	struct block_errors *next;
	const struct corefile_errors *of;
	struct errors_log *log;
};

static const struct service *service_of(const struct blocklog *log)
{
	return log->services ? atomic_load(&log->services->current) : NULL;
}

/* NULL: it was nobody's, or the service is another meanwhile. */
static const struct corefile_server *find_server(const struct blocklog *log, uint16_t block)
{
	const struct service *service = service_of(log);

	return service && block < service->n_blocks ? service->blocks[block]->corefile : NULL;
}

static bool any_has(const struct blocklog *log, bool (*has)(const struct corefile_server *server))
{
	const struct service *service = service_of(log);

	for (size_t i = 0; service && i < service->n_blocks; i++) {
		if (service->blocks[i]->corefile && has(service->blocks[i]->corefile))
			return true;
	}
	return false;
}

static bool has_log(const struct corefile_server *server)
{
	return server->log;
}

static bool has_errors(const struct corefile_server *server)
{
	return server->errors;
}

static bool has_debug(const struct corefile_server *server)
{
	return server->debug;
}

bool blocklog_has_log(const struct blocklog *log)
{
	return any_has(log, has_log);
}

bool blocklog_has_errors(const struct blocklog *log)
{
	return any_has(log, has_errors);
}

/* --- log ---------------------------------------------------------------------------------------
 */

/* The question's name and type; false: there is none in it. */
static bool read_question(const uint8_t *message, size_t len, uint8_t name[DNS_NAME_MAX],
			  size_t *ret_len, uint16_t *ret_type)
{
	struct wire w = wire_over((uint8_t *)message, len);
	struct wire_header h;

	wire_get_header(&w, &h);
	*ret_len = h.qdcount ? wire_get_name(&w, name) : 0;
	*ret_type = wire_get_u16(&w);
	if (w.failed || !*ret_len)
		return false;
	wire_name_fold(name, *ret_len);
	return true;
}

static void write_line(const struct blocklog *log, const struct tap_event *event,
		       const struct corefile_log *by, FILE *out)
{
	struct log_line_facts facts = {
		.is_tcp = event->is_tcp,
		.local = log->listeners[event->listener].ep.addr,
		.dnssec_ok = event->dnssec_ok,
		.edns_size = event->edns_size,
		.query_size = event->query_len,
		.answer_size = event->len,
		.duration_us = event->at_us - event->began_us,
		.answer = tap_message(event),
		.kept = event->kept,
	};
	struct sockaddr_storage peer = {0};
	char line[LOG_LINE_MAX];

	memcpy(&peer, &event->peer, sizeof(event->peer));
	endpoint_from_sockaddr(&peer, &facts.remote);
	log_line_write(by->compiled, &facts, line);
	fprintf(out, "[INFO] %s\n", line);
}

static void log_answer(struct blocklog *log, const struct tap_event *event, int64_t now_ms,
		       FILE *out)
{
	const struct corefile_server *server = find_server(log, event->block);
	const struct corefile_log *by;
	uint8_t name[DNS_NAME_MAX];
	uint16_t type;
	size_t len;

	if (!server || !server->log ||
	    !read_question(tap_message(event), event->kept, name, &len, &type) ||
	    !(by = log_line_find(server->log, name, len)) || !(by->classes & event->log_class) ||
	    !querylog_rate_pass(&log->log_rate, QUERYLOG_RATE, now_ms))
		return;
	write_line(log, event, by, out);
}

/* --- errors ------------------------------------------------------------------------------------
 */

static struct errors_log *errors_of(struct blocklog *log, const struct corefile_errors *errors)
{
	struct block_errors *one = log->errors;

	while (one && one->of != errors)
		one = one->next;
	if (one)
		return one->log;
	if (!(one = calloc(1, sizeof(*one))) || !(one->log = errors_new(errors))) {
		free(one);
		return NULL;
	}
	one->of = errors;
	one->next = log->errors;
	log->errors = one;
	return one->log;
}

static void tell(struct blocklog *log, enum corefile_level level, const char *line, int64_t now_ms,
		 FILE *out)
{
	static const char *const levels[] = {
		[COREFILE_ERROR] = "ERROR",
		[COREFILE_WARNING] = "WARNING",
		[COREFILE_INFO] = "INFO",
		[COREFILE_DEBUG] = "DEBUG",
	};

	if ((level != COREFILE_DEBUG || any_has(log, has_debug)) &&
	    querylog_rate_pass(&log->errors_rate, QUERYLOG_RATE, now_ms))
		fprintf(out, "[%s] plugin/errors: %s\n", levels[level], line);
}

/* Behind the head of the answer there is the text. */
static void note_error(struct blocklog *log, const struct tap_event *event, int64_t now_ms,
		       FILE *out)
{
	const struct corefile_server *server = find_server(log, event->block);
	struct errors_log *errors;
	uint8_t name[DNS_NAME_MAX];
	char text[256], line[ERRORS_LINE_MAX];
	enum corefile_level level;
	uint16_t type;
	size_t len;

	if (!server || !server->errors || !(errors = errors_of(log, server->errors)) ||
	    !read_question(tap_message(event), event->len, name, &len, &type))
		return;
	snprintf(text, sizeof(text), "%.*s", event->kept - event->len,
		 (const char *)tap_message(event) + event->len);
	if (errors_note(errors, now_ms, event->rcode, name, type, text, line, &level))
		tell(log, level, line, now_ms, out);
}

void blocklog_event(struct blocklog *log, const struct tap_event *event, int64_t now_ms, FILE *out)
{
	if (event->kind == TAP_ERROR)
		note_error(log, event, now_ms, out);
	else if (event->kind == TAP_CLIENT_RESPONSE)
		log_answer(log, event, now_ms, out);
}

int64_t blocklog_run(struct blocklog *log, int64_t now_ms, FILE *out)
{
	int64_t next_ms = INT64_MAX;

	for (struct block_errors *one = log->errors; one; one = one->next) {
		char line[ERRORS_LINE_MAX];
		enum corefile_level level;
		int64_t due_ms;

		while (errors_summary(one->log, now_ms, line, &level))
			tell(log, level, line, now_ms, out);
		due_ms = errors_due_ms(one->log);
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

void blocklog_reset(struct blocklog *log, int64_t now_ms, FILE *out)
{
	struct block_errors *one;

	while ((one = log->errors)) {
		char line[ERRORS_LINE_MAX];
		enum corefile_level level;

		while (errors_summary(one->log, INT64_MAX, line, &level))
			tell(log, level, line, now_ms, out);
		log->errors = one->next;
		errors_free(one->log);
		free(one);
	}
}
