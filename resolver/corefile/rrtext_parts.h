/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rrtext.c and rrtext_service.c share. */
#ifndef MESHDNS_COREFILE_RRTEXT_PARTS_H
#define MESHDNS_COREFILE_RRTEXT_PARTS_H

#include "resolver/corefile/rrtext.h"

struct rrtext_word {
	const char *at; /* `len` bytes, escapes not resolved, without the quotes */
	size_t len;
	bool is_quoted;
};

struct rrtext {
	struct wire *w;
	const char *at, *end;
	struct rrtext_word word; /* taken last */
	struct err *err;
};

/* False, always: `what` and the word at hand are in err. */
bool rrtext_fail(struct rrtext *r, const char *what);

/* The next word; false at the end, and the word is empty then. */
bool rrtext_next(struct rrtext *r);

/* The word at hand as ... */
bool rrtext_put_name(struct rrtext *r);
bool rrtext_put_number(struct rrtext *r, unsigned int octets);
bool rrtext_put_base64(struct rrtext *r); /* and all words behind it */

/* `text` as an address. */
bool rrtext_put_address(struct rrtext *r, int family, const char *text, size_t len);

/* Service parameters up to the end, RFC 9460 section 2.1, in whatever order they are in. */
bool rrtext_put_parameters(struct rrtext *r);

#endif
