/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the plugin remembers: for each attachment with rules, one file that holds the request which
 * asked for them, in a directory that does not outlive a boot, as no network namespace does.
 *
 * CHECK gets no annotations from some runtimes, DEL no namespace, GC and repair nothing at all:
 * they find here what the plan was. A file is there before its rules are, and goes after them, so
 * that there are never rules without one.
 */
#ifndef MESHDNS_CNI_STORE_H
#define MESHDNS_CNI_STORE_H

#include <dirent.h>
#include <stdbool.h>

#include "cni/failure.h"
#include "cni/namespace.h"
#include "cni/request.h"

#define STORE_DIR "/run/meshdns/cni" /* the configuration's state_dir says otherwise */

struct store {
	int dir;          /* -1: not open; there is nothing in it then */
	const char *path; /* its, for messages; borrowed */
};

static inline void cleanup_store_(const struct store *store)
{
	if (store->dir >= 0)
		close(store->dir);
}
#define cleanup_store __attribute__((cleanup(cleanup_store_)))

/* `path` NULL is STORE_DIR. Where it is not there it is made, or, unless `create`, counts as empty.
 */
int store_open(const char *path, bool create, struct store *ret_store, struct failure *failure);

/*
 * Waits until nobody else works on this namespace, for some seconds at most. The lock goes with
 * *ret_fd, or with the process.
 */
int store_lock(const struct store *store, const struct namespace *ns, int *ret_fd,
	       struct failure *failure);

/* One attachment: who asked, for which namespace. */
struct attachment {
	struct request request; /* as pod_reduce() left it; borrows from `json` */
	struct namespace ns;    /* not open */
	json_t *json;
};

void attachment_free(struct attachment *attachment);

#define cleanup_attachment __attribute__((cleanup(attachment_free)))

/* Remembers, replacing what there is for the same container and interface. */
int store_save(const struct store *store, const struct request *request, const struct namespace *ns,
	       struct failure *failure);

/* *ret_found false: nothing is known of it, or nothing that makes sense. */
int store_load(const struct store *store, const char *container, const char *ifname,
	       bool *ret_found, struct attachment *ret_attachment, struct failure *failure);

/* Another attachment of this container is known: on any interface but that one (NULL: on any). */
bool store_knows(const struct store *store, const char *container, const char *but_ifname);

/* Forgets; nothing to forget is success. */
int store_remove(const struct store *store, const char *container, const char *ifname,
		 struct failure *failure);

/*
 * Calls `each` for every attachment, with names that live until it returns, and stops when that is
 * not 0, and returns it. -1 when the directory cannot be read.
 */
typedef int store_fn(const char *container, const char *ifname, void *arg);
int store_each(const struct store *store, store_fn *each, void *arg);

#endif
