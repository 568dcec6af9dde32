/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

/* Newer than the headers that we build with. */
#define ACCESS_FS_TRUNCATE  (UINT64_C(1) << 14)
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)

#define ACCESS_READ         (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                        \
	(ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK)

/* Everything that the kernel's version `abi` can forbid about files. */
static uint64_t handled_access(long abi)
{
	uint64_t access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		access |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		access |= ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		access |= ACCESS_FS_IOCTL_DEV;
	return access;
}

struct ruleset {
	int fd;
	uint64_t handled;
};

/* Allows what is below a folder. One that cannot be opened could not be used either. */
static int allow_below(const struct ruleset *ruleset, const char *folder, uint64_t access)
{
	cleanup_fd int fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access & ruleset->handled,
		.parent_fd = fd,
	};

	if (fd < 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, ruleset->fd, LANDLOCK_RULE_PATH_BENEATH, &rule,
			    0);
}

/* The folder that holds `path`, of which `len` bytes count. */
static int allow_parent(const struct ruleset *ruleset, const char *path, size_t len)
{
	char folder[PATH_MAX];

	while (len > 0 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len >= sizeof(folder))
		return 0;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return allow_below(ruleset, len ? folder : ".", ACCESS_READ);
}

/* Where `path` leads, and the folders whose links lead there: they may be turned elsewhere in it.
 */
static int allow_way(const struct ruleset *ruleset, const char *path)
{
	char real[PATH_MAX], prefix[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;
	int rc = 0;

	if (len >= sizeof(prefix))
		return 0;
	memcpy(prefix, path, len + 1);
	for (size_t i = 1; i <= len && rc == 0; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		prefix[i] = '\0';
		if (lstat(prefix, &st) == 0 && S_ISLNK(st.st_mode))
			rc = allow_parent(ruleset, prefix, i);
		prefix[i] = path[i];
	}
	if (rc < 0 || !realpath(path, real) || stat(real, &st) < 0)
		return rc;
	return S_ISDIR(st.st_mode) ? allow_below(ruleset, real, ACCESS_READ)
				   : allow_parent(ruleset, real, strlen(real));
}

static int allow_source(const struct ruleset *ruleset, const char *path)
{
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;
	int rc = allow_way(ruleset, path);

	if (!dir) /* a file, or nothing yet */
		return rc < 0 ? rc : allow_parent(ruleset, path, strlen(path));
	while (rc == 0 && (entry = readdir(dir))) {
		char inside[PATH_MAX];

		if (entry->d_type == DT_LNK && snprintf(inside, sizeof(inside), "%s/%s", path,
							entry->d_name) < (int)sizeof(inside))
			rc = allow_way(ruleset, inside);
	}
	return rc;
}

int landlock_apply(const struct privs_path *paths, size_t n_paths, struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = handled_access(abi)};
	struct ruleset ruleset = {.fd = -1, .handled = attr.handled_access_fs};
	cleanup_fd int fd = -1;
	int rc = 0;

	if (abi < 0) {
		log_warning("this kernel cannot confine file access (Landlock), going on without",
			    "reason=\"%s\"", err_text(errno));
		return 0;
	}
	ruleset.fd = fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		rc = -1;
	for (size_t i = 0; i < n_paths && rc == 0; i++)
		rc = paths[i].writable ? allow_below(&ruleset, paths[i].path, ACCESS_WRITE)
				       : allow_source(&ruleset, paths[i].path);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	return rc < 0 ? err_set(err, errno,
				"cannot confine file access (Landlock): %s; "
				"--no-sandbox does without",
				err_text(errno))
		      : 0;
}
