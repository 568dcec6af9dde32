/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/answer.h"
#include "resolver/service.h"
#include "tests/unit/resolver/packets.h"

/* A question, what became of it, and the answer taken apart. */
struct run {
	enum resolve_action action;
	struct message m;
	struct query q;
	size_t len;
	struct wire_header h;
	uint16_t rcode; /* with the OPT's upper bits */
	struct wire_rr rr[256];
	struct wire_rr *opt;
};

static struct names_snapshot *names;
static struct resolve_context context;
static struct block block, corp;
static const struct service_place places[] = {{.block = &block}, {.block = &corp, .page = 7}};
static struct service_listen listening;

static void setup(void)
{
	struct table *b = table_new();
	char address[32];

	table_add(b, "redis.mesh", "240.0.0.100", 60);
	table_add(b, "redis.mesh", "240.0.0.101", 60);
	table_add(b, "redis.mesh", "240.0.0.102", 60);
	table_add(b, "redis.mesh", "fd00:fd00::64", 60);
	table_add(b, "only4.mesh", "240.0.0.4", 17);
	table_add(b, "www.example.com", "240.0.0.5", 60);
	for (int i = 1; i <= 60; i++) {
		snprintf(address, sizeof(address), "240.0.1.%d", i);
		table_add(b, "big.mesh", address, 60);
	}
	names = table_build(b);
	block = (struct block){.zone.len = 1, .table = TABLE_ALL};
	listening = (struct service_listen){.places = places, .n_places = 1, .is_root = true};
	context = (struct resolve_context){.listen = &listening,
					   .names = names,
					   .version = "meshdns test",
					   .server_id = "host-1"};
}

static void teardown(void)
{
	names_free(names);
}

TestSuite(resolve, .init = setup, .fini = teardown);

static void run_message(struct run *r, enum resolve_transport transport)
{
	static uint8_t buffer[RESOLVE_TCP_BUFFER];
	struct wire w;

	cr_assert_not(r->m.w.failed);
	memcpy(buffer, r->m.bytes, r->m.w.pos);
	r->len = r->m.w.pos;
	r->opt = NULL;
	r->action = resolve_message(&context, buffer, r->len, transport, &r->q, &r->len);
	if (r->action != RESOLVE_REPLY)
		return;
	w = wire_over(buffer, r->len);
	wire_get_header(&w, &r->h);
	r->rcode = r->h.flags & DNS_RCODE_MASK;
	if (r->h.qdcount) {
		cr_expect_arr_eq(buffer + 12, r->m.bytes + 12, r->q.question_len,
				 "the question as it was asked");
		wire_take(&w, r->q.question_len);
	}
	for (int i = 0; i < r->h.ancount + r->h.nscount + r->h.arcount; i++) {
		cr_assert(wire_get_rr(&w, &r->rr[i]));
		if (r->rr[i].type == DNS_TYPE_OPT) {
			r->opt = &r->rr[i];
			r->rcode |= (uint16_t)(r->rr[i].ttl >> 24 << 4);
		}
	}
	cr_assert_eq(wire_left(&w), 0);
}

static struct run ask(const char *name, uint16_t type)
{
	struct run r;

	message_question(&r.m, name, type);
	run_message(&r, RESOLVE_UDP);
	return r;
}

static struct run ask_edns(const char *name, uint16_t type, uint16_t size)
{
	struct run r;

	message_init(&r.m, DNS_FLAG_RD, 1, 0, 0, 1);
	put_question(&r.m, name, type, DNS_CLASS_IN);
	put_opt(&r.m, size, 0, false);
	run_message(&r, RESOLVE_UDP);
	return r;
}

Test(resolve, addresses)
{
	struct run r = ask("rEDIS.mesh", DNS_TYPE_A);

	cr_assert_eq(r.action, RESOLVE_REPLY);
	cr_expect_eq(r.h.id, 0x1234);
	cr_expect_eq(r.h.flags, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD | DNS_FLAG_RA);
	cr_expect_eq(r.h.ancount, 3);
	cr_expect_eq(r.h.arcount, 0, "no OPT unless one was in the question");
	cr_expect_eq(r.rr[0].ttl, 60);
	r = ask("redis.mesh", DNS_TYPE_AAAA);
	cr_expect_eq(r.h.ancount, 1);
	cr_expect_eq(r.rr[0].type, DNS_TYPE_AAAA);
}

