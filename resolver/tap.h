/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How messages get from a worker to whoever looks at them: the query log, dnstap, `ctl lookup`.
 *
 * Each worker has a ring of its own that it alone fills and the control thread alone empties, a few
 * dozen times a second while somebody looks. A worker never waits and makes no system call for it:
 * a ring that is full loses what comes and counts it. While nobody looks it costs one relaxed load
 * a message, and the ring's pages are not even there: they are mapped, and never touched.
 *
 * What lies in the ring: events one behind the other, each contiguous, aligned to eight octets; one
 * that does not fit before the end begins at the start again, behind a mark of size 0.
 */
#ifndef MESHDNS_RESOLVER_TAP_H
#define MESHDNS_RESOLVER_TAP_H

#include <netinet/in.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_BYTES    ((size_t)256 * 1024)
#define TAP_DRAIN_MS 20
/* Enough of a message for all but dnstap: header and question. */
#define TAP_HEAD_BYTES (12 + 255 + 4)
#define TAP_ERROR_TEXT 255

enum tap_kind {
	TAP_CLIENT_QUERY,
	TAP_CLIENT_RESPONSE,
	TAP_FORWARDER_QUERY,
	TAP_FORWARDER_RESPONSE,
	TAP_FORWARDER_FAILED, /* the server was not reached, or its connection broke; the question
			       */
	TAP_ERROR,            /* why there is no better answer: its head, and behind that a text */
};

/* Who looks, as bits. */
enum tap_looker {
	TAP_LOG = 1,    /* client responses, one in `sample` */
	TAP_DNSTAP = 2, /* everything, whole messages */
	TAP_LOOKUP = 4, /* all but client queries, of the client with the port `lookup_port` */
};

/* What is wanted; set by the control thread, read by the workers. Starts zeroed: nothing. */
struct tap_wish {
	_Atomic uint32_t lookers;
	_Atomic uint32_t sample;
	_Atomic uint16_t lookup_port; /* host order */
	_Atomic bool errors;
};

struct tap_event {
	uint32_t size;   /* of all of it in the ring */
	uint8_t kind;    /* enum tap_kind */
	uint8_t lookers; /* for whom it is */
	bool is_tcp;
	bool dnssec_ok;   /* of the query */
	int16_t upstream; /* number of the server, -1: none, -2: the cache */
	uint16_t rcode;
	uint16_t listener;             /* the worker's, by number, of a client's message */
	uint16_t block;                /* the number of whose question it is, see query.h */
	uint8_t log_class;             /* of the answer, see log_line.h */
	uint16_t query_len, edns_size; /* of the query; 0: no EDNS */
	uint16_t len;                  /* of the message */
	uint16_t kept;                 /* how much of it there is */
	uint16_t client_port;          /* whose question it is about; host order */
	int64_t began_us, at_us;       /* monotonic: when the query came, and this */
	struct sockaddr_in6 peer;      /* the client or the server; or a sockaddr_in */
};

/* What is kept of the message lies behind its event in the ring. */
static inline const uint8_t *tap_message(const struct tap_event *event)
{
	return (const uint8_t *)(event + 1);
}

/* Reader and writer have a cache line each; that is what the padding is for. */
struct tap { /* NOLINT(clang-analyzer-optin.performance.Padding) */
	const struct tap_wish *wish;
	uint8_t *ring;
	uint32_t turn; /* the worker's, for sampling */
	alignas(64) _Atomic uint64_t written;
	_Atomic uint64_t lost; /* events */
	alignas(64) _Atomic uint64_t read;
};

/* 0 or -ENOMEM. */
int tap_init(struct tap *tap, const struct tap_wish *wish);
void tap_free(struct tap *tap);

/* Whether anybody looks at all. */
static inline bool tap_is_on(const struct tap *tap)
{
	return atomic_load_explicit(&tap->wish->lookers, memory_order_relaxed) != 0;
}

/*
 * Worker: puts a message in, if somebody wants this one. `event` is filled but for size, lookers
 * and kept.
 */
void tap_put(struct tap *tap, const struct tap_event *event, const uint8_t *message);

/* Worker: likewise an error, of whose event and answer no more than this is needed. */
void tap_put_error(struct tap *tap, const struct tap_event *event, const uint8_t *answer,
		   const char *text);

/*
 * Control thread: the oldest event, or NULL; it stays in place until tap_take(). Its memory is not
 * written to meanwhile.
 */
const struct tap_event *tap_peek(struct tap *tap);
void tap_take(struct tap *tap, const struct tap_event *event);

#endif
