/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

const struct settings settings_default = {
	.redirect_dns_tcp = true,
	.dns_port = SETTINGS_DNS_PORT,
	.inbound_port = SETTINGS_INBOUND_PORT,
	.outbound_port = SETTINGS_OUTBOUND_PORT,
	.log_level = 7,
};

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

#define AT(member) offsetof(struct settings, member)

/* --- begin: rows of the transparent proxy, no more than the tests need --------------------------
 */

static bool parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret_number)
{
	char copy[16];

	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	return len < sizeof(copy) && options_parse_number(copy, 0, max, ret_number);
}

static bool parse_ports(const char *text, size_t len, struct port_range *ports)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;
	uint64_t first, last;

	if (!parse_number(text, first_len, UINT16_MAX, &first))
		return false;
	last = first;
	if (dash && !parse_number(dash + 1, len - first_len - 1, UINT16_MAX, &last))
		return false;
	*ports = (struct port_range){(uint16_t)first, (uint16_t)last};
	return first && first <= last;
}

static int parse_port_list(struct port_list *list, const char *text, struct err *err)
{
	for (list->n = 0; *text; text += *text == ',') {
		size_t len = strcspn(text, ",:");

		if (list->n == SETTINGS_PORTS_MAX || !parse_ports(text, len, &list->list[list->n]))
			return err_set(err, EINVAL, "\"%s\" is no list of ports", text);
		list->n++;
		text += len;
		if (*text == ':')
			break;
	}
	return 0;
}

static int parse_prefix(const char *text, size_t len, struct prefix *ret, struct err *err)
{
	char copy[ADDR_TEXT_MAX];
	uint64_t bits;
	char *slash;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	if ((slash = strchr(copy, '/')))
		*slash = '\0';
	if (!addr_parse(copy, &ret->addr))
		return err_set(err, EINVAL, "\"%s\" is no prefix", text);
	bits = 8 * addr_len(&ret->addr);
	if (slash && !options_parse_number(slash + 1, 0, bits, &bits))
		return err_set(err, EINVAL, "\"%s\" is no prefix", text);
	ret->len = (uint8_t)bits;
	for (size_t i = bits; i < 8 * addr_len(&ret->addr); i++)
		ret->addr.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return 0;
}

static int parse_prefix_list(struct prefix_list *list, const char *text, struct err *err)
{
	int rc;

	for (; *text; text += *text == ',') {
		size_t len = strcspn(text, ",");

		if (list->n == SETTINGS_PREFIXES_MAX)
			return err_set(err, E2BIG, "too many prefixes");
		if ((rc = parse_prefix(text, len, &list->list[list->n++], err)) < 0)
			return rc;
		text += len;
	}
	return 0;
}

#define PARSER(member, parse)                                                         \
	static int parse_##member(void *settings, const char *value, struct err *err) \
	{                                                                             \
		return parse(&((struct settings *)settings)->member, value, err);     \
	}
PARSER(exclude_inbound_ports, parse_port_list)
PARSER(exclude_outbound_ports, parse_port_list)
PARSER(include_inbound_ports, parse_port_list)
PARSER(include_outbound_ports, parse_port_list)
PARSER(exclude_inbound_ips, parse_prefix_list)
PARSER(exclude_outbound_ips, parse_prefix_list)
PARSER(redirect_vips, parse_prefix_list)

/* tcp|udp:PORTS:UID alone. */
static int parse_uid_exclusion(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;
	struct uid_exclusion *exclusion = &s->uid_exclusions[s->n_uid_exclusions];
	const char *uid = strrchr(value, ':');
	uint64_t number;

	if (s->n_uid_exclusions == SETTINGS_EXCLUSIONS_MAX || !uid || strlen(value) < 5 ||
	    !options_parse_number(uid + 1, 0, UINT32_MAX - 1, &number))
		return err_set(err, EINVAL, "\"%s\" is no PROTOCOL:PORTS:UID", value);
	s->n_uid_exclusions++;
	exclusion->udp = !strncmp(value, "udp:", 4);
	exclusion->tcp = !exclusion->udp;
	exclusion->uids = (struct uid_range){(uint32_t)number, (uint32_t)number};
	return value + 4 < uid ? parse_port_list(&exclusion->ports, value + 4, err) : 0;
}

static int parse_vnet(void *settings, const char *value, struct err *err)
{
	struct settings *s = settings;
	struct vnet *vnet = &s->vnets[s->n_vnets];
	size_t len = strcspn(value, ":");

	if (s->n_vnets == SETTINGS_VNETS_MAX || !value[len] || len >= SETTINGS_IFNAME_MAX)
		return err_set(err, EINVAL, "\"%s\" is no INTERFACE:CIDR", value);
	s->n_vnets++;
	memcpy(vnet->interface, value, len);
	return parse_prefix(value + len + 1, strlen(value + len + 1), &vnet->network, err);
}

