/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading JSON (RFC 8259) straight from its text, without a tree of it.
 *
 * Why not jansson, which the redirector uses: of a million names (79 MB) its tree alone takes 740
 * MB, and 2.3 s of CPU time where all of loading them this way takes 1.3; and it can't read the
 * middle of a list. This is for one format whose shape is known.
 *
 * The reader's error is sticky, like the cursor's in wire.h. Copying the reader is remembering a
 * place: a value that has been skipped once is known to be well-formed.
 */
#ifndef MESHDNS_RESOLVER_JSON_READ_H
#define MESHDNS_RESOLVER_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64

struct json_read {
	const char *at, *end;
	const char *error; /* what is wrong at `at`; NULL: nothing */
};

/* The character that the next token begins with, which tells its type; 0 at the end. */
char json_read_peek(struct json_read *j);

/* Takes this one character; it is an error if another one is there. */
void json_read_expect(struct json_read *j, char c);

/*
 * For walking `[...]` and `{...}`, after the opening bracket was taken: true when there is an
 * element (a key) next. Takes the comma before it, or the closing bracket. `n` counts, from 0.
 */
bool json_read_more(struct json_read *j, char closing, size_t *n);

/*
 * Takes a string, decoded to UTF-8, cut after `size` octets; *ret_len is what it would take. NULL
 * buffer and size 0: only skips it.
 */
void json_read_string(struct json_read *j, char *buf, size_t size, size_t *ret_len);

/* Takes a number; true when it is an integer of 0 to INT64_MAX. */
bool json_read_integer(struct json_read *j, int64_t *ret_value);

/* Skips a value of any kind, which is checked. */
void json_read_skip(struct json_read *j);

#endif
