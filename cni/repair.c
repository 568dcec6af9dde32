/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/repair.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/cache.h"
#include "cni/kube.h"
#include "cni/netd.h"
#include "cni/pod.h"
#include "cni/rules.h"
#include "cni/store.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/options.h"

struct repair_settings {
	const char *state_dir, *cache_dir, *net_dir;
	bool apply, json, help;
};

struct repair {
	struct repair_settings settings;
	struct store store;
	struct netd netd;
	json_t *report;
	bool wrong; /* something is, still */
};

#define AT(member) offsetof(struct repair_settings, member)
static const struct option_row rows[] = {
	{"apply", OPTION_BOOL, AT(apply), NULL, .help = "put right what is not"},
	{"json", OPTION_BOOL, AT(json), NULL, .help = "print JSON"},
	{"state-dir", OPTION_STRING, AT(state_dir), "DIR",
	 .help = "where the plugin remembers pods (" STORE_DIR ")"},
	{"cache-dir", OPTION_STRING, AT(cache_dir), "DIR",
	 .help = "where libcni does (" CACHE_DIR ")"},
	{"net-dir", OPTION_STRING, AT(net_dir), "DIR",
	 .help = "where networks are configured (" NETD_DIR ")"},
	{"help", OPTION_BOOL, AT(help), NULL, .help = "print this"},
	{0},
};

/* --- one pod --- */

static void report(struct repair *repair, const struct request *request, const char *state,
		   const char *why)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s}", "state", state, "container",
				 request->container, "ifname", request->ifname, "netns",
				 request->netns, "why", why);
	const char *name, *namespace;
	size_t name_len, namespace_len;

	name = request_arg(request, "K8S_POD_NAME", &name_len);
	namespace = request_arg(request, "K8S_POD_NAMESPACE", &namespace_len);
	if (line && name && namespace) {
		json_object_set_new(line, "name", json_stringn(name, name_len));
		json_object_set_new(line, "namespace", json_stringn(namespace, namespace_len));
	}
	json_array_append_new(repair->report, line);
}

/* An attachment that is looked at. */
struct patient {
	const struct request *request;
	const struct namespace *ns;
	const struct pod *pod;
	bool known; /* the plugin remembers it */
};

/* In the pod's namespace, as what follows: what state its rules are in, and why. */
static int look(const void *arg, struct failure *failure)
{
	const struct patient *patient = arg;
	enum rules_state state;

	if (rules_compare(patient->pod, &state, failure) < 0)
		return -1;
	if (state != RULES_RIGHT && !patient->known && rules_are_anothers(patient->pod)) {
		failure_set(failure, FAILURE_CHECK, "set up by another");
		state = RULES_RIGHT;
	}
	return (int)state;
}

static int install(const void *arg, struct failure *failure)
{
	return rules_install(((const struct patient *)arg)->pod, false, failure);
}

/* True: it is right, or right now. */
static bool put_right(struct repair *repair, const struct patient *patient)
{
	const struct request *request = patient->request;
	bool programs = rules_run_programs(&patient->pod->settings);
	struct failure failure = {0};
	const char *word;
	int state;

	state = namespace_visit(patient->ns, programs, look, patient, &failure);
	word = state < 0                ? "unknown"
	       : state == RULES_RIGHT   ? "right"
	       : state == RULES_MISSING ? "missing"
					: "different";
	if (state <= RULES_RIGHT || !repair->settings.apply ||
	    store_save(&repair->store, request, patient->ns, &failure) < 0 ||
	    namespace_visit(patient->ns, programs, install, patient, &failure) < 0) {
		report(repair, request, word, failure.err.msg);
		return state == RULES_RIGHT;
	}
	log_info("repaired", "container=%s ifname=%s was=%s", request->container, request->ifname,
		 word);
	report(repair, request, "repaired", word);
	return true;
}

/*
 * A pod whose namespace is gone is none, and nobody may come to delete it: not all runtimes do, and
 * a pod that only libcni remembered may have been repaired behind its DEL. Where not even the
 * directory is, we may not see the node's.
 */
static void forget(struct repair *repair, const struct request *request)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(request->netns, '/');

	snprintf(directory, sizeof(directory), "%.*s/", slash ? (int)(slash - request->netns) : 0,
		 request->netns);
	if (repair->settings.apply && access(directory, F_OK) == 0)
		store_remove(&repair->store, request->container, request->ifname,
			     &(struct failure){0});
}

/* A DEL that came before our lock has forgotten it. */
static bool is_deleted(const struct repair *repair, const struct request *request)
{
	cleanup_attachment struct attachment known = {.ns.fd = -1};
	bool found;

	return store_load(&repair->store, request->container, request->ifname, &found, &known,
			  &(struct failure){0}) == 0 &&
	       !found;
}

/* For what is changed a lock is needed; `unseen` is why the namespace is not open, if it is not. */
static int hold(const struct repair *repair, const struct namespace *ns,
		const struct failure *unseen, int *ret_lock, struct failure *failure)
{
	if (ns->fd >= 0)
		return repair->settings.apply ? store_lock(&repair->store, ns, ret_lock, failure)
					      : 0;
	*failure = *unseen;
	return -1;
}

