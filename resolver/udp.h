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

/* Sends one answer to a client whose question came by UDP. */
void udp_reply(const struct client *client, const uint8_t *packet, size_t len);

#endif
