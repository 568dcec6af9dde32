/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/pod.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cni/annotations.h"
#include "cni/base64.h"
#include "cni/conf.h"
#include "cni/result.h"
#include "common/cleanup.h"
#include "redirector/host.h"
#include "redirector/owner.h"
#include "redirector/policy.h"
#include "redirector/settings_parse.h"

#define PROXY_USER "5678" /* by number, whoever that is on this node */

void pod_free(struct pod *pod)
{
	plan_free(&pod->plan);
	settings_free(&pod->settings);
	free(pod->args_config);
	*pod = (struct pod){0};
}

/* --- whether --- */

static int decide(struct pod *pod, bool wanted, const char *why)
{
	pod->wanted = wanted;
	pod->why = why;
	return 0;
}

/*
 * A kubelet's runtime that says nothing of annotations is old, or not asked to. To take all pods
 * then would cut those without a resolver off from DNS; to take none would leave the mesh's open.
 */
static int decide_without_annotations(const struct request *request, const struct conf *conf,
				      struct pod *pod, struct failure *failure)
{
	size_t len;

	if (request_arg(request, REQUEST_CONFIG, &len))
		return decide(pod, true, "CNI_ARGS has " REQUEST_CONFIG);
	if (conf->inject == CONF_INJECT_ALWAYS)
		return decide(pod, true, "\"inject\" is always");
	if (request_arg(request, REQUEST_POD_NAMESPACE, &len)) {
		if (conf->skip_on_api_failure)
			return decide(pod, false,
				      "its annotations are not known, and \"on_api_failure\" is "
				      "skip");
		return failure_set(
			failure, FAILURE_CONFIGURATION,
			"the runtime does not tell the pod's annotations: give the plugin's "
			"configuration \"capabilities\": {\"" REQUEST_ANNOTATIONS_KEY "\": true} "
			"(containerd from 1.5 on, CRI-O from 1.29), or a \"kubeconfig\" to ask the "
			"Kubernetes API with, or \"inject\": \"always\" if all pods are meant");
	}
	if (conf->inject == CONF_INJECT_ANNOTATED)
		return decide(pod, false,
			      "the runtime knows no annotations, and \"inject\" is "
			      "annotated");
	return decide(pod, true, "the runtime knows no annotations");
}

static int decide_by_annotations(json_t *annotations, enum conf_inject inject, struct pod *pod)
{
	switch (annotations_mark(annotations)) {
	case ANNOTATIONS_YES: return decide(pod, true, "its annotations ask for it");
	case ANNOTATIONS_NO: return decide(pod, false, "its annotations decline it");
	case ANNOTATIONS_SILENT: break;
	}
	if (inject == CONF_INJECT_ALWAYS)
		return decide(pod, true, "\"inject\" is always");
	return decide(pod, false,
		      "it has neither annotation kuma.io/sidecar-injected nor meshdns.io/inject");
}

static int decide_injection(const struct request *request, const struct conf *conf,
			    json_t *annotations, struct pod *pod, struct failure *failure)
{
	const char *namespace;
	size_t len;

	namespace = request_arg(request, REQUEST_POD_NAMESPACE, &len);
	if (namespace && conf_excludes(conf, namespace, len))
		return decide(pod, false, "its namespace is excluded");
	if (annotations)
		return decide_by_annotations(annotations, conf->inject, pod);
	return decide_without_annotations(request, conf, pod, failure);
}

/* --- what --- */

static int apply_args(const struct request *request, const struct option_row *rows, struct pod *pod,
		      struct err *err)
{
	const char *encoded;
	size_t len;

	if (!(encoded = request_arg(request, REQUEST_CONFIG, &len)))
		return 0;
	if (!base64_decode(encoded, len, &pod->args_config, &len))
		return err_set(err, EINVAL, "CNI_ARGS' " REQUEST_CONFIG " is no base64");
	return settings_parse_text(rows, &pod->settings, REQUEST_CONFIG, pod->args_config, len,
				   err);
}

static int read_settings(const struct request *request, json_t *annotations, struct pod *pod,
			 struct failure *failure)
{
	struct settings *settings = &pod->settings;
	struct option_row rows[OPTIONS_MAX];

	*settings = settings_default;
	conf_rows(CONF_OF_NODE, rows);
	if (conf_apply(request->conf, rows, settings, failure) < 0)
		return -1;
	conf_rows(CONF_OF_POD, rows);
	if (annotations_apply(annotations, rows, settings, &failure->err) < 0 ||
	    apply_args(request, rows, pod, &failure->err) < 0)
		return failure_is(failure, FAILURE_CONFIGURATION);
	if (!settings_wants_rules(settings))
		settings->redirect_all_dns = true;
	if (settings->redirect_all_dns) /* Kuma's files say both, and mean this */
		settings->redirect_dns = false;
	if (!settings->proxy_user && !settings->proxy_group && !settings->proxy_cgroup &&
	    !settings->proxy_mark)
		settings->proxy_user = PROXY_USER;
	if (!settings->backend.name)
		settings->backend.name = "nftables";
	return 0;
}

