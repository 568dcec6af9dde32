/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "common/resolvconf.h"
#include "resolver/cache.h"
#include "resolver/corefile/directives.h"
#include "resolver/corefile/render.h"
#include "resolver/ctl.h"
#include "resolver/dnstap.h"
#include "resolver/forward.h"
#include "resolver/kuma.h"

static int parse_endpoint(const char *value, uint16_t port, struct endpoint *list, size_t *n,
			  size_t max, struct err *err)
{
	if (*n == max)
		return err_set(err, E2BIG, "given more than %zu times", max);
	if (!endpoint_parse(value, port, &list[*n]))
		return err_set(err, EINVAL,
			       "\"%s\" is not an address with an optional port, like 10.0.0.1:%u "
			       "or [fd00::1]:%u",
			       value, port, port);
	(*n)++;
	return 0;
}

static int parse_listen(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	return parse_endpoint(value, SETTINGS_PORT, s->listen, &s->n_listen, SETTINGS_LISTEN_MAX,
			      err);
}

static int add_forward(struct settings *s, const uint8_t *suffix, size_t suffix_len,
		       const char *server, struct err *err)
{
	struct settings_forward *forward = &s->forwards[s->n_forwards];

	if (s->n_forwards == SETTINGS_FORWARDS_MAX)
		return err_set(err, E2BIG, "more than %d servers", SETTINGS_FORWARDS_MAX);
	if (!endpoint_parse(server, 53, &forward->ep))
		return err_set(err, EINVAL,
			       "\"%s\" is not an address with an optional port, like 10.0.0.1:53 "
			       "or [fd00::1]:53",
			       server);
	forward->suffix_len = (uint8_t)suffix_len;
	memcpy(forward->suffix, suffix, suffix_len);
	s->n_forwards++;
	return 0;
}

static int parse_upstream(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	return add_forward(s, (const uint8_t *)"", 1, value, err);
}

/* SUFFIX=ADDR[:PORT][,ADDR...] */
static int parse_forward(void *settings, const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');
	uint8_t suffix[DNS_NAME_MAX] = {0};
	size_t len = equals ? (size_t)(equals - value) : 0, suffix_len = 1;
	char servers[GROUP_MAX * ENDPOINT_TEXT_MAX];
	char *save = NULL, *word;
	int rc = 0;

	if (len == 0 || !equals[1] || strlen(equals + 1) >= sizeof(servers))
		return err_set(err, EINVAL, "\"%s\" is not SUFFIX=ADDR[:PORT],...", value);
	if (strncmp(value, ".", len) != 0 &&
	    !(suffix_len = wire_name_from_text(value, len, suffix)))
		return err_set(err, EINVAL, "\"%.*s\" is not a domain", (int)len, value);
	snprintf(servers, sizeof(servers), "%s", equals + 1);
	for (word = strtok_r(servers, ",", &save); word && rc == 0;
	     word = strtok_r(NULL, ",", &save))
		rc = add_forward(settings, suffix, suffix_len, word, err);
	return rc;
}

static int parse_policy(void *settings, const char *value, struct err *err)
{
	static const char *const names[] = {"sequential", "random", "round-robin"};
	struct settings *s = settings;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			s->policy = (enum upstream_policy)i;
			s->has_policy = true;
			return 0;
		}
	}
	return err_set(err, EINVAL, "\"%s\" is none of sequential, random, round-robin", value);
}

static int parse_names(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_names == SETTINGS_NAMES_MAX)
		return err_set(err, E2BIG, "given more than %d times; name a folder instead",
			       SETTINGS_NAMES_MAX);
	if (!*value)
		return err_set(err, EINVAL, "wants a file or a folder");
	s->names[s->n_names++] = value;
	return 0;
}

static int parse_kuma_socket(void *settings, const char *value, struct err *err)
{
	if (!*value || strlen(value) > KUMA_PATH_MAX)
		return err_set(err, EINVAL, "wants a socket's path of at most %d octets",
			       KUMA_PATH_MAX);
	((struct settings *)settings)->kuma_socket = value;
	return 0;
}

