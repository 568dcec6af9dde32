/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the upstream engine share: forward.c (questions), group.c (whose servers),
 * waiter.c (who waits for the answers), choose.c (whom to ask), attempt.c (asking), upstream_udp.c
 * and upstream_tcp.c (sockets), servers.c (which there are), probe.c (who is to be asked again).
 * forward.h tells how they work together. All of it is one worker's.
 */
#ifndef MESHDNS_RESOLVER_FORWARD_PARTS_H
#define MESHDNS_RESOLVER_FORWARD_PARTS_H

#include "common/log.h"
#include "resolver/forward.h"
#include "resolver/inflight.h"
#include "resolver/outbound.h"
#include "resolver/random.h"
#include "resolver/reply.h"
#include "resolver/timers.h"
#include "resolver/tls.h"
#include "resolver/upstream_health.h"
#include "resolver/upstreams.h"

#define POOL_SIZE  128 /* UDP sockets to a server; a power of two, see upstream_udp.h */
#define TXN_PACKET 512 /* of a question, without an allocation */
#define BUCKETS    1024
#define SERVERS    ((size_t)2 * UPSTREAMS_MAX) /* those that are going included */

enum timer_kind {
	TIMER_TXN,   /* struct txn: a try, or the whole question, has had its time */
	TIMER_PROBE, /* struct server: it is to be probed again */
	TIMER_LOOP,  /* struct server: likewise, whether what it gets comes back to us */
	TIMER_CONN,  /* struct upstream_conn: idle */
	TIMER_RENEW, /* struct forward: look after the UDP sockets */
	TIMER_STALE, /* struct txn: its clients have waited long enough for better than stale */
};

/* One connection to a server; see upstream_tcp.h. */
struct upstream_conn {
	int fd; /* -1: closed */
	uint16_t generation, port;
	bool connecting; /* or shaking hands */
	bool to_write;   /* shaking hands: it waits for room to write, else for something to read */
	bool answered;   /* at least once */
	bool dead;       /* failed while sending: closed when its event is handled */
	struct tls_conn tls;
	struct log_limit limit; /* of what is said about that */
	uint32_t events;
	int64_t received_ms;
	struct list attempts; /* on it, in the order they were sent */
	struct timer idle;
	uint8_t *in, *out;
	size_t in_len, in_size;
	size_t out_pos, out_len, out_size;
};

struct server {
	bool used;                 /* this slot of forward.servers is taken */
	bool gone;                 /* no longer among the upstreams; kept for what is under way */
	uint8_t index;             /* in forward.servers */
	uint32_t refs;             /* attempts that point here */
	struct service_server how; /* it is asked, as the service has it that it was last in */
	struct endpoint ep;
	struct upstream_page *page;
	struct upstream_stats *stats; /* this worker's, on the page */
	struct health health;
	bool is_loop_probed;    /* a probe is under way */
	uint32_t loops_before;  /* page->loops when it was sent */
	int64_t plain_until_ms; /* does not know EDNS, as far as we know */
	struct timer probe, loop;
	uint16_t pool[POOL_SIZE]; /* numbers of sockets; 0: none there */
	struct upstream_conn conn;
};

enum attempt_state {
	/* Failed, given up or never sent: it only keeps its server. */
	ATTEMPT_OVER,
	/* Sent. On the list of its socket, its ID claimed. Ends by attempt_end() only. */
	ATTEMPT_UDP,
	/* Sent or about to be. On the list of its connection, its ID claimed. Likewise. */
	ATTEMPT_TCP,
};

struct attempt {
	struct list on; /* the socket's or the connection's attempts */
	struct server *server;
	void *via; /* struct upstream_socket or struct upstream_conn */
	int64_t sent_us;
	uint16_t id;
	uint8_t number; /* in txn.attempts */
	uint8_t state;  /* enum attempt_state */
	bool plain;     /* without OPT */
	bool refused;   /* over because the server can't or won't: no use asking it again */
	bool resent;    /* TCP: on a second connection, for the first was closed */
};

/* A client that waits for the answer. */
struct waiter {
	struct waiter *next; /* of the same question; or the next free one */
	struct client client;
	bool shadowed, has_edns, dnssec_ok;
	bool rewritten; /* what is asked upstream is not what the client asked */
	uint16_t id, flags, udp_size, keepalive_ds, question_len, page;
	uint8_t question[DNS_NAME_MAX + 4]; /* the client's, in its case */
	uint8_t *first; /* owned; NULL, or the answer that the reply is to be put behind (follow.h)
			 */
	size_t first_len;
};

