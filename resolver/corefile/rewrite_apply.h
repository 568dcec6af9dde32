/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the `rewrite` rules of a block do to a question and to its answer, as CoreDNS' plugin of
 * that name does. Pure: bytes in, bytes out.
 *
 * The rules are tried in the file's order, each on the question as those before have left it; the
 * first `stop` rule that applies is the last. Names are compared and changed as text, lower-cased
 * and with the final dot.
 *
 * Nothing need be kept between question and answer but the client's own question: the answer is
 * changed by finding again which rules applied to it. That answer is the client's again, with its
 * question in its case, and in the records
 *   - where the rule is exact or has `answer auto`: the new name, and what lies below it, is the
 *     old one again (with suffix, any name that ends in TO ends in FROM);
 *   - `answer name` changes owners, `answer value` what CNAME, DNAME, MX, NAPTR, NS, PTR, SOA and
 *     SRV say;
 *   - `ttl` keeps TTLs within bounds, `rcode` makes one rcode another.
 * The last rule is undone first.
 */
#ifndef MESHDNS_COREFILE_REWRITE_APPLY_H
#define MESHDNS_COREFILE_REWRITE_APPLY_H

#include "resolver/corefile/corefile.h"
#include "resolver/query.h"

#define REWRITE_STEPS_MAX 32 /* rules that apply to one question */

struct rewrite_context {
	const struct corefile_rewrite *rules; /* of the server block */
	struct regex_scratch *scratch;
};

enum rewrite_verdict {
	REWRITE_NONE,   /* no rule applies: packet and query are untouched, and so is the answer */
	REWRITE_DONE,   /* the question may be another now; rewrite_answer() for its answer */
	REWRITE_FAILED, /* SERVFAIL is the answer; `err` says why. All is untouched. */
};

/*
 * Changes the query in `packet` of *len octets, which may grow to `size`; of what is behind the
 * question only the OPT stays. The query is as query_parse() would have it. Not for verbatim ones.
 */
enum rewrite_verdict rewrite_question(const struct rewrite_context *context, struct query *query,
				      uint8_t *packet, size_t *len, size_t size, struct err *err);

/*
 * Writes the client's answer into `out` (up to `limit`, at least 512: whole records as far as they
 * fit, and TC), made of the answer to the changed question. `asked` is the client's query as it was
 * before, `question` its question_len octets. Returns the length; 0 and `err`: the answer is not
 * whole, or a name of it cannot be changed.
 */
size_t rewrite_answer(const struct rewrite_context *context, const struct query *asked,
		      const uint8_t *question, uint8_t *reply, size_t len, uint8_t *out,
		      size_t limit, struct err *err);

#endif
