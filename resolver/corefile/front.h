/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which Corefile there is: that of -conf; a template, the data plane's before the control plane's;
 * or, without any file, what the flags amount to.
 */
#ifndef MESHDNS_COREFILE_FRONT_H
#define MESHDNS_COREFILE_FRONT_H

#include "resolver/corefile/corefile.h"
#include "resolver/settings.h"

/* True: a file is named; false: the flags are all there is. */
bool front_has_file(const struct settings *settings);

/* Its path. */
const char *front_path(const struct settings *settings);

/* The configuration that holds. Errors name the file, or the flag's value. */
int front_read(const struct settings *settings, struct corefile **ret, struct err *err);

/* The directives that are known, as `coredns -plugins` prints them. */
void front_print_plugins(FILE *out);

#endif
