/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules kept by firewalld, as its permanent direct rules: it installs them at boot and after each
 * of its reloads, which would remove them otherwise.
 *
 * They are the lines of the iptables backend. All of the permanent direct configuration is read
 * over firewalld's own D-Bus interface (org.fedoraproject.FirewallD1.config.direct, by busctl), and
 * written back at once with ours in it, or without; what is not ours is handed back as it came.
 */
#ifndef MESHDNS_REDIRECTOR_FIREWALLD_H
#define MESHDNS_REDIRECTOR_FIREWALLD_H

#include <jansson.h>
#include <stdbool.h>

#include "common/err.h"
#include "iptables/plan.h"

/* Whether rules of ours are stored, by a look at its file: firewalld need not run, or be there. */
bool firewalld_has_rules(void);

/* What was stored when it was opened. All zero is a closed one. */
struct firewalld {
	json_t *before;
};

/* -EOPNOTSUPP: firewalld does not run here, or busctl is not there. */
int firewalld_open(struct firewalld *ret_firewalld, struct err *err);
void firewalld_close(struct firewalld *firewalld);

#define cleanup_firewalld __attribute__((cleanup(firewalld_close)))

/*
 * Stores the rules of an expressed plan in place of those that are stored; NULL: none. Changes
 * nothing but the permanent configuration, and nothing on error.
 */
int firewalld_store(const struct firewalld *firewalld, const struct plan *expressed,
		    struct err *err);

/* Stores what was there before. */
int firewalld_restore(const struct firewalld *firewalld, struct err *err);

#endif
