/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule of a plan as nf_tables expressions, and back. */
#ifndef MESHDNS_IPTABLES_NFT_EXPR_H
#define MESHDNS_IPTABLES_NFT_EXPR_H

#include <libnftnl/rule.h>
#include <stdbool.h>

#include "iptables/plan.h"

/*
 * Appends the expressions of a valid rule to `nft`, with a packet counter in front of the action,
 * and sets its comment. -ENOMEM. `nft` may then hold a part of the rule.
 */
int nft_expr_encode(const struct plan_rule *rule, struct nftnl_rule *nft);

/*
 * The reverse. False when `nft` is not in every detail what nft_expr_encode() makes of some rule:
 * then somebody else made or changed it.
 */
bool nft_expr_decode(const struct nftnl_rule *nft, struct plan_rule *ret_rule);

#endif
