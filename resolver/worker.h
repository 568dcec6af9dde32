/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker: one thread, one epoll set, its own sockets, its own questions in flight.
 *
 * Nothing of it is shared but the published snapshot, so nothing on the way of a query is locked.
 * The loop reads the clock once a wake-up, takes the snapshot once, and hands each event
 * to the module whose descriptor it is, found by the typed reference in the event itself. What an
 * event refers to may have been closed by an earlier event of the same batch: slots that are reused
 * carry a generation.
 *
 *   udp.c, tcp.c   clients: bytes in, resolve_message(), bytes out
 *   recall.c       answers that upstreams gave before
 *   forward.c      the questions sent upstream; answers come back through worker_reply()
 */
#ifndef MESHDNS_RESOLVER_WORKER_H
#define MESHDNS_RESOLVER_WORKER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/log.h"
#include "resolver/access.h"
#include "resolver/chain.h"
#include "resolver/limits.h"
#include "resolver/listen.h"
#include "resolver/publish.h"
#include "resolver/resolve.h"
#include "resolver/stats_book.h"
#include "resolver/tap.h"

struct forward;
struct handover;
struct inflight;
struct recall;
struct recall_flush;
struct tcp;
struct udp;
struct upstream_book;

enum event_kind {
	EVENT_ORDER,
	EVENT_UDP,          /* index: listener */
	EVENT_ACCEPT,       /* index: listener */
	EVENT_TAKEOVER,     /* a client of the resolver before us */
	EVENT_TCP,          /* index, generation: a client's connection */
	EVENT_UPSTREAM_UDP, /* index, generation: a socket of the pool */
	EVENT_UPSTREAM_TCP, /* index, generation: a server's connection */
};

/* What epoll gives back. */
struct event_ref {
	uint32_t index;
	uint16_t generation;
	uint8_t kind;
	uint8_t unused;
};
_Static_assert(sizeof(struct event_ref) == sizeof(uint64_t), "fits epoll_data");

/* Who asked, and so where the answer goes. */
struct client {
	bool is_tcp;
	uint16_t listener;        /* the worker's, by number */
	uint16_t port;            /* the client's */
	struct sockaddr_in6 peer; /* or a sockaddr_in */
	socklen_t peer_len;
	uint16_t query_len;  /* of the message, and when it came: for the statistics */
	int64_t received_us; /* both set by worker_handle() */
	union {
		struct {
			int fd;            /* the listener's */
			bool has_local;    /* set the source address to `local` */
			struct addr local; /* what the query was sent to */
		} udp;
		struct {
			uint32_t index, generation;
		} tcp;
	};
};

/* What control wants of the workers; it only ever grows. */
enum worker_order {
	WORKER_SERVE,
	/*
	 * End when all that wait are answered. What is asked of a socket that nobody else has is
	 * answered until then if it can be at once, and dropped, as it soon will be, if not.
	 */
	WORKER_FINISH,
	/* Likewise, but the sockets are another's now, and so are the clients by TCP. */
	WORKER_DRAIN,
	WORKER_STOP, /* end at once */
};

/* What all workers are given; constant while they run. */
struct worker_config {
	size_t n_listeners;          /* a worker */
	const struct access *access; /* who may ask at guarded listeners */
	struct limits_config limits;
	uint32_t tcp_clients, tcp_idle_s;
	const char *version, *server_id;
	struct publish *publish;  /* of struct names_snapshot */
	struct publish *services; /* of struct service */
	struct upstream_book *book;
	const struct stats_book *pages;
	uint32_t max_concurrent;   /* clients of a worker that wait for an upstream */
	uint32_t upstream_sockets; /* UDP, a worker */
	bool use_0x20;
	uint64_t cache_size; /* bytes, a worker; 0: no cache */
	const struct recall_flush *flush;
	struct inflight *inflight; /* the workers' common one */
	const _Atomic int *order;  /* enum worker_order */
	/* NULL: none. `old_fd` stays as it is; `new_fd` does from WORKER_DRAIN on. */
	const struct handover *handover;
	const struct tap_wish *tap_wish;
};

