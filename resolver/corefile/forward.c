/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forward and alternate: who else is asked. */
#include <stdlib.h>
#include <string.h>

#include "resolver/corefile/directives.h"

#define TARGETS_MAX 15 /* CoreDNS' limit; within GROUP_MAX */
_Static_assert(TARGETS_MAX <= GROUP_MAX, "a group holds them");

#define EXPIRE_MS 10000
#define MAX_FAILS 2
#define HEALTH_MS 500

static int parse_except(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return directive_zones(d, line, 1, &((struct corefile_forward *)config)->except);
}

static int parse_force_tcp(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	(void)d, (void)line;
	((struct corefile_forward *)config)->force_tcp = true;
	return 0;
}

static int parse_prefer_udp(struct directive_parse *d, const struct corefile_line *line,
			    void *config)
{
	(void)d, (void)line;
	((struct corefile_forward *)config)->prefer_udp = true;
	return 0;
}

static int parse_failfast(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	(void)d, (void)line;
	((struct corefile_forward *)config)->failfast = true;
	return 0;
}

static int parse_expire(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return directive_duration(d, line, 1, &((struct corefile_forward *)config)->expire_ms);
}

static int parse_max_fails(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	return directive_number(d, line, 1, 0, UINT32_MAX,
				&((struct corefile_forward *)config)->max_fails);
}

static int parse_max_concurrent(struct directive_parse *d, const struct corefile_line *line,
				void *config)
{
	return directive_number(d, line, 1, 0, UINT32_MAX,
				&((struct corefile_forward *)config)->max_concurrent);
}

static int parse_max_connect_attempts(struct directive_parse *d, const struct corefile_line *line,
				      void *config)
{
	return directive_number(d, line, 1, 0, UINT32_MAX,
				&((struct corefile_forward *)config)->max_connect_attempts);
}

static int parse_max_idle_conns(struct directive_parse *d, const struct corefile_line *line,
				void *config)
{
	return directive_number(d, line, 1, 0, UINT32_MAX,
				&((struct corefile_forward *)config)->max_idle_conns);
}

/* [CERT KEY [CA]] or [CA] */
static int parse_tls(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_forward *f = config;

	(void)d;
	if (line->n_words > 2) {
		f->tls_cert = line->words[1];
		f->tls_key = line->words[2];
	}
	if (line->n_words == 2 || line->n_words == 4)
		f->tls_ca = line->words[line->n_words - 1];
	return 0;
}

static int parse_tls_servername(struct directive_parse *d, const struct corefile_line *line,
				void *config)
{
	(void)d;
	((struct corefile_forward *)config)->tls_servername = line->words[1];
	return 0;
}

static int parse_policy(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	static const char *const names[] = {[POLICY_SEQUENTIAL] = "sequential",
					    [POLICY_RANDOM] = "random",
					    [POLICY_ROUND_ROBIN] = "round_robin"};

	for (size_t i = 0; i < 3; i++) {
		if (!strcmp(line->words[1], names[i])) {
			((struct corefile_forward *)config)->policy = (enum upstream_policy)i;
			return 0;
		}
	}
	return directive_fail(d, line,
			      "policy: expected random, round_robin or sequential but not "
			      "\"%.60s\"",
			      line->words[1]);
}

/* DURATION [no_rec] [domain NAME] */
static int parse_health_check(struct directive_parse *d, const struct corefile_line *line,
			      void *config)
{
	struct corefile_forward *f = config;
	int rc = directive_duration(d, line, 1, &f->health_ms);

	for (size_t i = 2; i < line->n_words && rc == 0; i++) {
		if (!strcmp(line->words[i], "no_rec"))
			f->health_no_rec = true;
		else if (!strcmp(line->words[i], "domain") && i + 1 < line->n_words)
			rc = directive_zone(d, line, ++i, &f->health_domain);
		else
			rc = directive_fail(d, line,
					    "health_check: expected no_rec or domain NAME but not "
					    "\"%.60s\"",
					    line->words[i]);
	}
	return rc;
}

