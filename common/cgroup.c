/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

bool cgroup_normalize(const char *text, char ret_path[CGROUP_PATH_MAX])
{
	size_t used = 0;

	for (const char *name = text; *(name += strspn(name, "/")); name += strcspn(name, "/")) {
		size_t len = strcspn(name, "/");

		if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		if (used + len + 2 > CGROUP_PATH_MAX)
			return false;
		if (used)
			ret_path[used++] = '/';
		for (size_t i = 0; i < len; i++) {
			if (!isprint((unsigned char)name[i]))
				return false;
			ret_path[used++] = name[i];
		}
	}
	ret_path[used] = '\0';
	return used;
}

static uint32_t level_of(const char *path)
{
	uint32_t level = 1;

	while ((path = strchr(path, '/')))
		path++, level++;
	return level;
}

/* --- where the hierarchy is --- */

/* As proc(5) writes a path: blanks and backslashes are \ooo. */
static void unescape(const char *text, size_t len, char *to)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 3 < len) {
			*to++ = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
				       (text[i + 3] - '0'));
			i += 3;
		} else {
			*to++ = text[i];
		}
	}
	*to = '\0';
}

/* "41 31 0:38 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw" */
bool cgroup_parse_mount(const char *line, char ret_path[PATH_MAX])
{
	const char *type = strstr(line, " - "), *root = line, *point;
	size_t len;

	for (int i = 0; i < 3 && root; i++)
		root = (root = strchr(root, ' ')) ? root + 1 : NULL;
	if (!root || !type || strncmp(type, " - cgroup2 ", 11) != 0 || strncmp(root, "/ ", 2) != 0)
		return false;
	point = root + 2;
	len = strcspn(point, " ");
	if (point > type || len == 0 || len >= PATH_MAX)
		return false;
	unescape(point, len, ret_path);
	return true;
}

static bool find_mount(char ret_path[PATH_MAX])
{
	cleanup_file FILE *file = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		if (cgroup_parse_mount(line, ret_path))
			return true;
	}
	return false;
}

/* "MOUNT/PATH/FILE", or -ENOENT. */
static int full_path(const char *path, const char *file, char ret_full[PATH_MAX])
{
	char mount[PATH_MAX];

	if (!find_mount(mount) ||
	    snprintf(ret_full, PATH_MAX, "%s/%s%s", mount, path, file) >= PATH_MAX)
		return -ENOENT;
	return 0;
}

/* --- what is in it --- */

int cgroup_resolve(const char *path, struct cgroup *ret_cgroup, struct err *err)
{
	char full[PATH_MAX];
	struct stat st;

	if (full_path(path, "", full) < 0)
		return err_set(err, ENOENT,
			       "the hierarchy of cgroups version 2 is mounted nowhere here");
	if (stat(full, &st) < 0)
		return err_set(err, errno, "no cgroup \"%s\": %s: %s", path, full, err_text(errno));
	*ret_cgroup = (struct cgroup){st.st_ino, level_of(path)};
	return 0;
}

int cgroup_find(const struct cgroup *cgroup, char ret_path[CGROUP_PATH_MAX])
{
	char mount[PATH_MAX], *roots[] = {mount, NULL};
	int rc = -ENOENT;
	FTSENT *entry;
	FTS *tree;

	if (!find_mount(mount) || !(tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV, NULL)))
		return -ENOENT;
	while (rc < 0 && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_D || entry->fts_level < (int)cgroup->level)
			continue;
		fts_set(tree, entry, FTS_SKIP);
		if (entry->fts_statp->st_ino == cgroup->id &&
		    cgroup_normalize(entry->fts_path + strlen(mount), ret_path))
			rc = 0;
	}
	fts_close(tree);
	return rc;
}

int cgroup_join(const char *path)
{
	char full[PATH_MAX];
	cleanup_fd int fd = -1;
	int rc;

	if ((rc = full_path(path, "/cgroup.procs", full)) < 0)
		return rc;
	fd = open(full, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;
}
