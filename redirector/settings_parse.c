/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/settings_parse.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define ITEM_MAX  512
#define BLANKS    " \t\r\n"

#define UID_LAST  (UINT32_MAX - 1) /* the one behind it means "no uid" to the kernel */
#define PORT_LAST UINT16_MAX

/* Calls `add` for each item of `value`; they are separated by any of `separators`. */
static int for_each_item(const char *value, const char *separators, void *arg,
			 int (*add)(void *arg, char *item, struct err *err), struct err *err)
{
	int rc = 0;

	while (rc == 0 && *value) {
		size_t len = strcspn(value, separators), blanks = strspn(value, BLANKS);
		char item[ITEM_MAX];

		if (len >= sizeof(item))
			return err_set(err, EINVAL, "\"%.32s...\" is too long for one item", value);
		if (blanks < len) {
			snprintf(item, sizeof(item), "%.*s", (int)(len - blanks), value + blanks);
			while (strchr(BLANKS, item[strlen(item) - 1]))
				item[strlen(item) - 1] = '\0';
			rc = add(arg, item, err);
		}
		value += len;
		value += *value != '\0';
	}
	return rc;
}

/* "5" or "5-9". */
static bool parse_range(const char *text, uint64_t min, uint64_t max, uint64_t *ret_first,
			uint64_t *ret_last)
{
	const char *dash = strchr(text, '-');
	char first[24];

	if (!dash) {
		bool ok = options_parse_number(text, min, max, ret_first);

		*ret_last = *ret_first;
		return ok;
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	return options_parse_number(first, min, max, ret_first) &&
	       options_parse_number(dash + 1, *ret_first, max, ret_last);
}

/* --- ports --- */

static int add_ports(void *arg, char *item, struct err *err)
{
	struct port_list *ports = arg;
	uint64_t first = 0, last = 0;
	size_t at = 0, behind;

	if (!parse_range(item, 1, PORT_LAST, &first, &last))
		return err_set(err, EINVAL,
			       "\"%s\" is neither a port (1 to 65535) nor a range of them "
			       "(8000-8999)",
			       item);
	while (at < ports->n && ports->list[at].last + 1u < first)
		at++;
	/* All from `at` to `behind` touch the new one: they become one. */
	for (behind = at; behind < ports->n && ports->list[behind].first <= last + 1; behind++) {
		if (ports->list[behind].first < first)
			first = ports->list[behind].first;
		if (ports->list[behind].last > last)
			last = ports->list[behind].last;
	}
	if (ports->n - (behind - at) == ARRAY_SIZE(ports->list))
		return err_set(err, EINVAL, "more than %d ports and ranges; use wider ranges",
			       SETTINGS_PORTS_MAX);
	memmove(&ports->list[at + 1], &ports->list[behind],
		(ports->n - behind) * sizeof(ports->list[0]));
	ports->list[at] = (struct port_range){(uint16_t)first, (uint16_t)last};
	ports->n = ports->n - (behind - at) + 1;
	return 0;
}

int settings_parse_ports(struct port_list *ports, const char *value, struct err *err)
{
	return for_each_item(value, ",", ports, add_ports, err);
}

/* --- prefixes --- */

static int add_prefix(void *arg, char *item, struct err *err)
{
	struct prefix_list *prefixes = arg;
	struct prefix prefix;
	size_t kept = 0;

	if (!prefix_parse(item, &prefix))
		return err_set(err, EINVAL,
			       "\"%s\" is neither an address nor a prefix (10.0.0.0/8, fd00::/8)",
			       item);
	for (size_t i = 0; i < prefixes->n; i++) {
		if (prefix_contains(&prefixes->list[i], &prefix))
			return 0;
	}
	for (size_t i = 0; i < prefixes->n; i++) {
		if (!prefix_contains(&prefix, &prefixes->list[i]))
			prefixes->list[kept++] = prefixes->list[i];
	}
	prefixes->n = kept;
	if (prefixes->n == ARRAY_SIZE(prefixes->list))
		return err_set(err, EINVAL, "more than %d addresses and prefixes",
			       SETTINGS_PREFIXES_MAX);
	prefixes->list[prefixes->n++] = prefix;
	return 0;
}

int settings_parse_prefixes(struct prefix_list *prefixes, const char *value, struct err *err)
{
	return for_each_item(value, ",", prefixes, add_prefix, err);
}

/* --- exclusions by uid --- */

struct exclusion_parse {
	struct settings *settings;
	struct uid_exclusion exclusion; /* all but the uids */
};

static int set_protocol(void *arg, char *item, struct err *err)
{
	struct uid_exclusion *exclusion = arg;
	bool all = !strcmp(item, "*");

	if (!all && strcmp(item, "tcp") != 0 && strcmp(item, "udp") != 0)
		return err_set(err, EINVAL, "\"%s\" is none of tcp, udp, *", item);
	exclusion->tcp |= all || *item == 't';
	exclusion->udp |= all || *item == 'u';
	return 0;
}

static int add_uids(void *arg, char *item, struct err *err)
{
	struct exclusion_parse *parse = arg;
	struct settings *settings = parse->settings;
	uint64_t first = 0, last = 0;

	if (!parse_range(item, 0, UID_LAST, &first, &last))
		return err_set(err, EINVAL,
			       "\"%s\" is neither a uid (0 to %u) nor a range of them (1000-1999); "
			       "it goes [PROTOCOL:][PORTS:]UIDS",
			       item, UID_LAST);
	if (settings->n_uid_exclusions == ARRAY_SIZE(settings->uid_exclusions))
		return err_set(err, EINVAL, "more than %d exclusions", SETTINGS_EXCLUSIONS_MAX);
	parse->exclusion.uids = (struct uid_range){(uint32_t)first, (uint32_t)last};
	settings->uid_exclusions[settings->n_uid_exclusions++] = parse->exclusion;
	return 0;
}

/* Cuts the last part off `text`; all of it when there is no ':'. */
static char *take_last_part(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return text;
	*colon = '\0';
	return colon + 1;
}

static int add_uid_exclusion(void *arg, char *item, struct err *err)
{
	struct exclusion_parse parse = {.settings = arg};
	char all[] = "*", *uids = take_last_part(item);
	char *ports = uids == item ? all : take_last_part(item);
	char *protocols = ports == all || ports == item ? all : item;
	size_t before = parse.settings->n_uid_exclusions;
	int rc;

	if (strchr(protocols, ':'))
		return err_set(err, EINVAL,
			       "\"%s:...\" has too many parts: it goes [PROTOCOL:][PORTS:]UIDS, "
			       "with ';' before the next",
			       item);
	if ((rc = for_each_item(protocols, ",", &parse.exclusion, set_protocol, err)) < 0)
		return rc;
	if (!parse.exclusion.tcp && !parse.exclusion.udp)
		parse.exclusion.tcp = parse.exclusion.udp = true;
	if (strcmp(ports, "*") != 0 &&
	    (rc = settings_parse_ports(&parse.exclusion.ports, ports, err)) < 0)
		return rc;
	rc = for_each_item(uids, ",", &parse, add_uids, err);
	if (rc == 0 && parse.settings->n_uid_exclusions == before)
		return err_set(err, EINVAL, "a uid is missing: it goes [PROTOCOL:][PORTS:]UIDS");
	return rc;
}

int settings_parse_uid_exclusions(void *settings, const char *value, struct err *err)
{
	return for_each_item(value, ";", settings, add_uid_exclusion, err);
}

/* --- virtual networks --- */

static bool is_interface(const char *name, size_t len)
{
	if (len == 0 || len >= SETTINGS_IFNAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] == 0x7f || strchr("/*\"", name[i]) ||
		    (name[i] == '+' && i + 1 != len))
			return false;
	}
	return true;
}

