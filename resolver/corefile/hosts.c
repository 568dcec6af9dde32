/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts and mesh: names from tables. What hosts does with one is hosts_table.c's. */
#include <string.h>

#include "resolver/corefile/directives.h"
#include "resolver/corefile/zone_text.h"
#include "resolver/kuma.h"
#include "resolver/names.h"
#include "resolver/nametext.h"

#define HOSTS_TTL       3600
#define HOSTS_RELOAD_MS 5000
#define MESH_TTL        60
#define MANY            DIRECTIVE_WORDS_MAX

/* --- hosts --------------------------------------------------------------------------------------
 */

static int parse_hosts_ttl(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	return directive_number(d, line, 1, 0, 65535, &((struct corefile_hosts *)config)->ttl);
}

static int parse_no_reverse(struct directive_parse *d, const struct corefile_line *line,
			    void *config)
{
	(void)d, (void)line;
	((struct corefile_hosts *)config)->no_reverse = true;
	return 0;
}

static int parse_hosts_reload(struct directive_parse *d, const struct corefile_line *line,
			      void *config)
{
	return directive_duration(d, line, 1, &((struct corefile_hosts *)config)->reload_ms);
}

static int parse_hosts_fallthrough(struct directive_parse *d, const struct corefile_line *line,
				   void *config)
{
	return property_fallthrough(d, line, &((struct corefile_hosts *)config)->fallthrough);
}

static const struct property hosts_properties[] = {
	{"ttl", "SECONDS", 1, 1, parse_hosts_ttl},
	{"no_reverse", NULL, 0, 0, parse_no_reverse},
	{"reload", "DURATION", 1, 1, parse_hosts_reload},
	{"fallthrough", "[ZONE...]", 0, MANY, parse_hosts_fallthrough},
	{0},
};

/* `ADDRESS NAME...` among the properties; *end is where the list goes on. */
static int parse_inline_host(struct directive_parse *d, const struct corefile_line *line,
			     const struct addr *addr, struct corefile_host ***end)
{
	uint8_t name[DNS_NAME_MAX];

	if (line->n_words < 2)
		return directive_fail(d, line, "expected names behind the address");
	for (size_t i = 1; i < line->n_words; i++) {
		struct corefile_host *host = ARENA_NEW(&d->corefile->arena, struct corefile_host);

		if (!nametext_read(line->words[i], strlen(line->words[i]), name))
			return directive_fail(d, line, "expected a name but not \"%.60s\"",
					      line->words[i]);
		if (!host)
			return directive_no_memory(d);
		host->addr = *addr;
		host->name = line->words[i];
		**end = host;
		*end = &host->next;
	}
	return 0;
}

/* The lines of the block; what begins with an address is no property. */
static int parse_hosts_block(struct directive_parse *d, struct corefile_hosts *hosts)
{
	const struct corefile_line *whole = d->line;
	struct corefile_host **end = &hosts->inline_hosts;
	int rc = 0;

	for (struct corefile_line *line = whole->lines; line && rc == 0; line = line->next) {
		struct addr addr;

		if (addr_parse(line->words[0], &addr) && !line->has_block) {
			rc = parse_inline_host(d, line, &addr, &end);
		} else {
			struct corefile_line alone = *line, one = *whole;

			alone.next = NULL;
			one.lines = &alone;
			d->line = &one;
			rc = directive_properties(d, hosts_properties, hosts);
			d->line = whole;
		}
	}
	return rc;
}

int hosts_parse(struct directive_parse *d)
{
	struct corefile_hosts *hosts = ARENA_NEW(&d->corefile->arena, struct corefile_hosts);
	int rc;

	if (!hosts)
		return directive_no_memory(d);
	hosts->place = d->line->place;
	hosts->ttl = HOSTS_TTL;
	hosts->reload_ms = HOSTS_RELOAD_MS;
	hosts->file = d->line->n_words > 1 ? d->line->words[1] : "/etc/hosts";
	if ((rc = directive_zones(d, d->line, 2, &hosts->zones)) < 0 ||
	    (rc = parse_hosts_block(d, hosts)) < 0)
		return rc;
	d->server->hosts = hosts;
	return 0;
}

void hosts_print(const struct corefile_server *server, FILE *out)
{
	const struct corefile_hosts *hosts = server->hosts;

	if (!hosts)
		return;
	fputs("    hosts ", out);
	corefile_print_word(hosts->file, out);
	print_zones(&hosts->zones, out);
	fputs(" {\n", out);
	for (const struct corefile_host *host = hosts->inline_hosts; host; host = host->next) {
		char text[ADDR_TEXT_MAX];

		fprintf(out, "        %s ", addr_format(&host->addr, text));
		corefile_print_word(host->name, out);
		fputc('\n', out);
	}
	if (hosts->ttl != HOSTS_TTL)
		fprintf(out, "        ttl %u\n", hosts->ttl);
	if (hosts->no_reverse)
		fputs("        no_reverse\n", out);
	if (hosts->reload_ms != HOSTS_RELOAD_MS) {
		fputs("        reload ", out);
		print_duration(hosts->reload_ms, out);
		fputc('\n', out);
	}
	print_fallthrough(&hosts->fallthrough, out);
	fputs("    }\n", out);
}

