/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UDP sockets to the servers: a pool of long-lived ones on random ports, renewed all the time.
 *
 * A socket a query costs more than the query: making it, connecting it and having epoll watch it.
 * A server's pool has POOL_SIZE places; each query takes a place at random, and the socket there is
 * made when it is first wanted. After SOCKET_QUERIES queries or SOCKET_MS it is taken out of its
 * place, closed once nothing waits on it, and followed by a new one: ports are always about a
 * hundred (RFC 5452 section 9.2), not the same for long, and none of them is open while nobody
 * asks. Linux takes the port of a socket that is connected without being bound at random out of
 * net.ipv4.ip_local_port_range.
 *
 * The sockets are connected, and so each is to one server: the kernel drops what comes from any
 * other address, tells ICMP errors, and need not look for a route for each packet. What was
 * rejected: unconnected sockets for all servers together (a route and a source check per packet,
 * and errors through IP_RECVERR with the packet they are about); one socket for a whole batch (one
 * that is found out gives away all of it).
 */
#ifndef MESHDNS_RESOLVER_UPSTREAM_UDP_H
#define MESHDNS_RESOLVER_UPSTREAM_UDP_H

#include "resolver/forward_parts.h"

#define SOCKET_QUERIES 512
#define SOCKET_MS      10000
#define SOCKETS_MAX    4096 /* of a worker; fewer where the limit on descriptors is low */
#define LATE_IDS       8    /* that a socket remembers */

struct upstream_socket {
	struct list attempts; /* sent by it and under way */
	struct server *server;
	int fd; /* -1: this slot is free */
	uint16_t port, generation, place;
	bool retired; /* out of its place */
	uint32_t sent;
	int64_t opened_ms;
	/* IDs given up lately: what answers them is late, not false. */
	uint16_t late[LATE_IDS];
	uint8_t n_late;
};

/* `descriptors`: how many it may have at most. NULL when out of memory. */
struct upstream_udp *upstream_udp_new(size_t descriptors);
void upstream_udp_free(struct upstream_udp *udp);

/* A random socket to the server; NULL with errno set when there is none to be had. */
struct upstream_socket *upstream_udp_pick(struct worker *worker, struct server *server);

/* 0 or -errno. */
int upstream_udp_send(struct upstream_socket *socket, const uint8_t *packet, size_t len);

/* An attempt is no longer under way on it. */
void upstream_udp_release(struct worker *worker, struct upstream_socket *socket, uint16_t id);

void upstream_udp_handle(struct worker *worker, struct event_ref ref);

/* Closes what has been there for long enough; false when no socket is left. */
bool upstream_udp_renew(struct worker *worker);

/* Closes all of a server's that nothing waits on. */
void upstream_udp_drop(struct worker *worker, struct server *server);

#endif
