/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/upstream_udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct upstream_udp {
	uint16_t n; /* slots; 0 is not used, for it means none */
	uint16_t n_free, *free;
	uint16_t touched; /* slots up to here have been in use */
	struct upstream_socket socket[];
};

struct upstream_udp *upstream_udp_new(size_t descriptors)
{
	uint16_t n = (uint16_t)(descriptors > SOCKETS_MAX ? SOCKETS_MAX : descriptors);
	struct upstream_udp *udp =
		calloc(1, sizeof(*udp) + (n + 1) * sizeof(struct upstream_socket));

	if (!udp || !(udp->free = calloc(n + 1u, sizeof(*udp->free)))) {
		free(udp);
		return NULL;
	}
	udp->n = n;
	return udp;
}

static void socket_close(struct upstream_udp *udp, struct upstream_socket *s)
{
	close(s->fd);
	s->fd = -1;
	s->generation++;
	udp->free[udp->n_free++] = (uint16_t)(s - udp->socket);
}

void upstream_udp_free(struct upstream_udp *udp)
{
	if (!udp)
		return;
	for (uint16_t i = 1; i <= udp->touched; i++) {
		if (udp->socket[i].fd >= 0)
			close(udp->socket[i].fd);
	}
	free(udp->free);
	free(udp);
}

static uint16_t take_slot(struct upstream_udp *udp)
{
	if (udp->n_free > 0)
		return udp->free[--udp->n_free];
	return udp->touched < udp->n ? ++udp->touched : 0;
}

static struct upstream_socket *socket_open(struct worker *worker, struct server *server)
{
	struct upstream_udp *udp = worker->forward->udp;
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&server->ep, &ss);
	uint16_t number = take_slot(udp);
	struct upstream_socket *s = &udp->socket[number];
	struct event_ref ref = {.kind = EVENT_UPSTREAM_UDP, .index = number};
	struct endpoint own;

	if (number == 0) {
		errno = EMFILE;
		return NULL;
	}
	*s = (struct upstream_socket){
		.server = server,
		.generation = s->generation,
		.opened_ms = worker->now_ms,
		.fd = socket(server->ep.addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	};
	list_init(&s->attempts);
	ref.generation = s->generation;
	if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&ss, ss_len) == 0 &&
	    endpoint_of_socket(s->fd, &own) &&
	    worker_watch(worker, s->fd, EPOLLIN | EPOLLET, ref) == 0) {
		s->port = own.port;
		upstream_count(server->stats, UPSTREAM_SOCKETS);
		return s;
	}
	if (s->fd >= 0) {
		int saved = errno;

		socket_close(udp, s);
		errno = saved;
	} else {
		udp->free[udp->n_free++] = number;
	}
	return NULL;
}

/* Takes a socket out of its place; it is closed as soon as nothing waits on it. */
static void retire(struct upstream_udp *udp, struct upstream_socket *s)
{
	s->server->pool[s->place] = 0;
	s->retired = true;
	if (list_is_empty(&s->attempts))
		socket_close(udp, s);
}

static struct upstream_socket *any_other(struct worker *worker, struct server *server, size_t place)
{
	struct upstream_udp *udp = worker->forward->udp;

	for (size_t i = 1; i < POOL_SIZE; i++) {
		uint16_t number = server->pool[(place + i) % POOL_SIZE];

		if (number)
			return &udp->socket[number];
	}
	return NULL;
}

struct upstream_socket *upstream_udp_pick(struct worker *worker, struct server *server)
{
	struct forward *f = worker->forward;
	size_t place = random_u16(&f->random) % POOL_SIZE;
	struct upstream_socket *s = &f->udp->socket[server->pool[place]], *fresh;

	if (server->pool[place] && s->sent < SOCKET_QUERIES) {
		s->sent++;
		upstream_count(server->stats, UPSTREAM_SOCKETS_REUSED);
		return s;
	}
	if (!(fresh = socket_open(worker, server)))
		return server->pool[place] ? s : any_other(worker, server, place);
	if (server->pool[place])
		retire(f->udp, s);
	server->pool[place] = (uint16_t)(fresh - f->udp->socket);
	fresh->place = (uint16_t)place;
	fresh->sent = 1;
	if (list_is_empty(&f->renew.node))
		timer_set(&f->timers, &f->renew, worker->now_ms + SOCKET_MS / 8);
	return fresh;
}

int upstream_udp_send(struct upstream_socket *s, const uint8_t *packet, size_t len)
{
	ssize_t n = send(s->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* An error that an earlier packet met is told now, and once. */
	if (n < 0 && errno == ECONNREFUSED)
		n = send(s->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* A full buffer is a packet lost, and those are sent again. */
	return n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS ? -errno : 0;
}

void upstream_udp_release(struct worker *worker, struct upstream_socket *s, uint16_t id)
{
	s->late[s->n_late++ % LATE_IDS] = id;
	if (s->retired && list_is_empty(&s->attempts))
		socket_close(worker->forward->udp, s);
}

/* A message to nothing that is under way here: an answer that is late, or somebody guesses. */
static void count_stray(struct worker *worker, struct upstream_socket *s, size_t len)
{
	struct wire w = wire_over(worker->forward->reply, len);
	uint16_t id = wire_get_u16(&w);

	for (size_t i = 0; i < LATE_IDS && i < s->n_late; i++) {
		if (s->late[i] == id) {
			upstream_count(s->server->stats, UPSTREAM_LATE);
			return;
		}
	}
	upstream_count(s->server->stats, UPSTREAM_MISMATCHES);
	attempt_mismatches(worker, &s->attempts);
}

/* ICMP says that nobody is there: true of all that was sent by this socket. */
static void all_refused(struct worker *worker, struct upstream_socket *s)
{
	uint16_t generation = s->generation;

	while (s->fd >= 0 && s->generation == generation && !list_is_empty(&s->attempts))
		attempt_refused(worker, list_entry(s->attempts.next, struct attempt, on));
}

void upstream_udp_handle(struct worker *worker, struct event_ref ref)
{
	struct forward *f = worker->forward;
	struct upstream_socket *s = &f->udp->socket[ref.index];

	while (s->fd >= 0 && s->generation == ref.generation) {
		ssize_t n = recv(s->fd, f->reply, DNS_MESSAGE_MAX, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return;
			all_refused(worker, s);
			continue;
		}
		if (!attempt_message(worker, s, s->port, (size_t)n))
			count_stray(worker, s, (size_t)n);
		else if (list_is_empty(&s->attempts))
			return; /* nothing more is due: not worth the call that says so */
	}
}

bool upstream_udp_renew(struct worker *worker)
{
	struct upstream_udp *udp = worker->forward->udp;
	bool any = false;

	for (uint16_t i = 1; i <= udp->touched; i++) {
		struct upstream_socket *s = &udp->socket[i];

		if (s->fd >= 0 && !s->retired && worker->now_ms - s->opened_ms >= SOCKET_MS)
			retire(udp, s);
		any |= s->fd >= 0;
	}
	return any;
}

void upstream_udp_drop(struct worker *worker, struct server *server)
{
	struct upstream_udp *udp = worker->forward->udp;

	for (size_t place = 0; place < POOL_SIZE; place++) {
		if (server->pool[place])
			retire(udp, &udp->socket[server->pool[place]]);
	}
}
