/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/front.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/resolvconf.h"
#include "resolver/cache.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/render.h"

/* The control plane's template: it is told by the variable of Kuma's bootstrap parameter. */
static const char *template_path(const struct settings *s)
{
	const char *path = s->corefile.template;

	if (!path || !*path)
		path = getenv("KUMA_BOOTSTRAP_SERVER_PARAMS_COREFILE_TEMPLATE_PATH");
	return path && *path ? path : NULL;
}

const char *front_path(const struct settings *settings)
{
	return settings->corefile.conf ? settings->corefile.conf : template_path(settings);
}

bool front_has_file(const struct settings *settings)
{
	return front_path(settings);
}

static void print_zone_words(const char *name, const struct resolve_domains *domains, FILE *out)
{
	if (domains->n)
		fprintf(out, "        %s", name);
	for (size_t i = 0; i < domains->n; i++) {
		struct corefile_zone zone = {.len = domains->domain[i].len};

		memcpy(zone.name, domains->domain[i].name, zone.len);
		fputc(' ', out);
		print_zone(&zone, out);
	}
	if (domains->n)
		fputc('\n', out);
}

static void print_mesh(const struct settings *s, FILE *out)
{
	struct corefile_zone domain = {.len = (uint8_t)s->load.domain_len};

	memcpy(domain.name, s->load.domain, s->load.domain_len);
	fputs("    mesh {\n", out);
	for (size_t i = 0; i < s->n_names; i++) {
		fputs("        names ", out);
		corefile_print_word(s->names[i], out);
		fputc('\n', out);
	}
	if (s->kuma_socket) {
		fputs("        kuma ", out);
		corefile_print_word(s->kuma_socket, out);
		fputc(' ', out);
		print_duration(s->kuma_poll_ms, out);
		fputc('\n', out);
	}
	fputs("        domain ", out);
	print_zone(&domain, out);
	fprintf(out, "\n        ttl %u\n", s->load.ttl);
	print_zone_words("authoritative", &s->authoritative, out);
	if (s->search_resolv_conf)
		fputs("        search resolv.conf\n", out);
	else
		print_zone_words("search", &s->search, out);
	fputs("    }\n", out);
}

static bool is_same_suffix(const struct settings_forward *a, const struct settings_forward *b)
{
	return a->suffix_len == b->suffix_len && !memcmp(a->suffix, b->suffix, a->suffix_len);
}

static void print_forward_options(const struct settings *s, FILE *out)
{
	static const char *const policies[] = {"sequential", "random", "round_robin"};

	fprintf(out, " {\n        policy %s\n", policies[s->policy]);
	if (s->upstream_tcp)
		fputs("        force_tcp\n", out);
	if (s->tls_ca) {
		fputs("        tls ", out);
		corefile_print_word(s->tls_ca, out);
		fputc('\n', out);
	}
	fprintf(out, "        max_concurrent %u\n    }\n", s->max_concurrent);
}

/* ADDR:PORT, or tls://ADDR[%NAME]:PORT */
static void print_server_word(const struct settings_forward *f, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX];
	const char *colon = strrchr(endpoint_format(&f->ep, text), ':');

	if (f->is_tls)
		fprintf(out, " tls://%.*s%s%.*s%s", (int)(colon - text), text,
			f->tls_name ? "%" : "", (int)f->tls_name_len,
			f->tls_name ? f->tls_name : "", colon);
	else
		fprintf(out, " %s", text);
}

/* All servers of a suffix, where the first of them is `i`. */
static void print_forward(const struct settings *s, size_t i, FILE *out)
{
	const struct settings_forward *first = &s->forwards[i];
	struct corefile_zone zone = {.len = first->suffix_len};

	for (size_t j = 0; j < i; j++) {
		if (is_same_suffix(first, &s->forwards[j]))
			return;
	}
	memcpy(zone.name, first->suffix, first->suffix_len);
	fputs("    forward ", out);
	print_zone(&zone, out);
	for (size_t j = i; j < s->n_forwards; j++) {
		if (is_same_suffix(first, &s->forwards[j]))
			print_server_word(&s->forwards[j], out);
	}
	print_forward_options(s, out);
}