static int parse_domain(void *settings, const char *value, struct err *err)
{
	struct load_settings *load = &((struct settings *)settings)->load;

	load->domain_len = wire_name_from_text(value, strlen(value), load->domain);
	return load->domain_len ? 0 : err_set(err, EINVAL, "\"%s\" is not a domain", value);
}

static int parse_authoritative(void *settings, const char *value, struct err *err)
{
	if (resolve_domains_add(&((struct settings *)settings)->authoritative, value,
				strlen(value)))
		return 0;
	return err_set(err, EINVAL, "\"%s\" is not a domain, or given more than %d times", value,
		       RESOLVE_DOMAINS_MAX);
}

static int parse_search(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (!strcmp(value, "resolv.conf")) {
		s->search_resolv_conf = true;
		return 0;
	}
	for (size_t len; *value; value += len + (value[len] == ',')) {
		len = strcspn(value, ",");
		if (!resolve_domains_add(&s->search, value, len))
			return err_set(err, EINVAL, "\"%.*s\" is not a domain, or the %dth",
				       (int)len, value, RESOLVE_DOMAINS_MAX + 1);
	}
	return 0;
}

static int parse_uint(const char *value, uint64_t min, uint64_t max, uint32_t *ret, struct err *err)
{
	uint64_t number;

	if (!options_parse_number(value, min, max, &number))
		return err_set(err, EINVAL, "\"%s\" is not a number from %llu to %llu", value,
			       (unsigned long long)min, (unsigned long long)max);
	*ret = (uint32_t)number;
	return 0;
}

static int parse_ttl(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 0, NAMES_TTL_MAX, &((struct settings *)settings)->load.ttl, err);
}

static int parse_tcp_clients(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 1, 65536, &((struct settings *)settings)->tcp_clients, err);
}

static int parse_tcp_idle(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 1, 3600, &((struct settings *)settings)->tcp_idle_s, err);
}

static int parse_max_concurrent(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 1, FORWARD_MAX_LIMIT,
			  &((struct settings *)settings)->max_concurrent, err);
}

/* A number, and a letter that says what it counts. */
static int parse_unit(const char *value, const char *letters, const uint64_t *units, uint64_t max,
		      uint64_t *ret_number)
{
	char text[24];
	size_t len = strlen(value);
	uint64_t unit = 1;
	const char *letter = len > 1 ? strchr(letters, value[len - 1]) : NULL;

	if (letter) {
		unit = units[letter - letters];
		len--;
	}
	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, value, len);
	text[len] = '\0';
	if (!options_parse_number(text, 0, max / unit, ret_number))
		return -EINVAL;
	*ret_number *= unit;
	return 0;
}

static int parse_cache(void *settings, const char *value, struct err *err)
{
	static const uint64_t units[] = {1u << 10, 1u << 20, 1u << 30};
	uint64_t *size = &((struct settings *)settings)->cache;

	if (parse_unit(value, "KMG", units, CACHE_MAX, size) < 0)
		return err_set(err, EINVAL, "\"%s\" is not a size up to 16G, like 4M or 512K",
			       value);
	return 0;
}

static int parse_stale(void *settings, const char *value, struct err *err)
{
	static const uint64_t units[] = {1, 60, 3600, 86400};
	uint64_t seconds;

	if (parse_unit(value, "smhd", units, 259200, &seconds) < 0)
		return err_set(err, EINVAL, "\"%s\" is not a time up to 3d, like 1h or 1d", value);
	((struct settings *)settings)->serve_stale_s = (uint32_t)seconds;
	return 0;
}

static int parse_kuma_poll(void *settings, const char *value, struct err *err)
{
	uint32_t *poll_ms = &((struct settings *)settings)->kuma_poll_ms;

	if (!duration_parse(value, poll_ms) || *poll_ms < KUMA_POLL_MIN_MS ||
	    *poll_ms > KUMA_POLL_MAX_MS)
		return err_set(err, EINVAL, "\"%s\" is not a time from 100ms to 1h, like 1s",
			       value);
	return 0;
}

