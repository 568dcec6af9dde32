/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP clients: batches in (recvmmsg), answered in place, batches out (sendmmsg). */
#ifndef MESHDNS_RESOLVER_UDP_H
#define MESHDNS_RESOLVER_UDP_H

#include "resolver/worker.h"

/* The buffers of one worker's batches; NULL when out of memory. */
struct udp *udp_new(void);
void udp_free(struct udp *udp);

/* The listener's socket is readable. */
void udp_handle(struct worker *worker, struct listener *listener);

/*
 * An answer to a client whose question came by UDP; `packet` can be changed at once. It leaves with
 * the next udp_flush() at the latest: to be called at the end of each round.
 */
void udp_reply(struct worker *worker, const struct client *client, const uint8_t *packet,
	       size_t len);
void udp_flush(struct worker *worker);

#endif