#define PROXY_ROWS                                                                              \
	{"redirect-dns-tcp",                                                                    \
	 OPTION_BOOL,                                                                           \
	 AT(redirect_dns_tcp),                                                                  \
	 NULL,                                                                                  \
	 "capture queries over TCP as well as over UDP (true)",                                 \
	 NULL},                                                                                 \
		{"redirect-inbound",                                                            \
		 OPTION_BOOL,                                                                   \
		 AT(redirect_inbound),                                                          \
		 NULL,                                                                          \
		 "TCP connections from outside go to the proxy",                                \
		 NULL},                                                                         \
		{"redirect-outbound",                                                           \
		 OPTION_BOOL,                                                                   \
		 AT(redirect_outbound),                                                         \
		 NULL,                                                                          \
		 "TCP connections of this host go to the proxy",                                \
		 NULL},                                                                         \
		{"exclude-inbound-ports",    OPTION_CALL, 0, "PORTS", "but these",              \
		 parse_exclude_inbound_ports},                                                  \
		{"exclude-outbound-ports",    OPTION_CALL, 0, "PORTS", "but these",             \
		 parse_exclude_outbound_ports},                                                 \
		{"include-inbound-ports",    OPTION_CALL, 0, "PORTS", "only these",             \
		 parse_include_inbound_ports},                                                  \
		{"include-outbound-ports",    OPTION_CALL, 0, "PORTS", "only these",            \
		 parse_include_outbound_ports},                                                 \
		{"exclude-inbound-ips",    OPTION_CALL, 0, "CIDRS", "but from these",           \
		 parse_exclude_inbound_ips},                                                    \
		{"exclude-outbound-ips",    OPTION_CALL, 0, "CIDRS", "but to these",            \
		 parse_exclude_outbound_ips},                                                   \
		{"exclude-outbound-ports-for-uids",                                             \
		 OPTION_CALL,                                                                   \
		 0,                                                                             \
		 "PROTOCOL:PORTS:UID",                                                          \
		 "but these",                                                                   \
		 parse_uid_exclusion},                                                          \
		{"redirect-vips",          OPTION_CALL,        0, "CIDRS",                      \
		 "outbound only to these", parse_redirect_vips},                                \
		{"vnet", OPTION_CALL, 0, "INTERFACE:CIDR", "guests' traffic, too", parse_vnet}, \
		{"redirect-inbound-insert-instead-of-append",                                   \
		 OPTION_BOOL,                                                                   \
		 AT(insert_inbound),                                                            \
		 NULL,                                                                          \
		 "before other tools' rules",                                                   \
		 NULL},                                                                         \
		{"redirect-outbound-insert-instead-of-append",                                  \
		 OPTION_BOOL,                                                                   \
		 AT(insert_outbound),                                                           \
		 NULL,                                                                          \
		 "before other tools' rules",                                                   \
		 NULL},                                                                         \
		{"drop-invalid-packets",                                                        \
		 OPTION_BOOL,                                                                   \
		 AT(drop_invalid),                                                              \
		 NULL,                                                                          \
		 "drop what conntrack finds invalid",                                           \
		 NULL},                                                                         \
	{                                                                                       \
		"iptables-logs", OPTION_BOOL, AT(log), NULL, "log new connections", NULL        \
	}

/* --- end: rows of the transparent proxy ---------------------------------------------------------
 */

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
	PROXY_ROWS,
	NETNS_ROW,
	DRY_RUN_ROW("print what would be installed, and install nothing"),
	{"json", OPTION_BOOL, AT(json), NULL, "print it as JSON", NULL},
	LAST_ROWS,
};

const struct option_row settings_uninstall_rows[] = {
	NETNS_ROW,
	DRY_RUN_ROW("print what would be removed, and remove nothing"),
	LAST_ROWS,
};

int settings_check_install(const struct settings *settings, struct err *err)
{
	if (settings->redirect_dns && settings->redirect_all_dns)
		return err_set(err, EINVAL,
			       "--redirect-dns and --redirect-all-dns-traffic exclude each other: "
			       "capture queries to the nameservers of resolv.conf, or to anyone");
	if (!settings->redirect_dns && !settings->redirect_all_dns && !settings->redirect_inbound &&
	    !settings->redirect_outbound)
		return err_set(
			err, EINVAL,
			"nothing to capture: give --redirect-dns (queries to the nameservers "
			"of resolv.conf) or --redirect-all-dns-traffic (queries to anyone)");
	if (settings->json && !settings->dry_run)
		return err_set(err, EINVAL,
			       "--json prints what --dry-run would install; give both");
	return 0;
}
