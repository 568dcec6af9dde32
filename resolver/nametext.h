/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names as text, RFC 1035 section 5.1: any name can be written, and what was written is read back
 * to the same octets. For names that people may only write as host names: wire_name_from_text().
 */
#ifndef MESHDNS_RESOLVER_NAMETEXT_H
#define MESHDNS_RESOLVER_NAMETEXT_H

#include "resolver/dns.h"
#include "resolver/wire.h"

/* The longest name, all of its octets escaped, with its dots and a NUL. */
#define NAMETEXT_MAX 1024

/*
 * Writes a whole name with its final dot, and returns the text's length. Blanks and what is not
 * printable become \DDD, what has a meaning in zone files \X: the text is safe in a log.
 */
size_t nametext_write(const uint8_t *name, char ret_text[NAMETEXT_MAX]);

/*
 * Reads a name, its final dot optional, in the case it is written in; "." is the root. Returns its
 * length, or 0: it is none.
 */
size_t nametext_read(const char *text, size_t len, uint8_t ret_name[DNS_NAME_MAX]);

/* One octet at *text, of `len` > 0 bytes, which moves on: \DDD and \X are one. False: \ and none.
 */
bool nametext_take_octet(const char **text, size_t *len, uint8_t *ret_octet, bool *ret_escaped);

#endif
