/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "resolver/forward_parts.h"

static void uncount(struct forward *f, struct txn *txn)
{
	if (txn->is_counted && txn->version == f->version)
		f->busy[txn->group->number]--;
	txn->is_counted = false;
}

/* Counts the question among its group's; false: there are too many. */
static bool count(struct worker *worker, struct txn *txn)
{
	struct forward *f = worker->forward;
	const struct upstream_group *group = txn->group;

	if (!group->max_busy)
		return true;
	if (f->busy[group->number] >= group->max_busy) {
		stats_add(&worker->stats.rejects, 1);
		return false;
	}
	f->busy[group->number]++;
	txn->version = f->version;
	txn->is_counted = true;
	return true;
}

/* Asks the group; NOERROR: it is under way, else it is not and this is to be said of it. */
static enum dns_rcode ask_group(struct worker *worker, struct txn *txn,
				const struct upstream_group *group)
{
	txn->group = group;
	txn->turn = choose_turn(worker->forward, group);
	txn->tcp = group->force_tcp || (txn->asked_tcp && !group->prefer_udp);
	txn->cut = false;
	if (!count(worker, txn))
		return DNS_RCODE_REFUSED;
	if (attempt_next(worker, txn))
		return DNS_RCODE_NOERROR;
	if (txn->n_attempts == 0 && group->failfast)
		stats_add(&worker->stats.all_down, 1);
	return DNS_RCODE_SERVFAIL;
}

void group_leave(struct worker *worker, struct txn *txn)
{
	for (uint8_t i = 0; i < txn->n_attempts; i++) {
		attempt_end(worker, &txn->attempts[i]);
		server_unref(worker, txn->attempts[i].server);
	}
	txn->n_attempts = txn->mismatches = 0;
	uncount(worker->forward, txn);
}

static const struct service_route *find_route(const struct txn *txn,
					      const struct service_route *from)
{
	static const uint8_t root[] = {0};
	const struct query *q = &txn->query;

	return q->qname_len ? service_find_route(txn->block, from, q->qname, q->qname_len)
			    : service_find_route(txn->block, from, root, sizeof(root));
}

bool group_is_next(const struct txn *txn, enum dns_rcode rcode)
{
	if (txn->is_last || rcode > 31)
		return false;
	return (txn->route && txn->route->next & COREFILE_RCODE(rcode) &&
		find_route(txn, txn->route + 1)) ||
	       service_find_alternate(txn->block, rcode);
}

/* What the table says of a name that it lacks, where it is all there is. */
static enum dns_rcode table_lacks(const struct txn *txn)
{
	return txn->query.verbatim ? DNS_RCODE_NOTIMP : DNS_RCODE_NXDOMAIN;
}

enum dns_rcode group_ask_next(struct worker *worker, struct txn *txn, enum dns_rcode rcode)
{
	const struct service_alternate *alternate;

	while (!txn->is_last && txn->route && rcode < 32 &&
	       txn->route->next & COREFILE_RCODE(rcode) &&
	       (txn->route = find_route(txn, txn->route + 1))) {
		group_leave(worker, txn);
		txn->ends_ms = txn->starts_ms + FORWARD_TOTAL_MS;
		rcode = txn->route->group ? ask_group(worker, txn, txn->route->group)
					  : table_lacks(txn);
		if (rcode == DNS_RCODE_NOERROR)
			return rcode;
	}
	if (txn->is_last || !(alternate = service_find_alternate(txn->block, rcode)))
		return rcode;
	group_leave(worker, txn);
	if (alternate->original && txn->waiters && txn->waiters->rewritten &&
	    !txn_ask_original(worker, txn))
		return DNS_RCODE_SERVFAIL;
	txn->is_last = true;
	txn->ends_ms = txn->starts_ms + FORWARD_TOTAL_MS;
	return ask_group(worker, txn, alternate->group);
}

enum dns_rcode group_ask_first(struct worker *worker, struct txn *txn)
{
	enum dns_rcode rcode;

	txn->route = find_route(txn, txn->block->routes);
	txn->starts_ms = worker->now_ms;
	txn->ends_ms = txn->starts_ms + (group_is_next(txn, DNS_RCODE_SERVFAIL) ? FORWARD_FIRST_MS
										: FORWARD_TOTAL_MS);
	if (!txn->route)
		rcode = txn->block->otherwise;
	else if (!txn->route->group)
		rcode = table_lacks(txn);
	else
		rcode = ask_group(worker, txn, txn->route->group);
	return rcode == DNS_RCODE_NOERROR ? rcode : group_ask_next(worker, txn, rcode);
}

/* The plugin that has no other one behind it. */
static const char *last_plugin(const struct corefile_server *server)
{
	const char *last = "", *name;

	for (size_t i = 0; (name = corefile_plugin(server, i)); i++)
		last = name;
	return last;
}

void group_explain(struct worker *worker, const struct txn *txn, enum dns_rcode rcode)
{
	const struct corefile_server *server = txn->block->corefile;
	struct err *err = &worker->chain.err;
	char text[ENDPOINT_TEXT_MAX];

	if (!server || !server->errors)
		return;
	if (txn->n_attempts) {
		const struct attempt *last = &txn->attempts[txn->n_attempts - 1];

		err_set(err, EIO, "read %s %s: %s", txn->tcp ? "tcp" : "udp",
			endpoint_format(&last->server->ep, text),
			last->refused ? "connection refused" : "i/o timeout");
	} else if (rcode == DNS_RCODE_REFUSED && txn->group) {
		err_set(err, EIO, "concurrent queries exceeded maximum %u",
			txn->group->max_concurrent);
	} else if (rcode == DNS_RCODE_SERVFAIL && !txn->group) {
		err_set(err, EIO, "plugin/%s: no next plugin found", last_plugin(server));
	} else if (rcode == DNS_RCODE_SERVFAIL && txn->group->failfast) {
		err_set(err, EIO, "no healthy proxies");
	}
}
