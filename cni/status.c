/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STATUS: whether an ADD would succeed, found out by doing what it does in a network namespace that
 * is made for it and goes with the process. A node whose plugin says no here gets no pods, so
 * nothing else may make it fail.
 */
#include <errno.h>
#include <sched.h>

#include "cni/conf.h"
#include "cni/kube.h"
#include "cni/namespace.h"
#include "cni/pod.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "cni/verbs.h"
#include "common/cleanup.h"

static int try_add(const struct request *request, struct failure *failure)
{
	const struct namespace none = {.fd = -1};
	cleanup_store struct store store = {.dir = -1};
	cleanup_fd int lock = -1;
	cleanup_pod struct pod pod = {0};
	struct conf conf;

	if (conf_read(request->conf, &conf, failure) < 0 ||
	    store_open(conf.state_dir, true, &store, failure) < 0 ||
	    store_lock(&store, &none, &lock, failure) < 0 || /* a file can be made and written */
	    pod_read_example(request, &pod, failure) < 0 || kube_check(request, failure) < 0)
		return -1;
	if (unshare(CLONE_NEWNET) < 0)
		return failure_set(failure, FAILURE_NAMESPACE,
				   "cannot make a network namespace to try the rules in: %s",
				   err_text(errno));
	if (namespace_drop_privileges(rules_run_programs(&pod.settings), failure) < 0)
		return -1;
	return rules_install(&pod, true, failure);
}

static int run(const struct request *request, char **ret_answer, struct failure *failure)
{
	(void)ret_answer;
	return try_add(request, failure) < 0 ? failure_is(failure, FAILURE_UNAVAILABLE) : 0;
}

const struct verb verb_status = {.name = "STATUS", .since = "1.1.0", .run = run};
