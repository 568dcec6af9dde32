/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any message through the plugins of a Corefile that make or change answers. What comes out is a
 * message within its limit, about what was asked, and whole to its last octet.
 */
#include <stdlib.h>

#include "resolver/corefile/hosts_table.h"
#include "resolver/corefile/template_answer.h"
#include "tests/fuzz/fuzz.h"

static const char text[] =
	".:53 {\n"
	"template IN A {\n match ^ip-(?P<a>[0-9]+)[.] ^([^.]*)[.]x[.] \n"
	" answer \"{{ .Name }} 60 A 10.0.0.{{ parseInt .Group.a 10 8 }}\"\n fallthrough\n}\n"
	"template ANY TXT {\n match (.*)[.](.*)[.]$\n ederror 15 blocked\n"
	" answer \"{{ .Name }} TXT {{ index .Group `1` }}{{ index .Match 2 }}{{ .Question.Name "
	"}}\"\n"
	" answer \"{{ .Name }} TXT {{ printf `%q` .Name }}\"\n"
	" authority \"{{ .Zone }} SOA ns.{{ .Zone }} . 1 1 1 1 1\"\n fallthrough\n}\n"
	"template ANY ANY {\n rcode NXDOMAIN\n additional \"{{ .Name }} CNAME {{ .Name }}\"\n}\n"
	"hosts /nowhere {\n 10.0.0.1 a.example *.b.example\n 10.0.0.2 a.example\n ::1 a.example\n"
	" fallthrough a.example\n}\n"
	"}\n";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_message(const struct query *query, const uint8_t *asked, uint8_t *message,
			  size_t len, size_t limit)
{
	struct wire w = wire_over(message, len);
	struct wire_header h;
	struct wire_rr rr;
	const uint8_t *question;

	must(len <= limit);
	wire_get_header(&w, &h);
	question = wire_take(&w, query->question_len);
	must(h.id == query->id && h.flags & DNS_FLAG_QR && h.qdcount == 1 && question);
	must(!memcmp(question, asked + DNS_HEADER_LEN, query->question_len));
	for (int n = h.ancount + h.nscount + h.arcount; n > 0; n--)
		must(wire_get_rr(&w, &rr));
	must(wire_left(&w) == 0);
}

static void run_templates(const struct corefile *corefile, const struct query *query,
			  const uint8_t *asked, uint8_t *packet)
{
	static const struct addr remote = {.family = AF_INET6};
	static struct regex_scratch scratch;
	const struct corefile_zones zones = {&corefile->servers->keys[0].zone, 1};
	const struct template_context context = {corefile->servers->templates, &zones, &remote,
						 &scratch};
	size_t limit = query_udp_limit(query), len = 0;
	struct template_outcome outcome;
	struct err err = {0};

	switch (template_answer(&context, query, packet, limit, &len, &outcome, &err)) {
	case TEMPLATE_ANSWERED: check_message(query, asked, packet, len, limit); break;
	case TEMPLATE_SERVFAIL: must(outcome.by || !*err.msg); break;
	case TEMPLATE_NONE: abort(); /* the last takes everything */
	}
}

static void run_hosts(const struct corefile *corefile, const struct query *query,
		      const uint8_t *asked, uint8_t *packet)
{
	static struct hosts_table *table;
	static struct corefile_zones zones;
	size_t len = 0;

	if (!table) {
		zones = (struct corefile_zones){&corefile->servers->keys[0].zone, 1};
		must(hosts_load(corefile->servers->hosts, &zones, false, &table, NULL) == 0);
	}
	if (hosts_answer(table, query, packet, DNS_UDP_MIN_SIZE, &len) == HOSTS_ANSWERED)
		check_message(query, asked, packet, len, DNS_UDP_MIN_SIZE);
	else
		must(query->qtype != DNS_TYPE_A || query->qname_len != 11 ||
		     memcmp(query->qname, "\1a\7example", 11) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct corefile *corefile;
	enum query_verdict verdict;
	struct query query;
	uint8_t *packet;

	if (!corefile)
		must(corefile_read_text("Corefile", text, sizeof(text) - 1, 53, &corefile, NULL) ==
		     0);
	if (size > EDNS_UDP_LIMIT)
		return 0;
	packet = malloc(EDNS_UDP_LIMIT);
	must(packet);
	memcpy(packet, data, size);
	verdict = query_parse(packet, size, &query);
	if (verdict == QUERY_OURS || (verdict == QUERY_REFUSED && query.question_len)) {
		run_hosts(corefile, &query, data, packet);
		memcpy(packet, data, size);
		run_templates(corefile, &query, data, packet);
	}
	free(packet);
	return 0;
}