static int parse_ready_fd(void *settings, const char *value, struct err *err)
{
	uint32_t fd = 0;
	int rc = parse_uint(value, 3, INT_MAX, &fd, err);

	if (rc < 0)
		return rc;
	/* A closed one would soon be the number of a socket of ours. */
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, EBADF, "descriptor %u is not open", fd);
	((struct settings *)settings)->ready_fd = (int)fd;
	return 0;
}

static int parse_allow(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_allow == ACCESS_MAX)
		return err_set(err, E2BIG, "given more than %d times", ACCESS_MAX);
	if (!access_parse(value, &s->allow[s->n_allow]))
		return err_set(err, EINVAL, "\"%s\" is not a network like 10.0.0.0/8 or fd00::/8",
			       value);
	s->n_allow++;
	return 0;
}

static int parse_allow_interface(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;

	if (s->n_allow_interfaces == SETTINGS_INTERFACES_MAX)
		return err_set(err, E2BIG, "given more than %d times", SETTINGS_INTERFACES_MAX);
	s->allow_interfaces[s->n_allow_interfaces++] = value;
	return 0;
}

static int parse_rate_limit(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 0, 1000000, &((struct settings *)settings)->limits.rate, err);
}

static int parse_max_tcp(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 0, 65536, &((struct settings *)settings)->limits.max_tcp, err);
}

static int parse_max_inflight(void *settings, const char *value, struct err *err)
{
	return parse_uint(value, 0, 65536, &((struct settings *)settings)->limits.max_inflight,
			  err);
}

static int parse_workers(void *settings, const char *value, struct err *err)
{
	unsigned int *workers = &((struct settings *)settings)->workers;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (strcmp(value, "auto") != 0)
		return parse_uint(value, 1, SETTINGS_WORKERS_MAX, workers, err);
	*workers = cores < 1 ? 1 : (unsigned int)cores;
	if (*workers > SETTINGS_WORKERS_MAX)
		*workers = SETTINGS_WORKERS_MAX;
	return 0;
}

static int parse_metrics(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;
	struct endpoint ep[1] = {0};
	size_t n = 0;
	int rc = 0;

	if (strcmp(value, "off") != 0)
		rc = parse_endpoint(value, SETTINGS_METRICS_PORT, ep, &n, 1, err);
	s->metrics = ep[0];
	s->metrics_is_default = false;
	return rc;
}

static int parse_dnstap(void *settings, const char *value, struct err *err)
{
	if (!dnstap_path(value))
		return err_set(err, EINVAL, "\"%s\" is neither unix:PATH nor file:PATH", value);
	((struct settings *)settings)->dnstap = value;
	return 0;
}

static int parse_log_level(void *settings, const char *value, struct err *err)
{
	if (log_level_parse(value, &((struct settings *)settings)->log_level))
		return 0;
	return err_set(err, EINVAL, "\"%s\" is none of error, warning, info, debug", value);
}

#define AT(member) offsetof(struct settings, member)

