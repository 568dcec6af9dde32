/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small directives about how a block is served: no more than a value or two each. */
#include <string.h>

#include "resolver/corefile/directives.h"

/* --- reload -------------------------------------------------------------------------------------
 */

#define RELOAD_MS        30000
#define RELOAD_JITTER_MS 15000
#define RELOAD_MIN_MS    2000
#define JITTER_MIN_MS    1000

int reload_parse(struct directive_parse *d)
{
	struct corefile_reload *reload = ARENA_NEW(&d->corefile->arena, struct corefile_reload);
	int rc;

	if (!reload)
		return directive_no_memory(d);
	*reload = (struct corefile_reload){RELOAD_MS, RELOAD_JITTER_MS};
	if (d->line->n_words > 1 &&
	    (rc = directive_duration(d, d->line, 1, &reload->interval_ms)) < 0)
		return rc;
	if (d->line->n_words > 2 &&
	    (rc = directive_duration(d, d->line, 2, &reload->jitter_ms)) < 0)
		return rc;
	if (reload->interval_ms && reload->interval_ms < RELOAD_MIN_MS)
		return directive_fail(d, d->line, "expected an interval of 2s or more");
	if (reload->jitter_ms && reload->jitter_ms < JITTER_MIN_MS)
		return directive_fail(d, d->line, "expected a jitter of 1s or more, or 0");
	if (reload->jitter_ms > reload->interval_ms / 2)
		reload->jitter_ms = reload->interval_ms / 2;
	d->server->reload = reload;
	return 0;
}

void reload_print(const struct corefile_server *server, FILE *out)
{
	if (!server->reload)
		return;
	fputs("    reload ", out);
	print_duration(server->reload->interval_ms, out);
	if (server->reload->interval_ms) {
		fputc(' ', out);
		print_duration(server->reload->jitter_ms, out);
	}
	fputc('\n', out);
}

/* --- bufsize ------------------------------------------------------------------------------------
 */

int bufsize_parse(struct directive_parse *d)
{
	uint32_t size = 1232;
	int rc = 0;

	if (d->line->n_words > 1)
		rc = directive_number(d, d->line, 1, 512, 4096, &size);
	d->server->bufsize = (uint16_t)size;
	return rc;
}

void bufsize_print(const struct corefile_server *server, FILE *out)
{
	if (server->bufsize)
		fprintf(out, "    bufsize %u\n", server->bufsize);
}

/* --- bind ---------------------------------------------------------------------------------------
 */

static int bind_except(struct directive_parse *d, const struct corefile_line *line, void *config)
{
	struct corefile_bind *bind = config;

	(void)d;
	bind->except = line->words + 1;
	bind->n_except = line->n_words - 1;
	return 0;
}

int bind_parse(struct directive_parse *d)
{
	static const struct property properties[] = {
		{"except", "ADDRESS|INTERFACE...", 1, DIRECTIVE_WORDS_MAX, bind_except},
		{0},
	};
	struct corefile_bind *bind = ARENA_NEW(&d->corefile->arena, struct corefile_bind);
	struct corefile_bind **end = &d->server->bind;

	if (!bind)
		return directive_no_memory(d);
	bind->on = d->line->words + 1;
	bind->n_on = d->line->n_words - 1;
	while (*end)
		end = &(*end)->next;
	*end = bind;
	return directive_properties(d, properties, bind);
}

static void print_words(const char *const *words, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		fputc(' ', out);
		corefile_print_word(words[i], out);
	}
}

void bind_print(const struct corefile_server *server, FILE *out)
{
	for (const struct corefile_bind *bind = server->bind; bind; bind = bind->next) {
		fputs("    bind", out);
		print_words(bind->on, bind->n_on, out);
		if (bind->n_except) {
			fputs(" {\n        except", out);
			print_words(bind->except, bind->n_except, out);
			fputs("\n    }", out);
		}
		fputc('\n', out);
	}
}

/* --- health, ready, prometheus ------------------------------------------------------------------
 */

int ready_parse(struct directive_parse *d)
{
	return directive_service(d, ":8181", &d->server->ready);
}

void ready_print(const struct corefile_server *server, FILE *out)
{
	if (!server->ready.ep.port)
		return;
	fputs("    ready", out);
	print_service(&server->ready, out);
	fputc('\n', out);
}

static int health_lameduck(struct directive_parse *d, const struct corefile_line *line,
			   void *config)
{
	return directive_duration(d, line, 1, &((struct corefile_service *)config)->lameduck_ms);
}

int health_parse(struct directive_parse *d)
{
	static const struct property properties[] = {
		{"lameduck", "DURATION", 1, 1, health_lameduck},
		{0},
	};
	int rc = directive_service(d, ":8080", &d->server->health);

	return rc < 0 ? rc : directive_properties(d, properties, &d->server->health);
}

void health_print(const struct corefile_server *server, FILE *out)
{
	if (!server->health.ep.port)
		return;
	fputs("    health", out);
	print_service(&server->health, out);
	if (server->health.lameduck_ms) {
		fputs(" {\n        lameduck ", out);
		print_duration(server->health.lameduck_ms, out);
		fputs("\n    }", out);
	}
	fputc('\n', out);
}

static int prometheus_runtime_metrics(struct directive_parse *d, const struct corefile_line *line,
				      void *config)
{
	(void)d, (void)line;
	((struct corefile_service *)config)->runtime_metrics = true;
	return 0;
}

int prometheus_parse(struct directive_parse *d)
{
	static const struct property properties[] = {
		{"runtime_metrics", NULL, 0, 0, prometheus_runtime_metrics},
		{0},
	};
	int rc = directive_service(d, "localhost:9153", &d->server->prometheus);

	return rc < 0 ? rc : directive_properties(d, properties, &d->server->prometheus);
}

void prometheus_print(const struct corefile_server *server, FILE *out)
{
	if (!server->prometheus.ep.port)
		return;
	fputs("    prometheus", out);
	print_service(&server->prometheus, out);
	fputs(server->prometheus.runtime_metrics ? " {\n        runtime_metrics\n    }\n" : "\n",
	      out);
}

/* --- what is there or not -----------------------------------------------------------------------
 */

int debug_parse(struct directive_parse *d)
{
	d->server->debug = true;
	return 0;
}

void debug_print(const struct corefile_server *server, FILE *out)
{
	if (server->debug)
		fputs("    debug\n", out);
}

int any_parse(struct directive_parse *d)
{
	d->server->any = true;
	return 0;
}

void any_print(const struct corefile_server *server, FILE *out)
{
	if (server->any)
		fputs("    any\n", out);
}

int loop_parse(struct directive_parse *d)
{
	d->server->loop = true;
	return 0;
}

void loop_print(const struct corefile_server *server, FILE *out)
{
	if (server->loop)
		fputs("    loop\n", out);
}

int loadbalance_parse(struct directive_parse *d)
{
	if (d->line->n_words > 1 && strcmp(d->line->words[1], "round_robin") != 0)
		return directive_fail(d, d->line, "expected round_robin but not \"%.60s\"",
				      d->line->words[1]);
	d->server->loadbalance = true;
	return 0;
}

void loadbalance_print(const struct corefile_server *server, FILE *out)
{
	if (server->loadbalance)
		fputs("    loadbalance\n", out);
}
