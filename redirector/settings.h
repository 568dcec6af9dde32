/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user asks for. Names and meanings are those of `kumactl install transparent-proxy`. */
#ifndef MESHDNS_REDIRECTOR_SETTINGS_H
#define MESHDNS_REDIRECTOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/options.h"

#define SETTINGS_DNS_PORT 15053

enum family_mode { FAMILY_DUALSTACK, FAMILY_IPV4, FAMILY_IPV6 };

struct settings {
	bool redirect_dns;      /* queries to the nameservers of resolv.conf */
	bool redirect_all_dns;  /* queries to anyone */
	uint16_t dns_port;      /* where the resolver listens */
	const char *proxy_user; /* as user_resolve() takes it */
	enum family_mode family_mode;
	bool skip_zones;
	const char *resolv_conf;     /* NULL: where host_read() finds it */
	const char *netns;           /* NULL: this one; else as netns_enter() takes it */
	unsigned int rollback_after; /* seconds; 0: never */
	const char *as;              /* whose questions verify asks; NULL: nobody's */
	bool dry_run, json, verbose, help, version;
};

/* Strings that parsing puts into them are borrowed from argv. */
extern const struct settings settings_default;
extern const struct option_row settings_install_rows[];
extern const struct option_row settings_uninstall_rows[];
extern const struct option_row settings_confirm_rows[];

/* Refuses settings that contradict each other or capture nothing; -EINVAL. */
int settings_check_install(const struct settings *settings, struct err *err);

#endif
