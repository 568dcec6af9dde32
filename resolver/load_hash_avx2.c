/* SPDX-License-Identifier: GPL-2.0-or-later */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "resolver/load_hash.h"

uint64_t load_hash_avx2(const char *text, size_t len)
{
	return XXH3_64bits(text, len);
}
