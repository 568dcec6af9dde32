/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Corefile as configuration: what its blocks serve and what each directive says, checked, with
 * defaults filled in and templates and regular expressions compiled. Who runs it need not know that
 * it was a file.
 *
 * A directive that may stand in a block several times is a list in the file's order; of one that
 * may not, NULL means that it is not there. The plugins are asked in the order of the table in
 * directives.c, whatever the file's. Texts and lists are in the Corefile's own memory.
 *
 * Times are in milliseconds, TTLs in seconds.
 */
#ifndef MESHDNS_COREFILE_COREFILE_H
#define MESHDNS_COREFILE_COREFILE_H

#include <stdio.h>

#include "common/addr.h"
#include "resolver/corefile/arena.h"
#include "resolver/corefile/gotemplate.h"
#include "resolver/corefile/parser.h"
#include "resolver/corefile/regex.h"
#include "resolver/upstreams.h"
#include "resolver/wire.h"

/* A domain in lower-cased wire form. */
struct corefile_zone {
	uint8_t len, name[DNS_NAME_MAX];
};

struct corefile_zones {
	struct corefile_zone *list;
	size_t n;
};

/* Where a directive looks on: only if `on`, and for names below the zones, all if there are none.
 */
struct corefile_fallthrough {
	bool on;
	struct corefile_zones zones;
};

/* The innermost of the zones that the lower-cased name lies in; NULL: in none. */
const struct corefile_zone *corefile_zones_find(const struct corefile_zones *zones,
						const uint8_t *name, size_t len);

/* Whether the next plugin is asked about the name. */
bool corefile_falls_through(const struct corefile_fallthrough *fallthrough, const uint8_t *name,
			    size_t len);

/* One of the rcodes up to 31. */
#define COREFILE_RCODE(rcode) (1u << (rcode))

/* --- where questions come from and go to --- */

enum corefile_transport { COREFILE_PLAIN, COREFILE_TLS };

struct corefile_target {
	enum corefile_transport transport;
	struct endpoint ep;
	const char *tls_name; /* whose certificate is wanted; NULL: not said */
	const char *file;     /* the nameservers of this file in place of `ep` */
};

struct corefile_targets {
	struct corefile_target *list;
	size_t n;
};

struct corefile_forward {
	struct corefile_forward *next;
	struct corefile_place place;
	struct corefile_zone from;
	struct corefile_targets to;
	struct corefile_zones except;
	bool force_tcp, prefer_udp;
	uint32_t expire_ms;
	uint32_t max_fails; /* 0: never down */
	const char *tls_cert, *tls_key, *tls_ca, *tls_servername;
	enum upstream_policy policy;
	uint32_t health_ms; /* between probes */
	bool health_no_rec;
	struct corefile_zone health_domain;
	uint32_t max_concurrent;        /* 0: any number */
	uint32_t failover, next_rcodes; /* COREFILE_RCODE()s */
	bool failfast;
	uint32_t max_connect_attempts; /* 0: not said */
	uint32_t max_idle_conns;       /* 0: any number */
};

struct corefile_alternate {
	struct corefile_alternate *next;
	struct corefile_place place;
	bool original;
	uint32_t rcodes;           /* COREFILE_RCODE()s */
	struct corefile_zone from; /* as written; CoreDNS does not look at it either */
	struct corefile_targets to;
};

struct corefile_bind {
	struct corefile_bind *next;
	const char **on; /* addresses and interfaces */
	size_t n_on;
	const char **except;
	size_t n_except;
};

/* --- answers --- */

enum template_section {
	TEMPLATE_ANSWER,
	TEMPLATE_AUTHORITY,
	TEMPLATE_ADDITIONAL,
	TEMPLATE_SECTIONS
};

#define TEMPLATE_RECORDS_MAX 32 /* of a section */

struct corefile_template {
	struct corefile_template *next;
	struct corefile_place place;
	uint16_t class, type;        /* 255: any */
	struct corefile_zones zones; /* none: those of the block */
	struct regex **match;        /* none: any name */
	const char **match_text;
	size_t n_match;
	struct {
		struct gotemplate **records;
		const char **text;
		size_t n;
	} section[TEMPLATE_SECTIONS];
	uint16_t rcode;
	bool has_ede; /* an extended error, RFC 8914 */
	uint16_t ede;
	const char *ede_text;
	struct corefile_fallthrough fallthrough;
};

struct corefile_host {
	struct corefile_host *next;
	struct addr addr;
	const char *name; /* the first as written; each name is one of these */
};

struct corefile_hosts {
	struct corefile_place place;
	const char *file; /* NULL: only what is inline */
	struct corefile_zones zones;
	struct corefile_host *inline_hosts;
	uint32_t ttl;
	bool no_reverse;
	uint32_t reload_ms; /* 0: never */
	struct corefile_fallthrough fallthrough;
};

/* Our own: names from the mesh's table. */
struct corefile_mesh {
	struct corefile_place place;
	struct corefile_zones zones;
	const char **names; /* files and folders */
	size_t n_names;
	const char *kuma; /* the data plane's socket; NULL: none */
	uint32_t kuma_poll_ms;
	struct corefile_zone domain;
	uint32_t ttl;
	struct corefile_zones authoritative, search;
	bool search_resolv_conf;
};

