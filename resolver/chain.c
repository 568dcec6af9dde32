/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/chain.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/answer.h"
#include "resolver/corefile/hosts_table.h"
#include "resolver/corefile/rewrite_apply.h"
#include "resolver/corefile/template_answer.h"
#include "resolver/follow.h"

void chain_free(struct chain *chain)
{
	regex_scratch_free(&chain->scratch);
	free(chain->answer);
	free(chain->first);
}

/* Room for an answer, once and for all. */
static bool has_room(struct chain *chain, uint8_t **room)
{
	if (!*room && !(*room = malloc(DNS_MESSAGE_MAX)))
		err_set(&chain->err, ENOMEM, "out of memory");
	return *room;
}

/* The addresses of the target are to come behind what there is. False: that has to do. */
static bool follow(struct chain *chain, struct query *query, uint8_t *packet, size_t target,
		   size_t *len)
{
	if (!has_room(chain, &chain->first) || !has_room(chain, &chain->answer))
		return false;
	memcpy(chain->first, packet, *len);
	chain->first_len = *len;
	chain->edns = query->edns;
	chain->edns.options_len = 0;
	chain->is_followed = follow_ask(query, packet, target, len);
	return chain->is_followed;
}

static struct stats_templates *counters(const struct chain *chain, uint16_t page)
{
	return &stats_sheet(&chain->sheets, page)->tally.templates;
}

static void count(const struct chain *chain, const struct service_place *place,
		  const struct query *query, const struct template_outcome *outcome)
{
	const uint16_t *pages;
	size_t record = 1 + outcome->record;

	if (!chain->sheets.book || !outcome->by)
		return;
	pages = service_template_pages(place, outcome->by, outcome->zone);
	for (unsigned int i = 0; i < outcome->section; i++)
		record += outcome->by->section[i].n;
	template_count(counters(chain, pages[0]),
		       outcome->failure ? counters(chain, pages[record]) : NULL, query, outcome);
}

static enum resolve_action run_templates(struct chain *chain, const struct service_place *place,
					 struct query *query, uint8_t *packet, size_t limit,
					 size_t *ret_len)
{
	const struct block *block = place->block;
	const struct corefile_zones zone = {(struct corefile_zone *)&block->zone, 1};
	const struct template_context context = {block->corefile->templates, &zone, &chain->remote,
						 &chain->scratch};
	struct template_outcome outcome;
	enum template_verdict verdict =
		template_answer(&context, query, packet, limit, ret_len, &outcome, &chain->err);

	count(chain, place, query, &outcome);
	switch (verdict) {
	case TEMPLATE_NONE: return RESOLVE_FORWARD;
	case TEMPLATE_ANSWERED:
		if (outcome.target && follow(chain, query, packet, outcome.target, ret_len))
			return RESOLVE_FORWARD;
		chain->answered_by = STATS_TEMPLATE;
		break;
	case TEMPLATE_SERVFAIL:
		if (!chain->err.msg[0]) /* it was to say so */
			chain->answered_by = STATS_TEMPLATE;
		else
			err_wrap(&chain->err, "%s:%u: template", outcome.by->place.file,
				 outcome.by->place.line);
		*ret_len = answer_error(query, packet, limit, DNS_RCODE_SERVFAIL);
		break;
	}
	return RESOLVE_REPLY;
}

static enum resolve_action look_in_hosts(struct chain *chain, const struct block *block,
					 const struct query *query, uint8_t *packet, size_t limit,
					 size_t *ret_len)
{
	switch (hosts_answer(block->hosts, query, packet, limit, ret_len)) {
	case HOSTS_NONE: return RESOLVE_FORWARD;
	case HOSTS_ANSWERED: chain->answered_by = STATS_HOSTS; break;
	case HOSTS_SERVFAIL:
		chain->answered_by = STATS_HOSTS;
		*ret_len = answer_error(query, packet, limit, DNS_RCODE_SERVFAIL);
		break;
	}
	return RESOLVE_REPLY;
}

/* False: SERVFAIL. */
static bool rewrite(struct chain *chain, const struct block *block, struct query *query,
		    uint8_t *packet, size_t *len, size_t size)
{
	const struct rewrite_context context = {block->corefile->rewrite, &chain->scratch};
	enum rewrite_verdict verdict;

	if (!has_room(chain, &chain->answer))
		return false;
	chain->asked = *query;
	memcpy(chain->question, packet + DNS_HEADER_LEN, query->question_len);
	verdict = rewrite_question(&context, query, packet, len, size, &chain->err);
	query->block = block->number;
	query->page = chain->asked.page;
	chain->is_rewritten = verdict == REWRITE_DONE;
	return verdict != REWRITE_FAILED;
}

enum resolve_action chain_run(struct chain *chain, const struct service_place *place,
			      struct query *query, uint8_t *packet, size_t *len, size_t size,
			      size_t limit)
{
	const struct block *block = place->block;
	const struct corefile_server *c = block->corefile;

	if (c->any && query->qtype == DNS_TYPE_ANY) {
		chain->answered_by = STATS_ANY;
		*len = answer_any(query, packet, limit);
		return RESOLVE_REPLY;
	}
	if (c->rewrite && !rewrite(chain, block, query, packet, len, size)) {
		*len = answer_error(query, packet, limit, DNS_RCODE_SERVFAIL);
		return RESOLVE_REPLY;
	}
	if (c->templates && run_templates(chain, place, query, packet, limit, len) == RESOLVE_REPLY)
		return RESOLVE_REPLY;
	return block->hosts ? look_in_hosts(chain, block, query, packet, limit, len)
			    : RESOLVE_FORWARD;
}

static size_t rewrite_back(struct chain *chain, const struct block *block, uint8_t *packet,
			   size_t len, uint8_t *room, size_t limit)
{
	const struct rewrite_context context = {block->corefile->rewrite, &chain->scratch};

	len = rewrite_answer(&context, &chain->asked, chain->question, packet, len, room, limit,
			     &chain->err);
	memcpy(packet, room, len);
	if (len)
		return len;
	memcpy(packet + DNS_HEADER_LEN, chain->question, chain->asked.question_len);
	return answer_error(&chain->asked, packet, limit, DNS_RCODE_SERVFAIL);
}

size_t chain_restore(struct chain *chain, const struct block *block, uint8_t *packet, size_t len,
		     size_t limit)
{
	uint8_t *room = chain->answer;

	if (!room) /* it was made when the question changed */
		return len;
	if (chain->is_followed) {
		size_t whole = follow_append(chain->first, chain->first_len, packet, len,
					     &chain->edns, room, limit);

		len = whole ? whole : chain->first_len;
		memcpy(packet, whole ? room : chain->first, len);
	}
	return chain->is_rewritten ? rewrite_back(chain, block, packet, len, room, limit) : len;
}
