/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/random.h"

#include <stdlib.h>
#include <sys/random.h>

uint16_t random_u16(struct random *random)
{
	if (random->left == 0) {
		/* Fails only where there is no such call, and then no DNS client is safe. */
		if (getrandom(random->pool, sizeof(random->pool), 0) != sizeof(random->pool))
			abort();
		random->left = sizeof(random->pool) / sizeof(random->pool[0]);
	}
	return random->pool[--random->left];
}
