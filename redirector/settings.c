/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/settings.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"

const struct settings settings_default = {.dns_port = SETTINGS_DNS_PORT};

static int parse_family_mode(void *settings, const char *value, struct err *err)
{
	static const char *const names[] = {
		[FAMILY_DUALSTACK] = "dualstack",
		[FAMILY_IPV4] = "ipv4",
		[FAMILY_IPV6] = "ipv6",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(value, names[i])) {
			((struct settings *)settings)->family_mode = (enum family_mode)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "\"%s\" is none of dualstack, ipv4, ipv6", value);
}

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

#define NETNS_ROW                                                    \
	{                                                            \
		"netns", OPTION_STRING, AT(netns), "PATH|NAME|PID",  \
			"in that network namespace (this one)", NULL \
	}
#define DRY_RUN_ROW(text)                                             \
	{                                                             \
		"dry-run", OPTION_BOOL, AT(dry_run), NULL, text, NULL \
	}
#define LAST_ROWS                                                                       \
	{"verbose", OPTION_BOOL, AT(verbose), NULL, "say what is done", NULL},          \
		{"help", OPTION_BOOL, AT(help), NULL, "print this", NULL},              \
		{"version", OPTION_BOOL, AT(version), NULL, "print the version", NULL}, \
	{                                                                               \
		0                                                                       \
	}

const struct option_row settings_install_rows[] = {
	{"redirect-dns", OPTION_BOOL, AT(redirect_dns), NULL,
	 "capture queries to the nameservers of resolv.conf", NULL},
	{"redirect-all-dns-traffic", OPTION_BOOL, AT(redirect_all_dns), NULL,
	 "capture queries to anyone", NULL},
	{"redirect-dns-port", OPTION_PORT, AT(dns_port), "PORT",
	 "where the resolver listens (15053)", NULL},
	{"proxy-user", OPTION_STRING, AT(proxy_user), "NAME|UID",
	 "the resolver's user, whose own queries are left alone (uid 5678, else meshdns, else "
	 "kuma-dp); also --kuma-dp-user",
	 NULL},
	{"kuma-dp-user", OPTION_STRING, AT(proxy_user), "NAME|UID", NULL, NULL},
	{"ip-family-mode", OPTION_CALL, 0, "MODE", "dualstack, ipv4 or ipv6 (dualstack)",
	 parse_family_mode},
	{"skip-dns-conntrack-zone-split", OPTION_BOOL, AT(skip_zones), NULL,
	 "do without conntrack zones: a query whose source port was just used by the other side "
	 "may then go the wrong way",
	 NULL},
	{"resolv-conf", OPTION_STRING, AT(resolv_conf), "PATH",
	 "whose nameservers --redirect-dns means (/etc/resolv.conf; with --netns that "
	 "namespace's, where it has one)",
	 NULL},
	NETNS_ROW,
	{"rollback-after", OPTION_CALL, 0, "TIME",
	 "install only: undo it after that time (60s, 2m) unless confirm is run before",
	 parse_duration},
	{"as", OPTION_STRING, AT(as), "NAME|UID",
	 "verify only: the ordinary user as whom to ask (65534)", NULL},
	DRY_RUN_ROW("print what would be installed, and install nothing"),
	{"json", OPTION_BOOL, AT(json), NULL, "print it as JSON", NULL},
	LAST_ROWS,
};

const struct option_row settings_uninstall_rows[] = {
	NETNS_ROW,
	DRY_RUN_ROW("print what would be removed, and remove nothing"),
	LAST_ROWS,
};

const struct option_row settings_confirm_rows[] = {
	NETNS_ROW,
	LAST_ROWS,
};

int settings_check_install(const struct settings *settings, struct err *err)
{
	if (settings->redirect_dns && settings->redirect_all_dns)
		return err_set(err, EINVAL,
			       "--redirect-dns and --redirect-all-dns-traffic exclude each other: "
			       "capture queries to the nameservers of resolv.conf, or to anyone");
	if (!settings->redirect_dns && !settings->redirect_all_dns)
		return err_set(
			err, EINVAL,
			"nothing to capture: give --redirect-dns (queries to the nameservers "
			"of resolv.conf) or --redirect-all-dns-traffic (queries to anyone)");
	if (settings->json && !settings->dry_run)
		return err_set(err, EINVAL,
			       "--json prints what --dry-run would install; give both");
	return 0;
}
