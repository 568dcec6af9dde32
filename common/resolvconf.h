/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolv.conf(5): what of it concerns somebody who stands between the applications and their DNS.
 *
 * All valid nameservers are taken, not only the three that glibc uses: musl, c-ares and Go take
 * their own number. Of several `search` (or `domain`) lines the last one counts; `ndots` is the
 * client's affair and not read.
 */
#ifndef MESHDNS_COMMON_RESOLVCONF_H
#define MESHDNS_COMMON_RESOLVCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/addr.h"
#include "common/err.h"

#define RESOLVCONF_PATH "/etc/resolv.conf"
/* Where systemd-resolved(8) writes down whom it asks itself. */
#define RESOLVCONF_RESOLVED_PATH "/run/systemd/resolve/resolv.conf"

#define RESOLVCONF_SERVERS_MAX   16
#define RESOLVCONF_SIZE_MAX      ((size_t)64 * 1024)

struct resolvconf {
	size_t n_servers;                            /* may be 0: that is the caller's to judge */
	struct addr servers[RESOLVCONF_SERVERS_MAX]; /* in the file's order, each once */
	char search[1024];                           /* domains with a blank between, or "" */
	/* `options`; the last word counts, as in glibc, and its bounds. */
	uint32_t timeout_s; /* 1 to 30; 0: not said */
	uint32_t attempts;  /* 1 to 5; 0: not said */
	bool rotate;
};

/*
 * Parses the text of a resolv.conf; lines that make no sense are passed over, as resolvers do. A
 * scope that names no interface here is left out: the file may be another namespace's, and the
 * interface may come yet.
 */
void resolvconf_parse(const char *text, struct resolvconf *ret_conf);

/* Reads and parses a file; fails when it cannot be read. */
int resolvconf_read(const char *path, struct resolvconf *ret_conf, struct err *err);

/* Whether systemd-resolved(8) itself answers there, at its stubs 127.0.0.53 and 127.0.0.54. */
bool resolvconf_is_stub(const struct addr *server);
bool resolvconf_has_stub(const struct resolvconf *conf); /* among its servers */

/*
 * Reads the file `path` for somebody who forwards: where it names systemd-resolved's stub, the
 * servers of `resolved_path` take the stub's place, for systemd-resolved's own queries may come
 * back to the one who asked it. Where that file cannot be read or names none, the stub stays.
 * *ret_source is the one of the two files that has the servers. Fails when `path` cannot be read.
 */
int resolvconf_read_behind_stub(const char *path, const char *resolved_path,
				struct resolvconf *ret_conf, const char **ret_source,
				struct err *err);

#endif
