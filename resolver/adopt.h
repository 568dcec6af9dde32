/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Corefile says about the process rather than about a block: it becomes settings. */
#ifndef MESHDNS_RESOLVER_ADOPT_H
#define MESHDNS_RESOLVER_ADOPT_H

#include "resolver/bind.h"
#include "resolver/settings.h"

/*
 * Where to listen, names and their domain, metrics, the cache, the log of queries. What it says and
 * cannot have is warned of. -EINVAL where flags say otherwise, or blocks what can be only once.
 */
int settings_adopt(struct settings *settings, const struct corefile *corefile,
		   const struct interfaces *interfaces, struct err *err);

#endif
