/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message to `rewrite`: a question is one still, with its OPT; a response is made the answer to
 * a fixed question, whole to its last octet and within the limit.
 */
#include <stdlib.h>

#include "resolver/corefile/rewrite_apply.h"
#include "tests/fuzz/fuzz.h"

static const char text[] =
	".:53 {\n"
	"rewrite continue class CH IN\n"
	"rewrite continue type ANY A\n"
	"rewrite continue rcode suffix . NXDOMAIN NOERROR\n"
	"rewrite continue ttl regex .* 30-300\n"
	"rewrite continue name a.org b.example\n"
	"rewrite continue name prefix xn- xn-.longer- answer auto\n"
	"rewrite continue name suffix .example .long.example answer auto\n"
	"rewrite continue name substring . .-.\n"
	"rewrite name regex ^(.*)-(.*)[.]$ {2}.{1} answer name (.*)[.]-[.](.*) {1}x{2} "
	"value (.*)e(.*) {2}{1}\n"
	"}\n";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_question(const struct rewrite_context *context, const uint8_t *data, size_t size,
			   struct query *query)
{
	struct query before = *query, again;
	size_t room = size + 300, len = size;
	uint8_t *packet = malloc(room);
	struct err err = {0};

	must(packet);
	memcpy(packet, data, size);
	must(query_parse(packet, size, query) != QUERY_FORMERR);
	switch (rewrite_question(context, query, packet, &len, room, &err)) {
	case REWRITE_NONE: abort(); /* the ttl rule always applies */
	case REWRITE_FAILED: must(*err.msg && len == size && !memcmp(packet, data, size)); break;
	case REWRITE_DONE:
		must(len <= room && query_parse(packet, len, &again) != QUERY_FORMERR);
		must(again.qname_len == query->qname_len && again.qtype == query->qtype);
		must(!memcmp(again.qname, query->qname, again.qname_len));
		must(again.qclass == query->qclass && again.id == before.id);
		must(again.edns.present == before.edns.present);
		must(again.edns.options_len == before.edns.options_len);
		must(again.edns.options == query->edns.options);
	}
	free(packet);
}

static void check_answer(const struct rewrite_context *context, const uint8_t *data, size_t size)
{
	/* The literal's own NUL would be one octet too many. */
	static const uint8_t asked[35] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
					 "\4xN-a\7eXample\4text\0\0\1\0\1";
	uint8_t *reply = malloc(size + 1), *out = malloc(DNS_UDP_MIN_SIZE);
	struct wire w = wire_over(out, DNS_UDP_MIN_SIZE);
	struct err err = {0};
	struct wire_header h;
	struct wire_rr rr;
	struct query query;
	size_t len;

	must(reply && out);
	memcpy(reply, data, size);
	must(query_parse((uint8_t *)asked, sizeof(asked), &query) == QUERY_OURS);
	len = rewrite_answer(context, &query, asked + DNS_HEADER_LEN, reply, size, out,
			     DNS_UDP_MIN_SIZE, &err);
	must(len <= DNS_UDP_MIN_SIZE && (len || *err.msg));
	if (len) {
		w.size = len;
		wire_get_header(&w, &h);
		must(h.qdcount == 1);
		must(!memcmp(wire_take(&w, query.question_len), asked + DNS_HEADER_LEN,
			     query.question_len));
		for (int n = h.ancount + h.nscount + h.arcount; n > 0; n--) {
			uint8_t name[DNS_NAME_MAX];
			struct wire owner = w;

			must(wire_follow_name(&owner, name) && wire_get_rr(&w, &rr));
		}
		must(wire_left(&w) == 0);
	}
	free(reply);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct corefile *corefile;
	static struct regex_scratch scratch;
	struct rewrite_context context = {.scratch = &scratch};
	struct query query;
	uint8_t *packet;
	enum query_verdict verdict;

	if (!corefile)
		must(corefile_read_text("Corefile", text, sizeof(text) - 1, 53, &corefile, NULL) ==
		     0);
	context.rules = corefile->servers->rewrite;
	packet = malloc(size + 1);
	must(packet);
	memcpy(packet, data, size);
	verdict = query_parse(packet, size, &query);
	if ((verdict == QUERY_OURS || verdict == QUERY_CHAOS || verdict == QUERY_REFUSED) &&
	    query.question_len && !query.verbatim)
		check_question(&context, data, size, &query);
	else if (verdict == QUERY_DROP)
		check_answer(&context, data, size);
	free(packet);
	return 0;
}
