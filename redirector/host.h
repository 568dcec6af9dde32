/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What policy must know of the machine. Read once, here and nowhere else; tests write the struct by
 * hand.
 */
#ifndef MESHDNS_REDIRECTOR_HOST_H
#define MESHDNS_REDIRECTOR_HOST_H

#include <limits.h>

#include "common/err.h"
#include "common/resolvconf.h"
#include "common/user.h"
#include "redirector/settings.h"

struct host {
	struct user proxy_user;
	char resolv_conf[PATH_MAX]; /* "" when its nameservers do not matter */
	/*
	 * Where programs send their queries, as the packets will say it: no scope, no v4-mapped
	 * IPv6, loopback for the unspecified address. Each once.
	 */
	size_t n_nameservers;
	struct addr nameservers[RESOLVCONF_SERVERS_MAX];
	bool nameservers_assumed; /* the file names none: programs then ask their own machine */
	/*
	 * Some were left out, being link-local: a query that is redirected from there reaches the
	 * resolver with a source address that it cannot send to, or none of its own interfaces.
	 */
	bool link_local_left_out;
};

/*
 * Reads the facts that `settings` make necessary, and warns of the doubtful ones. Errors name what
 * is wrong and what to do: -ENOENT (no such user or file), -EACCES, ...
 */
int host_read(const struct settings *settings, struct host *ret_host, struct err *err);

/* Fills in what concerns nameservers. */
void host_set_nameservers(struct host *host, const struct resolvconf *conf);

#endif
