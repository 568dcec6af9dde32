/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A conversation with nf_tables over netlink: single requests, and batches that are one
 * transaction. */
#ifndef MESHDNS_IPTABLES_NL_H
#define MESHDNS_IPTABLES_NL_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct nl {
	struct mnl_socket *socket; /* NULL: not open */
	uint32_t seq;
};

/* -EOPNOTSUPP when this kernel has no nfnetlink at all. */
int nl_open(struct nl *nl, struct err *err);
void nl_close(struct nl *nl);

#define cleanup_nl __attribute__((cleanup(nl_close)))

/*
 * Asks for objects of the inet family: type NFT_MSG_GET*, flags NLM_F_DUMP or NLM_F_ACK. The caller
 * appends the payload to what nl_request() returns, in the buffer it gave (NL_REQUEST_BYTES).
 */
#define NL_REQUEST_BYTES 1024
struct nlmsghdr *nl_request(struct nl *nl, void *buf, uint16_t type, uint16_t flags);

/*
 * Sends the request and hands each message of the answer to `answer`, which returns MNL_CB_OK, or
 * MNL_CB_ERROR with errno set. Returns 0 or the negative errno of the kernel or of `answer`; -EINTR
 * means that the objects changed while they were listed. After any error the socket is of no more
 * use: answers may still be in it.
 */
int nl_ask(struct nl *nl, const struct nlmsghdr *request, mnl_cb_t answer, void *arg);

/*
 * A transaction: all of its messages take effect or none. All zero is an empty one; it owns its
 * memory, nl_batch_free() releases it.
 */
struct nl_batch {
	char *data;
	size_t size, last; /* `last`: where the last message starts, once there is data */
	uint32_t n;        /* messages, without the BEGIN and END around them */
};

void nl_batch_free(struct nl_batch *batch);

#define cleanup_nl_batch __attribute__((cleanup(nl_batch_free)))

/*
 * Begins the next message (NFT_MSG_*, inet family) and returns its header, to be filled by libnftnl
 * before the next call; the whole of it takes at most NL_MESSAGE_BYTES. NULL: out of memory.
 */
#define NL_MESSAGE_BYTES 32768
struct nlmsghdr *nl_batch_add(struct nl_batch *batch, uint16_t type, uint16_t flags);

#define NL_NO_MESSAGE SIZE_MAX

/*
 * Sends the batch, of one message at least, and reads every answer. 0: all is in effect. Otherwise
 * nothing is, and *ret_failed is the number (from 0) of the first message that was refused, or
 * NL_NO_MESSAGE when the batch as a whole was: -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP without
 * nf_tables. -ENOBUFS: answers were lost, and what happened must be read back.
 */
int nl_batch_send(struct nl *nl, struct nl_batch *batch, size_t *ret_failed);

#endif