enum txn_kind {
	TXN_QUESTION,
	TXN_PROBE, /* `. NS` to one server; nobody waits */
	TXN_LOOP,  /* a probe for a loop, likewise */
};

/* One question under way. */
struct txn {
	struct timer timer; /* when the newest attempt, or all of it, has had its time */
	int64_t ends_ms, starts_ms;
	/* Whose question it is, and who is asked: the last route tried, or an alternate. */
	const struct block *block;
	const struct service_route *route;
	const struct upstream_group *group;
	bool is_last;     /* its answer stands, whatever the rcode */
	bool is_counted;  /* among the group's questions, */
	uint32_t version; /* of this service */
	struct txn *next; /* in its bucket; or the next free one */
	uint32_t hash;
	uint16_t index;
	uint8_t kind;       /* enum txn_kind */
	bool hashed;        /* others may join */
	bool tcp;           /* to be asked over TCP */
	bool cut;           /* the answer is longer than UDP takes: if TCP fails, say so */
	bool asked_tcp;     /* by the clients that wait */
	bool for_cache;     /* the answer is */
	uint32_t epoch;     /* for_cache: what is forgotten since is not to come back */
	struct timer stale; /* for_cache only */
	uint8_t n_attempts, mismatches;
	int16_t answered_by;    /* the server's number; -1: nobody has */
	uint16_t turn;          /* which server of the group comes first */
	struct server *only;    /* a probe's server */
	struct waiter *waiters; /* NULL: nobody waits (any more) */
	struct attempt attempts[FORWARD_ATTEMPTS_MAX];
	struct query query; /* the first client's; its options are gone */
	struct outbound out;
	uint8_t *allocated; /* out.packet, when that is longer than `packet` */
	uint8_t packet[TXN_PACKET];
};

struct upstream_udp;

struct forward {
	struct timers timers;
	struct timer renew;
	struct txn *txns, *free_txns;
	struct waiter *waiters, *free_waiters;
	uint32_t n_slots, n_txns, n_waiters; /* of txns: all, touched so far; of waiters: touched */
	struct txn *buckets[BUCKETS];
	uint32_t version;                /* of the service whose servers these are */
	struct server *server[BOOK_MAX]; /* by their pages; NULL: not among them */
	struct server servers[SERVERS];
	/* By the number of the group: whose turn it is, and how many questions are under way. */
	uint16_t turn[GROUPS_MAX];
	uint16_t busy[GROUPS_MAX];
	struct upstream_udp *udp;
	struct random random;
	struct log_limit full_limit, loop_limit;
	uint8_t reply[DNS_MESSAGE_MAX + REPLY_GROWTH]; /* the reply in hand */
	uint8_t scratch[DNS_MESSAGE_MAX +
			REPLY_GROWTH]; /* a copy of it, shortened for one client */
};

static inline struct txn *txn_of(struct attempt *attempt)
{
	struct attempt *first = attempt - attempt->number;

	return (struct txn *)(void *)((char *)first - offsetof(struct txn, attempts));
}

/* Whether it is asked over a connection. */
static inline bool txn_uses_conn(const struct txn *txn, const struct server *server)
{
	return txn->tcp || server->how.tls;
}

static inline bool attempt_is_open(const struct attempt *attempt)
{
	return attempt->state != ATTEMPT_OVER;
}

/* --- forward.c ---------------------------------------------------------------------------------*/

/* A question of our own to one server; nobody waits. NULL when there is no room. */
struct txn *txn_new_probe(struct worker *worker, struct server *server, enum txn_kind kind,
			  const uint8_t *name, size_t name_len, uint16_t qtype);

/* An acceptable answer to it is in worker->forward->reply: the end of the question. */
void txn_answer(struct worker *worker, struct txn *txn, enum reply_verdict verdict,
		enum dns_rcode rcode, size_t len);

/* There won't be one: the end, too. */
void txn_fail(struct worker *worker, struct txn *txn);

/* What is asked from now on is what the client that waits did ask, before it was rewritten. */
bool txn_ask_original(struct worker *worker, struct txn *txn);

/* --- group.c -----------------------------------------------------------------------------------*/

/* Asks the group of the first route. NOERROR: it is under way; else this is the answer. */
enum dns_rcode group_ask_first(struct worker *worker, struct txn *txn);

/* Whether an answer with this rcode sends the question on to another group. */
bool group_is_next(const struct txn *txn, enum dns_rcode rcode);

