/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/settings.h"

#include <errno.h>
#include <unistd.h>

#include "common/options.h"
#include "common/resolvconf.h"
#include "resolver/cache.h"
#include "resolver/corefile/render.h"
#include "resolver/ctl.h"
#include "resolver/forward.h"
#include "resolver/kuma.h"
#include "resolver/settings_take.h"

#define AT(member) offsetof(struct settings, member)

static const struct option_row rows[] = {
	{"listen", OPTION_CALL, 0, "ADDR:PORT",
	 .help = "answer there, UDP and TCP; repeatable (127.0.0.1:15053 and [::1]:15053)",
	 .parse = settings_take_listen},
	{"names", OPTION_CALL, 0, "FILE|DIR",
	 .help = "mesh names: hosts(5) lines or Kuma's JSON; of a folder all *.hosts and *.json; "
		 "repeatable, read again when they change",
	 .parse = settings_take_names},
	{"state-dir", OPTION_STRING, AT(state_dir), "DIR",
	 .help = "keep the last good names there, and start with them where no source can be read"},
	{"kuma-socket", OPTION_CALL, 0, "PATH",
	 .help = "mesh names from Kuma's data plane as well: its socket of dynamic configuration, "
		 "kuma-mesh-metric-config.sock in kuma-dp's work folder",
	 .parse = settings_take_kuma_socket},
	{"kuma-poll", OPTION_CALL, 0, "TIME",
	 .help = "how often it is asked for changes, as 500ms or 1m (1s)",
	 .parse = settings_take_kuma_poll},
	{"domain", OPTION_CALL, 0, "NAME",
	 .help = "the mesh domain: no type of a mesh name under it is ever asked upstream (mesh)",
	 .parse = settings_take_domain},
	{"authoritative", OPTION_CALL, 0, "ZONE",
	 .help = "deny names below it that are not known, in place of forwarding; repeatable",
	 .parse = settings_take_authoritative},
	{"search-path", OPTION_CALL, 0, "DOMAIN,...|resolv.conf",
	 .help = "answer a mesh name with one of these behind it, as clients append them, by a "
		 "CNAME; resolv.conf: those of --resolv-conf",
	 .parse = settings_take_search},
	{"ttl", OPTION_NUMBER, AT(load.ttl), "SECONDS",
	 .help = "TTL where the names' source says none (60)", .max = NAMES_TTL_MAX},
	{"upstream", OPTION_CALL, 0, "[tls://]ADDR[:PORT][#NAME]",
	 .help = "forward all else there; repeatable, tried in order (the nameservers of "
		 "--resolv-conf); tls://: by DNS over TLS, with a certificate for NAME, or ADDR",
	 .parse = settings_take_upstream},
	{"forward", OPTION_CALL, 0, "SUFFIX=ADDR[:PORT],...",
	 .help = "forward names below SUFFIX there instead, the longest suffix wins, \".\" is all "
		 "else; repeatable",
	 .parse = settings_take_forward},
	{"tls-ca", OPTION_STRING, AT(tls_ca), "FILE",
	 .help = "certificates to trust in place of the system's, for tls:// servers"},
	{"upstream-policy", OPTION_CALL, 0, "POLICY",
	 .help = "which of several servers is asked first: sequential, random or round-robin "
		 "(sequential)",
	 .parse = settings_take_policy},
	{"upstream-tcp", OPTION_BOOL, AT(upstream_tcp), NULL,
	 .help = "ask upstreams over TCP only"},
	{"0x20", OPTION_BOOL, AT(use_0x20), NULL,
	 .help = "ask upstreams in random case, and want it back"},
	{"max-concurrent", OPTION_NUMBER, AT(max_concurrent), "N",
	 .help = "questions of a worker that wait for upstreams; beyond it SERVFAIL (2048)",
	 .min = 1, .max = FORWARD_MAX_LIMIT},
	{"cache", OPTION_CALL, 0, "SIZE",
	 .help = "keep answers of upstreams in so much memory, as 4M; 0: do not (0)",
	 .parse = settings_take_cache},
	{"serve-stale", OPTION_CALL, 0, "TIME",
	 .help = "where upstreams fail, answer from the cache for so long after the TTL, as 1h or "
		 "1d "
		 "(0)",
	 .parse = settings_take_stale},
	{"resolv-conf", OPTION_STRING, AT(resolv_conf), "PATH",
	 .help = "where the original nameservers stand (/etc/resolv.conf; if that names "
		 "systemd-resolved's stub, /run/systemd/resolve/resolv.conf)"},
	{"user", OPTION_STRING, AT(user), "NAME|UID",
	 .help = "with root, become this user once the sockets are bound; must be the user whose "
		 "DNS is not redirected (uid 5678, else meshdns, else kuma-dp)"},
	{"allow", OPTION_CALL, 0, "CIDR",
	 .help = "who else than this host may ask where --listen is not loopback; repeatable",
	 .parse = settings_take_allow},
	{"allow-interface", OPTION_CALL, 0, "NAME",
	 .help = "likewise the networks of an interface, as docker0; repeatable",
	 .parse = settings_take_allow_interface},
	{"rate-limit", OPTION_NUMBER, AT(limits.rate), "QPS",
	 .help = "questions a second over UDP that a worker answers a client (0: any number)",
	 .max = 1000000},
	{"clients-max-tcp", OPTION_NUMBER, AT(limits.max_tcp), "N",
	 .help = "TCP connections that one client may have with a worker (0: any number)",
	 .max = 65536},
	{"clients-max-inflight", OPTION_NUMBER, AT(limits.max_inflight), "N",
	 .help = "questions of one client over UDP that a worker has upstream (0: any number)",
	 .max = 65536},
	{"takeover", OPTION_STRING, AT(takeover), "PATH",
	 .help = "take the place of the resolver whose socket is there, without a lost query, and "
		 "be there for the next"},
	{"no-sandbox", OPTION_BOOL, AT(no_sandbox), NULL,
	 .help = "for debugging: without the system call filter and Landlock"},
	{"workers", OPTION_CALL, 0, "N|auto", .help = "threads that answer; auto: one a core (1)",
	 .parse = settings_take_workers},
	{"tcp-clients", OPTION_NUMBER, AT(tcp_clients), "N",
	 .help = "TCP connections a worker holds; the longest idle makes room (256)", .min = 1,
	 .max = 65536},
	{"tcp-idle", OPTION_NUMBER, AT(tcp_idle_s), "SECONDS",
	 .help = "close a TCP connection idle for so long (10)", .min = 1, .max = 3600},
	{"metrics", OPTION_CALL, 0, "ADDR:PORT|off",
	 .help = "serve /metrics, /health and /ready over HTTP there (127.0.0.1:19153)",
	 .parse = settings_take_metrics},
	{"control", OPTION_STRING, AT(control), "PATH|off",
	 .help = "socket for `meshdns-resolver ctl` (" CTL_PATH ")"},
	{"log-queries", OPTION_BOOL, AT(log_queries), NULL,
	 .help = "log queries from the start on, 100 lines a second at most; see ctl log"},
	{"dnstap", OPTION_CALL, 0, "unix:PATH|file:PATH",
	 .help = "send all messages to this socket or file in dnstap's format",
	 .parse = settings_take_dnstap},
	{"ready-fd", OPTION_CALL, 0, "FD",
	 .help = "write a newline there when ready; $NOTIFY_SOCKET is told too",
	 .parse = settings_take_ready_fd},
	{"log-level", OPTION_CALL, 0, "LEVEL", .help = "error, warning, info or debug (info)",
	 .parse = settings_take_log_level},
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
	{"dns-proxy-port", OPTION_NUMBER, AT(corefile.proxy_port), "PORT",
	 .help = ".ProxyPort; 0: Kuma's own resolver is off (15053)", .env = "PROXY_PORT",
	 .max = UINT16_MAX},
	{"dns-prometheus-port", OPTION_PORT, AT(corefile.prometheus_port), "PORT",
	 .help = ".PrometheusPort (19153)", .env = "PROMETHEUS_PORT"},
	{"dns-enable-logging", OPTION_BOOL, AT(corefile.logging), NULL, .help = ".CoreDNSLogging",
	 .env = "ENABLE_LOGGING"},
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
	settings_take_listen(s, "127.0.0.1", NULL);
	settings_take_listen(s, "::1", NULL);
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
	settings_take_domain(settings, "mesh", NULL);
	settings_take_metrics(settings, "127.0.0.1", NULL);
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
