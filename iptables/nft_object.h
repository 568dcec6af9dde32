/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets and chains of a plan as nf_tables objects of the table `inet meshdns`, and back. */
#ifndef MESHDNS_IPTABLES_NFT_OBJECT_H
#define MESHDNS_IPTABLES_NFT_OBJECT_H

#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <stdbool.h>

#include "iptables/plan.h"

#define NFT_TABLE "meshdns"

/*
 * The table, its comment saying which version made it: the plan's, else ours. The caller frees it.
 * NULL: out of memory.
 */
struct nftnl_table *nft_table_encode(const struct plan *plan);

/*
 * The set with its elements, or the chain without its rules; the caller frees it. `id` tells the
 * sets of one transaction apart, from 1. NULL: out of memory.
 */
struct nftnl_set *nft_set_encode(const struct plan_set *set, uint32_t id);
struct nftnl_chain *nft_chain_encode(const struct plan_chain *chain);

/*
 * Adds to the plan what the kernel told. False when it is nothing that the encoders make. The
 * elements of a set come in messages of their own, for a set that is in the plan already.
 */
bool nft_table_decode(const struct nftnl_table *nft, struct plan *plan);
bool nft_set_decode(const struct nftnl_set *nft, struct plan *plan);
bool nft_elements_decode(const struct nftnl_set *nft, struct plan *plan, struct plan_set *set);
bool nft_chain_decode(const struct nftnl_chain *nft, struct plan *plan);

#endif
