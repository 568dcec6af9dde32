/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MESHDNS_CNI_BASE64_H
#define MESHDNS_CNI_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes base64 (RFC 4648, either alphabet, in one line or several, the padding may be missing)
 * into *ret_data, which is malloc'ed, and ends in a NUL that *ret_len does not count. False: it is
 * none, or out of memory.
 */
bool base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len);

/* The caller frees it; NULL: out of memory. */
char *base64_encode(const void *data, size_t len);

#endif