static int parse_rcodes(struct directive_parse *d, const struct corefile_line *line,
			uint32_t *ret_rcodes)
{
	int rc = 0;

	for (size_t i = 1; i < line->n_words && rc == 0; i++)
		rc = directive_rcodes(d, line, line->words[i], ret_rcodes);
	return rc;
}

static int parse_failover(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_forward *f = config;
	int rc = parse_rcodes(d, line, &f->failover);

	if (rc == 0 && f->failover & COREFILE_RCODE(DNS_RCODE_NOERROR))
		return directive_fail(d, line, "failover: expected rcodes other than NOERROR");
	return rc;
}

static int parse_next(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return parse_rcodes(d, line, &((struct corefile_forward *)config)->next_rcodes);
}

#define MANY DIRECTIVE_WORDS_MAX

static const struct property properties[] = {
	{"except", "DOMAIN...", 1, MANY, parse_except},
	{"force_tcp", NULL, 0, 0, parse_force_tcp},
	{"prefer_udp", NULL, 0, 0, parse_prefer_udp},
	{"expire", "DURATION", 1, 1, parse_expire},
	{"max_fails", "NUMBER", 1, 1, parse_max_fails},
	{"max_connect_attempts", "NUMBER", 1, 1, parse_max_connect_attempts},
	{"max_idle_conns", "NUMBER", 1, 1, parse_max_idle_conns},
	{"tls", "[CERT KEY] [CA]", 0, 3, parse_tls},
	{"tls_servername", "NAME", 1, 1, parse_tls_servername},
	{"policy", "random|round_robin|sequential", 1, 1, parse_policy},
	{"health_check", "DURATION [no_rec] [domain NAME]", 1, 4, parse_health_check},
	{"max_concurrent", "NUMBER", 1, 1, parse_max_concurrent},
	{"next", "RCODE...", 1, MANY, parse_next},
	{"failover", "RCODE...", 1, MANY, parse_failover},
	{"failfast_all_unhealthy_upstreams", NULL, 0, 0, parse_failfast},
	{0},
};

int forward_parse(struct directive_parse *d)
{
	struct corefile_forward *f = ARENA_NEW(&d->corefile->arena, struct corefile_forward),
				**end = &d->server->forward;
	int rc;

	if (!f)
		return directive_no_memory(d);
	f->place = d->line->place;
	f->expire_ms = EXPIRE_MS;
	f->max_fails = MAX_FAILS;
	f->policy = POLICY_RANDOM;
	f->health_ms = HEALTH_MS;
	f->health_domain.len = 1;
	if ((rc = directive_from(d, d->line, 1, &f->from)) < 0 ||
	    (rc = directive_targets(d, d->line, 2, TARGETS_MAX, false, &f->to)) < 0 ||
	    (rc = directive_properties(d, properties, f)) < 0)
		return rc;
	for (size_t i = 0; f->tls_servername && i < f->to.n; i++) {
		if (f->to.list[i].tls_name)
			return directive_fail(d, d->line,
					      "tls_servername: not with %%%s of a server",
					      f->to.list[i].tls_name);
	}
	while (*end)
		end = &(*end)->next;
	*end = f;
	return 0;
}

static void print_number(const char *name, uint32_t number, uint32_t otherwise, FILE *out)
{
	if (number != otherwise)
		fprintf(out, "        %s %u\n", name, number);
}

static void print_rcode_property(const char *name, uint32_t rcodes, FILE *out)
{
	if (!rcodes)
		return;
	fprintf(out, "        %s ", name);
	print_rcodes(rcodes, " ", out);
	fputc('\n', out);
}

static void print_flag(const char *name, bool flag, FILE *out)
{
	if (flag)
		fprintf(out, "        %s\n", name);
}

static void print_tls(const struct corefile_forward *f, FILE *out)
{
	const char *words[] = {f->tls_cert, f->tls_key, f->tls_ca};

	if (f->tls_cert || f->tls_ca) {
		fputs("        tls", out);
		for (size_t i = 0; i < 3; i++) {
			if (words[i]) {
				fputc(' ', out);
				corefile_print_word(words[i], out);
			}
		}
		fputc('\n', out);
	}
	if (f->tls_servername) {
		fputs("        tls_servername ", out);
		corefile_print_word(f->tls_servername, out);
		fputc('\n', out);
	}
}

