/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a value within JSON text: for what is handed on as it came, whatever is in it. */
#ifndef MESHDNS_CNI_SPAN_H
#define MESHDNS_CNI_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *data;
	size_t len;
};

/*
 * The value of `key` in the object that `object` is; of several the last, as jansson takes it. The
 * text must be JSON that a parser has accepted. False: there is none.
 */
bool span_find(struct span object, const char *key, struct span *ret_value);

/* Moves `item`, which is all zero before the first, to the next one of an array. False: no more. */
bool span_next(struct span array, struct span *item);

#endif
