/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin's binary, and that of the program which it may start, on the node. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/install.h"
#include "cni/kube.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define BINARY_MAX ((size_t)64 * 1024 * 1024)

void install_source(const struct install_settings *settings, const char *program,
		    char ret_path[PATH_MAX])
{
	ssize_t n = -1;
	size_t folder;
	char *slash;

	if (settings->plugin)
		n = snprintf(ret_path, PATH_MAX, "%s", settings->plugin);
	else
		n = readlink("/proc/self/exe", ret_path, PATH_MAX - 1);
	ret_path[n > 0 && n < PATH_MAX ? n : 0] = '\0';
	if (settings->plugin && !strcmp(program, NETD_PLUGIN))
		return; /* it may be called otherwise */
	slash = strrchr(ret_path, '/');
	folder = slash ? (size_t)(slash + 1 - ret_path) : 0;
	snprintf(ret_path + folder, PATH_MAX - folder, "%s", program);
}

void install_target(const struct install_settings *settings, const char *program,
		    char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s", settings->bin_dir, program);
}

static bool has_content(const char *path, const char *data, size_t len)
{
	cleanup_free char *found = NULL;
	size_t found_len;

	return access(path, X_OK) == 0 &&
	       file_read(path, BINARY_MAX, &found, &found_len, NULL) == 0 && found_len == len &&
	       !memcmp(found, data, len);
}

/* Two files that were alike. They are megabytes, and every change to a directory makes us look. */
struct alike {
	struct stat source, target;
};

static bool is_unchanged(const struct stat *was, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
	       st.st_size == was->st_size && st.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

/* By renaming, so that a runtime that just starts it gets the old one or the new one, whole. */
static int reconcile_program(const struct install_settings *settings, const char *program,
			     bool change, struct alike *alike, struct install_state *state,
			     bool *ret_there, struct err *err)
{
	char source[PATH_MAX], target[PATH_MAX];
	cleanup_free char *data = NULL;
	struct alike now;
	bool now_there;
	size_t len;
	int rc;

	install_source(settings, program, source);
	install_target(settings, program, target);
	*ret_there = is_unchanged(&alike->source, source) && is_unchanged(&alike->target, target);
	if (*ret_there)
		return 0;
	now_there = stat(source, &now.source) == 0 && stat(target, &now.target) == 0;
	if ((rc = file_read(source, BINARY_MAX, &data, &len, err)) < 0)
		return rc;
	*ret_there = now_there && has_content(target, data, len);
	if (*ret_there)
		*alike = now; /* as they were before they were read */
	if (*ret_there || !change)
		return 0;
	log_info(settings->dry_run ? "would install the plugin" : "installing the plugin",
		 "file=%s from=%s", target, source);
	if (settings->dry_run)
		return 0;
	if (file_make_directory(settings->bin_dir) < 0)
		return err_set(err, errno, "cannot make %s: %s", settings->bin_dir,
			       err_text(errno));
	if ((rc = file_replace(target, data, len, 0755, err)) < 0)
		return rc;
	*ret_there = true;
	state->binary_changes++;
	return 0;
}

/* What the plugin may start comes first, and where it is not shipped, not at all. */
int install_programs(const struct install_settings *settings, bool change,
		     struct install_state *state, struct err *err)
{
	static struct alike helper, plugin;
	bool helper_there = true, plugin_there = false;
	char source[PATH_MAX];
	int rc = 0;

	install_source(settings, KUBE_PROGRAM, source);
	if (access(source, F_OK) == 0)
		rc = reconcile_program(settings, KUBE_PROGRAM, change, &helper, state,
				       &helper_there, err);
	if (rc == 0)
		rc = reconcile_program(settings, NETD_PLUGIN, change, &plugin, state, &plugin_there,
				       err);
	state->binary_there = helper_there && plugin_there;
	return rc;
}