/* Also for who asks for both families in turn, as the C library does. */
Test(resolve, addresses_take_turns)
{
	unsigned int seen[3] = {0};

	for (int i = 0; i < 300; i++) {
		struct run r = ask("redis.mesh", DNS_TYPE_A);
		unsigned int sum = 0;

		seen[r.rr[0].rdata[3] - 100]++;
		for (int j = 0; j < 3; j++)
			sum += r.rr[j].rdata[3];
		cr_expect_eq(sum, 100 + 101 + 102, "each once in every answer");
		ask("redis.mesh", DNS_TYPE_AAAA);
	}
	for (int i = 0; i < 3; i++)
		cr_expect(seen[i] > 60 && seen[i] < 140, "%u of 300", seen[i]);
}

static void expect_nodata(const struct run *r, uint32_t ttl)
{
	const struct wire_rr *soa = &r->rr[0];

	cr_assert_eq(r->action, RESOLVE_REPLY);
	cr_expect_eq(r->rcode, DNS_RCODE_NOERROR);
	cr_expect(r->h.flags & DNS_FLAG_AA);
	cr_assert(r->h.ancount == 0 && r->h.nscount == 1);
	cr_expect_eq(soa->type, DNS_TYPE_SOA);
	cr_expect_eq(soa->ttl, ttl);
	cr_expect_eq(soa->rdata[soa->rdlength - 1], ttl, "minimum");
}

Test(resolve, missing_family_is_nodata_that_cannot_outlive_the_table)
{
	struct run r = ask("only4.mesh", DNS_TYPE_AAAA);

	expect_nodata(&r, 17);
}

Test(resolve, other_types_under_the_domain_never_go_upstream)
{
	static const uint16_t types[] = {2, 5, 6, 12, 15, 16, 33, 43, 64, 65, 257, 65280};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct run r = ask("redis.mesh", types[i]);

		expect_nodata(&r, 60);
	}
}

Test(resolve, other_types_of_a_shadowing_name)
{
	static const uint16_t local[] = {5, 12, 33, 64, 65}, forwarded[] = {2, 6, 15, 16, 43, 257};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		struct run r = ask("www.example.com", local[i]);

		expect_nodata(&r, 60);
	}
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		cr_expect_eq(ask("www.example.com", forwarded[i]).action, RESOLVE_FORWARD_SHADOWED);
	cr_expect_eq(ask("www.example.com", DNS_TYPE_A).action, RESOLVE_REPLY);
}

Test(resolve, any_is_both_families_and_small)
{
	struct run r = ask("redis.mesh", DNS_TYPE_ANY);

	cr_expect_eq(r.h.ancount, 4);
	r = ask_edns("big.mesh", DNS_TYPE_ANY, 4096);
	cr_expect_leq(r.len, 512);
	cr_expect_not(r.h.flags & DNS_FLAG_TC);
	cr_expect_gt(r.h.ancount, 0);
}

Test(resolve, ptr_of_a_vip)
{
	struct run r = ask("101.0.0.240.in-addr.arpa", DNS_TYPE_PTR);

	cr_assert_eq(r.action, RESOLVE_REPLY);
	cr_assert_eq(r.h.ancount, 1);
	cr_expect_eq(r.rr[0].rdlength, 12);
	cr_expect_arr_eq(r.rr[0].rdata, "\5redis\4mesh", 12);
	cr_expect_eq(ask("103.0.0.240.in-addr.arpa", DNS_TYPE_PTR).action, RESOLVE_FORWARD);
	cr_expect_eq(ask("101.0.0.240.in-addr.arpa", DNS_TYPE_A).action, RESOLVE_FORWARD);
}

/* The ip6.arpa name of fd00:fd00::64 with `zeros` nibbles of 0 in its middle: 20 is right. */
static enum resolve_action ask_ptr6(size_t zeros, const char *tail, struct run *r)
{
	char name[256], middle[64];

	for (size_t i = 0; i < zeros; i++)
		memcpy(middle + 2 * i, "0.", 3);
	snprintf(name, sizeof(name), "4.6.0.0.%s%s", middle, tail);
	*r = ask(name, DNS_TYPE_PTR);
	return r->action;
}

