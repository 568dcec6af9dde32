/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go's text/template, as far as Corefiles use it: for the variables of the file itself
 * ({{ .CoreDNSPort }}) and for the answers of the `template` directive ({{ .Name }}).
 *
 * There are: fields and chains of them, `.` and `$`, variables, if, else if, else, with, end,
 * comments, trim markers, pipes, parentheses, string, raw-string, character and whole-number
 * literals, and the functions and, or, not, eq, ne, lt, le, gt, ge, len, index, print, println,
 * printf. Not there: range, define, block, template, other methods than .Meta, floating point.
 *
 * A template is compiled once into a program for a small stack machine and run as often as wanted,
 * by any thread. A program has no loops: it takes at most as many steps as it is long. Its stack is
 * bounded when it is compiled; what it writes, when it is run. Nothing is allocated by running.
 *
 * Errors name file and line, and what was expected there.
 */
#ifndef MESHDNS_COREFILE_GOTEMPLATE_H
#define MESHDNS_COREFILE_GOTEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum gotemplate_kind {
	GOTEMPLATE_NONE, /* nil, and what a map does not have */
	GOTEMPLATE_BOOL,
	GOTEMPLATE_INT,
	GOTEMPLATE_STRING,
	GOTEMPLATE_LIST,
	GOTEMPLATE_MAP,    /* a name that is not there gives GOTEMPLATE_NONE */
	GOTEMPLATE_STRUCT, /* a name that is not there is an error */
};

/* What a template works on. Everything it points to is borrowed. */
struct gotemplate_value {
	enum gotemplate_kind kind;
	union {
		bool boolean;
		int64_t number;
		const char *text;                      /* `n` bytes of STRING */
		const struct gotemplate_value *items;  /* `n` of LIST */
		const struct gotemplate_field *fields; /* `n` of MAP and STRUCT */
	};
	size_t n;
};

struct gotemplate_field {
	const char *name;
	struct gotemplate_value value;
};

struct gotemplate_value gotemplate_string(const char *text);

/* What is known about the templates of a place beforehand. */
struct gotemplate_dialect {
	const char *const *fields; /* names of the data's, NULL behind the last: others are errors
				    * when compiling. NULL: they show when running */
	bool is_coredns; /* there are `parseInt TEXT BASE BITS` and `.Meta NAME`, which is empty */
};

struct gotemplate;

/* Where a template stands: for errors. */
struct gotemplate_place {
	const char *file;
	unsigned int line; /* of its first character */
};

#define GOTEMPLATE_SOURCE_MAX ((size_t)1 << 20)

/* `source` is copied, `place.file` borrowed. -EINVAL with `err`, -ENOMEM. */
int gotemplate_compile(const char *source, size_t len, struct gotemplate_place place,
		       const struct gotemplate_dialect *dialect, struct gotemplate **ret,
		       struct err *err);

/*
 * Runs it on `data` into `out` of `size` bytes; *ret_len of them are written. -EINVAL: the data is
 * not as the template wants it; -ENOBUFS: the result is too large.
 */
int gotemplate_execute(const struct gotemplate *template, const struct gotemplate_value *data,
		       char *out, size_t size, size_t *ret_len, struct err *err);

void gotemplate_free(struct gotemplate *template);

#endif