/*
 * The answer so far has this rcode, be it a server's or for want of a route: whoever is next is
 * asked. NOERROR: it is under way; else this is the answer.
 */
enum dns_rcode group_ask_next(struct worker *worker, struct txn *txn, enum dns_rcode rcode);

/*
 * Why that is the answer, for the block's `errors`: in worker->chain.err, in such words as CoreDNS
 * has for it, which people consolidate by. Nothing where there is nothing to say.
 */
void group_explain(struct worker *worker, const struct txn *txn, enum dns_rcode rcode);

/* Lets go of whoever was asked. */
void group_leave(struct worker *worker, struct txn *txn);

/* --- waiter.c ----------------------------------------------------------------------------------*/

/* NULL when as many wait as may. */
struct waiter *waiter_new(struct worker *worker);
void waiter_release(struct forward *f, struct waiter *waiter);

/* Keeps what the answer begins with, if something is there; to be called before waiter_add().
 * False: out of memory. */
bool waiter_keep_first(struct worker *worker, struct waiter *waiter, const struct block *block);

/* The client of this question waits for the answer to `txn`. */
void waiter_add(struct worker *worker, struct txn *txn, struct waiter *waiter,
		const struct client *client, const uint8_t *packet, const struct query *query,
		bool shadowed);

/* Gives every client that waits the reply in hand, of `len` octets, as its own. */
void waiters_answer(struct worker *worker, struct txn *txn, size_t len);

/* Gives every client that waits an answer without records: over UDP, if `truncated`, one with TC.
 */
void waiters_error(struct worker *worker, struct txn *txn, bool truncated, enum dns_rcode rcode);

/*
 * Gives every client that waits what is out of date, if that is there. The question may go on
 * without them, or end meanwhile.
 */
void waiters_stale(struct worker *worker, struct txn *txn);

/* --- choose.c ----------------------------------------------------------------------------------*/

/* By the group's policy: which of its servers has the first turn. */
uint16_t choose_turn(struct forward *f, const struct upstream_group *group);

/*
 * The next server to ask: down ones last; then those asked least; of these, suspect ones last; and
 * of equals the first in the order of the policy. NULL: nobody is left.
 */
struct server *choose_server(struct worker *worker, const struct txn *txn);

/* --- attempt.c ---------------------------------------------------------------------------------*/

/* Asks the next server. False: there is none to ask, and none that still may answer. */
bool attempt_next(struct worker *worker, struct txn *txn);

/* Lets go of an attempt; what comes of it from now on is late. */
void attempt_end(struct worker *worker, struct attempt *attempt);

/* Its server could not be reached, or closed the connection. The question may be over then. */
void attempt_refused(struct worker *worker, struct attempt *attempt);

/* Sends it again over a new connection, as `on` the list of the new one; false: it can't be. */
bool attempt_resend(struct worker *worker, struct attempt *attempt);

/* The try has had its time. The question may be over then. */
void attempt_expire(struct worker *worker, struct txn *txn);

/*
 * A message from `server` through `via`, whose local port is `port`, in worker->forward->reply.
 * False: it is to nothing that is under way there.
 */
bool attempt_message(struct worker *worker, void *via, uint16_t port, size_t len);

/*
 * Somebody sends what is no answer to any of these: RFC 5452 section 9.3. Those that this has
 * happened to too often ask over TCP, and believe no datagram any more.
 */
void attempt_mismatches(struct worker *worker, struct list *attempts);

/* The number that the rest of the resolver knows a server by. */
static inline int server_number(const struct worker *worker, const struct server *server)
{
	return (int)(server->page - worker->config->book->page);
}

/* --- servers.c, and there is forward_take_over() -----------------------------------------------*/

/* An attempt lets go of its server; one that is gone is freed with the last. */
void server_unref(struct worker *worker, struct server *server);

/* --- probe.c -----------------------------------------------------------------------------------*/

/* A server has failed, by silence or otherwise, what was sent at `sent_us`; or answered it. */
void server_failed(struct worker *worker, struct server *server, int64_t sent_us, bool silent);
void server_answered(struct worker *worker, struct server *server, int64_t sent_us);

/* Its timers. */
void probe_begin(struct worker *worker, struct server *server);
void probe_begin_loop(struct worker *worker, struct server *server);

/* The probe ended, with an answer or without. */
void probe_end(struct worker *worker, struct txn *txn, bool answered);

/* A client's question that is our own probe: whom it went to is marked as a loop. */
bool probe_is_loop(struct worker *worker, const struct query *query);

#endif
