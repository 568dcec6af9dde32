/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control thread: everything slow. It starts the workers, then waits for signals and for
 * changes of the names, loads them and publishes them, and stops the workers again. It is the
 * process's first thread and the only one that gets signals.
 */
#ifndef MESHDNS_RESOLVER_CONTROL_H
#define MESHDNS_RESOLVER_CONTROL_H

#include "common/err.h"
#include "resolver/access.h"
#include "resolver/bind.h"
#include "resolver/handover.h"
#include "resolver/listen.h"
#include "resolver/settings.h"

/*
 * Serves until TERM or INT, or until another resolver takes its place through `handover`; what is
 * in flight then is answered before it returns, or is not within the time that upstreams have; a
 * further signal ends it at once. `listeners` are settings->workers times `n_listeners` open
 * ones, those of a worker side by side. `control_fd` (-1: none) is taken, and
 * `corefile` (NULL: none), whose interfaces are `interfaces`. Names or upstreams that
 * cannot be read are an error before the workers start; later the last good ones stay.
 */
int control_run(const struct settings *settings, struct listener *listeners, size_t n_listeners,
		struct corefile *corefile, const struct interfaces *interfaces,
		const struct access *access, struct handover *handover, int control_fd,
		struct err *err);

#endif
