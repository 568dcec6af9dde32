/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/service_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/resolvconf.h"
#include "resolver/adopt.h"
#include "resolver/corefile/front.h"
#include "resolver/corefile/hosts_table.h"
#include "resolver/random.h"
#include "resolver/service_make.h"

/* --- making it ---------------------------------------------------------------------------------
 */

static bool is_of_a_route(const struct service *service, size_t page)
{
	for (size_t i = 0; i < service->n_blocks; i++) {
		const struct block *block = service->blocks[i];

		for (size_t k = 0; k < block->n_routes; k++) {
			const struct upstream_group *group = block->routes[k].group;

			for (uint8_t n = 0; group && n < group->n; n++) {
				if (group->page[n] == page)
					return true;
			}
		}
	}
	return false;
}

/* Which servers and blocks the pages of the two books are for, from now on. */
static void note_pages(struct service_source *source, const struct service *service)
{
	for (size_t page = 0; page < source->book.n_pages; page++)
		source->book.page[page].in_use = false;
	for (size_t i = 0; i < service->n_servers; i++) {
		struct upstream_page *page = &source->book.page[service->servers[i].page];

		page->in_use = true;
		page->is_alternate = !is_of_a_route(service, service->servers[i].page);
	}
	for (size_t page = 0; page < source->pages.n_pages; page++)
		source->pages.page[page]->block = NULL;
	for (size_t i = 0; i < service->n_listen; i++) {
		const struct service_listen *listen = &service->listen[i];

		for (size_t k = 0; k < listen->n_places; k++)
			source->pages.page[listen->places[k].page]->block = listen->places[k].block;
	}
}

static int make(struct service_source *source, const struct corefile *corefile,
		struct service **ret, struct err *err)
{
	int rc = corefile ? service_from_corefile(source, corefile, ret, err)
			  : service_from_flags(source, ret, err);

	if (rc == 0)
		(*ret)->version = ++source->version;
	return rc;
}

/* When to look whether it is another. */
static int64_t next_look_ms(const struct corefile *corefile, int64_t now_ms)
{
	struct random random = {.left = 0};
	uint32_t wait_ms = corefile ? corefile_reload_ms(corefile, random_u16(&random)) : 0;

	return wait_ms ? now_ms + wait_ms : INT64_MAX;
}

static char *text_of(const struct corefile *corefile)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	corefile_print(corefile, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void warn_of_stubs(const struct settings *settings)
{
	for (size_t i = 0; i < settings->n_forwards; i++) {
		if (resolvconf_is_stub(&settings->forwards[i].ep.addr))
			service_warn_of_stub("settings");
	}
}

int service_source_init(struct service_source *source, const struct settings *settings,
			struct corefile *corefile, const struct interfaces *interfaces,
			const struct listener *listeners, size_t n_listeners, struct err *err)
{
	struct service *service;
	int rc;

	source->settings = settings;
	source->corefile = corefile;
	source->interfaces = interfaces;
	source->listeners = listeners;
	source->n_listeners = n_listeners;
	source->watch.fd = -1;
	source->first = corefile;
	/* At once, where it is to be looked at ever: then the clock is known. */
	source->look_ms = next_look_ms(corefile, 0) == INT64_MAX ? INT64_MAX : 0;
	if (corefile && !(source->text = text_of(corefile)))
		return err_set(err, ENOMEM, "out of memory");
	source->n_paths = service_source_paths(settings, corefile, source->paths);
	if ((rc = upstream_book_init(&source->book, settings->workers, err)) < 0 ||
	    (rc = stats_book_init(&source->pages, settings->workers, err)) < 0)
		return rc;
	if (source->n_paths &&
	    ((rc = watch_init(&source->watch, source->paths, source->n_paths, err)) < 0 ||
	     (rc = watch_arm(&source->watch, 0, err)) < 0))
		return rc;
	if ((rc = make(source, corefile, &service, err)) < 0)
		return rc;
	if (!corefile)
		warn_of_stubs(settings);
	note_pages(source, service);
	publish_init(&source->publish, service, source->readers, settings->workers);
	return 0;
}

static void tell(const struct service_source *source, const struct service *service)
{
	char text[GROUP_MAX * ENDPOINT_TEXT_MAX] = "", one[ENDPOINT_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < service->n_servers && i < GROUP_MAX; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", i ? "," : "",
			endpoint_format(&source->book.page[service->servers[i].page].ep, one));
	log_info("upstreams changed", "servers=%s", text);
}

static bool is_same_group(const struct upstream_group *a, const struct upstream_group *b)
{
	return a->n == b->n && !memcmp(a->page, b->page, a->n * sizeof(*a->page)) &&
	       a->policy == b->policy && a->try_max_ms == b->try_max_ms && a->tries == b->tries;
}

/* Of two that are made of the same settings: the servers are, and how they are asked. */
static bool is_same(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->n_blocks; i++) {
		const struct block *x = a->blocks[i], *y = b->blocks[i];

		for (size_t k = 0; k < x->n_routes; k++) {
			if (x->routes[k].group &&
			    !is_same_group(x->routes[k].group, y->routes[k].group))
				return false;
		}
		for (size_t k = 0; k < x->n_alternates; k++) {
			if (!is_same_group(x->alternates[k].group, y->alternates[k].group))
				return false;
		}
	}
	return true;
}

static bool has_stale_hosts(const struct service *service)
{
	for (size_t i = 0; i < service->n_hosts; i++) {
		if (hosts_is_stale(service->hosts[i]))
			return true;
	}
	return false;
}

