/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the control socket: ctl.c finds them, each returns the object to answer with. */
#ifndef MESHDNS_RESOLVER_CTL_PARTS_H
#define MESHDNS_RESOLVER_CTL_PARTS_H

#include <jansson.h>

#include "resolver/eyes.h"
#include "resolver/nametext.h"

json_t *ctl_error(const struct err *err);

/* --- ctl_names.c ----------------------------------------------------------------------------- */

#define CTL_NAMES_LIMIT 100 /* names at once, if nothing is said */
#define CTL_NAMES_MAX   10000

/* `words` are after=NAME, under=NAME and limit=N. */
json_t *ctl_names(struct ctl *ctl, char **words, size_t n);

/* "sources" or "state"; and where a record was read, as path:line, once for each of its parts. */
const char *ctl_names_from(const struct facts *facts);
json_t *ctl_record_sources(const struct facts *facts, const struct names_record *record);

/* --- ctl_upstreams.c ------------------------------------------------------------------------- */

json_t *ctl_upstreams(struct ctl *ctl);

#endif
