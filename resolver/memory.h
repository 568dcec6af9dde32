/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory this process has: what serving takes, not what starting, loading or a look at the
 * metrics took.
 *
 * These run through code that serving does not, and the kernel maps 64 KiB of a file around each
 * page that is used. Such pages are the page cache's: other processes share them, the kernel takes
 * them away when it needs to, and to let go of them frees nothing by itself. But they are counted
 * as this process's (RSS), three times what is its own. So it lets go of them when there is nothing
 * more to do; one that is used again is mapped again, and not read again.
 */
#ifndef MESHDNS_RESOLVER_MEMORY_H
#define MESHDNS_RESOLVER_MEMORY_H

/* Before anything is allocated. */
void memory_begin(void);

/* When there is nothing more to do. Takes less than a millisecond; breakpoints are lost by it. */
void memory_settle(void);

#endif
