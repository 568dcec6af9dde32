/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every target defines, for libFuzzer or for replay.c to call. */
#ifndef MESHDNS_TESTS_FUZZ_H
#define MESHDNS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