static const struct option_row rows[] = {
	{"listen", OPTION_CALL, 0, "ADDR:PORT",
	 .help = "answer there, UDP and TCP; repeatable (127.0.0.1:15053 and [::1]:15053)",
	 .parse = parse_listen},
	{"names", OPTION_CALL, 0, "FILE|DIR",
	 .help = "mesh names: hosts(5) lines or Kuma's JSON; of a folder all *.hosts and *.json; "
		 "repeatable, read again when they change",
	 .parse = parse_names},
	{"state-dir", OPTION_STRING, AT(state_dir), "DIR",
	 .help = "keep the last good names there, and start with them where no source can be read"},
	{"kuma-socket", OPTION_CALL, 0, "PATH",
	 .help = "mesh names from Kuma's data plane as well: its socket of dynamic configuration, "
		 "kuma-mesh-metric-config.sock in kuma-dp's work folder",
	 .parse = parse_kuma_socket},
	{"kuma-poll", OPTION_CALL, 0, "TIME",
	 .help = "how often it is asked for changes, as 500ms or 1m (1s)",
	 .parse = parse_kuma_poll},
	{"domain", OPTION_CALL, 0, "NAME",
	 .help = "the mesh domain: no type of a mesh name under it is ever asked upstream (mesh)",
	 .parse = parse_domain},
	{"authoritative", OPTION_CALL, 0, "ZONE",
	 .help = "deny names below it that are not known, in place of forwarding; repeatable",
	 .parse = parse_authoritative},
	{"search-path", OPTION_CALL, 0, "DOMAIN,...|resolv.conf",
	 .help = "answer a mesh name with one of these behind it, as clients append them, by a "
		 "CNAME; resolv.conf: those of --resolv-conf",
	 .parse = parse_search},
	{"ttl", OPTION_CALL, 0, "SECONDS", .help = "TTL where the names' source says none (60)",
	 .parse = parse_ttl},
	{"upstream", OPTION_CALL, 0, "ADDR[:PORT]",
	 .help = "forward all else there; repeatable, tried in order (the nameservers of "
		 "--resolv-conf)",
	 .parse = parse_upstream},
	{"forward", OPTION_CALL, 0, "SUFFIX=ADDR[:PORT],...",
	 .help = "forward names below SUFFIX there instead, the longest suffix wins, \".\" is all "
		 "else; repeatable",
	 .parse = parse_forward},
	{"upstream-policy", OPTION_CALL, 0, "POLICY",
	 .help = "which of several servers is asked first: sequential, random or round-robin "
		 "(sequential)",
	 .parse = parse_policy},
	{"upstream-tcp", OPTION_BOOL, AT(upstream_tcp), NULL,
	 .help = "ask upstreams over TCP only"},
	{"0x20", OPTION_BOOL, AT(use_0x20), NULL,
	 .help = "ask upstreams in random case, and want it back"},
	{"max-concurrent", OPTION_CALL, 0, "N",
	 .help = "questions of a worker that wait for upstreams; beyond it SERVFAIL (2048)",
	 .parse = parse_max_concurrent},
	{"cache", OPTION_CALL, 0, "SIZE",
	 .help = "keep answers of upstreams in so much memory, as 4M; 0: do not (0)",
	 .parse = parse_cache},
	{"serve-stale", OPTION_CALL, 0, "TIME",
	 .help = "where upstreams fail, answer from the cache for so long after the TTL, as 1h or "
		 "1d "
		 "(0)",
	 .parse = parse_stale},
	{"resolv-conf", OPTION_STRING, AT(resolv_conf), "PATH",
	 .help = "where the original nameservers stand (/etc/resolv.conf; if that names "
		 "systemd-resolved's stub, /run/systemd/resolve/resolv.conf)"},
	{"user", OPTION_STRING, AT(user), "NAME|UID",
	 .help = "with root, become this user once the sockets are bound; must be the user whose "
		 "DNS is not redirected (uid 5678, else meshdns, else kuma-dp)"},
	{"allow", OPTION_CALL, 0, "CIDR",
	 .help = "who else than this host may ask where --listen is not loopback; repeatable",
	 .parse = parse_allow},
	{"allow-interface", OPTION_CALL, 0, "NAME",
	 .help = "likewise the networks of an interface, as docker0; repeatable",
	 .parse = parse_allow_interface},
	{"rate-limit", OPTION_CALL, 0, "QPS",
	 .help = "questions a second over UDP that a worker answers a client (0: any number)",
	 .parse = parse_rate_limit},
	{"clients-max-tcp", OPTION_CALL, 0, "N",
	 .help = "TCP connections that one client may have with a worker (0: any number)",
	 .parse = parse_max_tcp},
	{"clients-max-inflight", OPTION_CALL, 0, "N",
	 .help = "questions of one client over UDP that a worker has upstream (0: any number)",
	 .parse = parse_max_inflight},
	{"takeover", OPTION_STRING, AT(takeover), "PATH",
	 .help = "take the place of the resolver whose socket is there, without a lost query, and "
		 "be there for the next"},
	{"no-sandbox", OPTION_BOOL, AT(no_sandbox), NULL,
	 .help = "for debugging: without the system call filter and Landlock"},
	{"workers", OPTION_CALL, 0, "N|auto", .help = "threads that answer; auto: one a core (1)",
	 .parse = parse_workers},
	{"tcp-clients", OPTION_CALL, 0, "N",
	 .help = "TCP connections a worker holds; the longest idle makes room (256)",
	 .parse = parse_tcp_clients},
	{"tcp-idle", OPTION_CALL, 0, "SECONDS",
	 .help = "close a TCP connection idle for so long (10)", .parse = parse_tcp_idle},
	{"metrics", OPTION_CALL, 0, "ADDR:PORT|off",
	 .help = "serve /metrics, /health and /ready over HTTP there (127.0.0.1:19153)",
	 .parse = parse_metrics},
	{"control", OPTION_STRING, AT(control), "PATH|off",
	 .help = "socket for `meshdns-resolver ctl` (" CTL_PATH ")"},
	{"log-queries", OPTION_BOOL, AT(log_queries), NULL,
	 .help = "log queries from the start on, 100 lines a second at most; see ctl log"},
	{"dnstap", OPTION_CALL, 0, "unix:PATH|file:PATH",
	 .help = "send all messages to this socket or file in dnstap's format",
	 .parse = parse_dnstap},
	{"ready-fd", OPTION_CALL, 0, "FD",
	 .help = "write a newline there when ready; $NOTIFY_SOCKET is told too",
	 .parse = parse_ready_fd},
	{"log-level", OPTION_CALL, 0, "LEVEL", .help = "error, warning, info or debug (info)",
	 .parse = parse_log_level},
	{"", OPTION_TITLE, .help = "In the place of CoreDNS (a single dash does, too)"},
	{"conf", OPTION_STRING, AT(corefile.conf), "FILE", .help = "a Corefile"},
	{"template", OPTION_STRING, AT(corefile.template), "FILE",
	 .help = "a Corefile with Kuma's variables in it, as {{ .CoreDNSPort }}"},
	{"dns-coredns-config-template-path", OPTION_STRING, AT(corefile.template), "FILE",
	 .help = NULL, .env = "CORE_DNS_CONFIG_TEMPLATE_PATH"},
	{"check", OPTION_BOOL, AT(corefile.check), NULL,
	 .help = "only say whether the Corefile, or the flags, are right"},
	{"print-config", OPTION_BOOL, AT(corefile.print), NULL,
	 .help = "print the effective configuration as a Corefile"},
	{"dns.port", OPTION_PORT, AT(corefile.default_port), "PORT",
	 .help = "port where the Corefile says none (53)"},
	{"pidfile", OPTION_STRING, AT(corefile.pidfile), "FILE",
	 .help = "write the process ID there"},
	{"plugins", OPTION_BOOL, AT(corefile.plugins), NULL,
	 .help = "print the directives that are known"},
	{"quiet", OPTION_BOOL, AT(corefile.quiet), NULL, .help = "log warnings and errors only"},
	{"dns-coredns-port", OPTION_PORT, AT(corefile.port), "PORT", .help = ".CoreDNSPort (15053)",
	 .env = "CORE_DNS_PORT"},
	{"dns-coredns-empty-port", OPTION_PORT, AT(corefile.empty_port), "PORT",
	 .help = ".CoreDNSEmptyPort (15055)", .env = "CORE_DNS_EMPTY_PORT"},
	{"dns-envoy-port", OPTION_PORT, AT(corefile.envoy_port), "PORT",
	 .help = ".EnvoyDNSPort (15054)", .env = "ENVOY_DNS_PORT"},
	{"dns-proxy-port", OPTION_PORT, AT(corefile.proxy_port), "PORT",
	 .help = ".ProxyPort (15053)", .env = "PROXY_PORT"},
	{"dns-prometheus-port", OPTION_PORT, AT(corefile.prometheus_port), "PORT",
	 .help = ".PrometheusPort (19153)", .env = "PROMETHEUS_PORT"},
	{"dns-enable-logging", OPTION_BOOL, AT(corefile.logging), NULL, .help = ".CoreDNSLogging",
	 .env = "CORE_DNS_LOGGING"},
	{"", OPTION_UNUSED, .env = "ENABLED"},
	{"", OPTION_UNUSED, .env = "CORE_DNS_BINARY_PATH"},
	{"", OPTION_UNUSED, .env = "CONFIG_DIR"},
	{"", OPTION_TITLE, .help = "Help"},
	{"help", OPTION_BOOL, AT(help), NULL, .help = "print this"},
	{"version", OPTION_BOOL, AT(version), NULL, .help = "print the version"},
	{0},
};

