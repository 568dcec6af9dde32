/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directives, a row each, and what their parsers are made of. A family of directives is a file:
 * a directive comes and goes with its row and its functions.
 */
#ifndef MESHDNS_COREFILE_DIRECTIVES_H
#define MESHDNS_COREFILE_DIRECTIVES_H

#include "resolver/corefile/corefile.h"

/* A directive being parsed. */
struct directive_parse {
	struct corefile *corefile;
	struct corefile_server *server;
	const struct corefile_line *line; /* of the directive */
	struct err *err;
};

struct directive {
	const char *name;
	const char *usage; /* what is expected behind the name; NULL: nothing */
	size_t min, max;   /* words behind the name */
	bool has_block, once;
	bool is_plugin; /* it is asked, or looks on, when a question comes */
	/* 0, or a negative errno with `err` filled by directive_fail() and the like. */
	int (*parse)(struct directive_parse *d);
	/* Writes what is there of it in the server. */
	void (*print)(const struct corefile_server *server, FILE *out);
};

#define DIRECTIVE_WORDS_MAX 1024
#define DIRECTIVE_ZONES_MAX 1000 /* of a line, so that they can be printed as one */

/* In the order in which CoreDNS asks its plugins; a NULL name ends the table. */
extern const struct directive directives[];

/* Parses all lines of a block into the server. */
int directives_parse(struct corefile *corefile, struct corefile_server *server,
		     const struct corefile_line *lines, struct err *err);

/* --- for the families ------------------------------------------------------------------------ */

/* A line of a directive's block, found by its first word. */
struct property {
	const char *name;
	const char *usage;
	size_t min, max; /* words behind the name */
	/* `config` is what the directive's parser passed on. */
	int (*parse)(struct directive_parse *d, const struct corefile_line *line, void *config);
};

/* Every line of the directive's block by the table, which a NULL name ends. */
int directive_properties(struct directive_parse *d, const struct property *properties,
			 void *config);

/* -EINVAL with "FILE:LINE: DIRECTIVE: " and the message. */
int directive_fail(struct directive_parse *d, const struct corefile_line *line, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));
int directive_no_memory(struct directive_parse *d);

/* The corefile frees it with itself. On -ENOMEM it is freed at once. */
int directive_own(struct directive_parse *d, void *thing, void (*free_thing)(void *));

/* A regular expression that the Corefile owns. */
int directive_regex(struct directive_parse *d, const struct corefile_line *line,
		    const char *pattern, struct regex **ret);

/* Word `i` of the line as what the name says; errors name it. */
int directive_number(struct directive_parse *d, const struct corefile_line *line, size_t i,
		     uint32_t min, uint32_t max, uint32_t *ret);
int directive_duration(struct directive_parse *d, const struct corefile_line *line, size_t i,
		       uint32_t *ret_ms);
int directive_zone(struct directive_parse *d, const struct corefile_line *line, size_t i,
		   struct corefile_zone *ret);
/* All words from `i` on, as zone_text.h says; a network may be several zones. */
int directive_zones(struct directive_parse *d, const struct corefile_line *line, size_t i,
		    struct corefile_zones *ret);
/* Word `i` likewise where there is room for one zone: of several the first, and it is told. */
int directive_from(struct directive_parse *d, const struct corefile_line *line, size_t i,
		   struct corefile_zone *ret);
int directive_rcodes(struct directive_parse *d, const struct corefile_line *line, const char *list,
		     uint32_t *ret);
int directive_targets(struct directive_parse *d, const struct corefile_line *line, size_t i,
		      size_t max, bool plain_only, struct corefile_targets *ret);
/* Word 1 as [HOST]:PORT, or what stands for it if there is none. */
int directive_service(struct directive_parse *d, const char *otherwise,
		      struct corefile_service *ret);
/* `fallthrough [ZONE...]` */
int property_fallthrough(struct directive_parse *d, const struct corefile_line *line,
			 void *fallthrough);

/* Go's durations: 1h2m3.5s, 500ms. False: it is none, negative, or longer than 49 days. */
bool duration_parse(const char *text, uint32_t *ret_ms);

/* For printing. */
void print_zone(const struct corefile_zone *zone, FILE *out);
void print_zones(const struct corefile_zones *zones, FILE *out); /* each with a blank before it */
void print_duration(uint32_t ms, FILE *out);
void print_rcodes(uint32_t rcodes, const char *between, FILE *out);
void print_targets(const struct corefile_targets *targets, FILE *out);
void print_fallthrough(const struct corefile_fallthrough *fallthrough, FILE *out);
void print_service(const struct corefile_service *service, FILE *out);

#define ROW(name)                                    \
	int name##_parse(struct directive_parse *d); \
	void name##_print(const struct corefile_server *server, FILE *out)
ROW(reload);
ROW(bufsize);
ROW(bind);
ROW(debug);
ROW(ready);
ROW(health);
ROW(prometheus);
ROW(errors);
ROW(log);
ROW(any);
ROW(loadbalance);
ROW(rewrite);
ROW(cache);
ROW(template);
ROW(hosts);
ROW(mesh);
ROW(loop);
ROW(alternate);
ROW(forward);
#undef ROW

#endif
