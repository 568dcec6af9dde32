/* SPDX-License-Identifier: GPL-2.0-or-later */
#define XXH_INLINE_ALL
#include "resolver/load_hash.h"

#include <xxhash.h>

uint64_t load_hash(const char *text, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return load_hash_avx2(text, len);
#endif
	return XXH3_64bits(text, len);
}