/* --- the pod's facts, none of which is this node's --- */

static void add_servers(json_t *list, struct resolvconf *conf)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct addr addr;

		if (conf->n_servers < RESOLVCONF_SERVERS_MAX && json_is_string(item) &&
		    addr_parse(json_string_value(item), &addr))
			conf->servers[conf->n_servers++] = addr;
	}
}

/* The capability is the pod's own; the result is what the network has for everybody. */
static int read_nameservers(const struct request *request, struct host *host,
			    struct failure *failure)
{
	json_t *dns = json_object_get(result_previous(request), "dns");
	struct resolvconf conf = {0};

	add_servers(request_member(request_capability(request, "dns"), "servers"), &conf);
	if (!conf.n_servers)
		add_servers(request_member(dns, "nameservers"), &conf);
	if (!conf.n_servers)
		return failure_set(
			failure, FAILURE_CONFIGURATION,
			"redirect.dns.enabled captures queries to the pod's nameservers, "
			"and nobody says which they are: give the plugin's "
			"configuration \"capabilities\": {\"dns\": true}, or capture "
			"queries to anyone with redirect.dns.captureAll");
	host_set_nameservers(host, &conf, NULL);
	return 0;
}

/* Numbers, of whatever user namespace the pod has: see common/user_nameless.c. */
static int read_owners(const struct settings *settings, struct host *host, struct failure *failure)
{
	if (owners_find(settings, &host->owners, &failure->err) < 0)
		return failure_is(failure, FAILURE_CONFIGURATION);
	return 0;
}

static int make_plan(const struct host *host, struct pod *pod, struct failure *failure)
{
	if (settings_check_install(&pod->settings, &failure->err) < 0 ||
	    policy_plan(&pod->settings, host, &pod->plan, &failure->err) < 0)
		return failure_is(failure, FAILURE_CONFIGURATION);
	return 0;
}

int pod_read(const struct request *request, struct pod *ret_pod, struct failure *failure)
{
	json_t *annotations = request_capability(request, REQUEST_ANNOTATIONS_KEY);
	struct host host = {0};
	struct conf conf;

	*ret_pod = (struct pod){0};
	if (annotations && !json_is_object(annotations) && !json_is_null(annotations))
		return failure_set(failure, FAILURE_DECODE,
				   "the runtime's " REQUEST_ANNOTATIONS_KEY " is not an object");
	if (conf_read(request->conf, &conf, failure) < 0 ||
	    decide_injection(request, &conf, annotations, ret_pod, failure) < 0)
		return -1;
	if (!ret_pod->wanted)
		return 0;
	if (read_settings(request, annotations, ret_pod, failure) < 0 ||
	    read_owners(&ret_pod->settings, &host, failure) < 0)
		return -1;
	if (ret_pod->settings.redirect_dns && read_nameservers(request, &host, failure) < 0)
		return -1;
	return make_plan(&host, ret_pod, failure);
}

int pod_read_example(const struct request *request, struct pod *ret_pod, struct failure *failure)
{
	const struct resolvconf example = {
		.n_servers = 2,
		.servers = {{AF_INET, .v4.s_addr = htonl(0xc0000235)}, /* 192.0.2.53 */
			    {AF_INET6, .v6.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x35}}},
	};
	struct host host = {0};
	struct conf conf;

	*ret_pod = (struct pod){.wanted = true};
	host_set_nameservers(&host, &example, NULL);
	if (conf_read(request->conf, &conf, failure) < 0 ||
	    read_settings(request, NULL, ret_pod, failure) < 0 ||
	    read_owners(&ret_pod->settings, &host, failure) < 0)
		return -1;
	return make_plan(&host, ret_pod, failure);
}

/* --- what is remembered --- */

json_t *pod_reduce(const struct request *request)
{
	json_t *conf = json_copy(request->conf), *runtime = json_object();
	json_t *annotations = request_capability(request, REQUEST_ANNOTATIONS_KEY);
	json_t *dns = request_capability(request, "dns");
	json_t *result_dns = json_object_get(result_previous(request), "dns");

	json_object_del(conf, "prevResult");
	if (annotations)
		json_object_set_new(runtime, REQUEST_ANNOTATIONS_KEY,
				    annotations_reduce(annotations));
	if (dns)
		json_object_set(runtime, "dns", dns);
	json_object_set_new(conf, "runtimeConfig", runtime);
	if (result_dns)
		json_object_set_new(conf, "prevResult", json_pack("{s:O}", "dns", result_dns));
	return conf;
}
