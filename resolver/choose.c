/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward_parts.h"

/* Of an UPDATE without a zone: the root's. NULL: it goes nowhere. */
static const struct route *route_of(const struct forward *f, const struct query *query)
{
	const struct routes *routes = &f->upstreams.routes;

	if (query->qname_len == 0)
		return route_find(routes, (const uint8_t *)"", 1);
	return route_find(routes, query->qname, query->qname_len);
}

uint16_t choose_turn(struct forward *f, const struct query *query)
{
	const struct route *route;

	switch (f->upstreams.policy) {
	case POLICY_SEQUENTIAL: return 0;
	case POLICY_RANDOM: return random_u16(&f->random) & 0x7fff;
	case POLICY_ROUND_ROBIN: break;
	}
	route = route_of(f, query);
	return route ? f->turn[route->group]++ & 0x7fff : 0;
}

/* How often this server has been asked; -1: it can't be asked again. */
static int tries(const struct txn *txn, const struct server *server)
{
	int n = 0;

	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		const struct attempt *a = &txn->attempts[i];

		if (a->server != server)
			continue;
		/* One TCP connection is no more likely to answer when asked twice. */
		if (a->refused || (txn->tcp && attempt_is_open(a)))
			return -1;
		n++;
	}
	return n;
}

struct server *choose_server(struct worker *worker, const struct txn *txn)
{
	struct forward *f = worker->forward;
	const struct upstreams *u = &f->upstreams;
	const struct upstream_group *group;
	const struct route *route = route_of(f, &txn->query);
	struct server *best = NULL;
	int best_rank = 0;

	if (txn->only)
		return txn->n_attempts == 0 ? txn->only : NULL;
	if (!route)
		return NULL;
	group = &u->group[route->group];
	for (uint8_t i = 0; i < group->n; i++) {
		struct server *server = f->server[group->server[(txn->turn + i) % group->n]];
		int n, rank;

		if (!server || atomic_load_explicit(&server->page->is_loop, memory_order_relaxed) ||
		    (n = tries(txn, server)) < 0 || (u->tries && n >= (int)u->tries))
			continue;
		rank = (server->health.state == HEALTH_DOWN) * 256 + n * 2 +
		       (server->health.state == HEALTH_SUSPECT);
		if (!best || rank < best_rank) {
			best = server;
			best_rank = rank;
		}
	}
	return best;
}