static void print_health_check(const struct corefile_forward *f, FILE *out)
{
	if (f->health_ms == HEALTH_MS && !f->health_no_rec && f->health_domain.len == 1)
		return;
	fputs("        health_check ", out);
	print_duration(f->health_ms, out);
	fputs(f->health_no_rec ? " no_rec" : "", out);
	if (f->health_domain.len > 1) {
		fputs(" domain ", out);
		print_zone(&f->health_domain, out);
	}
	fputc('\n', out);
}

static void print_properties(const struct corefile_forward *f, FILE *out)
{
	static const char *const policies[] = {"sequential", "random", "round_robin"};

	if (f->except.n) {
		fputs("        except", out);
		print_zones(&f->except, out);
		fputc('\n', out);
	}
	print_flag("force_tcp", f->force_tcp, out);
	print_flag("prefer_udp", f->prefer_udp, out);
	if (f->expire_ms != EXPIRE_MS) {
		fputs("        expire ", out);
		print_duration(f->expire_ms, out);
		fputc('\n', out);
	}
	print_number("max_fails", f->max_fails, MAX_FAILS, out);
	print_number("max_connect_attempts", f->max_connect_attempts, 0, out);
	print_number("max_idle_conns", f->max_idle_conns, 0, out);
	print_tls(f, out);
	if (f->policy != POLICY_RANDOM)
		fprintf(out, "        policy %s\n", policies[f->policy]);
	print_health_check(f, out);
	print_number("max_concurrent", f->max_concurrent, 0, out);
	print_rcode_property("next", f->next_rcodes, out);
	print_rcode_property("failover", f->failover, out);
	print_flag("failfast_all_unhealthy_upstreams", f->failfast, out);
}

void forward_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_forward *f = server->forward; f; f = f->next) {
		char *text = NULL;
		size_t size = 0;
		FILE *memory = open_memstream(&text, &size);

		if (!memory)
			return;
		print_properties(f, memory);
		fclose(memory);
		fputs("    forward ", out);
		print_zone(&f->from, out);
		print_targets(&f->to, out);
		if (size)
			fprintf(out, " {\n%s    }", text);
		fputc('\n', out);
		free(text);
	}
}

/* --- alternate ----------------------------------------------------------------------------------
 */

static uint32_t all_rcodes(const struct corefile_alternate *a)
{
	uint32_t rcodes = 0;

	for (; a; a = a->next)
		rcodes |= a->rcodes;
	return rcodes;
}

int alternate_parse(struct directive_parse *d)
{
	struct corefile_alternate *a = ARENA_NEW(&d->corefile->arena, struct corefile_alternate);
	struct corefile_alternate **end = &d->server->alternate;
	size_t i = 1;
	int rc;

	if (!a)
		return directive_no_memory(d);
	a->place = d->line->place;
	a->original = !strcmp(d->line->words[1], "original");
	i += a->original;
	if (d->line->n_words < i + 3)
		return directive_fail(d, d->line, "expected RCODE[,RCODE...] FROM TO...");
	if ((rc = directive_rcodes(d, d->line, d->line->words[i], &a->rcodes)) < 0 ||
	    (rc = directive_from(d, d->line, i + 1, &a->from)) < 0 ||
	    (rc = directive_targets(d, d->line, i + 2, TARGETS_MAX, true, &a->to)) < 0)
		return rc;
	if (all_rcodes(d->server->alternate) & a->rcodes)
		return directive_fail(d, d->line, "an rcode is specified more than once");
	while (*end)
		end = &(*end)->next;
	*end = a;
	return 0;
}

void alternate_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_alternate *a = server->alternate; a; a = a->next) {
		fprintf(out, "    alternate %s", a->original ? "original " : "");
		print_rcodes(a->rcodes, ",", out);
		fputc(' ', out);
		print_zone(&a->from, out);
		print_targets(&a->to, out);
		fputc('\n', out);
	}
}