const char *settings_resolv_conf(const struct settings *settings)
{
	return settings->resolv_conf ? settings->resolv_conf : RESOLVCONF_PATH;
}

void settings_print_help(FILE *out)
{
	fputs("Usage: meshdns-resolver [OPTION]...\n"
	      "       meshdns-resolver ctl COMMAND    talks to a running one; ctl --help\n\n"
	      "Answers mesh names with their virtual IPs and forwards everything else to the\n"
	      "original DNS servers.\n\nOptions:\n",
	      out);
	options_print_help(rows, out);
	fputs("\nExamples:\n"
	      "  meshdns-resolver --names /etc/meshdns/names.hosts\n"
	      "  meshdns-resolver --names /etc/meshdns/names.d --user meshdns --workers auto\n"
	      "  meshdns-resolver --listen 127.0.0.1:5300 --upstream 10.0.0.53 --names names.json\n"
	      "\nSignals: TERM and INT stop it, HUP reads the names again.\n"
	      "Exit codes: 0 stopped by a signal, 1 usage or configuration, 2 the machine "
	      "refuses.\n"
	      "More in meshdns-resolver(8).\n",
	      out);
}

static void listen_on_loopback(struct settings *s)
{
	parse_listen(s, "127.0.0.1", NULL);
	parse_listen(s, "::1", NULL);
	s->listen_is_default = true;
}

