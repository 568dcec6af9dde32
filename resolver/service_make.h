/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a service is made: out of flags (service_flags.c) or of a Corefile (service_corefile.c),
 * which both put it together by what is here. The control thread's.
 */
#ifndef MESHDNS_RESOLVER_SERVICE_MAKE_H
#define MESHDNS_RESOLVER_SERVICE_MAKE_H

#include "resolver/service_source.h"

/* NULL when out of memory. It has `n_listen` listeners that serve nothing yet. */
struct service *service_new(size_t n_blocks, size_t n_listen);

/* A block without routes, the next of those that service_new() made room for. */
struct block *service_add_block(struct service *service, const struct corefile_zone *zone);

/* A block is served at the listener. -ENOMEM. */
int service_add_place(struct service *service, size_t listener, const struct service_place *place,
		      struct err *err);

/*
 * The pages for a block of a Corefile at one of its addresses, and for what comes in there and is
 * no block's; the one page that there is with flags, by the first address. -ENOMEM.
 */
int service_find_pages(struct service_source *source, struct service *service,
		       const struct endpoint *ep, struct service_place *place,
		       uint16_t *ret_dropped, struct err *err);
uint16_t service_flags_page(struct service_source *source, const struct endpoint *ep);

/* A group without servers; NULL, and `err`, when there are too many. */
struct upstream_group *service_add_group(struct service *service, struct err *err);

/* A server into the group, one that is not this resolver itself; -ELOOP if it is. */
int service_add_server(struct service_source *source, struct service *service,
		       struct upstream_group *group, const struct endpoint *ep,
		       const struct service_server *how, struct err *err);

/*
 * The nameservers of a resolv.conf into the group, and what its options say; of the machine's own
 * those behind systemd-resolved's stub. This resolver itself is left out; none may be left.
 */
int service_add_file(struct service_source *source, struct service *service,
		     struct upstream_group *group, const char *path,
		     const struct service_server *how, bool *ret_rotate, struct err *err);

/* Of settings or a file: it names systemd-resolved's stub, which may not end well. */
void service_warn_of_stub(const char *source);

/* *ret is NULL where it is plain DNS. */
int service_flag_tls(const struct settings *settings, const struct settings_forward *forward,
		     const struct tls **ret, struct err *err);
int service_target_tls(const struct corefile_forward *forward, const struct corefile_target *target,
		       const struct tls **ret, struct err *err);

extern const struct service_server service_server_usual;

int service_from_flags(struct service_source *source, struct service **ret, struct err *err);
int service_from_corefile(struct service_source *source, const struct corefile *corefile,
			  struct service **ret, struct err *err);

#endif
