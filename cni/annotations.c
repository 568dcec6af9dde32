/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/annotations.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "redirector/settings_parse.h"

#define CONFIG_MAX  65536 /* bytes of a configuration, as for a file */
#define OURS        "meshdns.io/"
#define OURS_MARK   OURS "inject"
#define OURS_CONFIG OURS "config"
#define KUMA_MARK   "kuma.io/sidecar-injected"
#define KUMA_CONFIG "traffic.kuma.io/transparent-proxy-config"

static int set_gateway(struct settings *settings, const char *value);
static int set_builtin_dns(struct settings *settings, const char *value);
static int set_proxying(struct settings *settings, const char *value);

/* Kuma's others: an option of ours, or more than that. Names of old versions come last. */
static const struct kuma_annotation {
	const char *name, *option;
	int (*set)(struct settings *settings, const char *value); /* -EINVAL: no such value */
} kuma_annotations[] = {
	{"traffic.kuma.io/exclude-inbound-ports", "exclude-inbound-ports", NULL},
	{"traffic.kuma.io/exclude-outbound-ports", "exclude-outbound-ports", NULL},
	{"traffic.kuma.io/exclude-outbound-ports-for-uids", "exclude-outbound-ports-for-uids",
	 NULL},
	{"traffic.kuma.io/exclude-inbound-ips", "exclude-inbound-ips", NULL},
	{"traffic.kuma.io/exclude-outbound-ips", "exclude-outbound-ips", NULL},
	{"traffic.kuma.io/drop-invalid-packets", "drop-invalid-packets", NULL},
	{"traffic.kuma.io/iptables-logs", "iptables-logs", NULL},
	{"kuma.io/transparent-proxying-ip-family-mode", "ip-family-mode", NULL},
	{"kuma.io/sidecar-uid", "proxy-user", NULL},
	{"kuma.io/gateway", NULL, set_gateway},
	{"kuma.io/transparent-proxying", NULL, set_proxying},
	{"kuma.io/transparent-proxying-inbound-port", "redirect-inbound-port", NULL},
	{"kuma.io/transparent-proxying-outbound-port", "redirect-outbound-port", NULL},
	{"kuma.io/builtin-dns", NULL, set_builtin_dns},
	{"kuma.io/builtin-dns-port", "redirect-dns-port", NULL},
};

/* As Kuma takes them. */
static int parse_switch(const char *value, bool *ret)
{
	if (!strcasecmp(value, "true") || !strcasecmp(value, "enabled") ||
	    !strcasecmp(value, "yes") || !strcmp(value, "1"))
		*ret = true;
	else if (!strcasecmp(value, "false") || !strcasecmp(value, "disabled") ||
		 !strcasecmp(value, "no") || !strcmp(value, "0"))
		*ret = false;
	else
		return -EINVAL;
	return 0;
}

/* Clients of a gateway are not in the mesh, and come to it as they are. */
static int set_gateway(struct settings *settings, const char *value)
{
	bool is_gateway = !strcasecmp(value, "provided");
	int rc = is_gateway ? 0 : parse_switch(value, &is_gateway);

	if (is_gateway)
		settings->redirect_inbound = false;
	return rc;
}

static int set_builtin_dns(struct settings *settings, const char *value)
{
	return parse_switch(value, &settings->redirect_all_dns);
}

/* A pod without it has no sidecar, so Kuma does as if "disabled" had not been said. */
static int set_proxying(struct settings *settings, const char *value)
{
	bool enabled;
	int rc = parse_switch(value, &enabled);

	(void)settings;
	if (rc == 0 && !enabled)
		log_warning("kuma.io/transparent-proxying cannot be switched off and is ignored",
			    NULL);
	return rc;
}

static const char *find(json_t *annotations, const char *name)
{
	return json_string_value(json_object_get(annotations, name));
}

enum annotations_mark annotations_mark(json_t *annotations)
{
	const char *value = find(annotations, OURS_MARK);
	bool wanted = false;

