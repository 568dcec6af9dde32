/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHECK: the rules are those that ADD made, or `failure` names the first that is not. */
#include "cni/conf.h"
#include "cni/kube.h"
#include "cni/namespace.h"
#include "cni/pod.h"
#include "cni/result.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "cni/verbs.h"

/* By the request that ADD got: this one may lack the annotations. */
static int read_pod(const struct request *request, const struct attachment *known, bool found,
		    struct pod *ret_pod, struct failure *failure)
{
	if (found)
		return pod_read(&known->request, ret_pod, failure);
	return kube_ask(request, failure) < 0 ? -1 : pod_read(request, ret_pod, failure);
}

static int run(const struct request *request, char **ret_answer, struct failure *failure)
{
	cleanup_attachment struct attachment known = {.ns.fd = -1};
	cleanup_namespace struct namespace ns = {.fd = -1};
	cleanup_store struct store store = {.dir = -1};
	cleanup_pod struct pod pod = {0};
	enum rules_state state;
	struct conf conf;
	bool found;

	(void)ret_answer;
	if (result_check_previous(request, failure) < 0 ||
	    namespace_open(request->netns, &ns, failure) < 0 ||
	    conf_read(request->conf, &conf, failure) < 0 ||
	    store_open(conf.state_dir, false, &store, failure) < 0 ||
	    store_load(&store, request->container, request->ifname, &found, &known, failure) < 0 ||
	    read_pod(request, &known, found, &pod, failure) < 0)
		return -1;
	if (!pod.wanted)
		return 0;
	if (namespace_settle(&ns, rules_run_programs(&pod.settings), failure) < 0 ||
	    rules_compare(&pod, &state, failure) < 0)
		return -1;
	if (state == RULES_RIGHT || (!found && rules_are_anothers(&pod)))
		return 0;
	return -1;
}

const struct verb verb_check = {
	.name = "CHECK",
	.since = "0.4.0",
	.needs = REQUEST_CONTAINER | REQUEST_NETNS | REQUEST_IFNAME,
	.run = run,
};
