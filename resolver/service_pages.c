/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a service's questions are counted: the labels that CoreDNS would give them. `prometheus`
 * has a block's own questions told; what its cache and templates did is told anyway, and so is what
 * no block takes, or one without a plugin: zone "dropped".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "resolver/nametext.h"
#include "resolver/service_make.h"

#define NO_ZONE "dropped" /* without a final dot it is none */

/* As CoreDNS' Server.Addr: without `bind` there is no address in it. */
static void write_server(const struct block *block, const struct endpoint *ep, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX];

	if (block && block->corefile && block->corefile->bind)
		fprintf(out, "server=\"dns://%s\"", endpoint_format(ep, text));
	else
		fprintf(out, "server=\"dns://:%u\"", ep->port);
}

/* With commas between them; to be freed. */
static char *zones_text(const struct corefile_zone *zones, size_t n)
{
	char *text = malloc(n * NAMETEXT_MAX), *to = text;

	for (size_t i = 0; text && i < n; i++) {
		if (i > 0)
			*to++ = ',';
		to += nametext_write(zones[i].name, to);
	}
	return text;
}

/* The labels of a server and its zones, one or some; NULL: out of memory. To be freed. */
static char *labels_of(const struct block *block, const struct endpoint *ep, const char *name,
		       const struct corefile_zone *zones, size_t n)
{
	char *text = NULL, *value = zones ? zones_text(zones, n) : strdup(NO_ZONE);
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool is_whole = out && value;

	if (is_whole) {
		write_server(block, ep, out);
		fputc(',', out);
		stats_write_label(name, value, out);
		fputs(",view=\"\"", out);
	}
	free(value);
	if (out && fclose(out) == 0 && is_whole)
		return text;
	free(text);
	return NULL;
}

static uint16_t page_of(struct service_source *source, enum stats_subject subject,
			const char *labels, bool once_used)
{
	struct stats_labels all = {0};

	all.of[subject] = labels;
	return stats_book_find(&source->pages, &all, once_used);
}

/* Those of a template's records, whose labels go on from those of its zone. */
static bool find_record_pages(struct service_source *source, const struct corefile_template *t,
			      const char *zone, uint16_t *pages)
{
	static const char *const sections[TEMPLATE_SECTIONS] = {
		[TEMPLATE_ANSWER] = "answer",
		[TEMPLATE_AUTHORITY] = "authority",
		[TEMPLATE_ADDITIONAL] = "additional",
	};

	for (int section = 0; section < TEMPLATE_SECTIONS; section++) {
		for (size_t i = 0; i < t->section[section].n; i++) {
			cleanup_free char *labels = NULL;
			size_t len;
			FILE *out = open_memstream(&labels, &len);

			if (!out)
				return false;
			fprintf(out, "%s,section=\"%s\",", zone, sections[section]);
			stats_write_label("template", t->section[section].text[i], out);
			if (fclose(out) != 0)
				return false;
			*pages++ = page_of(source, STATS_OF_RECORDS, labels, false);
		}
	}
	return true;
}

/* Those of its templates, as service_template_pages() finds them. */
static bool find_template_pages(struct service_source *source, struct service *service,
				const struct endpoint *ep, struct service_place *place)
{
	const struct block *block = place->block;
	const struct corefile_template *templates = block->corefile->templates;
	size_t n = 0;
	uint16_t *pages;

	for (const struct corefile_template *t = templates; t; t = t->next)
		n += service_count_pages(t);
	if (!(pages = ARENA_ARRAY(&service->arena, uint16_t, n)))
		return false;
	place->template_pages = pages;
	for (const struct corefile_template *t = templates; t; t = t->next) {
		const struct corefile_zone *zones = t->zones.n ? t->zones.list : &block->zone;
		size_t n_zones = t->zones.n ? t->zones.n : 1;

		for (size_t i = 0; i < n_zones; i++) {
			cleanup_free char *labels = labels_of(block, ep, "zone", &zones[i], 1);

			if (!labels || !find_record_pages(source, t, labels, pages + 1))
				return false;
			*pages = page_of(source, STATS_OF_TEMPLATES, labels, false);
			pages += service_count_pages(t) / n_zones;
		}
	}
	return true;
}

int service_find_pages(struct service_source *source, struct service *service,
		       const struct endpoint *ep, struct service_place *place,
		       uint16_t *ret_dropped, struct err *err)
{
	const struct block *block = place->block;
	const struct corefile_server *c = block->corefile;
	const struct corefile_zones *cached =
		c->cache && c->cache->zones.n ? &c->cache->zones : block->keys;
	cleanup_free char *own = labels_of(block, ep, "zone", &block->zone, 1);
	cleanup_free char *nobodys = labels_of(block, ep, "zone", NULL, 0);
	cleanup_free char *cache = labels_of(block, ep, "zones", cached->list, cached->n);
	struct stats_labels labels = {{
		[STATS_OF_DNS] = c->prometheus.ep.port ? own : NULL,
		[STATS_OF_CACHE] = c->cache ? cache : NULL,
	}};

	if (!own || !nobodys || !cache || !find_template_pages(source, service, ep, place))
		return err_set(err, ENOMEM, "out of memory");
	*ret_dropped = page_of(source, STATS_OF_DNS, nobodys, true);
	place->page = corefile_plugin(c, 0) ? stats_book_find(&source->pages, &labels, false)
					    : *ret_dropped;
	return 0;
}

uint16_t service_flags_page(struct service_source *source, const struct endpoint *ep)
{
	static const struct corefile_zone root = {.len = 1};
	cleanup_free char *dns = labels_of(NULL, ep, "zone", &root, 1);
	cleanup_free char *cache = labels_of(NULL, ep, "zones", &root, 1);

	return dns && cache ? stats_book_find(&source->pages, &(struct stats_labels){{dns, cache}},
					      false)
			    : STATS_PAGE_UNTOLD;
}
