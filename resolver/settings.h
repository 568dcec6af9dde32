/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of meshdns-resolver, and what the rest makes of it. */
#ifndef MESHDNS_RESOLVER_SETTINGS_H
#define MESHDNS_RESOLVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/log.h"
#include "resolver/access.h"
#include "resolver/limits.h"
#include "resolver/load.h"
#include "resolver/resolve.h"
#include "resolver/upstreams.h"

#define SETTINGS_PORT           15053
#define SETTINGS_METRICS_PORT   19153
#define SETTINGS_LISTEN_MAX     64
#define SETTINGS_NAMES_MAX      64 /* WATCH_PATHS_MAX */
#define SETTINGS_FORWARDS_MAX   256
#define SETTINGS_WORKERS_MAX    64
#define SETTINGS_INTERFACES_MAX 32

/* One server for the names below a suffix; the root for all that no other suffix takes. */
struct settings_forward {
	uint8_t suffix_len;
	uint8_t suffix[DNS_NAME_MAX]; /* lower-cased wire form */
	struct endpoint ep;
	bool is_tls;
	const char *tls_name; /* tls_name_len octets; NULL: none is named */
	size_t tls_name_len;
};

/* Where a Corefile wants something served over HTTP. */
#define SETTINGS_WEB_MAX     7
#define SETTINGS_WEB_METRICS 1u
#define SETTINGS_WEB_HEALTH  2u
#define SETTINGS_WEB_READY   4u
#define SETTINGS_WEB_ALL     7u
struct settings_web {
	struct endpoint ep;
	bool everywhere; /* the address is of no account */
	unsigned int what;
};

/* What CoreDNS and Kuma's data plane have for a Corefile. */
struct settings_corefile {
	const char *conf;      /* a Corefile */
	const char *template;  /* or the data plane's template of one; NULL: neither */
	uint16_t default_port; /* of keys without one */
	/* The template's variables. */
	uint16_t port, empty_port, envoy_port, prometheus_port;
	uint32_t proxy_port; /* of Kuma's own resolver; 0: it is off */
	bool logging;
	bool check, print, plugins, quiet;
	const char *pidfile;
};

struct settings { /* NOLINT(clang-analyzer-optin.performance.Padding): there is one */
	struct endpoint listen[SETTINGS_LISTEN_MAX];
	size_t n_listen;
	bool listen_is_default; /* then a missing IPv6 stack is only worth a warning */

	const char *names[SETTINGS_NAMES_MAX]; /* files and folders */
	size_t n_names;
	struct load_settings load; /* borrows `names` */
	const char *state_dir;     /* NULL: names are not kept on disk */
	const char *kuma_socket;   /* NULL: nothing comes from Kuma */
	uint32_t kuma_poll_ms;

	struct resolve_domains authoritative, search;
	bool search_resolv_conf; /* `search` is still to be taken from resolv_conf */

	struct settings_forward forwards[SETTINGS_FORWARDS_MAX];
	const char *tls_ca;      /* NULL: the system's certificates are trusted */
	size_t n_forwards;       /* without one for the root: those of resolv_conf are that */
	const char *resolv_conf; /* NULL: this machine's, and behind systemd-resolved's stub */
	enum upstream_policy policy;
	uint32_t max_concurrent;
	uint64_t cache; /* bytes, all workers; 0: off */
	uint32_t serve_stale_s;

	const char *user; /* as user_resolve() takes it */
	unsigned int workers;
	struct access_prefix allow[ACCESS_MAX];
	size_t n_allow;
	const char *allow_interfaces[SETTINGS_INTERFACES_MAX];
	size_t n_allow_interfaces;
	struct limits_config limits;

	uint32_t tcp_clients; /* a worker */
	uint32_t tcp_idle_s;
	struct endpoint metrics; /* port 0: off */
	bool metrics_is_default; /* then an address in use is only worth a warning */
	struct settings_web web[SETTINGS_WEB_MAX];
	size_t n_web;
	uint32_t lameduck_ms; /* for how long after TERM it goes on serving */
	const char *control;  /* "off": no socket */
	bool log_queries;
	const char *dnstap; /* as dnstap_open() takes it; NULL: off */
	int ready_fd;
	enum log_level log_level;
	const char *takeover; /* NULL: nobody's place is taken */
	bool no_sandbox;
	bool has_policy; /* else resolv.conf's `rotate` may choose one */
	bool upstream_tcp, use_0x20;
	bool help, version;
	struct settings_corefile corefile;
};

/*
 * Fills in the defaults and then argv (without argv[0]); strings are borrowed from it. Starts
 * zeroed, and is not cleared: most of it is never used, and then never becomes memory.
 */
int settings_read(struct settings *settings, int argc, char **argv, struct err *err);

/* The file that the original nameservers stand in. */
const char *settings_resolv_conf(const struct settings *settings);

void settings_print_help(FILE *out);

#endif
