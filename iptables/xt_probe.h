/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in iptables' tables, asked of the kernel itself: no program need be there for it, and
 * none is run. Looking makes no tables, as the programs do.
 */
#ifndef MESHDNS_IPTABLES_XT_PROBE_H
#define MESHDNS_IPTABLES_XT_PROBE_H

#include <stdbool.h>

struct xt_use {
	bool chain; /* a chain whose name begins so is there */
	bool rules; /* rules or chains of anybody are there */
};

/*
 * How a flavour is used in this network namespace. What cannot be found out, for lack of privileges
 * or of the feature, is taken for unused.
 */
struct xt_use xt_probe_legacy(const char *chain_prefix);
struct xt_use xt_probe_nft(const char *chain_prefix);

/*
 * This network namespace is as it was made: nobody has a chain of nf_tables or a table of iptables
 * in it. False when that cannot be found out.
 */
bool xt_probe_untouched(void);

#endif
