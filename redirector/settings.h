/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user asks for. Names and meanings are those of `kumactl install transparent-proxy`.
 *
 * Values come from four places, a later one winning: defaults, --config files in their order,
 * KUMA_TRANSPARENT_PROXY_* variables, flags. Lists are replaced as a whole by a later place.
 */
#ifndef MESHDNS_REDIRECTOR_SETTINGS_H
#define MESHDNS_REDIRECTOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/options.h"
#include "iptables/backend.h"

#define SETTINGS_DNS_PORT       15053
#define SETTINGS_INBOUND_PORT   15006
#define SETTINGS_OUTBOUND_PORT  15001

#define SETTINGS_PORTS_MAX      64 /* in one list */
#define SETTINGS_PREFIXES_MAX   128
#define SETTINGS_EXCLUSIONS_MAX 64
#define SETTINGS_VNETS_MAX      32
#define SETTINGS_IFNAME_MAX     16 /* IFNAMSIZ */
#define SETTINGS_CONFIGS_MAX    16

/* Kuma's: how iptables' lock is waited for, and how often its programs are tried again. */
#define SETTINGS_LOCK_WAIT_S    5
#define SETTINGS_RETRIES        4
#define SETTINGS_RETRY_SLEEP_MS 2000

#define SETTINGS_ENV_PREFIX     "KUMA_TRANSPARENT_PROXY_"

enum family_mode { FAMILY_DUALSTACK, FAMILY_IPV4, FAMILY_IPV6 };

struct port_range {
	uint16_t first, last; /* both within; 1 to 65535 */
};

struct port_list {
	size_t n;
	struct port_range list[SETTINGS_PORTS_MAX]; /* ascending, gaps between them */
};

struct uid_range {
	uint32_t first, last;
};

struct prefix_list {
	size_t n;
	struct prefix list[SETTINGS_PREFIXES_MAX]; /* none lies within another */
};

/* --exclude-outbound-ports-for-uids [PROTO:][PORTS:]UIDS */
struct uid_exclusion {
	bool udp, tcp;
	struct port_list ports; /* none: all */
	struct uid_range uids;
};

/* --vnet INTERFACE:CIDR; `interface` may end in '+' for "begins with". */
struct vnet {
	char interface[SETTINGS_IFNAME_MAX];
	struct prefix network;
};

struct settings {
	/* DNS */
	bool redirect_dns;     /* queries to the nameservers of resolv.conf */
	bool redirect_all_dns; /* queries to anyone */
	bool redirect_dns_tcp; /* TCP as well as UDP (true) */
	uint16_t dns_port;     /* where the resolver listens */
	bool skip_zones;
	const char *resolv_conf; /* NULL: where host_read() finds it */

	/* the transparent proxy: TCP */
	bool redirect_inbound, redirect_outbound;
	uint16_t inbound_port, outbound_port;
	struct port_list exclude_inbound_ports, exclude_outbound_ports;
	struct port_list include_inbound_ports,
		include_outbound_ports; /* given: excludes are void */
	struct prefix_list exclude_inbound_ips, exclude_outbound_ips;
	struct prefix_list redirect_vips; /* given: of TCP only what goes there reaches the proxy */
	size_t n_uid_exclusions;
	struct uid_exclusion uid_exclusions[SETTINGS_EXCLUSIONS_MAX];
	size_t n_vnets;
	struct vnet vnets[SETTINGS_VNETS_MAX];
	bool insert_inbound, insert_outbound; /* in front of other tools' rules */

	/* all of it */
	/* As owners_find() takes them; NULL: not given. */
	const char *proxy_user, *proxy_group, *proxy_cgroup, *proxy_mark;
	enum family_mode family_mode;
	bool drop_invalid; /* packets that conntrack calls invalid */
	bool log;          /* a kernel log line for each new connection */
	uint8_t log_level; /* syslog level of these, 0 to 7 (7) */
	bool no_comments;

	/* how, and where */
	struct backend_options backend;
	bool store_firewalld;
	const char *netns;           /* NULL: this one; else as netns_enter() takes it */
	unsigned int rollback_after; /* seconds; 0: never */
	const char *as;              /* whose questions verify asks; NULL: nobody's */
	bool dry_run, json, verbose, help, version;

	size_t n_configs;
	const char *configs[SETTINGS_CONFIGS_MAX]; /* each FILE[,FILE]... */
	struct settings_text *texts;               /* what strings from files point into */
};

/* Strings from argv and the environment are borrowed, those from files are owned. */
extern const struct settings settings_default;
extern const struct option_row settings_install_rows[];
extern const struct option_row settings_uninstall_rows[];
extern const struct option_row settings_confirm_rows[];

/*
 * Fills settings from all places; from flags alone where no row has a key, as for uninstall, which
 * undoes whatever was installed.
 *
 * The word "transparent-proxy" asks for what Kuma does by default, inbound and outbound TCP; any
 * other is an error. With --help and --version nothing but the flags is looked at.
 *
 * The files may be anybody's: they are limited in size, and what is not understood is an error
 * that names file and line. 0 or a negative errno; settings_free() in either case.
 */
int settings_collect(const struct option_row *rows, int argc, char **argv,
		     struct settings *ret_settings, struct err *err);

void settings_free(struct settings *settings);
#define cleanup_settings __attribute__((cleanup(settings_free)))

/* Anything at all is to be redirected. */
bool settings_wants_rules(const struct settings *settings);

/* Refuses settings that contradict each other or capture nothing; -EINVAL. */
int settings_check_install(const struct settings *settings, struct err *err);

#endif
