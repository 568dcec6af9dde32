/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static int open_file(const char *path)
{
	return open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		    0640);
}

static bool is_full(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_FILE_BYTES_MAX;
}

/*
 * Under the lock of the full file, so that only the first of several moves it away. Nobody waits
 * for it: whoever may read the file can hold it.
 */
static void rotate(int fd, const char *path)
{
	cleanup_fd int again = -1;
	char old[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s.1", path) < (int)sizeof(old) &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0) {
		again = open_file(path);
		if (again >= 0 && is_full(again))
			rename(path, old);
	}
}

void log_file_open(const char *path, enum log_level level)
{
	int fd = *path ? open_file(path) : -1;

	if (fd >= 0 && is_full(fd)) {
		rotate(fd, path);
		close(fd);
		fd = open_file(path);
	}
	if (fd >= 0)
		log_set_copy(fd, level);
}