int settings_read(struct settings *settings, int argc, char **argv, struct err *err)
{
	int words, rc;

	settings->load.ttl = 60;
	settings->kuma_poll_ms = KUMA_POLL_MS;
	settings->workers = 1;
	settings->max_concurrent = FORWARD_MAX;
	settings->tcp_clients = 256;
	settings->tcp_idle_s = 10;
	settings->ready_fd = -1;
	settings->control = CTL_PATH;
	settings->log_level = LOG_LEVEL_INFO;
	settings->corefile.default_port = COREFILE_PORT;
	settings->corefile.port = RENDER_PORT;
	settings->corefile.empty_port = RENDER_EMPTY_PORT;
	settings->corefile.envoy_port = RENDER_ENVOY_PORT;
	settings->corefile.proxy_port = RENDER_PORT;
	settings->corefile.prometheus_port = RENDER_PROMETHEUS_PORT;
	parse_domain(settings, "mesh", NULL);
	parse_metrics(settings, "127.0.0.1", NULL);
	settings->metrics_is_default = true;
	if ((rc = options_parse_env(rows, settings, "KUMA_DNS_", environ, err)) < 0 ||
	    (rc = options_parse(rows, settings, argc, argv, &words, err)) < 0)
		return rc;
	if (words > 0)
		return err_set(err, EINVAL,
			       "what is \"%s\"? Only options are expected; --help "
			       "lists them",
			       argv[0]);
	if (settings->cache && settings->cache / settings->workers < CACHE_MIN)
		return err_set(err, EINVAL, "--cache: a worker needs %uK at least",
			       CACHE_MIN >> 10);
	if (settings->corefile.quiet && settings->log_level > LOG_LEVEL_WARNING)
		settings->log_level = LOG_LEVEL_WARNING;
	if (settings->n_listen == 0)
		listen_on_loopback(settings);
	settings->load.sources = settings->names;
	settings->load.n_sources = settings->n_names;
	return 0;
}
