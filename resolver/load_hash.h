/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hash of a piece of text: XXH3, by AVX2 where the processor has it. What x86-64 had from the
 * beginning takes twice as long, which for the text of a million names is milliseconds.
 */
#ifndef MESHDNS_RESOLVER_LOAD_HASH_H
#define MESHDNS_RESOLVER_LOAD_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t load_hash(const char *text, size_t len);

/* The same, in a file that is compiled for such processors alone. */
uint64_t load_hash_avx2(const char *text, size_t len);

#endif
