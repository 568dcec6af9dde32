/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/settings.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "redirector/settings_parse.h"

const struct settings settings_default = {
	.redirect_dns_tcp = true,
	.dns_port = SETTINGS_DNS_PORT,
	.inbound_port = SETTINGS_INBOUND_PORT,
	.outbound_port = SETTINGS_OUTBOUND_PORT,
	.log_level = 7,
	.backend = {.lock_wait_s = SETTINGS_LOCK_WAIT_S,
		    .retries = SETTINGS_RETRIES,
		    .retry_sleep_ms = SETTINGS_RETRY_SLEEP_MS},
};

/* --- rows --- */

#define LIST_PARSER(member, parse_list)                                                \
	static int parse_##member(void *settings, const char *value, struct err *err)  \
	{                                                                              \
		return parse_list(&((struct settings *)settings)->member, value, err); \
	}

LIST_PARSER(exclude_inbound_ports, settings_parse_ports)
LIST_PARSER(exclude_outbound_ports, settings_parse_ports)
LIST_PARSER(include_inbound_ports, settings_parse_ports)
LIST_PARSER(include_outbound_ports, settings_parse_ports)
LIST_PARSER(exclude_inbound_ips, settings_parse_prefixes)
LIST_PARSER(exclude_outbound_ips, settings_parse_prefixes)
LIST_PARSER(redirect_vips, settings_parse_prefixes)

/* A whole number of seconds, minutes or hours, up to a day. */
static int parse_duration(void *settings, const char *value, struct err *err)
{
	static const struct {
		char unit;
		unsigned int seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
	size_t len = strlen(value);
	char digits[8];
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (len < 2 || len > sizeof(digits) || value[len - 1] != units[i].unit)
			continue;
		snprintf(digits, sizeof(digits), "%.*s", (int)len - 1, value);
		if (!options_parse_number(digits, 1, 86400 / units[i].seconds, &n))
			break;
		((struct settings *)settings)->rollback_after = (unsigned int)n * units[i].seconds;
		return 0;
	}
	return err_set(err, EINVAL, "\"%s\" is no time from 1s to 24h, such as 60s or 2m", value);
}

#define AT(member) offsetof(struct settings, member)

