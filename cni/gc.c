/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GC: forgets this network's attachments that the runtime does not list as valid, and takes their
 * rules away where the namespace is still there. One that fails does not keep the others.
 */
#include <string.h>

#include "cni/conf.h"
#include "cni/namespace.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "cni/verbs.h"
#include "common/cleanup.h"
#include "common/log.h"

struct collection {
	const struct request *request;
	const struct store *store;
	json_t *valid; /* a list, or null for an empty one */
	bool failed;
	struct failure *failure; /* the first one */
};

static bool is_valid(const struct collection *gc, const char *container, const char *ifname)
{
	json_t *item;
	size_t i;

	json_array_foreach(gc->valid, i, item)
	{
		const char *id = json_string_value(json_object_get(item, "containerID"));
		const char *name = json_string_value(json_object_get(item, "ifname"));

		if (id && name && !strcmp(id, container) && !strcmp(name, ifname))
			return true;
	}
	return false;
}

static int remove_there(const void *settings, struct failure *failure)
{
	return rules_remove(settings, failure);
}

/* The lock is the caller's, for it goes when they are forgotten. */
static int remove_rules(const struct collection *gc, const struct attachment *gone, int *ret_lock,
			struct failure *failure)
{
	cleanup_namespace struct namespace ns = {.fd = -1};
	cleanup_settings struct settings settings = settings_default;
	struct option_row rows[OPTIONS_MAX];

	if (!*gone->request.netns || namespace_open(gone->request.netns, &ns, failure) < 0 ||
	    ns.dev != gone->ns.dev || ns.ino != gone->ns.ino ||
	    store_knows(gc->store, gone->request.container, gone->request.ifname))
		return 0;
	if (store_lock(gc->store, &ns, ret_lock, failure) < 0)
		return -1;
	conf_rows(CONF_OF_NODE, rows);
	conf_apply(gone->request.conf, rows, &settings, &(struct failure){0});
	return namespace_visit(&ns, true, remove_there, &settings, failure);
}

static int collect(const char *container, const char *ifname, void *arg)
{
	cleanup_attachment struct attachment gone = {.ns.fd = -1};
	struct collection *gc = arg;
	struct failure failure = {0};
	cleanup_fd int lock = -1;
	bool found;

	if (is_valid(gc, container, ifname) ||
	    store_load(gc->store, container, ifname, &found, &gone, &failure) < 0 ||
	    (found && strcmp(gone.request.network, gc->request->network) != 0))
		return 0;
	log_info("GC", "container=%s ifname=%s", container, ifname);
	if ((found && remove_rules(gc, &gone, &lock, &failure) < 0) ||
	    store_remove(gc->store, container, ifname, &failure) < 0) {
		if (!gc->failed)
			*gc->failure = failure;
		gc->failed = true;
	}
	return 0;
}

/* NULL: nobody says which are valid, so nothing is known to be garbage. */
static json_t *valid_attachments(const struct request *request)
{
	json_t *valid = json_object_get(request->conf, "cni.dev/valid-attachments");

	return valid ? valid : json_object_get(request->conf, "cni.dev/attachments");
}

static int run(const struct request *request, char **ret_answer, struct failure *failure)
{
	cleanup_store struct store store = {.dir = -1};
	struct collection gc = {.request = request,
				.store = &store,
				.valid = valid_attachments(request),
				.failure = failure};
	struct conf conf;

	(void)ret_answer;
	if (!gc.valid)
		return 0;
	if (!json_is_null(gc.valid) && !json_is_array(gc.valid))
		return failure_set(failure, FAILURE_CONFIGURATION,
				   "cni.dev/valid-attachments is not a list");
	if (conf_read(request->conf, &conf, failure) < 0 ||
	    store_open(conf.state_dir, false, &store, failure) < 0)
		return -1;
	store_each(&store, collect, &gc);
	return gc.failed ? -1 : 0;
}

const struct verb verb_gc = {.name = "GC", .since = "1.1.0", .run = run};
