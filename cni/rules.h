/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The redirector's doings, in the network namespace that the process has entered. */
#ifndef MESHDNS_CNI_RULES_H
#define MESHDNS_CNI_RULES_H

#include <stdbool.h>

#include "cni/failure.h"
#include "cni/pod.h"

/* These settings have programs run, those of iptables. */
bool rules_run_programs(const struct settings *settings);

/* Nobody has set up anything here: neither we nor somebody else. */
bool rules_are_none(void);

/* All or nothing; nothing to do is success. `none`: as rules_are_none() has said a moment ago. */
int rules_install(const struct pod *pod, bool none, struct failure *failure);

/* None of ours are left. `settings` say how to run iptables, should it be needed. */
int rules_remove(const struct settings *settings, struct failure *failure);

enum rules_state { RULES_RIGHT, RULES_MISSING, RULES_DIFFER };

/* Compares what there is with the plan, rule by rule; `failure` then names the first difference. */
int rules_compare(const struct pod *pod, enum rules_state *ret_state, struct failure *failure);

/*
 * Somebody else, as an init container does, has set up redirection here: meshdns-redirect in
 * another way than the plan, or Kuma. What cannot be found out counts as no.
 */
bool rules_are_anothers(const struct pod *pod);

#endif
