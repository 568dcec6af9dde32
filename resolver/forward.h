/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The upstream engine: how a question gets its answer from elsewhere. One a worker, sharing nothing
 * with the others but the IDs under way (inflight.h) and the book that it counts in (upstreams.h).
 *
 * Data flow. forward_start() makes a transaction of a client's question (outbound.h says how it
 * goes upstream), or lets the client wait along with an equal one that is under way (waiter.c).
 * choose.c picks a server of the group and attempt.c asks it; the answer comes through
 * upstream_udp.c or upstream_tcp.c to attempt_message(), which finds the attempt by ID and socket
 * and judges it (reply.h). What is no answer is counted and ignored. The last word goes to
 * txn_answer(), which makes it each client's own: ID, case, size.
 *
 * Cache. forward_start() is called for what recall.h has no answer to; txn_answer() gives it those
 * that come. A question that is asked to keep the cache warm has no client that waits, nor has one
 * whose clients were given a stale answer meanwhile: it goes on for the cache.
 *
 * Trying. A try lasts the server's smoothed round-trip time and some (upstream_health.h), twice as
 * long each time the same server is asked again; then the next server is asked. Earlier tries stay
 * open: a late answer is an answer. What is refused (ICMP, a closed connection, SERVFAIL, REFUSED)
 * goes to the next server at once. At most FORWARD_ATTEMPTS_MAX messages are sent for a question,
 * and after FORWARD_TOTAL_MS the answer is SERVFAIL. `timeout` and `attempts` of resolv.conf
 * shorten a try and bound how often one server is asked.
 *
 * Where to. The question's block (service.h) says by its routes which group of servers is asked.
 * When their answer, or that there is none, has an rcode that another group is for (`alternate`, or
 * `next` of a route), the question starts anew with that group and the clients wait on: group.c.
 * The last group's answer is the answer. A first group that is silent gets FORWARD_FIRST_MS, so
 * that time is left for the second.
 *
 * Transport. A client's TCP is TCP upstream. UDP becomes TCP when the answer is truncated and
 * somebody takes more than what we offered, and when too much comes that is no answer.
 *
 * Health is what each worker sees (upstream_health.h); who fails is probed with `. NS` until it
 * answers (probe.c). Loops are found in two ways: where the redirect rules do not exempt this
 * process its own questions come back with an ID and a port that are under way; through another
 * resolver a probe comes back (loop.h). Both are answered with SERVFAIL.
 *
 * Memory. Transactions and waiting clients are slabs of --max-concurrent; nothing is allocated for
 * a question of ordinary size. Deadlines are a wheel (timers.h). A heap was not needed, nor a
 * timerfd: epoll_wait(2) takes the next deadline.
 *
 * Recursion. An answer to a TCP client can bring its next questions, which start transactions while
 * one is being finished. So a transaction that is being answered is out of the hash first, and
 * whoever calls something that may end one does not touch it afterwards.
 */
#ifndef MESHDNS_RESOLVER_FORWARD_H
#define MESHDNS_RESOLVER_FORWARD_H

#include "resolver/service.h"
#include "resolver/worker.h"

#define FORWARD_MAX          2048 /* clients of a worker that may wait, unless said otherwise */
#define FORWARD_MAX_LIMIT    32768
#define FORWARD_ATTEMPTS_MAX 8
#define FORWARD_TOTAL_MS     4500
#define FORWARD_FIRST_MS     2000

/* NULL when out of memory. Without servers until forward_take_over(). */
struct forward *forward_new(const struct worker_config *config);
/* Ends what is in flight and frees worker->forward. */
void forward_free(struct worker *worker);

/* Goes over to the servers of worker->service, if that is another; what is under way goes on. */
void forward_take_over(struct worker *worker);

/*
 * Sends the client's message where its block's routes lead. `shadowed`: an NXDOMAIN is to become
 * NOERROR without data. NOERROR: it is under way; else the caller is to answer with this rcode.
 */
enum dns_rcode forward_start(struct worker *worker, const struct client *client,
			     const uint8_t *packet, size_t len, const struct query *query,
			     const struct block *block, bool shadowed);

/*
 * Asks for the cache, so that nobody waits; the packet's question is all of it that is looked at.
 * False: it is being asked already, or can't be.
 */
bool forward_refresh(struct worker *worker, const uint8_t *packet, const struct query *query,
		     const struct block *block);

/* Whether a client's message is our own, come back to us. */
bool forward_is_own(struct worker *worker, const struct client *client, const struct query *query);

/* Something happened on an upstream socket. */
void forward_handle(struct worker *worker, struct event_ref ref, uint32_t events);

/* Deals with what is due; returns the next deadline, INT64_MAX for none. */
int64_t forward_expire(struct worker *worker);

#endif