/* clang-format off */
#define TITLE_ROW(text) {"", OPTION_TITLE, .help = (text)}
#define LIST_ROW(flag, member, arg_, env_, key_, help_)                \
	{(flag), OPTION_LIST, AT(member), (arg_), .help = (help_),     \
	 .parse = parse_##member, .env = (env_), .key = (key_)}
#define UNUSED_ROW(flag, arg_, env_, key_, help_)                      \
	{(flag), OPTION_UNUSED, 0, (arg_), .help = (help_),            \
	 .env = (env_), .key = (key_)}
#define REMOVED_ROW(flag, env_, key_, instead)                         \
	{(flag), OPTION_REMOVED, .help = (instead), .env = (env_), .key = (key_)}
#define NETNS_ROW                                                      \
	{"netns", OPTION_STRING, AT(netns), "PATH|NAME|PID",           \
	 .help = "in that network namespace (this one)"}
#define PROGRAM_ROW(program, ipv6, key_)                               \
	{"", OPTION_STRING, AT(backend.programs[program][ipv6]), .key = (key_)}
/* `from`: whether environment and files are asked, PLACE or NO_PLACE. */
#define PLACE(name)    (name)
#define NO_PLACE(name) NULL
#define IPTABLES_ROWS(from)                                            \
	{"wait", OPTION_CALL, 0, "SECONDS",                            \
	 .help = "how long to wait for the lock of iptables-legacy (5)", \
	 .parse = settings_parse_wait, .env = from("WAIT"), .key = from("wait")},  \
	{"wait-interval", OPTION_CALL, 0, "MICROSECONDS",              \
	 .help = "how often to look at that lock (0: iptables' own)",  \
	 .parse = settings_parse_wait_interval,                        \
	 .env = from("WAIT_INTERVAL"), .key = from("waitInterval")},               \
	{"max-retries", OPTION_CALL, 0, "N",                           \
	 .help = "how often to try iptables-restore again (4)",        \
	 .parse = settings_parse_retries,                              \
	 .env = from("RETRY_MAX_RETRIES"), .key = from("retry.maxRetries")},       \
	{"sleep-between-retries", OPTION_CALL, 0, "DURATION",          \
	 .help = "how long before that (2s)",                          \
	 .parse = settings_parse_retry_sleep,                          \
	 .env = from("RETRY_SLEEP_BETWEEN_RETRIES"),                         \
	 .key = from("retry.sleepBetweenRetries")},                          \
	{"iptables-executables", OPTION_CALL, 0, "NAME:PATH,...",      \
	 .help = "which programs to run (those of the system); the names are iptables-save, "  \
		 "iptables-restore and these with ip6tables",          \
	 .parse = settings_parse_programs,                             \
	 .env = from("IPTABLES_EXECUTABLES")}
#define HELP_ROWS                                                      \
	{"help", OPTION_BOOL, AT(help), NULL, .help = "print this"},   \
	{"version", OPTION_BOOL, AT(version), NULL, .help = "print the version"}
/* clang-format on */

#define NO_EBPF SETTINGS_NO_EBPF

const struct option_row settings_install_rows[] = {
	TITLE_ROW("DNS"),
	{"redirect-dns", OPTION_BOOL, AT(redirect_dns), NULL,
	 .help = "capture queries to the nameservers of resolv.conf", .env = "REDIRECT_DNS_ENABLED",
	 .key = "redirect.dns.enabled"},
	{"redirect-all-dns-traffic", OPTION_BOOL, AT(redirect_all_dns), NULL,
	 .help = "capture queries to anyone", .env = "REDIRECT_DNS_CAPTURE_ALL",
	 .key = "redirect.dns.captureAll"},
	{"redirect-dns-tcp", OPTION_BOOL, AT(redirect_dns_tcp), NULL,
	 .help = "capture TCP as well as UDP (true; Kuma's is false)", .env = "REDIRECT_DNS_TCP",
	 .key = "redirect.dns.tcp"},
	{"redirect-dns-port", OPTION_PORT, AT(dns_port), "PORT",
	 .help = "where the resolver listens (15053)", .env = "REDIRECT_DNS_PORT",
	 .key = "redirect.dns.port"},
	{"skip-dns-conntrack-zone-split", OPTION_BOOL, AT(skip_zones), NULL,
	 .help = "do without conntrack zones: a query whose source port was just used by the other "
		 "side may then go the wrong way",
	 .env = "REDIRECT_DNS_SKIP_CONNTRACK_ZONE_SPLIT",
	 .key = "redirect.dns.skipConntrackZoneSplit"},
	{"resolv-conf", OPTION_STRING, AT(resolv_conf), "PATH",
	 .help = "whose nameservers --redirect-dns means (/etc/resolv.conf; with --netns that "
		 "namespace's, where it has one)",
	 .env = "REDIRECT_DNS_RESOLV_CONFIG_PATH", .key = "redirect.dns.resolvConfigPath"},

	TITLE_ROW("TCP that comes in"),
	{"redirect-inbound", OPTION_BOOL, AT(redirect_inbound), NULL,
	 .help = "hand it to the proxy", .env = "REDIRECT_INBOUND_ENABLED",
	 .key = "redirect.inbound.enabled"},
	{"redirect-inbound-port", OPTION_PORT, AT(inbound_port), "PORT",
	 .help = "where the proxy listens for it (15006)", .env = "REDIRECT_INBOUND_PORT",
	 .key = "redirect.inbound.port"},
	LIST_ROW("exclude-inbound-ports", exclude_inbound_ports, "PORTS",
		 "REDIRECT_INBOUND_EXCLUDE_PORTS", "redirect.inbound.excludePorts",
		 "but not on these ports: 22,8000-8999"),
	LIST_ROW("include-inbound-ports", include_inbound_ports, "PORTS",
		 "REDIRECT_INBOUND_INCLUDE_PORTS", "redirect.inbound.includePorts",
		 "only on these ports; then none is excluded"),
	LIST_ROW("exclude-inbound-ips", exclude_inbound_ips, "CIDRS",
		 "REDIRECT_INBOUND_EXCLUDE_PORTS_FOR_IPS", "redirect.inbound.excludePortsForIPs",
		 "but not from there"),
	{"redirect-inbound-insert-instead-of-append", OPTION_BOOL, AT(insert_inbound), NULL,
	 .help = "in front of other tools' rules",
	 .env = "REDIRECT_INBOUND_INSERT_REDIRECT_INSTEAD_OF_APPEND",
	 .key = "redirect.inbound.insertRedirectInsteadOfAppend"},

	TITLE_ROW("TCP that goes out"),
	{"redirect-outbound", OPTION_BOOL, AT(redirect_outbound), NULL,
	 .help = "hand it to the proxy", .env = "REDIRECT_OUTBOUND_ENABLED",
	 .key = "redirect.outbound.enabled"},
	{"redirect-outbound-port", OPTION_PORT, AT(outbound_port), "PORT",
	 .help = "where the proxy listens for it (15001)", .env = "REDIRECT_OUTBOUND_PORT",
	 .key = "redirect.outbound.port"},
	LIST_ROW("exclude-outbound-ports", exclude_outbound_ports, "PORTS",
		 "REDIRECT_OUTBOUND_EXCLUDE_PORTS", "redirect.outbound.excludePorts",
		 "but not to these ports"),
	LIST_ROW("include-outbound-ports", include_outbound_ports, "PORTS",
		 "REDIRECT_OUTBOUND_INCLUDE_PORTS", "redirect.outbound.includePorts",
		 "only to these ports; then none is excluded"),
	LIST_ROW("exclude-outbound-ips", exclude_outbound_ips, "CIDRS",
		 "REDIRECT_OUTBOUND_EXCLUDE_PORTS_FOR_IPS", "redirect.outbound.excludePortsForIPs",
		 "but not to there; DNS neither"),
	{"exclude-outbound-ports-for-uids", OPTION_LIST, AT(n_uid_exclusions),
	 "[PROTO:][PORTS:]UIDS",
	 .help = "but not what these users send, DNS neither: tcp:80,443:1000-1999; PROTO is tcp, "
		 "udp or both, and is left out for both",
	 .parse = settings_parse_uid_exclusions, .env = "REDIRECT_OUTBOUND_EXCLUDE_PORTS_FOR_UIDS",
	 .key = "redirect.outbound.excludePortsForUIDs"},
	LIST_ROW("redirect-vips", redirect_vips, "CIDRS", "REDIRECT_OUTBOUND_VIPS",
		 "redirect.outbound.vips", "only to there: the mesh's virtual addresses"),
	{"redirect-outbound-insert-instead-of-append", OPTION_BOOL, AT(insert_outbound), NULL,
	 .help = "in front of other tools' rules",
	 .env = "REDIRECT_OUTBOUND_INSERT_REDIRECT_INSTEAD_OF_APPEND",
	 .key = "redirect.outbound.insertRedirectInsteadOfAppend"},
	{"vnet", OPTION_LIST, AT(n_vnets), "INTERFACE:CIDR",
	 .help = "also what comes from this machine's containers or VMs, DNS and TCP, unless it "
		 "goes to that network: docker0:172.17.0.0/16, br+:fd00::/64",
	 .parse = settings_parse_vnets, .env = "REDIRECT_VNET_NETWORKS",
	 .key = "redirect.vnet.networks"},

	TITLE_ROW("All of it"),
	{"config", OPTION_CALL, 0, "FILE,...",
	 .help = "read options from YAML or JSON, - is standard input; repeatable, a later file "
		 "wins, then the environment, then flags",
	 .parse = settings_parse_config},
	{"proxy-user", OPTION_STRING, AT(proxy_user), "NAME|UID|UID-UID",
	 .help = "the resolver's and the proxy's user, which is left alone (uid 5678, else "
		 "meshdns, else kuma-dp; none when one of the following says who); also "
		 "--kuma-dp-user",
	 .env = "KUMA_DP_USER", .key = "kumaDPUser"},
	{"proxy-group", OPTION_STRING, AT(proxy_group), "NAME|GID|GID-GID",
	 .help = "and that group", .env = "PROXY_GROUP", .key = "proxy.group"},
	{"proxy-cgroup", OPTION_STRING, AT(proxy_cgroup), "PATH",
	 .help = "and what runs in that cgroup (version 2) or below it", .env = "PROXY_CGROUP",
	 .key = "proxy.cgroup"},
	{"proxy-mark", OPTION_STRING, AT(proxy_mark), "VALUE[/MASK]",
	 .help = "and packets with that mark", .env = "PROXY_MARK", .key = "proxy.mark"},
	{"kuma-dp-user", OPTION_STRING, AT(proxy_user), "NAME|UID", .help = NULL},
	{"ip-family-mode", OPTION_CALL, 0, "MODE", .help = "dualstack, ipv4 or ipv6 (dualstack)",
	 .parse = settings_parse_family_mode, .env = "IP_FAMILY_MODE", .key = "ipFamilyMode"},
	{"drop-invalid-packets", OPTION_BOOL, AT(drop_invalid), NULL,
	 .help = "drop what conntrack calls invalid", .env = "DROP_INVALID_PACKETS",
	 .key = "dropInvalidPackets"},
	{"iptables-logs", OPTION_BOOL, AT(log), NULL,
	 .help = "a kernel log line for each new connection", .env = "LOG_ENABLED",
	 .key = "log.enabled"},
	{"", OPTION_CALL, .parse = settings_parse_log_level, .env = "LOG_LEVEL",
	 .key = "log.level"},
	{"disable-comments", OPTION_BOOL, AT(no_comments), NULL, .help = "rules without comments",
	 .env = "COMMENTS_DISABLED", .key = "comments.disabled"},
	{"backend", OPTION_CALL, 0, "NAME",
	 .help = "auto, nftables, iptables-nft or iptables-legacy (auto: nftables where the kernel "
		 "has it, else the flavour of iptables that this host uses)",
	 .parse = settings_parse_backend, .env = "BACKEND", .key = "backend"},
	NETNS_ROW,
	{"rollback-after", OPTION_CALL, 0, "TIME", .only = "install",
	 .help = "undo it after that time (60s, 2m) unless confirm is run before",
	 .parse = parse_duration},
	{"as", OPTION_STRING, AT(as), "NAME|UID", .only = "verify",
	 .help = "the ordinary user as whom to ask (65534)"},
	{"dry-run", OPTION_BOOL, AT(dry_run), NULL,
	 .help = "print what would be installed, and install nothing", .env = "DRY_RUN",
	 .key = "dryRun"},
	{"json", OPTION_BOOL, AT(json), NULL, .help = "print it as JSON"},
	{"verbose", OPTION_BOOL, AT(verbose), NULL, .help = "say what is done", .env = "VERBOSE",
	 .key = "verbose"},
	HELP_ROWS,

	TITLE_ROW("Of iptables alone"),
	{"store-firewalld", OPTION_BOOL, AT(store_firewalld), NULL,
	 .help = "have firewalld keep the rules, for its reloads and for the next boot; takes "
		 "iptables in place of nftables",
	 .env = "STORE_FIREWALLD", .key = "storeFirewalld"},
	IPTABLES_ROWS(PLACE),
	UNUSED_ROW("", NULL, NULL, "iptablesExecutables.iptables", NULL),
	PROGRAM_ROW(BACKEND_SAVE, 0, "iptablesExecutables.iptables-save"),
	PROGRAM_ROW(BACKEND_RESTORE, 0, "iptablesExecutables.iptables-restore"),
	UNUSED_ROW("", NULL, NULL, "iptablesExecutables.ip6tables", NULL),
	PROGRAM_ROW(BACKEND_SAVE, 1, "iptablesExecutables.ip6tables-save"),
	PROGRAM_ROW(BACKEND_RESTORE, 1, "iptablesExecutables.ip6tables-restore"),

	/* So that Kuma's users need not change their files; behind each what it is for. */
	TITLE_ROW("Taken for Kuma's sake, without effect in this version"),
	UNUSED_ROW("", NULL, "REDIRECT_NAME_PREFIX", NULL, "what iptables chains are called"),
	UNUSED_ROW("", NULL, "REDIRECT_INBOUND_CHAIN_NAME", NULL, NULL),
	UNUSED_ROW("", NULL, "REDIRECT_INBOUND_REDIRECT_CHAIN_NAME", NULL, NULL),
	UNUSED_ROW("", NULL, "REDIRECT_OUTBOUND_CHAIN_NAME", NULL, NULL),
	UNUSED_ROW("", NULL, "REDIRECT_OUTBOUND_REDIRECT_CHAIN_NAME", NULL, NULL),
	UNUSED_ROW("", NULL, "CNI_MODE", "cniMode", "for the CNI plugin"),
	{"", OPTION_UNUSED, .parse = settings_refuse_inbound_uids,
	 .env = "REDIRECT_INBOUND_EXCLUDE_PORTS_FOR_UIDS",
	 .key = "redirect.inbound.excludePortsForUIDs"},

	/* Names of older Kumas; behind each what to do instead. */
	REMOVED_ROW("config-file", NULL, NULL, "use --config"),
	REMOVED_ROW("kuma-dp-uid", NULL, NULL, "use --proxy-user, which takes names and uids"),
	REMOVED_ROW("kuma-cp-ip", NULL, NULL, "leave it out, nothing needs it"),
	REMOVED_ROW("skip-resolv-conf", NULL, NULL, "leave it out, resolv.conf is never changed"),
	REMOVED_ROW("redirect-inbound-port-v6", NULL, NULL,
		    "use --redirect-inbound-port, for both families"),
	REMOVED_ROW("exclude-outbound-tcp-ports-for-uids", NULL, NULL,
		    "use --exclude-outbound-ports-for-uids tcp:PORTS:UIDS"),
	REMOVED_ROW("exclude-outbound-udp-ports-for-uids", NULL, NULL,
		    "use --exclude-outbound-ports-for-uids udp:PORTS:UIDS"),
	{"ebpf-enabled", OPTION_UNUSED, .parse = settings_refuse_ebpf, .env = "EBPF_ENABLED",
	 .key = "ebpf.enabled"},
	REMOVED_ROW("ebpf-programs-source-path", "EBPF_PROGRAMS_SOURCE_PATH", NULL, NO_EBPF),
	REMOVED_ROW("ebpf-instance-ip", "EBPF_INSTANCE_IP", NULL, NO_EBPF),
	REMOVED_ROW("ebpf-bpffs-path", "EBPF_BPFFS_PATH", NULL, NO_EBPF),
	REMOVED_ROW("ebpf-cgroup-path", "EBPF_CGROUP_PATH", NULL, NO_EBPF),
	REMOVED_ROW("ebpf-tc-attach-iface", "EBPF_TC_ATTACH_IFACE", NULL, NO_EBPF),
	/* Kuma 2's files have these also where it is off. */
	UNUSED_ROW("", NULL, NULL, "ebpf.instanceIP", NULL),
	UNUSED_ROW("", NULL, NULL, "ebpf.instanceIPEnvVarName", NULL),
	UNUSED_ROW("", NULL, NULL, "ebpf.bpffsPath", NULL),
	UNUSED_ROW("", NULL, NULL, "ebpf.cgroupPath", NULL),
	UNUSED_ROW("", NULL, NULL, "ebpf.tcAttachIface", NULL),
	UNUSED_ROW("", NULL, NULL, "ebpf.programsSourcePath", NULL),
	{0},
};

const struct option_row settings_uninstall_rows[] = {
	NETNS_ROW,
	IPTABLES_ROWS(NO_PLACE),
	{"dry-run", OPTION_BOOL, AT(dry_run), NULL,
	 .help = "print what would be removed, and remove nothing"},
	{"verbose", OPTION_BOOL, AT(verbose), NULL, .help = "say what is done"},
	HELP_ROWS,
	{0},
};

const struct option_row settings_confirm_rows[] = {
	NETNS_ROW,
	{"verbose", OPTION_BOOL, AT(verbose), NULL, .help = "say what is done"},
	HELP_ROWS,
	{0},
};

/* --- all places --- */

/* The words that are left: none, or one that stands for Kuma's defaults. */
static int take_words(struct settings *settings, int words, char **argv, struct err *err)
{
	if (words == 0)
		return 0;
	if (words > 1 || strcmp(argv[0], "transparent-proxy") != 0)
		return err_set(err, EINVAL,
			       "what is \"%s\"? Only options are expected, and perhaps the word "
			       "transparent-proxy; --help lists them",
			       argv[words > 1 && !strcmp(argv[0], "transparent-proxy")]);
	settings->redirect_inbound = true;
	settings->redirect_outbound = true;
	return 0;
}

static int read_files(const struct option_row *rows, const char *list, struct settings *settings,
		      struct err *err)
{
	char path[PATH_MAX];
	int rc = 0;

	while (rc == 0 && list) {
		size_t len = strcspn(list, ",");

		if (len == 0 || len >= sizeof(path))
			return err_set(err, EINVAL,
				       "--config: a file's name is missing, or "
				       "too long");
		snprintf(path, sizeof(path), "%.*s", (int)len, list);
		rc = settings_parse_file(rows, settings, path, err);
		list = list[len] ? list + len + 1 : NULL;
	}
	return rc;
}

static bool has_keys(const struct option_row *rows)
{
	while (rows->name && !rows->key)
		rows++;
	return rows->name;
}

static int read_all_places(const struct option_row *rows, const struct settings *flags, int argc,
			   char **argv, struct settings *settings, struct err *err)
{
	int words, rc;

	if (flags->redirect_dns && flags->redirect_all_dns)
		return err_set(err, EINVAL,
			       "--redirect-dns and --redirect-all-dns-traffic exclude each other: "
			       "capture queries to the nameservers of resolv.conf, or to anyone");
	for (size_t i = 0; i < flags->n_configs; i++) {
		if ((rc = read_files(rows, flags->configs[i], settings, err)) < 0)
			return rc;
	}
	if ((rc = options_parse_env(rows, settings, SETTINGS_ENV_PREFIX, environ, err)) < 0 ||
	    (rc = options_parse(rows, settings, argc, argv, &words, err)) < 0)
		return rc;
	/* Kuma's files say both, and mean this. */
	if (settings->redirect_all_dns)
		settings->redirect_dns = false;
	settings->backend.default_iptables = settings->store_firewalld;
	return 0;
}

int settings_collect(const struct option_row *rows, int argc, char **argv,
		     struct settings *ret_settings, struct err *err)
{
	cleanup_free char **copy = malloc(((size_t)argc + 1) * sizeof(*argv));
	cleanup_settings struct settings flags = settings_default;
	int words, rc;

	*ret_settings = settings_default;
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(copy, argv, (size_t)argc * sizeof(*argv));

	/* The flags are read first to learn of the files, and again to win over them. */
	if ((rc = options_parse(rows, &flags, argc, copy, &words, err)) < 0 ||
	    (rc = take_words(ret_settings, words, copy, err)) < 0)
		return rc;
	if (flags.help || flags.version || !has_keys(rows)) {
		*ret_settings = flags;
		flags.texts = NULL; /* they are the caller's now */
		return 0;
	}
	return read_all_places(rows, &flags, argc, argv, ret_settings, err);
}

void settings_free(struct settings *settings)
{
	while (settings->texts) {
		struct settings_text *next = settings->texts->next;

		free(settings->texts);
		settings->texts = next;
	}
}

/* --- contradictions --- */

/* What firewalld cannot keep, or could not take back. */
static int check_firewalld(const struct settings *settings, struct err *err)
{
	const char *backend = settings->backend.name;

	if (!settings->store_firewalld)
		return 0;
	if (backend && !strcmp(backend, "nftables"))
		return err_set(err, EINVAL,
			       "--store-firewalld stores iptables rules; leave out --backend "
			       "nftables, whose rules firewalld never removes");
	if (settings->netns)
		return err_set(err, EINVAL, "--store-firewalld is for this host, not for --netns");
	if (settings->rollback_after)
		return err_set(err, EINVAL,
			       "--rollback-after does not take back what --store-firewalld "
			       "stores; confirm first, then install with --store-firewalld");
	return 0;
}

static int check_ports(const struct settings *settings, struct err *err)
{
	bool dns_tcp = settings->redirect_dns_tcp &&
		       (settings->redirect_dns || settings->redirect_all_dns);
	const struct {
		bool used;
		uint16_t port;
		const char *flag;
	} ports[] = {
		{dns_tcp, settings->dns_port, "--redirect-dns-port"},
		{settings->redirect_inbound, settings->inbound_port, "--redirect-inbound-port"},
		{settings->redirect_outbound, settings->outbound_port, "--redirect-outbound-port"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		for (size_t j = 0; j < i; j++) {
			if (ports[i].used && ports[j].used && ports[i].port == ports[j].port)
				return err_set(err, EINVAL,
					       "%s and %s are both %u; give each listener a port "
					       "of its own",
					       ports[j].flag, ports[i].flag, ports[i].port);
		}
	}
	return 0;
}

bool settings_wants_rules(const struct settings *settings)
{
	return settings->redirect_dns || settings->redirect_all_dns || settings->redirect_inbound ||
	       settings->redirect_outbound;
}

int settings_check_install(const struct settings *settings, struct err *err)
{
	bool dns = settings->redirect_dns || settings->redirect_all_dns;

	if (!settings_wants_rules(settings))
		return err_set(
			err, EINVAL,
			"nothing to capture: give --redirect-dns (queries to the nameservers "
			"of resolv.conf), --redirect-all-dns-traffic (queries to anyone), "
			"--redirect-inbound or --redirect-outbound (TCP)");
	if (settings->redirect_vips.n > 0 && !settings->redirect_outbound)
		return err_set(err, EINVAL,
			       "--redirect-vips says which outbound TCP goes to the proxy; give "
			       "--redirect-outbound too");
	if (settings->n_vnets > 0 && !dns && !settings->redirect_outbound)
		return err_set(err, EINVAL,
			       "--vnet says who else is captured, but not what; give "
			       "--redirect-dns, --redirect-all-dns-traffic or --redirect-outbound");
	if (settings->json && !settings->dry_run)
		return err_set(err, EINVAL,
			       "--json prints what --dry-run would install; give both");
	return check_firewalld(settings, err) < 0 ? -EINVAL : check_ports(settings, err);
}
