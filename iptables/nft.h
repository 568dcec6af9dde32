/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables backend: a plan is the table `inet meshdns` of the calling thread's network
 * namespace, and that table is nothing else. No other table is read or written.
 *
 * Errors, besides those named at each function: -EPERM without CAP_NET_ADMIN; -EOPNOTSUPP when the
 * kernel lacks a feature, which `err` names; else the kernel's own, with the object it refused.
 */
#ifndef MESHDNS_IPTABLES_NFT_H
#define MESHDNS_IPTABLES_NFT_H

#include <stdbool.h>

#include "common/err.h"
#include "iptables/plan.h"

/*
 * Makes the table be what a valid plan says, in one transaction: at no moment, whatever happens to
 * this process, is there a part of it, or none where there was one. nft_create() is for where there
 * is no table, and fails with -EEXIST where there is one. On error nothing has changed, with one
 * exception: -ENOBUFS means that the answer was lost.
 */
int nft_create(const struct plan *plan, struct err *err);
int nft_replace(const struct plan *plan, struct err *err);

/* Deletes the table. No table, or a kernel that can have none, is success and *ret_was_there false.
 */
int nft_remove(bool *ret_was_there, struct err *err);

/*
 * Reads the table back into an empty plan, with counters and version. -ENOENT: there is none.
 * -EBADMSG: somebody has put into it what no plan says; `err` tells what, and *ret_found holds the
 * rest. On any other error it is empty.
 */
int nft_read(struct plan *ret_found, struct err *err);

#endif
