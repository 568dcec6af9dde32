/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is left alone: the resolver and the proxy, known by the user, the group or the cgroup of
 * their sockets, or by the mark of their packets. Several may be given; whoever is any of them is
 * meant.
 */
#ifndef MESHDNS_REDIRECTOR_OWNER_H
#define MESHDNS_REDIRECTOR_OWNER_H

#include "common/err.h"
#include "iptables/plan.h"
#include "redirector/settings.h"

#define OWNERS_MAX 4

/* As matches of a plan, of PLAN_MATCH_UID, _GID, _CGROUP and _MARK at most one each. */
struct owners {
	size_t n;
	struct plan_match list[OWNERS_MAX];
};

/*
 * Those that the settings name; when they name none, the default user of user_resolve(). Names are
 * looked up on this machine, numbers are not. -ENOENT: there is no such user, group or cgroup;
 * -EINVAL: it is no such thing.
 */
int owners_find(const struct settings *settings, struct owners *ret_owners, struct err *err);

/* That user, or group, is one of them, as far as there are PLAN_MATCH_UID, or _GID, among them. */
bool owners_have(const struct owners *owners, enum plan_match_kind kind, uint32_t id);

#endif
