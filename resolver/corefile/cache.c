/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cache [TTL] [ZONES...] */
#include <errno.h>
#include <string.h>

#include "common/options.h"
#include "resolver/corefile/directives.h"

#define CAPACITY         9984
#define SUCCESS_TTL      3600
#define DENIAL_TTL       1800
#define MIN_TTL          5
#define SERVFAIL_MS      5000
#define STALE_MS         3600000
#define TTL_LIMIT        INT32_MAX
#define PREFETCH_MS      60000
#define PREFETCH_PERCENT 10

static int parse_half(struct directive_parse *d, const struct corefile_line *line,
		      struct corefile_cache_half *half)
{
	int rc = directive_number(d, line, 1, 0, INT32_MAX, &half->capacity);

	if (rc == 0 && line->n_words > 2)
		rc = directive_number(d, line, 2, 1, TTL_LIMIT, &half->ttl);
	if (rc == 0 && line->n_words > 3)
		rc = directive_number(d, line, 3, 0, TTL_LIMIT, &half->min_ttl);
	return rc;
}

static int parse_success(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return parse_half(d, line, &((struct corefile_cache *)config)->success);
}

static int parse_denial(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return parse_half(d, line, &((struct corefile_cache *)config)->denial);
}

/* AMOUNT [DURATION [PERCENT%]] */
static int parse_prefetch(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_cache *c = config;
	size_t len = line->n_words > 3 ? strlen(line->words[3]) : 0;
	char percent[8];
	uint64_t number;
	int rc = directive_number(d, line, 1, 0, INT32_MAX, &c->prefetch);

	if (rc == 0 && line->n_words > 2)
		rc = directive_duration(d, line, 2, &c->prefetch_ms);
	if (rc < 0 || len == 0)
		return rc;
	snprintf(percent, sizeof(percent), "%.*s", (int)(len > 6 ? 6 : len - 1), line->words[3]);
	if (line->words[3][len - 1] != '%' || !options_parse_number(percent, 10, 90, &number))
		return directive_fail(d, line,
				      "prefetch: expected a percentage from 10%% to 90%% but not "
				      "\"%.60s\"",
				      line->words[3]);
	c->prefetch_percent = (uint32_t)number;
	return 0;
}

/* [DURATION [immediate | verify [TIMEOUT]]] */
static int parse_serve_stale(struct directive_parse *d, const struct corefile_line *line,
			     void *config)
{
	struct corefile_cache *c = config;
	int rc = 0;

	c->serve_stale = true;
	if (line->n_words > 1)
		rc = directive_duration(d, line, 1, &c->stale_ms);
	if (rc < 0 || line->n_words < 3)
		return rc;
	c->stale_verifies = !strcmp(line->words[2], "verify");
	if (!c->stale_verifies && (strcmp(line->words[2], "immediate") != 0 || line->n_words > 3))
		return directive_fail(d, line,
				      "serve_stale: expected immediate or verify [TIMEOUT] but not "
				      "\"%.60s\"",
				      line->words[line->n_words - 1]);
	return line->n_words > 3 ? directive_duration(d, line, 3, &c->stale_verify_ms) : 0;
}

static int parse_servfail(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_cache *c = config;
	int rc = directive_duration(d, line, 1, &c->servfail_ms);

	if (rc == 0 && c->servfail_ms > 300000) /* RFC 2308 section 7.1 */
		return directive_fail(d, line, "servfail: expected 5m or less");
	return rc;
}

static int parse_disable(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_cache *c = config;
	struct corefile_cache_half *half = !strcmp(line->words[1], "success")  ? &c->success
					   : !strcmp(line->words[1], "denial") ? &c->denial
									       : NULL;

	if (!half)
		return directive_fail(d, line,
				      "disable: expected success or denial but not "
				      "\"%.60s\"",
				      line->words[1]);
	half->disabled = true;
	return directive_zones(d, line, 2, &half->disabled_zones);
}

