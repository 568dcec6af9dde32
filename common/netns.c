/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

int netns_path(const char *spec, enum netns_kind *ret_kind, char ret_path[PATH_MAX],
	       struct err *err)
{
	const char *format;

	if (!*spec || !strcmp(spec, ".") || !strcmp(spec, ".."))
		return err_set(err, EINVAL,
			       "\"%s\" is not a network namespace: give a path, a "
			       "name from `ip netns list` or a pid",
			       spec);
	if (strchr(spec, '/')) {
		*ret_kind = NETNS_PATH;
		format = "%s";
	} else if (strspn(spec, "0123456789") == strlen(spec)) {
		*ret_kind = NETNS_PID;
		format = "/proc/%s/ns/net";
	} else {
		*ret_kind = NETNS_NAME;
		format = NETNS_RUN_DIR "/%s";
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (snprintf(ret_path, PATH_MAX, format, spec) >= PATH_MAX)
#pragma GCC diagnostic pop
		return err_set(err, ENAMETOOLONG, "the name of the network namespace is too long");
	return 0;
}

int netns_enter(const char *spec, struct err *err)
{
	cleanup_fd int fd = -1;
	enum netns_kind kind = NETNS_PATH;
	char path[PATH_MAX];
	int rc;

	if ((rc = netns_path(spec, &kind, path, err)) < 0)
		return rc;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
		if (errno == ENOENT && kind == NETNS_NAME)
			return err_set(err, ENOENT,
				       "no network namespace \"%s\" in %s; see `ip "
				       "netns list`, or give a path or a pid",
				       spec, NETNS_RUN_DIR);
		if (errno == ENOENT && kind == NETNS_PID)
			return err_set(err, ENOENT, "no process %s", spec);
		return err_set(err, errno, "cannot open the network namespace %s: %s", path,
			       err_text(errno));
	}
	if (setns(fd, CLONE_NEWNET) < 0) {
		if (errno == EINVAL)
			return err_set(err, EINVAL, "%s is not a network namespace", path);
		if (errno == EPERM)
			return err_set(err, EPERM,
				       "entering the network namespace %s needs root "
				       "(CAP_SYS_ADMIN)",
				       path);
		return err_set(err, errno, "cannot enter the network namespace %s: %s", path,
			       err_text(errno));
	}
	return 0;
}
