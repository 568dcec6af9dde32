/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: the pod's, and the way back. */
#ifndef MESHDNS_CNI_NAMESPACE_H
#define MESHDNS_CNI_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "cni/failure.h"

struct namespace
{
	int fd; /* -1: not open */
	uint64_t dev, ino;
};

static inline void cleanup_namespace_(const struct namespace *ns)
{
	if (ns->fd >= 0)
		close(ns->fd);
}
#define cleanup_namespace __attribute__((cleanup(cleanup_namespace_)))

/*
 * Opens CNI_NETNS and makes sure, before anybody acts on it, that it is a network namespace and
 * neither ours nor that of process 1: rules there would capture the host's own DNS. `failure` says
 * otherwise; errno is then ENOENT or ENOTTY where there is no namespace (any more), else not.
 */
int namespace_open(const char *path, struct namespace *ret_ns, struct failure *failure);

/* The namespace that the process is in, to return to. */
int namespace_home(struct namespace *ret_ns, struct failure *failure);

/* Moves the process there; it must have no other thread. */
int namespace_enter(const struct namespace *ns, struct failure *failure);

/*
 * The same for good: of root's privileges those are left that rules need, or, where `programs` is,
 * those that iptables' programs need.
 */
int namespace_settle(const struct namespace *ns, bool programs, struct failure *failure);

/* The second half of it, for a process that is there already. */
int namespace_drop_privileges(bool programs, struct failure *failure);

#endif
