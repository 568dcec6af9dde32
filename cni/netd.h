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
	char *text; /* what is in it */
	size_t len;
	json_t *json;      /* the same, of netd_parse(); NULL: not valid */
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

/* As a runtime parses it, to which all numbers are reals. NULL: `error`, which may be NULL, why. */
json_t *netd_parse(const char *text, size_t len, json_error_t *error);

/* Which of a list's plugins are ours, and how many. */
bool netd_is_ours(const json_t *plugin);
size_t netd_count_entries(const json_t *list);

/*
 * The text of a list with `entry` as the last of its plugins, and ours nowhere else; NULL: without
 * it. All else stays as it is, to the byte. Of one plugin alone, the text of a list with it and
 * `entry`. The caller frees *ret_text.
 */
int netd_edit(const struct netd_file *list, const json_t *entry, char **ret_text, struct err *err);
int netd_wrap(const struct netd_file *single, const json_t *entry, char **ret_text,
	      struct err *err);

/* The entry that is in effect for this network, inserted or dropped in; the caller's; NULL: none.
 */
json_t *netd_entry_in_effect(const char *dir, const struct netd_file *file);

/* The path of the file that is dropped in. */
void netd_drop_in_path(const char *dir, const char *network, char ret_path[PATH_MAX]);

/* The list names programs only of its own: nothing can be dropped in. */
bool netd_takes_drop_ins(const struct netd_file *file);

#endif
