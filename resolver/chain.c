/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/chain.h"

#include "resolver/answer.h"
#include "resolver/corefile/template_answer.h"

void chain_free(struct chain *chain)
{
	regex_scratch_free(&chain->scratch);
}

static enum resolve_action run_templates(struct chain *chain, const struct block *block,
					 const struct query *query, uint8_t *packet, size_t limit,
					 size_t *ret_len)
{
	const struct corefile_zones zone = {(struct corefile_zone *)&block->zone, 1};
	const struct template_context context = {block->corefile->templates, &zone, &chain->remote,
						 &chain->scratch};
	struct template_outcome outcome;

	switch (template_answer(&context, query, packet, limit, ret_len, &outcome, &chain->err)) {
	case TEMPLATE_NONE: return RESOLVE_FORWARD;
	case TEMPLATE_ANSWERED: break;
	case TEMPLATE_SERVFAIL:
		if (chain->err.msg[0])
			err_wrap(&chain->err, "%s:%u: template", outcome.by->place.file,
				 outcome.by->place.line);
		*ret_len = answer_error(query, packet, limit, DNS_RCODE_SERVFAIL);
		break;
	}
	return RESOLVE_REPLY;
}

enum resolve_action chain_run(struct chain *chain, const struct block *block, struct query *query,
			      uint8_t *packet, size_t limit, size_t *ret_len)
{
	const struct corefile_server *c = block->corefile;

	chain->err = (struct err){0};
	if (c->any && query->qtype == DNS_TYPE_ANY) {
		*ret_len = answer_any(query, packet, limit);
		return RESOLVE_REPLY;
	}
	if (c->templates)
		return run_templates(chain, block, query, packet, limit, ret_len);
	return RESOLVE_FORWARD;
}
