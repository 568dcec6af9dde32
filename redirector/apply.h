/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From settings to rules in the kernel: what every way to install shares. */
#ifndef MESHDNS_REDIRECTOR_APPLY_H
#define MESHDNS_REDIRECTOR_APPLY_H

#include "common/err.h"
#include "iptables/backend.h"
#include "iptables/plan.h"
#include "redirector/settings.h"

/* Checks the settings, reads the host's facts, and fills an empty plan. Changes nothing. */
int apply_prepare(const struct settings *settings, struct plan *ret_plan, struct err *err);

/*
 * Makes the rules of the calling thread's network namespace be those of a valid plan, and reads
 * them back. Where they are that already nothing is written: handles and counters stay. Rules that
 * another backend has installed are removed when the new ones are there. Why by which backend is
 * logged at the info level, what is changed at the debug level.
 *
 * A failure leaves the rules as they were before. -EPERM without CAP_NET_ADMIN; -EOPNOTSUPP when
 * the machine lacks something, which `err` names; anything else is the kernel's refusal.
 */
int apply_plan(const struct backend_options *options, const struct plan *plan, struct err *err);

/* The same where nothing of ours was seen, without another look at what is there before. */
int apply_first_plan(const struct backend_options *options, const struct plan *plan,
		     struct err *err);

/* Puts back what the backend read before; NULL: nothing was there. */
int apply_restore(const struct backend_options *options, const struct backend *backend,
		  const struct plan *before, struct err *err);

#endif
