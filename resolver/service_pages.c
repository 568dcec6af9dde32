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

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

/* The pages for templates with zones of their own. */
static int find_template_pages(struct service_source *source, struct service *service,
			       const struct endpoint *ep, struct service_place *place,
			       struct err *err)
{
	const struct corefile_template *templates = place->block->corefile->templates;
	uint16_t *pages;
	size_t n = 0;

	for (const struct corefile_template *t = templates; t; t = t->next)
		n += t->zones.n;
	if (!(pages = ARENA_ARRAY(&service->arena, uint16_t, n)))
		return no_memory(err);
	place->template_pages = pages;
	for (const struct corefile_template *t = templates; t; t = t->next) {
		for (size_t i = 0; i < t->zones.n; i++) {
			cleanup_free char *labels =
				labels_of(place->block, ep, "zone", &t->zones.list[i], 1);

			if (!labels)
				return no_memory(err);
			*pages++ = stats_book_find(
				&source->pages,
				&(struct stats_labels){{[STATS_OF_TEMPLATES] = labels}}, false);
		}
	}
	return 0;
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

	if (!own || !nobodys || !cache)
		return no_memory(err);
	*ret_dropped = stats_book_find(&source->pages,
				       &(struct stats_labels){{[STATS_OF_DNS] = nobodys}}, true);
	if (!corefile_plugin(c, 0)) {
		place->page = *ret_dropped;
		return 0;
	}
	place->page = stats_book_find(&source->pages,
				      &(struct stats_labels){{
					      [STATS_OF_DNS] = c->prometheus.ep.port ? own : NULL,
					      [STATS_OF_CACHE] = c->cache ? cache : NULL,
					      [STATS_OF_TEMPLATES] = c->templates ? own : NULL,
				      }},
				      false);
	return find_template_pages(source, service, ep, place, err);
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