struct corefile_cache_half {
	uint32_t capacity, ttl, min_ttl;
	bool disabled;
	struct corefile_zones disabled_zones; /* none: all */
};

struct corefile_cache {
	struct corefile_place place;
	struct corefile_zones zones;
	struct corefile_cache_half success, denial;
	uint32_t prefetch; /* how often asked for; 0: not at all */
	uint32_t prefetch_ms, prefetch_percent;
	bool serve_stale, stale_verifies;
	uint32_t stale_ms, stale_verify_ms;
	uint32_t servfail_ms;
	bool keep_ttl;
};

enum rewrite_what { REWRITE_NAME, REWRITE_TYPE, REWRITE_CLASS, REWRITE_TTL, REWRITE_RCODE };
enum rewrite_how {
	REWRITE_EXACT,
	REWRITE_PREFIX,
	REWRITE_SUFFIX,
	REWRITE_SUBSTRING,
	REWRITE_REGEX
};

/* `answer name|value REGEX TEXT`: what is changed in the answer's records. */
struct corefile_rewrite_answer {
	struct corefile_rewrite_answer *next;
	bool is_value;
	struct regex *regex;
	const char *from, *to;
};

struct corefile_rewrite {
	struct corefile_rewrite *next;
	struct corefile_place place;
	enum rewrite_what what;
	enum rewrite_how how;
	bool goes_on;          /* `continue`: with the rule behind it */
	const char *from, *to; /* names: lower-cased, with a final dot; or a regular expression */
	struct regex *regex;
	uint16_t from_number, to_number; /* types, classes and rcodes */
	uint32_t ttl_min, ttl_max;
	bool answer_auto;
	struct corefile_rewrite_answer *answers;
};

/* --- what is seen of it --- */

enum corefile_level { COREFILE_ERROR, COREFILE_WARNING, COREFILE_INFO, COREFILE_DEBUG };

struct corefile_consolidate {
	struct corefile_consolidate *next;
	uint32_t period_ms;
	const char *pattern;
	struct regex *regex;
	enum corefile_level level;
	bool show_first;
};

struct corefile_errors {
	bool stacktrace;
	struct corefile_consolidate *consolidate;
};

#define LOG_SUCCESS 1u
#define LOG_DENIAL  2u
#define LOG_ERROR   4u
#define LOG_ALL     7u

struct corefile_log {
	struct corefile_log *next;
	struct corefile_zones zones;
	const char *format;
	struct log_format *compiled; /* log_line.h */
	unsigned int classes;
};

/* Where something is served over HTTP. Port 0: not there. An empty host is every address. */
struct corefile_service {
	struct endpoint ep;
	bool is_everywhere;   /* ep's address is of no account */
	uint32_t lameduck_ms; /* of health */
	bool runtime_metrics; /* of prometheus */
};

struct corefile_reload {
	uint32_t interval_ms, jitter_ms; /* interval 0: off */
};

/* --- the whole --- */

struct corefile_key {
	struct corefile_zone zone;
	uint16_t port;
};

struct corefile_server {
	struct corefile_server *next;
	struct corefile_place place;
	struct corefile_key *keys;
	size_t n_keys;
	struct corefile_reload *reload;
	uint16_t bufsize; /* 0: not there */
	struct corefile_bind *bind;
	bool debug, any, loop, loadbalance;
	struct corefile_service ready, health, prometheus;
	struct corefile_errors *errors;
	struct corefile_log *log;
	struct corefile_cache *cache;
	struct corefile_rewrite *rewrite;
	struct corefile_template *templates;
	struct corefile_hosts *hosts;
	struct corefile_mesh *mesh;
	struct corefile_alternate *alternate;
	struct corefile_forward *forward;
	uint32_t directives; /* which it has, a bit each: see corefile_plugin() */
};

struct corefile_owned; /* what is not in the arena */

struct corefile {
	struct arena arena;
	struct corefile_owned *owned;
	struct corefile_server *servers;
};

#define COREFILE_PORT 53 /* where a key says none */

/*
 * Reads a Corefile. `default_port` is that of keys without one. 0, or a negative errno and `err`
 * with file, line, directive and what was expected. *ret is to be freed.
 */
int corefile_read(const char *path, uint16_t default_port, struct corefile **ret, struct err *err);

/* The same of a text; `name` is what errors call it, and what imports are relative to. */
int corefile_read_text(const char *name, const char *text, size_t len, uint16_t default_port,
		       struct corefile **ret, struct err *err);

void corefile_free(struct corefile *corefile);

/* The name of the block's directive number `i` of those that are plugins; NULL: no more. */
const char *corefile_plugin(const struct corefile_server *server, size_t i);

/*
 * Writes it as a Corefile again: the directives in the plugins' order, each with what differs from
 * its default. Read back it is the same.
 */
void corefile_print(const struct corefile *corefile, FILE *out);

/* A word with quotes around it if it needs any. */
void corefile_print_word(const char *word, FILE *out);

/*
 * How long until the file is to be read again, 0: not by itself. It is the shortest interval that a
 * block's `reload` says, up to half its jitter shorter or longer as `random` says, so that
 * resolvers that were started together do not all look at once.
 */
uint32_t corefile_reload_ms(const struct corefile *corefile, uint16_t random);

#endif