/* Frees what nobody can hold any more. */
static void free_retired(struct service_source *source, int64_t now_ms)
{
	struct retired **at = &source->retired, *retired;

	while ((retired = *at)) {
		if (retired->until_ms > now_ms) {
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		service_free(retired->service);
		corefile_free(retired->corefile);
		free(retired);
	}
}

/* The next service takes over. `corefile`: what the old one was made of, if this one is not. */
static void replace(struct service_source *source, struct retired *retired, struct service *next,
		    struct corefile *corefile, int64_t now_ms)
{
	note_pages(source, next);
	*retired = (struct retired){
		.next = source->retired,
		.service = publish_exchange(&source->publish, next),
		.corefile = corefile,
		.until_ms = now_ms + SERVICE_GRACE_MS,
	};
	source->retired = retired;
}

/* Said once for each reason: it is tried again and again. */
static void complain(struct service_source *source, const struct err *err)
{
	if (strcmp(err->msg, source->last_complaint.msg) != 0)
		log_warning("upstreams not read, the last good ones stay", "reason=\"%s\"",
			    err->msg);
	source->last_complaint = *err;
}

static void reload(struct service_source *source, int64_t now_ms)
{
	struct service *service = NULL, *old = atomic_load(&source->publish.current);
	struct retired *retired = calloc(1, sizeof(*retired));
	bool other_hosts = has_stale_hosts(old);
	struct err err = {0};

	if (!retired || watch_arm(&source->watch, now_ms, &err) < 0 ||
	    make(source, source->corefile, &service, &err) < 0) {
		complain(source, &err);
		free(retired);
		watch_retry(&source->watch, now_ms);
		return;
	}
	source->last_complaint = (struct err){0};
	if (!other_hosts && is_same(service, old)) {
		service_free(service);
		free(retired);
		return;
	}
	if (other_hosts)
		log_info("hosts read again", NULL);
	else
		tell(source, service);
	replace(source, retired, service, NULL, now_ms);
}

/* --- the Corefile ------------------------------------------------------------------------------
 */

/* What the old one said of the process stays, and somebody may wonder. */
static void warn_of_settings(const struct service_source *source, const struct corefile *next)
{
	const struct settings *s = source->settings;
	struct settings *wanted = malloc(sizeof(*wanted));
	struct err err = {0};

	if (!wanted)
		return;
	*wanted = *s;
	if (settings_adopt(wanted, next, source->interfaces, &err) < 0)
		log_warning("not all of the Corefile is taken up before I am restarted",
			    "reason=\"%s\"", err.msg);
	else if (wanted->n_names != s->n_names || wanted->n_web != s->n_web ||
		 wanted->load.ttl != s->load.ttl || wanted->cache != s->cache)
		log_warning("not all of the Corefile is taken up before I am restarted: names, "
			    "HTTP addresses and the cache's size stay",
			    NULL);
	free(wanted);
}

static void watch_files(struct service_source *source, int64_t now_ms)
{
	struct err err = {0};

	watch_close(&source->watch);
	source->watch.fd = -1;
	source->n_paths = service_source_paths(source->settings, source->corefile, source->paths);
	if (source->n_paths &&
	    (watch_init(&source->watch, source->paths, source->n_paths, &err) < 0 ||
	     watch_arm(&source->watch, now_ms, &err) < 0))
		log_warning("changes of resolv.conf will not be seen", "reason=\"%s\"", err.msg);
}

/* Takes the Corefile, whose text is `text`; false and `err` if nothing can be made of it. */
static bool take_corefile(struct service_source *source, struct corefile *next, char *text,
			  int64_t now_ms, struct err *err)
{
	struct corefile *old = source->corefile;
	struct retired *retired = calloc(1, sizeof(*retired));
	struct service *service;

	if (!retired || make(source, next, &service, err) < 0) {
		free(retired);
		return false;
	}
	warn_of_settings(source, next);
	source->corefile = next;
	free(source->text);
	source->text = text;
	replace(source, retired, service, old == source->first ? NULL : old, now_ms);
	watch_files(source, now_ms);
	return true;
}

static bool reload_corefile(struct service_source *source, int64_t now_ms)
{
	struct corefile *next = NULL;
	struct err err = {0};
	char *text = NULL;

	if (front_read(source->settings, &next, &err) == 0 && (text = text_of(next)) &&
	    !strcmp(text, source->text)) {
		free(text);
		corefile_free(next);
		source->look_ms = next_look_ms(source->corefile, now_ms);
		return false;
	}
	if (text && take_corefile(source, next, text, now_ms, &err)) {
		source->look_ms = next_look_ms(next, now_ms);
		source->last_complaint = (struct err){0};
		log_info("the Corefile is another now", NULL);
		return true;
	}
	if (strcmp(err.msg, source->last_complaint.msg) != 0) {
		source->failures++;
		log_error("Corefile not taken up, the last good one stays", "reason=\"%s\"",
			  err.msg);
	}
	source->last_complaint = err;
	source->look_ms = next_look_ms(source->corefile, now_ms);
	free(text);
	corefile_free(next);
	return false;
}

bool service_source_poll(struct service_source *source, int64_t now_ms, bool wanted)
{
	bool is_other = false;

	free_retired(source, now_ms);
	if (source->corefile && (wanted || now_ms >= source->look_ms))
		is_other = reload_corefile(source, now_ms);
	if (!is_other && source->watch.fd >= 0 && (watch_is_due(&source->watch, now_ms) || wanted))
		reload(source, now_ms);
	return is_other;
}

void service_source_free(struct service_source *source)
{
	watch_close(&source->watch);
	free_retired(source, INT64_MAX);
	service_free(atomic_load(&source->publish.current));
	if (source->first != source->corefile)
		corefile_free(source->first);
	corefile_free(source->corefile);
	free(source->text);
	upstream_book_free(&source->book);
	stats_book_free(&source->pages);
}
