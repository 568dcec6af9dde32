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
 * otherwise; errno is then ENOENT or ENOTTY where there is no namespace (any more), EINVAL where it
 * is the host's, and neither where that cannot be found out.
 */
int namespace_open(const char *path, struct namespace *ret_ns, struct failure *failure);

/*
 * Moves the process there for good; it must have no other thread. Of root's privileges those are
 * left that rules need, or, where `programs` is, those that iptables' programs need.
 */
int namespace_settle(const struct namespace *ns, bool programs, struct failure *failure);

/* The second half of it, for a process that is there already. */
int namespace_drop_privileges(bool programs, struct failure *failure);

/*
 * Has a process of its own settle there and do `work`, for who looks at one pod after another.
 * Returns what `work` does, -1 with `failure` or more, and waits for it; of what else it changes in
 * memory nothing is seen here.
 */
typedef int namespace_work(const void *arg, struct failure *failure);
int namespace_visit(const struct namespace *ns, bool programs, namespace_work *work,
		    const void *arg, struct failure *failure);

#endif
