/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpredictable numbers, from the kernel, by the page rather than by the call. */
#ifndef MESHDNS_RESOLVER_RANDOM_H
#define MESHDNS_RESOLVER_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Starts zeroed. One thread's. */
struct random {
	uint16_t pool[128]; /* getrandom(2) never gives less than 256 bytes once it is seeded */
	size_t left;
};

uint16_t random_u16(struct random *random);

#endif
