/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of types, classes and rcodes, IANA's, in capitals. */
#ifndef MESHDNS_COREFILE_MNEMONIC_H
#define MESHDNS_COREFILE_MNEMONIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mnemonic {
	uint16_t number;
	const char *name; /* NULL ends a table */
};

extern const struct mnemonic mnemonic_types[], mnemonic_classes[], mnemonic_rcodes[];

/* False: there is no such name. `len` bytes of text, in capitals. */
bool mnemonic_find(const struct mnemonic *table, const char *text, size_t len,
		   uint16_t *ret_number);

/* Likewise, and TYPE123 or CLASS123 as RFC 3597 section 5 has it. */
bool mnemonic_find_type(const char *text, size_t len, uint16_t *ret_type);
bool mnemonic_find_class(const char *text, size_t len, uint16_t *ret_class);

/* NULL: it has none. */
const char *mnemonic_name(const struct mnemonic *table, uint16_t number);

/* The type's name, or TYPE123 in `buffer`. */
#define MNEMONIC_TEXT_MAX 12
const char *mnemonic_type_text(uint16_t type, char buffer[MNEMONIC_TEXT_MAX]);

#endif