struct worker { /* NOLINT(clang-analyzer-optin.performance.Padding): of cache lines */
	const struct worker_config *config;
	struct listener *listeners; /* borrowed, config->n_listeners of them */
	struct publish_reader *reader, *service_reader;
	unsigned int number; /* among the workers */
	int epoll_fd;
	int order_fd;           /* borrowed; an eventfd(2), written to when the order has changed */
	struct limits *limits;  /* NULL: none */
	int64_t refusals_us;    /* when the next refusal is due, see worker_admit() */
	uint32_t waiting;       /* answers that are still to come from upstream */
	bool draining;          /* there has been an order to end */
	bool finishing;         /* and questions still come: nothing that has to wait is begun */
	int successor_fd;       /* borrowed: to whom clients by TCP are handed over; -1: nobody */
	int64_t now_us, now_ms; /* monotonic, when the clock was read last */
	const struct service *service;
	struct chain chain;             /* of the message in hand */
	struct resolve_context context; /* its snapshot is valid while an event is handled */
	struct udp *udp;
	struct tcp *tcp;
	struct forward *forward;
	struct recall *recall; /* NULL: no cache */
	struct stats_sheets sheets;
	struct stats_sheet *unmeasured; /* with answers given since now_us, one behind the other */
	struct log_limit failures;
	struct tap tap;
	alignas(64) struct stats stats; /* written by this thread alone */
};

/* Prepares everything that can fail, so that the thread itself can't. */
int worker_init(struct worker *worker, unsigned int number, const struct worker_config *config,
		struct listener *listeners, struct publish_reader *reader,
		struct publish_reader *service_reader, int order_fd, struct err *err);

/* The thread's body, as pthread_create(3) wants it; returns when it is ordered to. */
void *worker_run(void *worker);

void worker_free(struct worker *worker);

/* --- for the worker's own modules ------------------------------------------------------------ */

/* Registers, changes or (by closing fd) drops an event source. 0 or -errno. */
int worker_watch(struct worker *worker, int fd, uint32_t events, struct event_ref ref);
int worker_rewatch(struct worker *worker, int fd, uint32_t events, struct event_ref ref);

enum worker_outcome {
	WORKER_SILENT,   /* there will be no answer */
	WORKER_ANSWERED, /* the packet is the answer now, to be sent by the caller */
	WORKER_LATER,    /* an upstream is asked; worker_reply() will be called, and not before */
};

/*
 * To be asked before worker_handle() about a question over UDP: WORKER_LATER for one that is to be
 * handled, WORKER_SILENT or WORKER_ANSWERED for one that is not. Who may not ask is told so, though
 * no more than WORKER_REFUSALS times a second in all, for its address may be forged; and who asks
 * too much is told to come by TCP.
 */
#define WORKER_REFUSALS 100
enum worker_outcome worker_admit(struct worker *worker, const struct client *client, bool guarded,
				 uint8_t *packet, size_t *len);

/* In the place of a server's number. */
#define WORKER_CACHED (-2)

/* Handles one message of a client, in place. `packet` has room as resolve.h demands. */
enum worker_outcome worker_handle(struct worker *worker, struct client *client, uint8_t *packet,
				  size_t *len, enum resolve_transport transport);

/*
 * The answer to a question that was WORKER_LATER. `upstream` is the number of the server that gave
 * it (its page in the book), or -1 when it is an error of our own because none did, or
 * WORKER_CACHED.
 */
void worker_reply(struct worker *worker, const struct client *client, const struct query *query,
		  int upstream, const uint8_t *packet, size_t len);

/* The clock of now_us, read anew. */
int64_t worker_precise_us(void);

/* For dnstap: a message to or from `server`, number `upstream`, about a question of `client`'s. */
void worker_tap_server(struct worker *worker, enum tap_kind kind, const struct client *client,
		       int upstream, const struct endpoint *server, const uint8_t *message,
		       size_t len);

#endif
