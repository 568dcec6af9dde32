/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/ready.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

int ready_notify(const char *state, struct err *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	cleanup_fd int fd = -1;
	size_t len;

	if (!path || !*path)
		return 0;
	len = strlen(path);
	if ((*path != '/' && *path != '@') || len >= sizeof(un.sun_path))
		return err_set(err, EINVAL, "NOTIFY_SOCKET is not a socket's path: %s", path);
	memcpy(un.sun_path, path, len);
	if (*path == '@')
		un.sun_path[0] = '\0'; /* abstract namespace, unix(7) */
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 ||
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		return err_set(err, errno, "cannot notify %s: %s", path, err_text(errno));
	return 0;
}

int ready_fd(int fd, struct err *err)
{
	int rc = 0;

	if (fd < 0)
		return 0;
	if (write(fd, "\n", 1) != 1)
		rc = err_set(err, errno, "cannot write to the ready fd %d: %s", fd,
			     err_text(errno));
	close(fd);
	return rc;
}
