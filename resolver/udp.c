/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BATCH       64
#define REPLY_BYTES 512 /* a longer one is sent without being copied, and the others with it */

/*
 * A slot holds any datagram, so that none is ever cut; of the mapping only what comes in is
 * touched. Slots at a distance of a power of two would share a few cache sets among all their first
 * lines; the odd lines in between spread them.
 */
#define SLOT_BYTES (DNS_MESSAGE_MAX + 1 + 5 * 64)
_Static_assert(SLOT_BYTES >= RESOLVE_UDP_BUFFER, "answers fit");
_Static_assert(BATCH <= NAMES_PREFETCH_MAX, "all of them");

/* A control message with either family's packet info. */
union pktinfo {
	size_t align; /* a cmsghdr begins with one */
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Answers that came from elsewhere, until the end of the round: one system call for all. */
struct replies {
	int n, fd; /* fd: the listener's, of all of them */
	struct mmsghdr out[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in6 peer[BATCH];
	union pktinfo control[BATCH];
	uint8_t packet[BATCH][REPLY_BYTES];
};

struct udp {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in6 peer[BATCH];
	union pktinfo control[BATCH];
	uint8_t (*packet)[SLOT_BYTES]; /* BATCH of them, mapped */
	struct replies replies;
};

/* Points message `i` at its buffers, whole, as the kernel wants it before receiving. */
static void prepare(struct udp *udp, int i)
{
	udp->iov[i] = (struct iovec){udp->packet[i], SLOT_BYTES};
	udp->in[i].msg_hdr = (struct msghdr){
		.msg_name = &udp->peer[i],
		.msg_namelen = sizeof(udp->peer[i]),
		.msg_iov = &udp->iov[i],
		.msg_iovlen = 1,
		.msg_control = &udp->control[i],
		.msg_controllen = sizeof(udp->control[i]),
	};
}

struct udp *udp_new(void)
{
	struct udp *udp = calloc(1, sizeof(*udp));
	void *packets;

	if (!udp)
		return NULL;
	packets = mmap(NULL, sizeof(*udp->packet) * BATCH, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (packets == MAP_FAILED) {
		free(udp);
		return NULL;
	}
	udp->packet = packets;
	for (int i = 0; i < BATCH; i++)
		prepare(udp, i);
	return udp;
}

void udp_free(struct udp *udp)
{
	if (!udp)
		return;
	munmap(udp->packet, sizeof(*udp->packet) * BATCH);
	free(udp);
}

/* Where the packet was sent to. */
static bool destination(struct msghdr *msg, struct addr *ret_addr)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*ret_addr = (struct addr){.family = AF_INET, .v4 = info.ipi_addr};
			return true;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*ret_addr = (struct addr){.family = AF_INET6, .v6 = info.ipi6_addr};
			/* Only a link-local address needs its interface to be one. */
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				ret_addr->scope_id = info.ipi6_ifindex;
			return true;
		}
	}
	return false;
}

/* Makes `msg` leave from `local`. `control` lives as long as `msg`. */
static void set_source(struct msghdr *msg, union pktinfo *control, const struct addr *local)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = local->family == AF_INET ? sizeof(control->v4) : sizeof(control->v6);
	c = CMSG_FIRSTHDR(msg);
	if (local->family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = local->v4};

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_addr = local->v6, .ipi6_ifindex = local->scope_id};

		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

/*
 * Sends the first `n` prepared answers. A message that cannot be sent (a client with port 0, a
 * firewall's EPERM) is passed over, it alone; a full socket buffer ends the batch, for a worker
 * waits for nobody and the clients ask again.
 */
static void send_batch(int fd, struct mmsghdr *out, int n)
{
	int sent = 0;

	while (sent < n) {
		int rc = sendmmsg(fd, out + sent, (unsigned int)(n - sent), MSG_DONTWAIT);

		if (rc > 0)
			sent += rc;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		else if (errno != EINTR)
			sent++;
	}
}

/* The lookups of a batch begin together. */
static void look_ahead(const struct worker *worker, int n)
{
	uint32_t hashes[BATCH];
	size_t n_hashes = 0;

	for (int i = 0; i < n; i++) {
		struct wire w = wire_over(worker->udp->packet[i], worker->udp->in[i].msg_len);
		uint8_t name[DNS_NAME_MAX];
		size_t len;

		wire_take(&w, DNS_HEADER_LEN);
		if ((len = wire_get_name(&w, name)) > 0)
			hashes[n_hashes++] = wire_name_hash(name, len);
	}
	names_prefetch(worker->context.names, hashes, n_hashes);
}

static void handle_batch(struct worker *worker, struct listener *listener, int n)
{
	struct udp *udp = worker->udp;
	int answers = 0;

	if (n > 1)
		look_ahead(worker, n);
	for (int i = 0; i < n; i++) {
		struct msghdr *msg = &udp->in[i].msg_hdr;
		struct client client = {.port = ntohs(udp->peer[i].sin6_port)};
		size_t len = udp->in[i].msg_len;
		enum worker_outcome outcome;

		client.listener = (uint16_t)(listener - worker->listeners);
		client.udp.fd = listener->udp_fd;
		client.peer = udp->peer[i];
		client.peer_len = msg->msg_namelen;
		client.udp.has_local = listener->wildcard && destination(msg, &client.udp.local);
		outcome = WORKER_LATER;
		if (listener->guarded || worker->limits)
			outcome = worker_admit(worker, &client, listener->guarded, udp->packet[i],
					       &len);
		if (outcome == WORKER_LATER)
			outcome = worker_handle(worker, &client, udp->packet[i], &len, RESOLVE_UDP);
		if (outcome != WORKER_ANSWERED)
			continue;
		udp->iov[i].iov_len = len;
		udp->out[answers].msg_hdr = *msg;
		udp->out[answers].msg_hdr.msg_controllen = 0;
		if (client.udp.has_local)
			set_source(&udp->out[answers].msg_hdr, &udp->control[i], &client.udp.local);
		answers++;
	}
	send_batch(listener->udp_fd, udp->out, answers);
	for (int i = 0; i < n; i++)
		prepare(udp, i);
}

void udp_handle(struct worker *worker, struct listener *listener)
{
	/* An error here is an earlier answer's (ICMP): nothing to do about it. */
	int n = recvmmsg(listener->udp_fd, worker->udp->in, BATCH, MSG_DONTWAIT, NULL);

	if (n > 0)
		handle_batch(worker, listener, n);
}

void udp_flush(struct worker *worker)
{
	struct replies *replies = &worker->udp->replies;

	send_batch(replies->fd, replies->out, replies->n);
	replies->n = 0;
}

void udp_reply(struct worker *worker, const struct client *client, const uint8_t *packet,
	       size_t len)
{
	struct replies *replies = &worker->udp->replies;
	bool is_short = len <= REPLY_BYTES;
	int i;

	if (replies->n == BATCH || replies->fd != client->udp.fd)
		udp_flush(worker);
	replies->fd = client->udp.fd;
	i = replies->n++;
	replies->peer[i] = client->peer;
	replies->iov[i] = (struct iovec){
		is_short ? memcpy(replies->packet[i], packet, len) : (void *)packet, len};
	replies->out[i].msg_hdr = (struct msghdr){
		.msg_name = &replies->peer[i],
		.msg_namelen = client->peer_len,
		.msg_iov = &replies->iov[i],
		.msg_iovlen = 1,
	};
	if (client->udp.has_local)
		set_source(&replies->out[i].msg_hdr, &replies->control[i], &client->udp.local);
	if (!is_short)
		udp_flush(worker);
}
