/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/load_map.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic(const char *) begin, end; /* of the mapping; the same: there is none */

/* From there to the end: nothing behind it comes back. Async-signal-safe, being system calls. */
static void fill_with_zeros(int signal_number, siginfo_t *info, void *context)
{
	char *at = (char *)info->si_addr - (uintptr_t)info->si_addr % (uintptr_t)getpagesize();

	(void)context;
	if (at < begin || at >= end ||
	    mmap(at, (size_t)(end - at), PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0) == MAP_FAILED)
		signal(signal_number, SIG_DFL); /* it comes again, and is the end */
}

const char *load_map(int fd, size_t size)
{
	struct sigaction action = {.sa_sigaction = fill_with_zeros, .sa_flags = SA_SIGINFO};
	const char *text;

	if (sigaction(SIGBUS, &action, NULL) < 0 ||
	    (text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return NULL;
	begin = text;
	end = text + size;
	return text;
}

void load_unmap(const char *text, size_t size)
{
	begin = end = NULL;
	munmap((void *)text, size);
}
