/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that `import` names. */
#ifndef MESHDNS_COREFILE_IMPORT_H
#define MESHDNS_COREFILE_IMPORT_H

#include "resolver/corefile/parser.h"

/*
 * The words of a file or of all that match a glob (at most one `*` and one `?`, no `[`), relative
 * to the folder of place.file. A glob may match nothing, which gives a warning; a file must exist.
 */
int import_files(struct arena *arena, struct corefile_place place, const char *pattern,
		 struct corefile_tokens *ret, struct err *err);

#endif
