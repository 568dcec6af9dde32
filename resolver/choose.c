/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/forward_parts.h"

uint16_t choose_turn(struct forward *f, const struct upstream_group *group)
{
	switch (group->policy) {
	case POLICY_SEQUENTIAL: break;
	case POLICY_RANDOM: return random_u16(&f->random) & 0x7fff;
	case POLICY_ROUND_ROBIN: return f->turn[group->number]++ & 0x7fff;
	}
	return 0;
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
		if (a->refused || (txn_uses_conn(txn, server) && attempt_is_open(a)))
			return -1;
		n++;
	}
	return n;
}

struct server *choose_server(struct worker *worker, const struct txn *txn)
{
	const struct upstream_group *group = txn->group;
	struct server *best = NULL;
	int best_rank = 0;

	if (txn->only)
		return txn->n_attempts == 0 ? txn->only : NULL;
	for (uint8_t i = 0; i < group->n; i++) {
		struct server *server =
			worker->forward->server[group->page[(txn->turn + i) % group->n]];
		bool is_down;
		int n, rank;

		if (!server || atomic_load_explicit(&server->page->is_loop, memory_order_relaxed) ||
		    (n = tries(txn, server)) < 0 || (group->tries && n >= (int)group->tries))
			continue;
		is_down = server->health.state == HEALTH_DOWN;
		if (is_down && group->failfast)
			continue;
		rank = is_down * 256 + n * 2 + (server->health.state == HEALTH_SUSPECT);
		if (!best || rank < best_rank) {
			best = server;
			best_rank = rank;
		}
	}
	return best;
}
