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
#include "redirector/owner.h"
#include "redirector/settings.h"

#define HOST_NAMESERVERS_MAX (2 * RESOLVCONF_SERVERS_MAX) /* of both files */

struct host {
	struct owners owners;       /* whose packets are left alone */
	char resolv_conf[PATH_MAX]; /* "" when its nameservers do not matter */
	/*
	 * That one names systemd-resolved's stub, and no path was asked for: the file with the
	 * servers that systemd-resolved asks itself, on behalf of programs that ask it by other
	 * ways than DNS. "" otherwise, and where it names none.
	 */
	char resolved_conf[PATH_MAX];
	/*
	 * Where programs send their queries, as the packets will say it: no scope, no v4-mapped
	 * IPv6, loopback for the unspecified address. Each once.
	 */
	size_t n_nameservers;
	struct addr nameservers[HOST_NAMESERVERS_MAX]; /* the stub's after those of resolv.conf */
	bool stub_alone;          /* the stub is named, and whom it asks is not known */
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

/*
 * Fills in what concerns nameservers; `behind_stub`: those that systemd-resolved asks, or NULL. For
 * whoever knows a host's facts without reading this machine's, as the CNI plugin knows a pod's:
 * nameservers and the proxy user are all that policy must know.
 */
void host_set_nameservers(struct host *host, const struct resolvconf *conf,
			  const struct resolvconf *behind_stub);

#endif
