/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of network configurations (/etc/cni/net.d), as a runtime reads it: by name, the
 * first that is valid counts. A list of plugins is *.conflist; one plugin alone is *.conf or
 * *.json.
 *
 * The plugin can be in such a list in two ways: inserted into the file, or, for runtimes with
 * libcni 1.3 or later, as a file of its own in a folder that is called as the network is.
 */
#ifndef MESHDNS_CNI_NETD_H
#define MESHDNS_CNI_NETD_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "common/err.h"

#define NETD_DIR     "/etc/cni/net.d"
#define NETD_PLUGIN  "meshdns-cni"
#define NETD_DROP_IN "90-meshdns.conf" /* in the folder of the network */

struct netd_file {
	char name[NAME_MAX + 1];
	bool is_list;
	json_t *json;      /* NULL: not valid */
	char why_not[128]; /* it is not valid */
};

struct netd {
	size_t n;
	struct netd_file *files; /* by name */
	size_t chosen;           /* == n: none is valid */
};

void netd_free(struct netd *netd);

#define cleanup_netd __attribute__((cleanup(netd_free)))

/* Reads all of `dir`; `name` is the file to choose, NULL the first that is valid. */
int netd_read(const char *dir, const char *name, struct netd *ret_netd, struct err *err);

/* What the network is called; of a valid file. */
const char *netd_network(const struct netd_file *file);

/* Our entry, borrowed: the first in the list; NULL: there is none. */
json_t *netd_find_entry(const json_t *list);

/*
 * New lists, the caller's; NULL: out of memory. With the entry as the last of its plugins, and ours
 * nowhere else; without it; of one plugin alone.
 */
json_t *netd_with_entry(const json_t *list, json_t *entry);
json_t *netd_without_entry(const json_t *list);
json_t *netd_wrap(const json_t *single);

/* The entry that is in effect for this network, inserted or dropped in; the caller's; NULL: none.
 */
json_t *netd_entry_in_effect(const char *dir, const struct netd_file *file);

/* The path of the file that is dropped in. */
void netd_drop_in_path(const char *dir, const char *network, char ret_path[PATH_MAX]);

/* The list names programs only of its own: nothing can be dropped in. */
bool netd_takes_drop_ins(const struct netd_file *file);

#endif
