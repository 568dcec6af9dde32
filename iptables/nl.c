/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/nl.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_BYTES 32768 /* the kernel fills no larger ones, whatever we offer */
#define ACK_BYTES    2048  /* what one acknowledgement takes of the receive buffer, and more */
#define SLACK_BYTES  65536

int nl_open(struct nl *nl, struct err *err)
{
	int on = 1;

	*nl = (struct nl){.socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC)};
	if (!nl->socket && errno == EPROTONOSUPPORT)
		return err_set(err, EOPNOTSUPP,
			       "this kernel has no nfnetlink (CONFIG_NETFILTER_NETLINK)");
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = err_set(err, errno, "cannot open a netlink socket: %s", err_text(errno));

		nl_close(nl);
		return rc;
	}
	/* An error need not carry the message it is about; old kernels repeat it all the same. */
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

void nl_close(struct nl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

struct nlmsghdr *nl_request(struct nl *nl, void *buf, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, flags, ++nl->seq);
}

int nl_ask(struct nl *nl, const struct nlmsghdr *request, mnl_cb_t answer, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[ANSWER_BYTES];
	int state = MNL_CB_OK;

	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (state == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		state = mnl_cb_run(buf, (size_t)n, request->nlmsg_seq,
				   mnl_socket_get_portid(nl->socket), answer, arg);
	}
	return state == MNL_CB_ERROR ? -errno : 0;
}

void nl_batch_free(struct nl_batch *batch)
{
	free(batch->data);
	*batch = (struct nl_batch){0};
}

static size_t batch_used(const struct nl_batch *batch)
{
	const struct nlmsghdr *last;

	if (!batch->data)
		return 0;
	last = (const void *)(batch->data + batch->last);
	return batch->last + MNL_ALIGN(last->nlmsg_len);
}

/* Where the next message goes, with room for the longest; NULL: out of memory. */
static void *batch_tail(struct nl_batch *batch)
{
	size_t used = batch_used(batch);

	if (batch->size - used < NL_MESSAGE_BYTES) {
		size_t size = 2 * (batch->size + NL_MESSAGE_BYTES);
		char *grown = realloc(batch->data, size);

		if (!grown)
			return NULL;
		batch->data = grown;
		batch->size = size;
	}
	batch->last = used;
	return batch->data + used;
}

/* Sequence numbers: 0 for BEGIN, i + 1 for message i, the next for END. */
struct nlmsghdr *nl_batch_add(struct nl_batch *batch, uint16_t type, uint16_t flags)
{
	void *tail = batch_tail(batch);

	if (tail && !batch->n) {
		nftnl_batch_begin(tail, 0);
		tail = batch_tail(batch);
	}
	if (!tail)
		return NULL;
	batch->n++;
	return nftnl_nlmsg_build_hdr(tail, type, NFPROTO_INET, flags, batch->n);
}

static void grow_buffer(int fd, int option, int force_option, size_t bytes)
{
	int wanted = (int)bytes, have = 0;
	socklen_t len = sizeof(have);

	if (!getsockopt(fd, SOL_SOCKET, option, &have, &len) && have >= wanted)
		return;
	if (setsockopt(fd, SOL_SOCKET, force_option, &wanted, sizeof(wanted)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof(wanted));
}

struct verdict {
	bool acked;          /* the last message was reached, and is right */
	uint32_t failed_seq; /* lowest that failed */
	int error;           /* negative errno of that one, 0 if none did */
};

static void read_verdict(struct verdict *verdict, const void *buf, int len)
{
	for (const struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlmsgerr *ack = mnl_nlmsg_get_payload(nlh);

		if (nlh->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ack))
			continue;
		if (!ack->error) {
			verdict->acked = true;
		} else if (!verdict->error || nlh->nlmsg_seq < verdict->failed_seq) {
			verdict->error = ack->error;
			verdict->failed_seq = nlh->nlmsg_seq;
		}
	}
}

int nl_batch_send(struct nl *nl, struct nl_batch *batch, size_t *ret_failed)
{
	_Alignas(struct nlmsghdr) char buf[ANSWER_BYTES];
	int fd = mnl_socket_get_fd(nl->socket);
	size_t last = batch->last;
	void *tail = batch_tail(batch);
	struct verdict verdict = {0};
	ssize_t n;

	*ret_failed = NL_NO_MESSAGE;
	if (!tail)
		return -ENOMEM;
	/* Refusals are told unasked; what is said of the last message comes after them. */
	((struct nlmsghdr *)(void *)(batch->data + last))->nlmsg_flags |= NLM_F_ACK;
	nftnl_batch_end(tail, batch->n + 1);
	grow_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, batch_used(batch) + SLACK_BYTES);
	grow_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, (size_t)batch->n * ACK_BYTES + SLACK_BYTES);
	if (mnl_socket_sendto(nl->socket, batch->data, batch_used(batch)) < 0)
		return -errno;

	/* The kernel works while we send: when that returns, every answer is in the socket. */
	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		read_verdict(&verdict, buf, (int)n);
	if (verdict.error) {
		if (verdict.failed_seq >= 1 && verdict.failed_seq <= batch->n)
			*ret_failed = verdict.failed_seq - 1;
		return verdict.error;
	}
	return verdict.acked ? 0 : -ENOBUFS;
}