	value = value ? value : find(annotations, KUMA_MARK);
	if (!value)
		return ANNOTATIONS_SILENT;
	return parse_switch(value, &wanted) == 0 && wanted ? ANNOTATIONS_YES : ANNOTATIONS_NO;
}

static int apply_config(json_t *annotations, const char *name, const struct option_row *rows,
			struct settings *settings, struct err *err)
{
	json_t *value = json_object_get(annotations, name);

	if (!json_is_string(value))
		return 0;
	if (json_string_length(value) > CONFIG_MAX)
		return err_set(err, EFBIG, "annotation %s is longer than %d bytes", name,
			       CONFIG_MAX);
	return settings_parse_text(rows, settings, name, json_string_value(value),
				   json_string_length(value), err);
}

static int apply_option(const char *annotation, const char *value, const struct option_row *row,
			struct settings *settings, struct err *err)
{
	int rc;

	options_clear(row, settings);
	if ((rc = options_set(row, settings, value, err)) < 0)
		err_wrap(err, "annotation %s", annotation);
	return rc;
}

static int apply_kuma(const struct kuma_annotation *annotation, const char *value,
		      const struct option_row *rows, struct settings *settings, struct err *err)
{
	bool on;

	if (!annotation->set) {
		const struct option_row *row = options_find(rows, annotation->option);

		/* Kuma's switches know more words than ours. */
		if (row->kind == OPTION_BOOL && parse_switch(value, &on) == 0)
			value = on ? "true" : "false";
		return apply_option(annotation->name, value, row, settings, err);
	}
	if (annotation->set(settings, value) == 0)
		return 0;
	return err_set(err, EINVAL, "annotation %s: \"%.100s\" is neither enabled nor disabled",
		       annotation->name, value);
}

/* meshdns.io/OPTION. What is misspelt must not get lost: it may be what keeps a port open. */
static int apply_ours(const char *name, const char *value, const struct option_row *rows,
		      struct settings *settings, struct err *err)
{
	const char *option = name + strlen(OURS);
	const struct option_row *row = options_find(rows, option);
	char word[128], *argv[] = {word, NULL};
	int words;

	if (!strcmp(name, OURS_MARK) || !strcmp(name, OURS_CONFIG))
		return 0;
	if (row)
		return apply_option(name, value, row, settings, err);
	if (options_find(settings_install_rows, option))
		return err_set(
			err, EPERM,
			"annotation %.100s: it concerns the node, and is not for pods to say",
			name);
	snprintf(word, sizeof(word), "--%s", option);
	options_parse(rows, settings, 1, argv, &words, err); /* knows how to say it */
	return err_wrap(err, "annotation %.100s", name);
}

int annotations_apply(json_t *annotations, const struct option_row *rows, struct settings *settings,
		      struct err *err)
{
	const char *name, *value;
	json_t *item;
	int rc;

	if ((rc = apply_config(annotations, KUMA_CONFIG, rows, settings, err)) < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(kuma_annotations); i++) {
		if ((value = find(annotations, kuma_annotations[i].name)) &&
		    (rc = apply_kuma(&kuma_annotations[i], value, rows, settings, err)) < 0)
			return rc;
	}
	if ((rc = apply_config(annotations, OURS_CONFIG, rows, settings, err)) < 0)
		return rc;
	json_object_foreach(annotations, name, item)
	{
		if (!strncmp(name, OURS, strlen(OURS)) && (value = json_string_value(item)) &&
		    (rc = apply_ours(name, value, rows, settings, err)) < 0)
			return rc;
	}
	return 0;
}

json_t *annotations_reduce(json_t *annotations)
{
	static const char *const prefixes[] = {OURS, "kuma.io/", "traffic.kuma.io/"};
	json_t *reduced, *item;
	const char *name;

	if (!annotations || !(reduced = json_object()))
		return NULL;
	json_object_foreach(annotations, name, item)
	{
		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
			if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
				json_object_set(reduced, name, item);
		}
	}
	return reduced;
}
