/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meshdns-cni-kube: prints a pod's annotations as the Kubernetes API has them.
 *
 * A program of its own, which the plugin starts only where the runtime does not tell them, for TLS
 * would make the plugin three times its size.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/kube.h"
#include "cni/kube_get.h"
#include "common/cleanup.h"
#include "common/options.h"
#include "common/privs.h"
#include "version.h"

struct kube_settings {
	const char *kubeconfig;
	struct kube_pod pod;
	struct kube_limits limits;
	bool help, version;
};

static int parse_number(const char *value, uint64_t min, uint64_t max, unsigned int *ret,
			struct err *err)
{
	uint64_t number;

	if (!options_parse_number(value, min, max, &number))
		return err_set(err, EINVAL, "\"%.50s\" is no number from %u to %u", value,
			       (unsigned int)min, (unsigned int)max);
	*ret = (unsigned int)number;
	return 0;
}

static int parse_timeout(void *settings, const char *value, struct err *err)
{
	return parse_number(value, 1, CONF_API_TIMEOUT_MAX,
			    &((struct kube_settings *)settings)->limits.timeout_s, err);
}

static int parse_retries(void *settings, const char *value, struct err *err)
{
	return parse_number(value, 0, CONF_API_RETRIES_MAX,
			    &((struct kube_settings *)settings)->limits.retries, err);
}

#define AT(member) offsetof(struct kube_settings, member)
static const struct option_row rows[] = {
	{"kubeconfig", OPTION_STRING, AT(kubeconfig), "FILE", .help = "how to reach the API"},
	{"namespace", OPTION_STRING, AT(pod.namespace), "NAME", .help = "the pod's"},
	{"pod", OPTION_STRING, AT(pod.name), "NAME", .help = "whose annotations to print"},
	{"uid", OPTION_STRING, AT(pod.uid), "UID", .help = "the pod's, if it is known"},
	{"timeout", OPTION_CALL, 0, "SECONDS", .help = "of one request (5)",
	 .parse = parse_timeout},
	{"retries", OPTION_CALL, 0, "N", .help = "of what may pass (3)", .parse = parse_retries},
	{"help", OPTION_BOOL, AT(help), NULL, .help = "print this"},
	{"version", OPTION_BOOL, AT(version), NULL, .help = "print the version"},
	{0},
};

static int complain(const struct err *err)
{
	fprintf(stderr, "%s\n", err->msg);
	return err->code == -EAGAIN ? KUBE_EXIT_AGAIN : KUBE_EXIT_NEVER;
}

/* They become a part of the URL. */
static bool is_name(const char *text)
{
	if (!text || !isalnum((unsigned char)*text) || strlen(text) > 253)
		return false;
	while (isalnum((unsigned char)*text) || (*text && strchr(".-", *text)))
		text++;
	return !*text;
}

/* Whatever happens, it ends. */
static void limit_time(const struct kube_limits *limits)
{
	alarm((limits->timeout_s + 2) * (limits->retries + 1) + 1);
}

static int run(const struct kube_settings *settings, struct err *err)
{
	cleanup_kube_config struct kube_config config = {0};
	json_t *annotations;
	int rc;

	if (!settings->kubeconfig || !is_name(settings->pod.name) ||
	    !is_name(settings->pod.namespace))
		return err_set(err, EINVAL,
			       "--kubeconfig, --namespace and --pod are needed, the "
			       "latter two as Kubernetes has names");
	limit_time(&settings->limits);
	if ((rc = kube_config_read(settings->kubeconfig, &config, err)) < 0 ||
	    (rc = privs_keep(NULL, 0, err)) < 0 ||
	    (rc = kube_get(&config, &settings->pod, &settings->limits, &annotations, err)) < 0)
		return rc;
	rc = json_dumpf(annotations, stdout, JSON_COMPACT) < 0 || fputc('\n', stdout) < 0 ||
	     fflush(stdout) != 0;
	json_decref(annotations);
	return rc ? err_set(err, EIO, "cannot write the annotations") : 0;
}

int main(int argc, char **argv)
{
	struct kube_settings settings = {
		.pod.uid = "",
		.limits = {.timeout_s = CONF_API_TIMEOUT, .retries = CONF_API_RETRIES}};
	struct err err = {0};
	int words = 0;

	clearenv(); /* TLS and resolver libraries would read much of it */
	setenv("OPENSSL_CONF", "/dev/null", 1);
	if (options_parse(rows, &settings, argc - 1, argv + 1, &words, &err) < 0)
		return complain(&err);
	if (settings.help) {
		puts("Usage: " KUBE_PROGRAM " OPTION...\n\nPrints a pod's annotations as the "
		     "Kubernetes API has them.\n\nOptions:");
		options_print_help(rows, stdout);
		return 0;
	}
	if (settings.version) {
		puts(KUBE_PROGRAM " " MESHDNS_VERSION);
		return 0;
	}
	return run(&settings, &err) < 0 ? complain(&err) : 0;
}
