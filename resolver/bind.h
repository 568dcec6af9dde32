/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a Corefile's blocks are served: the addresses that `bind` says, all where it is not there.
 * Interfaces are read once, at the start, while the kernel may still be asked about them.
 */
#ifndef MESHDNS_RESOLVER_BIND_H
#define MESHDNS_RESOLVER_BIND_H

#include <net/if.h>

#include "resolver/corefile/corefile.h"

#define INTERFACES_MAX 512 /* addresses of this host */
#define BIND_MAX       64  /* addresses of a block */

struct interfaces {
	size_t n;
	struct {
		char name[IF_NAMESIZE];
		struct addr addr;
	} list[INTERFACES_MAX];
};

int interfaces_read(struct interfaces *interfaces, struct err *err);

/*
 * The block's addresses into `ret`, each once; -EINVAL for a word that is neither an address nor an
 * interface that has one. Returns how many there are.
 */
int bind_addresses(const struct corefile_server *server, const struct interfaces *interfaces,
		   struct addr ret[BIND_MAX], struct err *err);

/* All blocks' addresses and ports into `list`, each once; -E2BIG when there are more than `max`. */
int bind_endpoints(const struct corefile *corefile, const struct interfaces *interfaces,
		   struct endpoint *list, size_t max, size_t *ret_n, struct err *err);

#endif
