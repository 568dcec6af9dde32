/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libcni keeps of each attachment, for the runtimes that use it (containerd, CRI-O, podman):
 * with which list of plugins it was made, and what the plugins were told.
 */
#ifndef MESHDNS_CNI_CACHE_H
#define MESHDNS_CNI_CACHE_H

#include <jansson.h>

#include "cni/request.h"

#define CACHE_DIR "/var/lib/cni/results"

struct cache_entry {
	json_t *json; /* the file */
	json_t *list; /* the configuration that was used; NULL: unreadable */
	const char *container, *ifname, *network, *netns; /* netns "": it is not known */
	char *args;                                       /* as CNI_ARGS */
};

/*
 * Calls `each` for every attachment, with an entry that lives until it returns; stops when that is
 * not 0, and returns it. -1 when there is no such directory. Files that make no sense are passed
 * over.
 */
typedef int cache_fn(const struct cache_entry *entry, void *arg);
int cache_each(const char *dir, cache_fn *each, void *arg);

/* The same for the text of one file. */
int cache_read(const char *text, size_t len, cache_fn *each, void *arg);

/*
 * The request that a runtime would have made, had `entry` been among the plugins; the caller's. Its
 * strings are borrowed from `cached` and `entry`. False: out of memory, or it makes no sense.
 */
bool cache_request(const struct cache_entry *cached, json_t *entry, struct request *ret_request);

#endif
