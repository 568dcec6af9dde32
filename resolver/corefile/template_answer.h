/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the `template` directives of a block make of a question, as CoreDNS' plugin of that name
 * does. Pure: bytes in, bytes out.
 *
 * The templates are tried in the file's order. One whose zones, class or type are others' is passed
 * over; one whose expressions do not match ends it with SERVFAIL unless it falls through. The first
 * that is left answers: AA, its rcode and its records; one of the rcode SERVFAIL with nothing else.
 *
 * A template sees .Zone, .Name (lower-cased, with the final dot), .Class, .Type, .Match and .Group
 * (by number and by name), .Regex, .Remote, .Question (.Name as it was asked, .Qtype, .Qclass),
 * .Message (the header's .Id, .Opcode, .RecursionDesired, ... and .Question, a list) and .Meta,
 * which is empty.
 *
 * A query takes at most one match of each expression and one run of each record's template, each of
 * them limited; nothing is allocated but for regex_scratch.
 */
#ifndef MESHDNS_COREFILE_TEMPLATE_ANSWER_H
#define MESHDNS_COREFILE_TEMPLATE_ANSWER_H

#include "resolver/corefile/corefile.h"
#include "resolver/query.h"
#include "resolver/stats.h"

#define TEMPLATE_TEXT_MAX 4096 /* of a record, rendered */

struct template_context {
	const struct corefile_template *templates; /* of the server block */
	const struct corefile_zones *zones;        /* the block's: of templates that name none */
	const struct addr *remote;                 /* the client's */
	struct regex_scratch *scratch;
};

enum template_verdict {
	TEMPLATE_NONE, /* not for any of them: the next plugin is asked; the packet is untouched */
	TEMPLATE_ANSWERED, /* the packet is the answer now */
	/*
	 * SERVFAIL is the answer. Header and question are untouched, what was behind them may be
	 * overwritten. `err` says why unless the Corefile wants it so.
	 */
	TEMPLATE_SERVFAIL,
};

enum template_failure {
	TEMPLATE_NOT_FAILED,
	TEMPLATE_NOT_RENDERED, /* its template could not be run */
	TEMPLATE_NO_RECORD,    /* what that gave is none */
};

/* What became of it, and what is left to do. */
struct template_outcome {
	const struct corefile_template *by; /* which one matched; NULL: none */
	const struct corefile_zone *zone;   /* in which of its zones */
	enum template_failure failure;
	enum template_section section; /* of the failure */
	size_t record;
	/*
	 * Where in the packet the target of a CNAME lies, uncompressed, that the answer ends with
	 * when addresses were asked for; 0: it does not. CoreDNS asks its whole chain for the
	 * addresses of the target and appends the answer.
	 */
	size_t target;
};

/* `limit` is as in answer.h, and *ret_len valid after TEMPLATE_ANSWERED. */
enum template_verdict template_answer(const struct template_context *context,
				      const struct query *query, uint8_t *packet, size_t limit,
				      size_t *ret_len, struct template_outcome *ret_outcome,
				      struct err *err);

/* Counts the outcome of one that matched; `record` is where failures of its record are counted. */
void template_count(struct stats_templates *stats, struct stats_templates *record,
		    const struct query *query, const struct template_outcome *outcome);

#endif
