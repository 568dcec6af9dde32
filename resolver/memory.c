/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

#define SEGMENTS_MAX 64

struct segments {
	size_t n;
	struct {
		uintptr_t begin, end;
	} segment[SEGMENTS_MAX];
};

void memory_begin(void)
{
	/* Unless it is said, glibc raises it with each large block that is freed, and keeps those
	 * that come after in the heap, between others that stay. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

/* Notes what was loaded of a file and never written to: what is written is ours, not the file's. */
static int note(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct segments *segments = arg;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && segments->n < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + header->p_vaddr;

		if (header->p_type != PT_LOAD || header->p_flags & PF_W)
			continue;
		segments->segment[segments->n].begin = at & ~(page - 1);
		segments->segment[segments->n++].end =
			(at + header->p_memsz + page - 1) & ~(page - 1);
	}
	return 0;
}

void memory_settle(void)
{
	struct segments segments = {0};

	malloc_trim(0);
	/* Not as they are found: looking for the next would map the last again. */
	dl_iterate_phdr(note, &segments);
	for (size_t i = 0; i < segments.n; i++) {
		uintptr_t begin = segments.segment[i].begin;

		/* NOLINTNEXTLINE(performance-no-int-to-ptr): that is how they are told */
		madvise((void *)begin, segments.segment[i].end - begin, MADV_DONTNEED);
	}
}
