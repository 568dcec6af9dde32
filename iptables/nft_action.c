/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *	return, drop, jump	verdict
 *	redirect		immediate  redir
 *	zone			immediate  ct  verdict return
 *	log			log
 */
#include "iptables/nft_part.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <string.h>

/* --- plan to kernel --- */

static int append_immediate(struct nftnl_rule *nft, uint16_t data)
{
	struct nftnl_expr *expr = nft_append(nft, "immediate");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REGISTER);
	return nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, &data, sizeof(data)) < 0 ? -ENOMEM : 0;
}

/* `chain` is for NFT_JUMP, else NULL. */
static int append_verdict(struct nftnl_rule *nft, int verdict, const char *chain)
{
	struct nftnl_expr *expr = nft_append(nft, "immediate");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain && nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain) < 0)
		return -ENOMEM;
	return 0;
}

static int append_redirect(struct nftnl_rule *nft, uint16_t port)
{
	struct nftnl_expr *expr;
	int rc;

	if ((rc = append_immediate(nft, htons(port))) < 0)
		return rc;
	if (!(expr = nft_append(nft, "redir")))
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REGISTER);
	return 0;
}

static int append_zone(struct nftnl_rule *nft, uint16_t zone)
{
	struct nftnl_expr *expr;
	int rc;

	if ((rc = append_immediate(nft, zone)) < 0)
		return rc;
	if (!(expr = nft_append(nft, "ct")))
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_ZONE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_SREG, NFT_REGISTER);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	return append_verdict(nft, NFT_RETURN, NULL);
}

static int append_log(struct nftnl_rule *nft, const char *prefix, uint16_t level)
{
	struct nftnl_expr *expr = nft_append(nft, "log");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_LEVEL, level);
	return nftnl_expr_set_str(expr, NFTNL_EXPR_LOG_PREFIX, prefix) < 0 ? -ENOMEM : 0;
}

int nft_action_encode(const struct plan_action *action, struct nftnl_rule *nft)
{
	switch (action->kind) {
	case PLAN_ACTION_RETURN: return append_verdict(nft, NFT_RETURN, NULL);
	case PLAN_ACTION_DROP: return append_verdict(nft, NF_DROP, NULL);
	case PLAN_ACTION_JUMP: return append_verdict(nft, NFT_JUMP, action->name);
	case PLAN_ACTION_REDIRECT: return append_redirect(nft, action->value);
	case PLAN_ACTION_ZONE: return append_zone(nft, action->value);
	case PLAN_ACTION_LOG: return append_log(nft, action->name, action->value);
	case PLAN_ACTION_KINDS: break;
	}
	return -EINVAL;
}

/* --- kernel to plan --- */

static bool is_verdict(const struct nftnl_expr *expr, int verdict)
{
	return nft_is(expr, "immediate") && nft_has(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT) &&
	       nft_has(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
}

static bool decode_immediate(const struct nftnl_expr *expr, uint16_t *ret_data)
{
	const void *data;
	uint32_t len;

	if (!nft_is(expr, "immediate") || !nft_has(expr, NFTNL_EXPR_IMM_DREG, NFT_REGISTER) ||
	    !(data = nftnl_expr_get(expr, NFTNL_EXPR_IMM_DATA, &len)) || len != sizeof(*ret_data))
		return false;
	memcpy(ret_data, data, sizeof(*ret_data));
	return true;
}

static bool is_redirect(const struct nftnl_expr *expr)
{
	return nft_is(expr, "redir") &&
	       nft_has(expr, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REGISTER) &&
	       nft_has_or_lacks(expr, NFTNL_EXPR_REDIR_REG_PROTO_MAX, NFT_REGISTER) &&
	       nft_has_or_lacks(expr, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

static bool is_zone(const struct nftnl_expr *expr)
{
	return nft_is(expr, "ct") && nft_has(expr, NFTNL_EXPR_CT_KEY, NFT_CT_ZONE) &&
	       nft_has(expr, NFTNL_EXPR_CT_SREG, NFT_REGISTER) &&
	       nftnl_expr_is_set(expr, NFTNL_EXPR_CT_DIR) &&
	       nftnl_expr_get_u8(expr, NFTNL_EXPR_CT_DIR) == IP_CT_DIR_ORIGINAL;
}

/* A chain's name or a log prefix. */
static bool decode_name(const char *name, struct plan_action *action)
{
	if (!name || strlen(name) >= sizeof(action->name))
		return false;
	snprintf(action->name, sizeof(action->name), "%s", name);
	return true;
}

static size_t decode_log(const struct nftnl_expr *expr, struct plan_action *action)
{
	if (nftnl_expr_is_set(expr, NFTNL_EXPR_LOG_GROUP) ||
	    !nft_has_or_lacks(expr, NFTNL_EXPR_LOG_FLAGS, 0) ||
	    !nftnl_expr_is_set(expr, NFTNL_EXPR_LOG_LEVEL) ||
	    !decode_name(nftnl_expr_get_str(expr, NFTNL_EXPR_LOG_PREFIX), action))
		return 0;
	action->kind = PLAN_ACTION_LOG;
	action->value = (uint16_t)nftnl_expr_get_u32(expr, NFTNL_EXPR_LOG_LEVEL);
	return 1;
}

static size_t decode_with_value(const struct nftnl_expr *const *exprs, struct plan_action *action)
{
	if (is_redirect(exprs[1])) {
		action->kind = PLAN_ACTION_REDIRECT;
		action->value = ntohs(action->value);
		return 2;
	}
	action->kind = PLAN_ACTION_ZONE;
	return is_zone(exprs[1]) && is_verdict(exprs[2], NFT_RETURN) ? 3 : 0;
}

size_t nft_action_decode(const struct nftnl_expr *const *exprs, struct plan_action *ret_action)
{
	memset(ret_action, 0, sizeof(*ret_action));
	if (nft_is(exprs[0], "log"))
		return decode_log(exprs[0], ret_action);
	if (decode_immediate(exprs[0], &ret_action->value))
		return decode_with_value(exprs, ret_action);
	if (is_verdict(exprs[0], NFT_JUMP)) {
		ret_action->kind = PLAN_ACTION_JUMP;
		return decode_name(nftnl_expr_get_str(exprs[0], NFTNL_EXPR_IMM_CHAIN), ret_action);
	}
	ret_action->kind = is_verdict(exprs[0], NF_DROP) ? PLAN_ACTION_DROP : PLAN_ACTION_RETURN;
	return is_verdict(exprs[0], NF_DROP) || is_verdict(exprs[0], NFT_RETURN);
}
