/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/slice.h"

#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr: glibc has it from 2.41 on, and the kernel's header is at odds with glibc's. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* ns */
};

void slice_set(uint64_t ns)
{
	struct attr attr;

	/* All else, such as the policy, stays as somebody may have chosen it. */
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) < 0)
		return;
	attr.runtime = ns;
	syscall(SYS_sched_setattr, 0, &attr, 0);
}
