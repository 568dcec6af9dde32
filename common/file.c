/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

/* At a time: a kernel may let other threads of this core wait until a call is done. */
#define READ_MAX ((size_t)256 << 10)

/* Root's or our own, and nobody else may write it. */
static bool is_own(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int read_file(const char *path, bool own, size_t max, char **ret_data, size_t *ret_len,
		     struct err *err)
{
	cleanup_free char *data = NULL;
	cleanup_fd int fd = -1;
	size_t len = 0, size;
	struct stat st;

	/* O_NONBLOCK: a FIFO in the file's place must not hang us before fstat sees it. */
	if ((fd = open(path,
		       O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (own ? O_NOFOLLOW : 0))) < 0)
		return err_set(err, errno, "cannot open %s: %s", path, err_text(errno));
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "cannot stat %s: %s", path, err_text(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is not a regular file", path);
	if (own && !is_own(&st))
		return err_set(err, EPERM,
			       "%s is not believed: somebody else than root and uid %u owns or may "
			       "write it (uid %u, mode %03o)",
			       path, geteuid(), st.st_uid, st.st_mode & 07777);
	if (st.st_size > (off_t)max)
		goto too_big;

	/* The file may grow while it is read, and /proc says 0: the size is only a first guess. */
	size = (size_t)st.st_size + 1;
	while (true) {
		char *grown = realloc(data, size + 1);
		ssize_t n;

		if (!grown)
			return err_set(err, ENOMEM, "cannot read %s: out of memory", path);
		data = grown;
		n = read(fd, data + len, size - len < READ_MAX ? size - len : READ_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "cannot read %s: %s", path, err_text(errno));
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			goto too_big;
		if (len == size)
			size *= 2;
	}
	data[len] = '\0';
	*ret_data = take_ptr(&data);
	*ret_len = len;
	return 0;

too_big:
	return err_set(err, EFBIG, "%s is larger than %zu bytes, the limit", path, max);
}

int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct err *err)
{
	return read_file(path, false, max, ret_data, ret_len, err);
}

int file_read_own(const char *path, size_t max, char **ret_data, size_t *ret_len, struct err *err)
{
	return read_file(path, true, max, ret_data, ret_len, err);
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno != EINTR)
			return -1;
		from += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The file as it was before, where it is to be that still, and whose its place shall be. */
struct before {
	const char *text;         /* NULL: whatever it is */
	const struct stat *owner; /* NULL: ours */
};

static bool is_still(const char *path, const char *text)
{
	cleanup_free char *now = NULL;
	size_t len;

	if (text)
		file_read(path, strlen(text), &now, &len, NULL);
	if (!text || (now && !strcmp(now, text)))
		return true;
	errno = EAGAIN;
	return false;
}

/* If we may not give it away, it is ours. */
static bool give_away(int fd, const struct stat *owner)
{
	return !owner || fchown(fd, owner->st_uid, owner->st_gid) == 0 || errno == EPERM;
}

static int replace(const char *path, const struct before *before, const void *data, size_t len,
		   mode_t mode, struct err *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	cleanup_fd int fd = -1;
	char new_path[PATH_MAX];
	int why;

	if (snprintf(new_path, sizeof(new_path), "%.*s.%s.XXXXXX", (int)(name - path), path,
		     name) >= (int)sizeof(new_path))
		return err_set(err, ENAMETOOLONG, "cannot write %s: the name is too long", path);
	if ((fd = mkostemp(new_path, O_CLOEXEC)) < 0)
		return err_set(err, errno, "cannot write %s: %s", path, err_text(errno));
	if (file_write_all(fd, data, len) == 0 && fchmod(fd, mode) == 0 &&
	    give_away(fd, before->owner) && fsync(fd) == 0 && close(take_fd(&fd)) == 0 &&
	    is_still(path, before->text) && rename(new_path, path) == 0)
		return 0;
	why = errno;
	unlink(new_path);
	return err_set(err, why, "cannot write %s: %s", path,
		       why == EAGAIN ? "somebody else has just changed it" : err_text(why));
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	return replace(path, &(struct before){0}, data, len, mode, err);
}

int file_rewrite(const char *path, const char *was, const char *text, mode_t mode, struct err *err)
{
	struct before before = {.text = was};
	struct stat st;

	if (stat(path, &st) == 0) {
		mode = st.st_mode & 07777;
		before.owner = &st;
	}
	return replace(path, &before, text, strlen(text), mode, err);
}

ino_t file_inode(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

int file_make_directory(const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = part; slash; *slash = '/') {
		if ((slash = strchr(slash + 1, '/')))
			*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
		if (!slash)
			break;
	}
	return 0;
}
