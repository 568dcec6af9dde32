/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is served: at each address which blocks, and of each block where the names of its zone come
 * from: the table, and groups of servers. Flags and a Corefile both become one of these
 * (service_make.h); whoever answers does not know which it was.
 *
 * Built by the control thread and never changed then; a new one is published (publish.h). One that
 * was replaced stays for SERVICE_GRACE_MS, until every question that was begun by it is over: so
 * long its blocks, routes and groups may be held.
 *
 * The functions are pure. Names are in lower-cased wire form; that of an UPDATE without a zone is
 * empty and counts as the root.
 */
#ifndef MESHDNS_RESOLVER_SERVICE_H
#define MESHDNS_RESOLVER_SERVICE_H

#include "resolver/corefile/corefile.h"
#include "resolver/keep.h"
#include "resolver/resolve.h"
#include "resolver/tls.h"
#include "resolver/upstreams.h"

#define SERVICE_GRACE_MS  15000 /* more than two times FORWARD_TOTAL_MS */
#define SERVICE_MAX_BYTES ((size_t)16 << 20)

/* Where questions for the names below `from` go, but for those below one of `except`. */
struct service_route {
	struct corefile_zone from;
	struct corefile_zones except;
	/* NULL: the table has all that there is, and what it lacks does not exist. */
	const struct upstream_group *group;
	uint32_t next; /* COREFILE_RCODE()s with which a question goes on to the next route */
};

/* Who is asked after an answer with one of these rcodes. */
struct service_alternate {
	uint32_t rcodes; /* COREFILE_RCODE()s */
	bool original;   /* ask as the client did, whatever `rewrite` made of it */
	const struct upstream_group *group;
};

struct hosts_table;

struct block {
	struct corefile_zone zone;
	uint16_t number;                        /* in the service */
	const struct corefile_server *corefile; /* NULL: flags */
	const struct corefile_zones *keys;      /* of the Corefile's block, `zone` is one of them */
	/*
	 * The table is asked before the routes. TABLE_SOME: but only about the names below one of
	 * these zones, if there are any, and not about those that the first `n_ahead` routes take.
	 */
	enum { TABLE_NONE, TABLE_ALL, TABLE_SOME } table;
	struct corefile_zones table_zones;
	size_t n_ahead;
	/* Of the table: what is not in it and below one of these does not exist. NULL: none. */
	const struct resolve_domains *authoritative;
	/*
	 * What clients append to a name until an answer comes. A mesh name with one of these behind
	 * it is answered at once, by a CNAME to the mesh name. NULL: none.
	 */
	const struct resolve_domains *search;
	bool has_cache;
	struct keep_bounds keep;         /* of what is in it */
	const struct hosts_table *hosts; /* the service's; NULL: none */
	bool has_steps;                  /* chain.h */
	bool rotates;                    /* the addresses in answers of others take turns */
	uint16_t udp_max;                /* octets of an answer over UDP; 0: not said */
	struct service_route *routes;    /* in the order in which they are tried */
	size_t n_routes;
	struct service_alternate *alternates; /* likewise */
	size_t n_alternates;
	enum dns_rcode otherwise; /* what it says when no route takes the name */
};

/* A server, whichever groups it is in. */
struct service_server {
	uint16_t page;         /* in the book */
	const struct tls *tls; /* NULL: plain DNS */
	bool force_tcp;
	uint32_t max_fails; /* beyond it in a row it is down; or HEALTH_NEVER_DOWN */
	uint32_t expire_ms; /* of an idle connection */
	/* How it is probed while it does not answer. */
	uint32_t probe_ms;
	bool probe_no_rd;
	struct corefile_zone probe_name;
};

/* A block at one of the addresses where it is served, and the pages of the book (stats_book.h). */
struct service_place {
	const struct block *block;
	uint16_t page;                  /* for its questions */
	const uint16_t *template_pages; /* see service_template_pages() */
};

/* What is answered by a worker's listener. */
struct service_listen {
	const struct service_place *places; /* the longest zone first */
	size_t n_places;
	uint16_t dropped; /* the page for questions that are no block's */
	bool is_root;     /* there is but one block, for all names */
	bool has_steps;   /* one of them has */
};

struct service {
	struct arena arena;
	uint32_t version;              /* above 0, another one for each */
	struct service_listen *listen; /* by the number of the worker's listener */
	size_t n_listen;
	struct block **blocks;
	size_t n_blocks;
	struct service_server *servers; /* of all groups; each is there once */
	size_t n_servers, n_groups;
	struct hosts_table **hosts; /* owned; one for each block of the Corefile that has it */
	size_t n_hosts;
};

/* Whether the name is the zone's or below it. */
bool service_holds(const struct corefile_zone *zone, const uint8_t *name, size_t len);

/* That of the longest zone that holds the name; NULL: nothing is served of it here. */
const struct service_place *service_find_place(const struct service_listen *listen,
					       const uint8_t *name, size_t len, uint16_t qtype);

/*
 * The pages for what a template of the block's does with names of one of its zones: the first for
 * all of it, then one for each of its records, in the order of the sections.
 */
const uint16_t *service_template_pages(const struct service_place *place,
				       const struct corefile_template *template,
				       const struct corefile_zone *zone);

/* How many pages that are, for all of a template's zones. */
size_t service_count_pages(const struct corefile_template *template);

/* The first route from `from` on that takes the name; NULL: none does. */
const struct service_route *service_find_route(const struct block *block,
					       const struct service_route *from,
					       const uint8_t *name, size_t len);

/* Whether the table is asked about the name. */
bool service_asks_table(const struct block *block, const uint8_t *name, size_t len);

/* Of a block with a cache: whether the name's answers are for it, and how long they are kept. */
bool service_caches(const struct block *block, const uint8_t *name, size_t len);
struct keep_bounds service_keep_bounds(const struct block *block, const uint8_t *name, size_t len);

/* NULL: an answer with this rcode stands. */
const struct service_alternate *service_find_alternate(const struct block *block,
						       enum dns_rcode rcode);

/* Whether an alternate asks as the client did. */
bool service_may_ask_original(const struct block *block);

void service_free(struct service *service);

#endif