Test(resolve, ptr_of_a_v6_vip)
{
	struct run r;

	cr_assert_eq(ask_ptr6(20, "0.0.d.f.0.0.D.F.ip6.arpa", &r), RESOLVE_REPLY);
	cr_expect_arr_eq(r.rr[0].rdata, "\5redis\4mesh", 12);
	cr_expect_eq(ask_ptr6(19, "0.0.d.f.0.0.d.f.ip6.arpa", &r), RESOLVE_FORWARD, "too short");
	cr_expect_eq(ask_ptr6(21, "0.0.d.f.0.0.d.f.ip6.arpa", &r), RESOLVE_FORWARD, "too long");
	cr_expect_eq(ask_ptr6(20, "0.0.d.f.0.0.d.g.ip6.arpa", &r), RESOLVE_FORWARD, "no digit");
	cr_expect_eq(ask_ptr6(20, "0.0.d.f.0.0.d.e.ip6.arpa", &r), RESOLVE_FORWARD, "no VIP");
	cr_expect_eq(ask_ptr6(20, "0.0.d.f.0.0.d.f.ip6.arpb", &r), RESOLVE_FORWARD, "no zone");
}

Test(resolve, reverse_names_of_v4_are_exact)
{
	static const char *const others[] = {
		"1.101.0.0.240.in-addr.arpa", "0.0.240.in-addr.arpa",
		"0101.0.0.240.in-addr.arpa",  "357.0.0.240.in-addr.arpa",
		"x01.0.0.240.in-addr.arpa",   "101.0.0.240.in-addr.arpx"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_eq(ask(others[i], DNS_TYPE_PTR).action, RESOLVE_FORWARD, "%s", others[i]);
}

Test(resolve, names_not_in_the_table_are_forwarded)
{
	cr_expect_eq(ask("redis.mesh.example.com", DNS_TYPE_A).action, RESOLVE_FORWARD);
	cr_expect_eq(ask("unknown.mesh", DNS_TYPE_A).action, RESOLVE_FORWARD);
	cr_expect_eq(ask("", 2).action, RESOLVE_FORWARD);
}

Test(resolve, too_large_is_whole_records_and_tc)
{
	struct run r = ask("big.mesh", DNS_TYPE_A);

	cr_expect_leq(r.len, 512);
	cr_expect_eq(r.h.ancount, (512 - 12 - 14) / 16);
	cr_expect(r.h.flags & DNS_FLAG_TC);
	r = ask_edns("big.mesh", DNS_TYPE_A, 600);
	cr_expect_leq(r.len, 600);
	cr_expect_eq(r.h.ancount, (600 - 12 - 14 - 11) / 16, "room is kept for the OPT");
	cr_expect(r.h.flags & DNS_FLAG_TC);
	r = ask_edns("big.mesh", DNS_TYPE_A, 1232);
	cr_expect_eq(r.h.ancount, 60);
	cr_expect_not(r.h.flags & DNS_FLAG_TC);
	message_question(&r.m, "big.mesh", DNS_TYPE_A);
	run_message(&r, RESOLVE_TCP);
	cr_expect_eq(r.h.ancount, 60);
	cr_expect_not(r.h.flags & DNS_FLAG_TC);
	block.udp_max = 512;
	r = ask_edns("big.mesh", DNS_TYPE_A, 1232);
	cr_expect(r.h.flags & DNS_FLAG_TC);
	run_message(&r, RESOLVE_TCP);
	cr_expect_not(r.h.flags & DNS_FLAG_TC, "the block's limit is one of UDP");
}

Test(resolve, edns_is_answered_when_asked)
{
	struct run r = ask_edns("redis.mesh", DNS_TYPE_A, 4096);

	cr_assert_not_null(r.opt);
	cr_expect_eq(r.opt->class, 1232);
	cr_expect_eq(r.opt->ttl, 0);
	cr_expect_eq(r.opt->rdlength, 0);
	message_init(&r.m, 0, 1, 0, 0, 1);
	put_question(&r.m, "only4.mesh", DNS_TYPE_AAAA, DNS_CLASS_IN);
	put_opt(&r.m, 1232, 0, true);
	run_message(&r, RESOLVE_UDP);
	cr_assert_not_null(r.opt, "in negative answers as well");
	cr_expect_eq(r.opt->ttl, 0x8000, "DO is echoed");
}

Test(resolve, badvers)
{
	struct run r;

	message_init(&r.m, 0, 1, 0, 0, 1);
	put_question(&r.m, "redis.mesh", DNS_TYPE_A, DNS_CLASS_IN);
	put_opt(&r.m, 1232, 1, false);
	run_message(&r, RESOLVE_UDP);
	cr_expect_eq(r.rcode, DNS_RCODE_BADVERS);
	cr_expect_eq(r.h.ancount, 0);
	cr_assert_not_null(r.opt);
	cr_expect_eq(r.opt->ttl >> 16 & 0xff, 0, "the version that is known here");
}

Test(resolve, notimp_keeps_the_opcode_and_no_flag)
{
	struct run r;

	message_init(&r.m, 2 << 11 | DNS_FLAG_RD | DNS_FLAG_CD, 1, 0, 0, 0);
	put_question(&r.m, "redis.mesh", DNS_TYPE_A, DNS_CLASS_IN);
	run_message(&r, RESOLVE_UDP);
	cr_expect_eq(r.h.flags, DNS_FLAG_QR | 2 << 11 | DNS_RCODE_NOTIMP);
	cr_expect_eq(r.len, 12);
}

Test(resolve, chaos)
{
	struct run r;

	message_init(&r.m, 0, 1, 0, 0, 0);
	put_question(&r.m, "VERSION.bind", DNS_TYPE_TXT, DNS_CLASS_CH);
	run_message(&r, RESOLVE_UDP);
	cr_expect_arr_eq(r.rr[0].rdata, "\14meshdns test", 13);
	message_init(&r.m, 0, 1, 0, 0, 0);
	put_question(&r.m, "id.server", DNS_TYPE_TXT, DNS_CLASS_CH);
	run_message(&r, RESOLVE_UDP);
	cr_expect_arr_eq(r.rr[0].rdata, "\6host-1", 7);
	message_init(&r.m, 0, 1, 0, 0, 0);
	put_question(&r.m, "hostname.bind", DNS_TYPE_TXT, DNS_CLASS_CH);
	run_message(&r, RESOLVE_UDP);
	cr_expect_eq(r.rcode, DNS_RCODE_REFUSED);
}

Test(resolve, an_alias_without_an_end_has_one)
{
	struct run r;

	names_free(names);
	context.names = names =
		table_of("{\"records\": [{\"name\": \"loop.mesh\", \"alias\": \"loop.mesh\"}]}");
	r = ask_edns("loop.mesh", DNS_TYPE_A, 4096);
	cr_expect_eq(r.h.ancount, ANSWER_CHAIN_MAX);
	cr_expect_not(r.h.flags & DNS_FLAG_TC);
}

Test(resolve, a_service_is_of_one_protocol)
{
	struct run r;

	names_free(names);
	context.names = names =
		table_of("{\"records\": [{\"name\": \"s.mesh\", \"ports\": [{\"name\": \"dns\", "
			 "\"port\": 53}, "
			 "{\"name\": \"dns\", \"port\": 54, \"protocol\": \"udp\"}]}]}");
	r = ask("_dns._udp.s.mesh", DNS_TYPE_SRV);
	cr_assert_eq(r.h.ancount, 1);
	cr_expect_eq(r.rr[0].rdata[5], 54);
}

Test(resolve, the_innermost_zone_denies)
{
	static struct resolve_domains zones;
	struct run r;

	cr_assert(resolve_domains_add(&zones, "a.example", 9));
	cr_assert(resolve_domains_add(&zones, "example", 7));
	block.authoritative = &zones;
	r = ask("x.a.example", DNS_TYPE_A);
	cr_expect_eq(r.rcode, DNS_RCODE_NXDOMAIN);
	cr_expect_arr_eq(r.rr[0].rdata, "\2ns\xc0\x0e", 5, "a.example's");
}

Test(resolve, a_name_of_no_block_is_refused)
{
	struct run r;

	corp.zone.len = (uint8_t)wire_name_from_text("corp.example", 12, corp.zone.name);
	listening = (struct service_listen){.places = &places[1], .n_places = 1, .dropped = 9};
	r = ask("www.example", DNS_TYPE_A);
	cr_expect_eq(r.action, RESOLVE_REPLY);
	cr_expect_eq(r.rcode, DNS_RCODE_REFUSED);
	cr_expect_eq(r.q.page, 9);
	r = ask("www.corp.example", DNS_TYPE_A);
	cr_expect_eq(r.action, RESOLVE_FORWARD);
	cr_expect_eq(context.block, &corp);
	cr_expect_eq(r.q.page, 7);
	r = ask("www.corp.example", DNS_TYPE_AXFR);
	cr_expect_eq(r.rcode, DNS_RCODE_REFUSED);
	cr_expect_eq(r.q.page, 7, "it is the block's, refused or not");
}
