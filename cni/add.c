/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD. What can fail without touching anything comes first: the answer is composed, the plan is
 * made, which may take asking the Kubernetes API, and the namespace looked at before it is entered.
 */
#include "cni/conf.h"
#include "cni/kube.h"
#include "cni/namespace.h"
#include "cni/pod.h"
#include "cni/result.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "cni/verbs.h"
#include "common/cleanup.h"
#include "common/log.h"

/* What an ADD that was cut short has left is ours too. */
static int install(const struct request *request, const struct pod *pod, const struct store *store,
		   const struct namespace *ns, struct failure *failure)
{
	bool none, known;

	if (namespace_settle(ns, rules_run_programs(&pod->settings), failure) < 0)
		return -1;
	none = rules_are_none();
	known = !none && store_knows(store, request->container, NULL);
	if (!none && !known && rules_are_anothers(pod)) {
		log_warning("somebody else has set up redirection in this pod, which stays as it "
			    "is",
			    "container=%s", request->container);
		return 0;
	}
	if (store_save(store, request, ns, failure) < 0)
		return -1;
	if (rules_install(pod, none, failure) == 0)
		return 0;
	if (!known)
		store_remove(store, request->container, request->ifname, &(struct failure){0});
	return -1;
}

static int run(const struct request *request, char **ret_answer, struct failure *failure)
{
	cleanup_namespace struct namespace ns = {.fd = -1};
	cleanup_store struct store store = {.dir = -1};
	cleanup_pod struct pod pod = {0};
	cleanup_fd int lock = -1;
	struct conf conf;

	if (result_compose(request, ret_answer, failure) < 0 ||
	    namespace_open(request->netns, &ns, failure) < 0 || kube_ask(request, failure) < 0 ||
	    pod_read(request, &pod, failure) < 0)
		return -1;
	log_info(pod.wanted ? "ADD" : "ADD: left alone", "container=%s ifname=%s why=\"%s\"",
		 request->container, request->ifname, pod.why);
	if (!pod.wanted)
		return 0;
	if (conf_read(request->conf, &conf, failure) < 0 ||
	    store_open(conf.state_dir, true, &store, failure) < 0 ||
	    store_lock(&store, &ns, &lock, failure) < 0)
		return -1;
	return install(request, &pod, &store, &ns, failure);
}

const struct verb verb_add = {
	.name = "ADD",
	.needs = REQUEST_CONTAINER | REQUEST_NETNS | REQUEST_IFNAME,
	.run = run,
};
