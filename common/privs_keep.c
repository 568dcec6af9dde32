/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For static programs: two system calls, for libcap-ng's archive would bring libc's lookup of users
 * along.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/privs.h"

#define WORDS _LINUX_CAPABILITY_U32S_3

int privs_keep(const int *keep, size_t n, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[WORDS], left[WORDS] = {0};

	if (syscall(SYS_capget, &header, has) < 0)
		return err_set(err, errno, "cannot read the capabilities: %s", err_text(errno));
	for (size_t i = 0; i < n; i++)
		left[CAP_TO_INDEX(keep[i])].permitted |=
			has[CAP_TO_INDEX(keep[i])].permitted & CAP_TO_MASK(keep[i]);
	for (size_t i = 0; i < WORDS; i++)
		left[i].effective = left[i].permitted;
	if (syscall(SYS_capset, &header, left) < 0)
		return err_set(err, errno, "cannot drop the capabilities: %s", err_text(errno));
	/* A program that root starts would get them all, but for this. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "cannot set no_new_privs: %s", err_text(errno));
	return 0;
}