static int add_vnet(void *arg, char *item, struct err *err)
{
	struct settings *settings = arg;
	size_t len = strcspn(item, ":");
	struct vnet vnet = {0};

	if (!item[len] || !is_interface(item, len) || !prefix_parse(item + len + 1, &vnet.network))
		return err_set(
			err, EINVAL,
			"\"%s\" is not INTERFACE:CIDR (docker0:172.17.0.0/16, br+:fd00::/64)",
			item);
	memcpy(vnet.interface, item, len);
	if (settings->n_vnets == ARRAY_SIZE(settings->vnets))
		return err_set(err, EINVAL, "more than %d networks", SETTINGS_VNETS_MAX);
	settings->vnets[settings->n_vnets++] = vnet;
	return 0;
}

int settings_parse_vnets(void *settings, const char *value, struct err *err)
{
	return for_each_item(value, ",", settings, add_vnet, err);
}

/* --- single values --- */

int settings_parse_family_mode(void *settings, const char *value, struct err *err)
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

int settings_parse_log_level(void *settings, const char *value, struct err *err)
{
	uint64_t level;

	if (!options_parse_number(value, 0, 7, &level))
		return err_set(err, EINVAL, "\"%s\" is not a syslog level (0 to 7)", value);
	((struct settings *)settings)->log_level = (uint8_t)level;
	return 0;
}

int settings_parse_config(void *settings_, const char *value, struct err *err)
{
	struct settings *settings = settings_;

	if (settings->n_configs == ARRAY_SIZE(settings->configs))
		return err_set(err, EINVAL, "given more than %d times", SETTINGS_CONFIGS_MAX);
	settings->configs[settings->n_configs++] = value;
	return 0;
}

/* --- what Kuma takes and cannot do --- */

int settings_refuse_ebpf(void *settings, const char *value, struct err *err)
{
	(void)settings;
	if (value && (!strcasecmp(value, "false") || !strcmp(value, "0")))
		return 0;
	return err_set(err, EINVAL, "this was removed: " SETTINGS_NO_EBPF);
}

int settings_refuse_inbound_uids(void *settings, const char *value, struct err *err)
{
	(void)settings;
	if (!*value)
		return 0;
	return err_set(err, EINVAL,
		       "\"%s\": what comes in has no user that could be excluded; "
		       "redirect.inbound.excludePorts goes by port",
		       value);
}