/* --- mesh ---------------------------------------------------------------------------------------
 */

static int parse_mesh_names(struct directive_parse *d, const struct corefile_line *line,
			    void *config)
{
	struct corefile_mesh *mesh = config;
	size_t n = line->n_words - 1;
	const char **names = ARENA_ARRAY(&d->corefile->arena, const char *, mesh->n_names + n);

	if (!names)
		return directive_no_memory(d);
	if (mesh->n_names)
		memcpy(names, mesh->names, mesh->n_names * sizeof(*names));
	memcpy(names + mesh->n_names, line->words + 1, n * sizeof(*names));
	mesh->names = names;
	mesh->n_names += n;
	return 0;
}

/* SOCKET [TIME] */
static int parse_mesh_kuma(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	struct corefile_mesh *mesh = config;
	int rc = line->n_words > 2 ? directive_duration(d, line, 2, &mesh->kuma_poll_ms) : 0;

	mesh->kuma = line->words[1];
	if (rc == 0 && strlen(mesh->kuma) > KUMA_PATH_MAX)
		return directive_fail(d, line, "kuma: expected a socket, which has a shorter path");
	if (rc == 0 &&
	    (mesh->kuma_poll_ms < KUMA_POLL_MIN_MS || mesh->kuma_poll_ms > KUMA_POLL_MAX_MS))
		return directive_fail(d, line, "kuma: expected a time from 100ms to 1h");
	return rc;
}

static int parse_mesh_domain(struct directive_parse *d, const struct corefile_line *line,
			     void *config)
{
	return directive_zone(d, line, 1, &((struct corefile_mesh *)config)->domain);
}

static int parse_mesh_ttl(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	return directive_number(d, line, 1, 0, NAMES_TTL_MAX,
				&((struct corefile_mesh *)config)->ttl);
}

static int parse_mesh_authoritative(struct directive_parse *d, const struct corefile_line *line,
				    void *config)
{
	return directive_zones(d, line, 1, &((struct corefile_mesh *)config)->authoritative);
}

/* DOMAIN... or resolv.conf */
static int parse_mesh_search(struct directive_parse *d, const struct corefile_line *line,
			     void *config)
{
	struct corefile_mesh *mesh = config;

	mesh->search_resolv_conf = line->n_words == 2 && !strcmp(line->words[1], "resolv.conf");
	return mesh->search_resolv_conf ? 0 : directive_zones(d, line, 1, &mesh->search);
}

static const struct property mesh_properties[] = {
	{"names", "FILE|FOLDER...", 1, MANY, parse_mesh_names},
	{"kuma", "SOCKET [TIME]", 1, 2, parse_mesh_kuma},
	{"domain", "DOMAIN", 1, 1, parse_mesh_domain},
	{"ttl", "SECONDS", 1, 1, parse_mesh_ttl},
	{"authoritative", "ZONE...", 1, MANY, parse_mesh_authoritative},
	{"search", "DOMAIN...|resolv.conf", 1, MANY, parse_mesh_search},
	{0},
};

int mesh_parse(struct directive_parse *d)
{
	struct corefile_mesh *mesh = ARENA_NEW(&d->corefile->arena, struct corefile_mesh);
	int rc;

	if (!mesh)
		return directive_no_memory(d);
	mesh->place = d->line->place;
	mesh->ttl = MESH_TTL;
	mesh->kuma_poll_ms = KUMA_POLL_MS;
	zone_parse("mesh", 4, &mesh->domain);
	if ((rc = directive_zones(d, d->line, 1, &mesh->zones)) < 0 ||
	    (rc = directive_properties(d, mesh_properties, mesh)) < 0)
		return rc;
	d->server->mesh = mesh;
	return 0;
}

static void print_list(const char *name, const struct corefile_zones *zones, FILE *out)
{
	if (zones->n == 0)
		return;
	fprintf(out, "        %s", name);
	print_zones(zones, out);
	fputc('\n', out);
}

void mesh_print(const struct corefile_server *server, FILE *out)
{
	const struct corefile_mesh *mesh = server->mesh;

	if (!mesh)
		return;
	fputs("    mesh", out);
	print_zones(&mesh->zones, out);
	fputs(" {\n", out);
	for (size_t i = 0; i < mesh->n_names; i++) {
		fputs("        names ", out);
		corefile_print_word(mesh->names[i], out);
		fputc('\n', out);
	}
	if (mesh->kuma) {
		fputs("        kuma ", out);
		corefile_print_word(mesh->kuma, out);
		fputc(' ', out);
		print_duration(mesh->kuma_poll_ms, out);
		fputc('\n', out);
	}
	fputs("        domain ", out);
	print_zone(&mesh->domain, out);
	fprintf(out, "\n        ttl %u\n", mesh->ttl);
	print_list("authoritative", &mesh->authoritative, out);
	print_list("search", &mesh->search, out);
	if (mesh->search_resolv_conf)
		fputs("        search resolv.conf\n", out);
	fputs("    }\n", out);
}
