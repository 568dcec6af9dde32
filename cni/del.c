/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DEL. The runtime asks until it succeeds, and the pod stays until then: whatever is missing is
 * taken for gone. Only a kernel that does not let go of the rules is a failure.
 */
#include <errno.h>

#include "cni/annotations.h"
#include "cni/conf.h"
#include "cni/namespace.h"
#include "cni/result.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "cni/verbs.h"
#include "common/cleanup.h"
#include "common/log.h"

/* Without a trace in the store the rules are ours unless the pod never was to have any. */
static bool wanted_none(const struct request *request)
{
	cleanup_pod struct pod pod = {0};

	return request->conf && pod_read(request, &pod, &(struct failure){0}) == 0 && !pod.wanted;
}

/* Of these ADD has let an init container's be. */
static bool are_anothers(const struct request *request)
{
	cleanup_pod struct pod pod = {0};

	return request->conf && pod_read(request, &pod, &(struct failure){0}) == 0 && pod.wanted &&
	       rules_are_anothers(&pod);
}

/* The path may lead to another pod's namespace by now. */
static bool is_ours(const struct request *request, const struct store *store,
		    const struct namespace *ns, bool *ret_known)
{
	cleanup_attachment struct attachment known = {.ns.fd = -1};

	if (store_load(store, request->container, request->ifname, ret_known, &known,
		       &(struct failure){0}) < 0 ||
	    !*ret_known)
		return !wanted_none(request);
	return known.ns.dev == ns->dev && known.ns.ino == ns->ino;
}

/* Somebody at work on it is waited for, by the runtime if need be; what cannot be locked is not. */
static int lock(const struct store *store, const struct namespace *ns, int *ret_lock,
		struct failure *failure)
{
	if (store->dir < 0 || store_lock(store, ns, ret_lock, failure) == 0)
		return 0;
	if (failure->code == FAILURE_AGAIN)
		return -1;
	log_warning("DEL: goes on without a lock", "reason=\"%s\"", failure->err.msg);
	return 0;
}

/* The lock is the caller's, for it goes when they are forgotten. */
static int remove_rules(const struct request *request, const struct store *store, int *ret_lock,
			struct failure *failure)
{
	cleanup_namespace struct namespace ns = {.fd = -1};
	cleanup_settings struct settings settings = settings_default;
	struct option_row rows[OPTIONS_MAX];
	bool known;

	if (!*request->netns)
		return 0;
	if (namespace_open(request->netns, &ns, failure) < 0) {
		if (errno != ENOENT && errno != ENOTTY)
			log_warning("DEL: the network namespace cannot be looked at",
				    "reason=\"%s\"", failure->err.msg);
		return 0;
	}
	if (lock(store, &ns, ret_lock, failure) < 0)
		return -1;
	/* A pod with two networks keeps its rules until the last of them goes. */
	if (!is_ours(request, store, &ns, &known) ||
	    store_knows(store, request->container, request->ifname))
		return 0;
	conf_rows(CONF_OF_NODE, rows);
	conf_apply(request->conf, rows, &settings, &(struct failure){0});
	if (namespace_settle(&ns, true, failure) < 0)
		return -1;
	if (!known && are_anothers(request))
		return 0;
	return rules_remove(&settings, failure);
}

static int run(const struct request *request, char **ret_answer, struct failure *failure)
{
	cleanup_store struct store store = {.dir = -1};
	cleanup_fd int held = -1;
	struct conf conf;

	(void)ret_answer;
	log_info("DEL", "container=%s ifname=%s netns=\"%s\"", request->container, request->ifname,
		 request->netns);
	if (conf_read(request->conf, &conf, failure) < 0)
		conf_read(NULL, &conf, failure);
	if (store_open(conf.state_dir, false, &store, failure) < 0)
		log_warning("DEL: goes by the request alone", "reason=\"%s\"", failure->err.msg);
	if (remove_rules(request, &store, &held, failure) < 0)
		return -1;
	if (store_remove(&store, request->container, request->ifname, failure) < 0)
		log_warning("DEL: the pod stays remembered until `meshdns-cni repair --apply`",
			    "reason=\"%s\"", failure->err.msg);
	return 0;
}

const struct verb verb_del = {
	.name = "DEL",
	.needs = REQUEST_CONTAINER | REQUEST_IFNAME,
	.lenient = true,
	.run = run,
};
