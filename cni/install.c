/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/kube.h"
#include "cni/pod.h"
#include "cni/request.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define SAVED_SUFFIX   ".meshdns-saved" /* of a single plugin's file that a list stands for */
#define SAVED_PATH_MAX (PATH_MAX + sizeof(SAVED_SUFFIX))
#define TRIES          10 /* while another program writes as well */
#define CONF_MODE      0644

/* --- the configuration --- */

/* Fails where the plugin would refuse every pod because of it. */
static int check_entry(json_t *entry, struct err *err)
{
	const struct request request = {.conf = entry, .args = ""};
	cleanup_pod struct pod pod = {0};
	struct failure failure = {0};

	if (pod_read_example(&request, &pod, &failure) == 0)
		return 0;
	return err_set(err, EINVAL, "%s", failure.err.msg);
}

/* What the file says of `entry`. */
static int read_entry(const char *path, json_t *entry, struct err *err)
{
	json_error_t error;
	json_t *given = json_load_file(path, 0, &error);
	int rc = 0;

	if (!given)
		rc = err_set(err, EINVAL, "%s", error.text);
	else if (json_object_update(entry, given) < 0 ||
		 json_object_set_new(entry, "type", json_string(NETD_PLUGIN)) < 0)
		rc = err_set(err, EINVAL, "it is not a JSON object");
	else
		rc = check_entry(entry, err);
	json_decref(given);
	return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

/* The plugin's entry as the settings have it; the caller's. NULL: `err` says why. */
static json_t *make_entry(const struct install_settings *settings, struct err *err)
{
	json_t *entry = json_pack("{s:s, s:{s:b, s:b}}", "type", NETD_PLUGIN, "capabilities",
				  REQUEST_ANNOTATIONS_KEY, 1, "dns", 1);

	if (!entry) {
		err_set(err, ENOMEM, "out of memory");
	} else if (settings->entry && read_entry(settings->entry, entry, err) < 0) {
		json_decref(entry);
		entry = NULL;
	}
	return entry;
}

/* Whole, or not at all, or -EAGAIN when somebody has changed it since it was `was`. */
static int write_conf(const struct install_settings *settings, const char *path, const char *was,
		      const char *text, struct err *err)
{
	log_info(settings->dry_run ? "would write" : "writing", "file=%s", path);
	return settings->dry_run ? 0 : file_rewrite(path, was, text, CONF_MODE, err);
}

/* Puts `entry` into the list, or ours out of it where that is NULL. */
static int edit(const struct install_settings *settings, const struct netd_file *list,
		const json_t *entry, struct err *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	int rc;

	if ((rc = netd_edit(list, entry, &text, err)) < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/%s", settings->net_dir, list->name);
	return write_conf(settings, path, list->text, text, err);
}

/* What is not there is removed. */
static int remove_file(const struct install_settings *settings, const char *path, struct err *err)
{
	if (access(path, F_OK) < 0)
		return 0;
	log_info(settings->dry_run ? "would remove" : "removing", "file=%s", path);
	if (!settings->dry_run && unlink(path) < 0)
		return err_set(err, errno, "cannot remove %s: %s", path, err_text(errno));
	return 0;
}

/*
 * containerd looks at the directory again when something in it is renamed or removed, and does not
 * see what happens in folders.
 */
static void nudge_runtimes(const struct install_settings *settings)
{
	static const char name[] = ".meshdns-nudge", other[] = ".meshdns-nudged";
	cleanup_fd int dir = -1, fd = -1;

	if (settings->dry_run ||
	    (dir = open(settings->net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && renameat(dir, name, dir, other) == 0)
		unlinkat(dir, other, 0);
}

static int write_drop_in(const struct install_settings *settings, const struct netd_file *file,
			 const json_t *entry, struct err *err)
{
	cleanup_free char *dump = json_dumps(entry, JSON_INDENT(2)), *text = NULL;
	char path[PATH_MAX], folder[PATH_MAX];

	if (!dump || asprintf(&text, "%s\n", dump) < 0)
		return err_set(err, ENOMEM, "out of memory for the plugin's configuration");
	netd_drop_in_path(settings->net_dir, netd_network(file), path);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (!settings->dry_run && mkdir(folder, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "cannot make %s: %s", folder, err_text(errno));
	return write_conf(settings, path, NULL, text, err);
}

/* What an earlier version of us has inserted would be called as well. */
static int drop_in(const struct install_settings *settings, const struct netd_file *file,
		   const json_t *entry, struct err *err)
{
	int rc = write_drop_in(settings, file, entry, err);

	if (rc == 0 && netd_count_entries(file->json))
		rc = edit(settings, file, NULL, err);
	nudge_runtimes(settings);
	return rc;
}

/* Nobody's list may be lost, but one of ours, of which the single plugin has come anew. */
static int check_is_free(const char *path, struct err *err)
{
	json_t *list;
	bool ours;

	if (access(path, F_OK) < 0)
		return 0;
	list = json_load_file(path, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
	ours = netd_count_entries(list) > 0;
	json_decref(list);
	return ours ? 0
		    : err_set(err, EEXIST,
			      "%s is in the way of the list that is to be made: rename it", path);
}

/* A runtime prefers NAME.conf to NAME.conflist, so the list can only count when that is gone. */
static int insert_wrapped(const struct install_settings *settings, const struct netd_file *file,
			  const json_t *entry, struct err *err)
{
	char path[PATH_MAX], saved[SAVED_PATH_MAX], list_path[PATH_MAX];
	const char *dot = strrchr(file->name, '.');
	cleanup_free char *text = NULL;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", settings->net_dir, file->name);
	snprintf(saved, sizeof(saved), "%s" SAVED_SUFFIX, path);
	snprintf(list_path, sizeof(list_path), "%s/%.*s.conflist", settings->net_dir,
		 (int)(dot - file->name), file->name);
	if ((rc = check_is_free(list_path, err)) < 0 ||
	    (rc = netd_wrap(file, entry, &text, err)) < 0 ||
	    (rc = write_conf(settings, list_path, NULL, text, err)) < 0)
		return rc;
	if (!settings->dry_run && rename(path, saved) < 0)
		return err_set(err, errno, "cannot rename %s: %s", path, err_text(errno));
	return 0;
}

static int insert(const struct install_settings *settings, const struct netd_file *file,
		  const json_t *entry, struct err *err)
{
	char path[PATH_MAX];
	int rc;

	if (!file->is_list)
		return insert_wrapped(settings, file, entry, err);
	if ((rc = edit(settings, file, entry, err)) < 0)
		return rc;
	/* Until then both are called, which is better than neither. */
	netd_drop_in_path(settings->net_dir, netd_network(file), path);
	return remove_file(settings, path, err);
}

/* Both ways at once would be two calls for each pod. */
static bool is_configured(const struct install_settings *settings, const struct netd_file *file,
			  json_t *entry, bool drop_ins)
{
	char path[PATH_MAX];
	json_t *effective;
	bool right;

	netd_drop_in_path(settings->net_dir, netd_network(file), path);
	if (netd_count_entries(file->json) != !drop_ins || drop_ins != (access(path, F_OK) == 0))
		return false;
	effective = netd_entry_in_effect(settings->net_dir, file);
	right = json_equal(effective, entry);
	json_decref(effective);
	return right;
}

static bool decide_mode(const struct install_settings *settings, const struct netd_file *file,
			const char **ret_why)
{
	if (!netd_takes_drop_ins(file)) {
		*ret_why = file->is_list ? "the list takes only the plugins in it"
					 : "a single plugin has no folder for others";
		return false;
	}
	*ret_why = "it was asked for";
	if (settings->mode != INSTALL_AUTO)
		return settings->mode == INSTALL_DROP_IN;
	return install_runtimes_take_drop_ins(ret_why);
}

static void name_candidates(const struct netd *netd)
{
	for (size_t i = 0; i < netd->n; i++) {
		const struct netd_file *file = &netd->files[i];

		if (!file->json)
			log_warning("a configuration is not valid, and some runtimes stop at it",
				    "file=%s reason=\"%s\"", file->name, file->why_not);
		else if (i != netd->chosen)
			log_info("another network is configured, and is left alone",
				 "file=%s network=%s", file->name, netd_network(file));
	}
}

static int complain_of_none(const struct install_settings *settings, const struct netd *netd,
			    struct err *err)
{
	const char *name = settings->conf_name;
	const struct netd_file *bad = NULL;
	char what[512] = "";

	for (size_t i = 0; i < netd->n && !bad; i++) {
		if (!netd->files[i].json && (!name || !strcmp(netd->files[i].name, name)))
			bad = &netd->files[i];
	}
	if (bad)
		snprintf(what, sizeof(what), ", for %s is not valid: %s", bad->name, bad->why_not);
	else if (name)
		snprintf(what, sizeof(what), " by %.255s", name);
	return err_set(err, ENOENT,
		       "no network is configured in %s yet%s; the plugin goes behind the one that "
		       "makes the pods' network",
		       settings->net_dir, what);
}

static int reconcile_conf(const struct install_settings *settings, bool change,
			  struct install_state *state, struct err *err)
{
	cleanup_netd struct netd netd = {0};
	const struct netd_file *file;
	json_t *entry;
	int rc;

	if ((rc = netd_read(settings->net_dir, settings->conf_name, &netd, err)) < 0)
		return rc;
	if (netd.chosen == netd.n)
		return complain_of_none(settings, &netd, err);
	file = &netd.files[netd.chosen];
	snprintf(state->file, sizeof(state->file), "%s", file->name);
	snprintf(state->network, sizeof(state->network), "%s", netd_network(file));
	state->drop_ins = decide_mode(settings, file, &state->why_mode);
	if (!(entry = make_entry(settings, err)))
		return err->code;
	state->configured = is_configured(settings, file, entry, state->drop_ins);
	if (!state->configured && change) {
		name_candidates(&netd);
		log_info("putting the plugin into the network's configuration",
			 "network=%s by=%s reason=\"%s\"", state->network,
			 state->drop_ins ? "drop-in" : "insertion", state->why_mode);
		rc = state->drop_ins ? drop_in(settings, file, entry, err)
				     : insert(settings, file, entry, err);
		state->configured = rc == 0 && !settings->dry_run;
		state->conf_changes += state->configured;
	}
	json_decref(entry);
	return rc;
}

/* The binary and the kubeconfig first: no configuration may name what is not there. */
static int reconcile(const struct install_settings *settings, bool change,
		     struct install_state *ret_state, struct err *err)
{
	int rc;

	*ret_state = (struct install_state){.why_mode = ""};
	if ((rc = install_programs(settings, change, ret_state, err)) < 0 ||
	    (rc = install_kubeconfig(settings, change, &ret_state->kubeconfig_there, err)) < 0)
		return rc;
	return reconcile_conf(settings, change, ret_state, err);
}

int install_reconcile(const struct install_settings *settings, struct install_state *ret_state,
		      struct err *err)
{
	int rc = reconcile(settings, true, ret_state, err);

	for (int i = 1; rc == -EAGAIN && i < TRIES; i++)
		rc = reconcile(settings, true, ret_state, err);
	return rc;
}

int install_look(const struct install_settings *settings, struct install_state *ret_state,
		 struct err *err)
{
	return reconcile(settings, false, ret_state, err);
}

/* --- taking it away --- */

/* The single plugin's file that the list stands for, as it was called and as it is kept, if any. */
static bool find_saved(const struct install_settings *settings, const struct netd_file *list,
		       char ret_single[PATH_MAX], char ret_saved[SAVED_PATH_MAX])
{
	static const char *const ends[] = {"conf", "json"};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(ret_single, PATH_MAX, "%s/%.*s.%s", settings->net_dir,
			 (int)(strrchr(list->name, '.') - list->name), list->name, ends[i]);
		snprintf(ret_saved, SAVED_PATH_MAX, "%s" SAVED_SUFFIX, ret_single);
		if (access(ret_saved, F_OK) == 0)
			return true;
	}
	return false;
}

/* A list that stood for a single plugin's file goes when that comes back. */
static int take_out(const struct install_settings *settings, const struct netd_file *file,
		    struct err *err)
{
	const json_t *plugins = json_object_get(file->json, "plugins");
	char path[PATH_MAX], single[PATH_MAX], saved[SAVED_PATH_MAX];

	if (json_array_size(plugins) - netd_count_entries(file->json) != 1 ||
	    !find_saved(settings, file, single, saved))
		return edit(settings, file, NULL, err);
	log_info(settings->dry_run ? "would put back" : "putting back", "file=%s", single);
	if (!settings->dry_run && rename(saved, single) < 0)
		return err_set(err, errno, "cannot rename %s: %s", saved, err_text(errno));
	snprintf(path, sizeof(path), "%s/%s", settings->net_dir, file->name);
	return remove_file(settings, path, err);
}

/* All that there are: a network whose list is gone may come back. */
static int remove_drop_ins(const struct install_settings *settings, struct err *err)
{
	cleanup_dir DIR *folders = opendir(settings->net_dir);
	const struct dirent *folder;
	int rc = 0;

	while (rc == 0 && folders && (folder = readdir(folders))) {
		char path[PATH_MAX];

		netd_drop_in_path(settings->net_dir, folder->d_name, path);
		if (folder->d_name[0] == '.' || access(path, F_OK) < 0)
			continue;
		rc = remove_file(settings, path, err);
		*strrchr(path, '/') = '\0';
		if (!settings->dry_run)
			rmdir(path); /* unless others have dropped something in */
	}
	return rc;
}

static int remove_from_confs(const struct install_settings *settings, struct err *err)
{
	cleanup_netd struct netd netd = {0};
	int rc = netd_read(settings->net_dir, NULL, &netd, err);

	if (rc == -ENOENT)
		return 0;
	for (size_t i = 0; rc == 0 && i < netd.n; i++) {
		if (netd_count_entries(netd.files[i].json))
			rc = take_out(settings, &netd.files[i], err);
	}
	if (rc == 0)
		rc = remove_drop_ins(settings, err);
	nudge_runtimes(settings);
	return rc;
}

int install_remove(const struct install_settings *settings, unsigned int *ret_kept_for,
		   struct err *err)
{
	static const char *const programs[] = {NETD_PLUGIN, KUBE_PROGRAM};
	char target[PATH_MAX];
	int rc;

	*ret_kept_for = 0;
	rc = remove_from_confs(settings, err);
	for (int i = 1; rc == -EAGAIN && i < TRIES; i++)
		rc = remove_from_confs(settings, err);
	if (rc < 0)
		return rc;
	if (settings->kubeconfig && /* deleting pods takes none */
	    (rc = remove_file(settings, settings->kubeconfig, err)) < 0)
		return rc;
	*ret_kept_for = install_pods_left(settings);
	if (*ret_kept_for)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		install_target(settings, programs[i], target);
		if ((rc = remove_file(settings, target, err)) < 0)
			return rc;
	}
	return 0;
}
