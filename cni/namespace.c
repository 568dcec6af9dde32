/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/privs.h"

/* Fails with this errno, which says more to the caller than the code does. */
static int fail(int number, struct failure *failure)
{
	failure_is(failure, FAILURE_NAMESPACE);
	errno = number;
	return -1;
}

/* Some other file lies there once the namespace has been unmounted. */
static bool is_network_namespace(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == NSFS_MAGIC &&
	       ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

/* 1, 0, or -1 with errno when it cannot be found out. */
static int is_that_of(const struct namespace *ns, const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : st.st_dev == ns->dev && st.st_ino == ns->ino;
}

int namespace_open(const char *path, struct namespace *ret_ns, struct failure *failure)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int why = errno, own;
	struct stat st;

	*ret_ns = (struct namespace){.fd = -1};
	if (fd < 0) {
		err_set(&failure->err, why,
			"cannot open the network namespace CNI_NETNS \"%s\": %s", path,
			err_text(why));
		return fail(why == ENOTDIR ? ENOENT : why, failure);
	}
	if (!is_network_namespace(fd) || fstat(fd, &st) < 0) {
		err_set(&failure->err, ENOTTY, "CNI_NETNS \"%s\" is not a network namespace", path);
		return fail(ENOTTY, failure);
	}
	*ret_ns = (struct namespace){.fd = -1, .dev = st.st_dev, .ino = st.st_ino};
	own = is_that_of(ret_ns, "/proc/self/ns/net");
	if (own < 0) {
		err_set(&failure->err, EIO,
			"cannot tell CNI_NETNS \"%s\" from the host's own network namespace: "
			"/proc/self/ns/net: %s",
			path, err_text(errno));
		return fail(EIO, failure);
	}
	/* That of process 1 not everybody may look at. */
	if (own || is_that_of(ret_ns, "/proc/1/ns/net") > 0) {
		err_set(&failure->err, EINVAL,
			"plugin's netns and netns from CNI_NETNS should not be the same: \"%s\" is "
			"the host's own, whose DNS stays as it is",
			path);
		return fail(EINVAL, failure);
	}
	ret_ns->fd = take_fd(&fd);
	return 0;
}

static int enter(const struct namespace *ns, struct failure *failure)
{
	if (setns(ns->fd, CLONE_NEWNET) == 0)
		return 0;
	err_set(&failure->err, errno, "cannot enter the pod's network namespace: %s%s",
		err_text(errno), errno == EPERM ? "; it needs root (CAP_SYS_ADMIN)" : "");
	return fail(errno, failure);
}

/* A pod's own user namespace owns the files below /proc that say which tables there are. */
int namespace_drop_privileges(bool programs, struct failure *failure)
{
	static const int needed[] = {CAP_NET_ADMIN, CAP_DAC_READ_SEARCH,
				     /* by programs: raw sockets, and the kernel's modules */
				     CAP_NET_RAW, CAP_SYS_MODULE};

	if (privs_keep(needed, programs ? ARRAY_SIZE(needed) : 2, &failure->err) < 0)
		return failure_is(failure, FAILURE_INTERNAL);
	return 0;
}

int namespace_settle(const struct namespace *ns, bool programs, struct failure *failure)
{
	return enter(ns, failure) < 0 ? -1 : namespace_drop_privileges(programs, failure);
}

/* In memory that both processes see. */
struct visit {
	int rc;
	struct failure failure;
};

int namespace_visit(const struct namespace *ns, bool programs, namespace_work *work,
		    const void *arg, struct failure *failure)
{
	struct visit *visit = mmap(NULL, sizeof(*visit), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct failure told = {0};
	pid_t child;
	int rc;

	failure_set(failure, FAILURE_INTERNAL,
		    "no process could do its work in the pod's network namespace");
	if (visit == MAP_FAILED)
		return -1;
	*visit = (struct visit){.rc = -1, .failure = *failure};
	child = fork();
	if (child == 0) {
		rc = namespace_settle(ns, programs, &told) < 0 ? -1 : work(arg, &told);
		*visit = (struct visit){.rc = rc, .failure = told};
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	rc = visit->rc;
	*failure = visit->failure;
	munmap(visit, sizeof(*visit));
	return rc;
}
