/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MESHDNS_RESOLVER_SLICE_H
#define MESHDNS_RESOLVER_SLICE_H

#include <stdint.h>

/*
 * Sets the slice of time that the scheduler gives this thread, 100 µs to 100 ms. From Linux 6.12 on
 * a thread that wakes up does not wait until a longer slice of another one has ended, which would
 * be milliseconds. Older kernels have nothing to choose, and nothing is done.
 */
void slice_set(uint64_t ns);

#endif