/* The longest suffix first: of a Corefile's, the first that takes the name is asked. */
static void print_forwards(const struct settings *s, FILE *out)
{
	bool has_root = false;

	for (size_t len = DNS_NAME_MAX; len > 0; len--) {
		for (size_t i = 0; i < s->n_forwards; i++) {
			if (s->forwards[i].suffix_len == len)
				print_forward(s, i, out);
		}
	}
	for (size_t i = 0; i < s->n_forwards; i++)
		has_root |= s->forwards[i].suffix_len == 1;
	if (has_root)
		return;
	fputs("    forward . ", out);
	corefile_print_word(s->resolv_conf ? s->resolv_conf : RESOLVCONF_PATH, out);
	print_forward_options(s, out);
}

/* With the bounds that are usual where a flag asks for a cache. */
static void print_cache(const struct settings *s, FILE *out)
{
	static const char *const halves[] = {"success", "denial"};
	const struct keep_bounds *usual = &keep_usual;

	if (!s->cache)
		return;
	fputs("    cache {\n", out);
	for (int i = 0; i < 2; i++)
		fprintf(out, "        %s %" PRIu64 " %u %u\n", halves[i],
			s->cache / s->workers / CACHE_ENTRY_BYTES / 2, usual->max_s[i],
			usual->min_s[i]);
	fprintf(out, "        servfail %us\n        prefetch %u %ums %u%%\n", usual->failure_s,
		usual->hot, usual->hot_gap_ms, usual->hot_percent);
	if (s->serve_stale_s)
		fprintf(out, "        serve_stale %us verify %ums\n", s->serve_stale_s,
			usual->patience_ms);
	fputs("    }\n", out);
}

static void print_pages(const struct settings *s, FILE *out)
{
	static const char *const pages[] = {"prometheus", "health", "ready"};
	char ep[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(pages) && s->metrics.port; i++)
		fprintf(out, "    %s %s\n", pages[i], endpoint_format(&s->metrics, ep));
}

static void print_server(const struct settings *s, uint16_t port, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, ".:%u {\n    bind", port);
	for (size_t i = 0; i < s->n_listen; i++) {
		if (s->listen[i].port == port)
			fprintf(out, " %s", addr_format(&s->listen[i].addr, text));
	}
	fputc('\n', out);
	print_pages(s, out);
	fprintf(out, "    errors\n%s", s->log_queries ? "    log\n" : "");
	print_cache(s, out);
	print_mesh(s, out);
	print_forwards(s, out);
	fputs("}\n", out);
}

/* The flags, as a Corefile. */
static int read_flags(const struct settings *s, struct corefile **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n_listen; i++) {
		bool was_there = false;

		for (size_t j = 0; j < i; j++)
			was_there |= s->listen[j].port == s->listen[i].port;
		if (!was_there)
			print_server(s, s->listen[i].port, out);
	}
	if (fclose(out) != 0)
		return err_set(err, ENOMEM, "out of memory");
	return corefile_read_text("the flags", text, len, SETTINGS_PORT, ret, err);
}

int front_read(const struct settings *settings, struct corefile **ret, struct err *err)
{
	const struct settings_corefile *c = &settings->corefile;
	const char *template = template_path(settings);
	const struct render_variables variables = {
		.port = c->port,
		.empty_port = c->empty_port,
		.envoy_port = c->envoy_port,
		.proxy_port = (uint16_t)c->proxy_port,
		.prometheus_port = c->prometheus_port,
		.logging = c->logging,
		.template_path = template,
	};

	if (c->conf)
		return corefile_read(c->conf, c->default_port, ret, err);
	if (template)
		return render_read(template, &variables, ret, err);
	return read_flags(settings, ret, err);
}

void front_print_plugins(FILE *out)
{
	fputs("Server types:\n  dns\n\nOther plugins:\n", out);
	for (const struct directive *row = directives; row->name; row++)
		fprintf(out, "  dns.%s\n", row->name);
}