/* `was`: the namespace that the plugin remembers, NULL when it is libcni that remembers the pod. */
static void look_at(struct repair *repair, const struct request *request,
		    const struct namespace *was)
{
	cleanup_namespace struct namespace ns = {.fd = -1};
	cleanup_pod struct pod pod = {0};
	const struct patient patient = {request, &ns, &pod, was};
	struct failure failure = {0}, unseen = {0};
	cleanup_fd int lock = -1;
	bool there, gone;

	there = namespace_open(request->netns, &ns, &unseen) == 0;
	gone = there ? was && (was->dev != ns.dev || was->ino != ns.ino)
		     : errno == ENOENT || errno == ENOTTY || errno == EINVAL; /* the host's now */
	if (gone && was)
		forget(repair, request);
	if (gone)
		return;
	if ((!was && kube_ask(request, &failure) < 0) || pod_read(request, &pod, &failure) < 0 ||
	    (pod.wanted && hold(repair, &ns, &unseen, &lock, &failure) < 0)) {
		report(repair, request, "unknown", failure.err.msg);
		repair->wrong = true;
	} else if (pod.wanted && !(was && is_deleted(repair, request)) &&
		   !put_right(repair, &patient)) {
		repair->wrong = true;
	}
}

/* --- all of them --- */

static int look_at_remembered(const char *container, const char *ifname, void *arg)
{
	cleanup_attachment struct attachment known = {.ns.fd = -1};
	const struct request nameless = {
		.container = container, .ifname = ifname, .netns = "", .args = ""};
	struct repair *repair = arg;
	struct failure failure = {0};
	bool found;

	if (store_load(&repair->store, container, ifname, &found, &known, &failure) < 0) {
		report(repair, &nameless, "unknown", failure.err.msg);
		repair->wrong = true;
	} else if (found) {
		look_at(repair, &known.request, &known.ns);
	}
	return 0;
}

/* The plugin's entry that pods of this network get today; the caller's. */
static json_t *entry_of(const struct repair *repair, const char *network)
{
	for (size_t i = 0; i < repair->netd.n; i++) {
		const struct netd_file *file = &repair->netd.files[i];

		if (file->json && !strcmp(netd_network(file), network))
			return netd_entry_in_effect(repair->settings.net_dir, file);
	}
	return NULL;
}

static int look_at_cached(const struct cache_entry *cached, void *arg)
{
	cleanup_attachment struct attachment known = {.ns.fd = -1};
	struct repair *repair = arg;
	struct request request;
	json_t *entry;
	bool found;

	if (store_load(&repair->store, cached->container, cached->ifname, &found, &known,
		       &(struct failure){0}) < 0 ||
	    found || !*cached->netns || !(entry = entry_of(repair, cached->network)))
		return 0;
	if (cache_request(cached, entry, &request)) {
		look_at(repair, &request, NULL);
		request_free(&request);
	}
	json_decref(entry);
	return 0;
}

static void print(const struct repair *repair)
{
	json_t *line;
	size_t i;

	if (repair->settings.json) {
		json_dumpf(repair->report, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	json_array_foreach(repair->report, i, line)
	{
		const char *name = json_string_value(json_object_get(line, "name"));
		const char *namespace = json_string_value(json_object_get(line, "namespace"));
		const char *why = json_string_value(json_object_get(line, "why"));

		printf("%-9s %s %s%s%s%s%s%s%s\n",
		       json_string_value(json_object_get(line, "state")),
		       json_string_value(json_object_get(line, "container")),
		       json_string_value(json_object_get(line, "ifname")), name ? " " : "",
		       namespace ? namespace : "", name ? "/" : "", name ? name : "",
		       *why ? ": " : "", why);
	}
}

static int run(struct repair *repair, struct failure *failure)
{
	if (store_open(repair->settings.state_dir, repair->settings.apply, &repair->store,
		       failure) < 0)
		return -1;
	if (netd_read(repair->settings.net_dir, NULL, &repair->netd, &failure->err) < 0)
		log_debug("only what the plugin remembers is looked at", "reason=\"%s\"",
			  failure->err.msg);
	store_each(&repair->store, look_at_remembered, repair);
	cache_each(repair->settings.cache_dir, look_at_cached, repair);
	print(repair);
	return repair->wrong;
}

int repair_main(int argc, char **argv)
{
	struct repair repair = {.settings = {.cache_dir = CACHE_DIR, .net_dir = NETD_DIR},
				.store.dir = -1,
				.report = json_array()};
	struct failure failure = {0};
	int words = 0, rc;

	if (options_parse(rows, &repair.settings, argc - 1, argv + 1, &words, &failure.err) < 0 ||
	    words) {
		log_error(words ? "repair takes options alone; --help lists them" : failure.err.msg,
			  NULL);
		return 2;
	}
	if (repair.settings.help) {
		fputs("Usage: meshdns-cni repair [OPTION]...\n\nLists the pods on this node with "
		      "what their rules are: right, missing, different.\n\nOptions:\n",
		      stdout);
		options_print_help(rows, stdout);
		return 0;
	}
	if ((rc = run(&repair, &failure)) < 0)
		log_error(failure.err.msg, NULL);
	netd_free(&repair.netd);
	cleanup_store_(&repair.store);
	json_decref(repair.report);
	return rc < 0 ? 2 : rc;
}
