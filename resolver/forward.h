/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The questions sent upstream.
 *
 * Each client's message becomes a transaction. It is sent as it is but for a fresh random ID, over
 * the transport it came by, from a socket of its own, so that every attempt has a random port too
 * (RFC 5452 section 9.2; Linux picks a connected UDP socket's port at random) and the kernel drops
 * what comes from any other address. What is no answer to it (reply.h) is ignored and the wait goes
 * on; what is goes to the client with its ID and the question in its case, otherwise untouched.
 *
 * Attempts: an attempt has FORWARD_TOTAL_MS divided by the number of attempts; after that, or at
 * once when the server refuses (ICMP, TCP reset, rcode SERVFAIL or REFUSED while there are other
 * servers), the next server is asked. Earlier UDP sockets stay open: a late answer is an answer.
 * Each server is asked once, a lone one twice. The server that answered last is asked first. When
 * all attempts are spent the client gets SERVFAIL, in less than five seconds.
 *
 * Deadlines: all attempts take equally long, so a list in the order of starting is in the order of
 * deadlines, and no heap is needed.
 *
 * Loops: where the redirect rules do not exempt this process, its own questions come back to it.
 * inflight.h recognises them; they are answered with SERVFAIL, which then travels the whole way
 * back.
 */
#ifndef MESHDNS_RESOLVER_FORWARD_H
#define MESHDNS_RESOLVER_FORWARD_H

#include "resolver/worker.h"

#define FORWARD_MAX          2048 /* transactions of a worker; beyond: SERVFAIL at once */
#define FORWARD_ATTEMPTS_MAX 8
#define FORWARD_TOTAL_MS     4500

/* NULL when out of memory. */
struct forward *forward_new(size_t n_upstreams);
/* Ends what is in flight and frees worker->forward. */
void forward_free(struct worker *worker);

/*
 * Starts a transaction for the client's message. `shadowed`: an NXDOMAIN is to become NOERROR
 * without data. False: it could not be, and the caller is to answer SERVFAIL.
 */
bool forward_start(struct worker *worker, const struct client *client, const uint8_t *packet,
		   size_t len, const struct query *query, bool shadowed);

/* True when the message is a question of our own, any worker's, that has come back. */
bool forward_is_own(const struct worker *worker, const struct client *client, uint16_t id);

/* Something happened on an attempt's socket. */
void forward_handle(struct worker *worker, struct event_ref ref);

/* Deals with attempts past their deadline; returns the next deadline, INT64_MAX for none. */
int64_t forward_expire(struct worker *worker);

#endif
