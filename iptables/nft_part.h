/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a rule as nf_tables expressions, and back; nft_expr.c puts them together.
 *
 * Encoders append to `nft` and return 0 or -ENOMEM. Decoders look at a list of expressions that
 * ends in NULL, and return how many of them they took: 0 when these are nothing that the encoder
 * makes.
 */
#ifndef MESHDNS_IPTABLES_NFT_PART_H
#define MESHDNS_IPTABLES_NFT_PART_H

#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>

#include "iptables/plan.h"

#define NFT_REGISTER NFT_REG_1 /* what a part puts there, it uses itself */

/* `m` is of the rule; what it depends on, its family, is read from there. */
int nft_match_encode(const struct plan_rule *rule, const struct plan_match *m,
		     struct nftnl_rule *nft);
size_t nft_match_decode(const struct nftnl_expr *const *exprs, const struct plan_rule *rule,
			struct plan_match *ret_match);

int nft_action_encode(const struct plan_action *action, struct nftnl_rule *nft);
size_t nft_action_decode(const struct nftnl_expr *const *exprs, struct plan_action *ret_action);

/* The new expression, which is the rule's; NULL: out of memory. */
struct nftnl_expr *nft_append(struct nftnl_rule *nft, const char *name);

/* There is an expression, and it is of this name. */
bool nft_is(const struct nftnl_expr *expr, const char *name);

/* The attribute is there and has this value. */
bool nft_has(const struct nftnl_expr *expr, uint16_t attr, uint32_t value);

/* The attribute has this value, or is not there, which means the same. */
bool nft_has_or_lacks(const struct nftnl_expr *expr, uint16_t attr, uint32_t value);

/* The attribute is there with these bytes. */
bool nft_has_data(const struct nftnl_expr *expr, uint16_t attr, const void *data, size_t len);

#endif