static int parse_keepttl(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	(void)d, (void)line;
	((struct corefile_cache *)config)->keep_ttl = true;
	return 0;
}

static const struct property properties[] = {
	{"success", "CAPACITY [TTL [MINTTL]]", 1, 3, parse_success},
	{"denial", "CAPACITY [TTL [MINTTL]]", 1, 3, parse_denial},
	{"prefetch", "AMOUNT [DURATION [PERCENT%]]", 1, 3, parse_prefetch},
	{"serve_stale", "[DURATION [immediate|verify [TIMEOUT]]]", 0, 3, parse_serve_stale},
	{"servfail", "DURATION", 1, 1, parse_servfail},
	{"disable", "success|denial [ZONES...]", 1, DIRECTIVE_WORDS_MAX, parse_disable},
	{"keepttl", NULL, 0, 0, parse_keepttl},
	{0},
};

int cache_parse(struct directive_parse *d)
{
	struct corefile_cache *c = ARENA_NEW(&d->corefile->arena, struct corefile_cache);
	uint64_t ttl;
	size_t zones = 1;
	int rc;

	if (!c)
		return directive_no_memory(d);
	*c = (struct corefile_cache){
		.place = d->line->place,
		.success = {.capacity = CAPACITY, .ttl = SUCCESS_TTL, .min_ttl = MIN_TTL},
		.denial = {.capacity = CAPACITY, .ttl = DENIAL_TTL, .min_ttl = MIN_TTL},
		.prefetch_ms = PREFETCH_MS,
		.prefetch_percent = PREFETCH_PERCENT,
		.stale_ms = STALE_MS,
		.servfail_ms = SERVFAIL_MS,
	};
	if (d->line->n_words > 1 && options_parse_number(d->line->words[1], 0, UINT32_MAX, &ttl)) {
		if (ttl == 0 || ttl > TTL_LIMIT)
			return directive_fail(d, d->line,
					      "expected a TTL above 0 but not \"%.60s\"",
					      d->line->words[1]);
		c->success.ttl = c->denial.ttl = (uint32_t)ttl;
		zones = 2;
	}
	if ((rc = directive_zones(d, d->line, zones, &c->zones)) < 0 ||
	    (rc = directive_properties(d, properties, c)) < 0)
		return rc;
	d->server->cache = c;
	return 0;
}

static void print_half(const char *name, const struct corefile_cache_half *half, FILE *out)
{
	fprintf(out, "        %s %u %u %u\n", name, half->capacity, half->ttl, half->min_ttl);
	if (half->disabled) {
		fprintf(out, "        disable %s", name);
		print_zones(&half->disabled_zones, out);
		fputc('\n', out);
	}
}

void cache_print(const struct corefile_server *server, FILE *out)
{
	const struct corefile_cache *c = server->cache;

	if (!c)
		return;
	fputs("    cache", out);
	print_zones(&c->zones, out);
	fputs(" {\n", out);
	print_half("success", &c->success, out);
	print_half("denial", &c->denial, out);
	if (c->prefetch) {
		fprintf(out, "        prefetch %u ", c->prefetch);
		print_duration(c->prefetch_ms, out);
		fprintf(out, " %u%%\n", c->prefetch_percent);
	}
	if (c->serve_stale) {
		fputs("        serve_stale ", out);
		print_duration(c->stale_ms, out);
		fputs(c->stale_verifies ? " verify" : " immediate", out);
		if (c->stale_verify_ms) {
			fputc(' ', out);
			print_duration(c->stale_verify_ms, out);
		}
		fputc('\n', out);
	}
	if (c->servfail_ms != SERVFAIL_MS) {
		fputs("        servfail ", out);
		print_duration(c->servfail_ms, out);
		fputc('\n', out);
	}
	if (c->keep_ttl)
		fputs("        keepttl\n", out);
	fputs("    }\n", out);
}
