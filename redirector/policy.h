/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why each rule exists: the one place that turns what is asked for into rules. Pure. */
#ifndef MESHDNS_REDIRECTOR_POLICY_H
#define MESHDNS_REDIRECTOR_POLICY_H

#include "common/err.h"
#include "iptables/plan.h"
#include "redirector/host.h"
#include "redirector/settings.h"

/* Conntrack zones, those of Kuma and Istio. */
#define POLICY_ZONE_RESOLVER     1 /* the resolver's own queries */
#define POLICY_ZONE_APPLICATIONS 2 /* the queries that are captured */

/*
 * Fills an empty plan, and validates it. The same arguments give the same plan. -EINVAL for
 * settings that settings_check_install() refuses; -ENODATA when no nameserver of a
 * wanted family is left to capture.
 */
int policy_plan(const struct settings *settings, const struct host *host, struct plan *ret_plan,
		struct err *err);

#endif
