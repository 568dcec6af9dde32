/* SPDX-License-Identifier: GPL-2.0-or-later */
/*	match...  counter  action, and the sentence as the rule's comment */
#include "iptables/nft_expr.h"

#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <string.h>

#include "iptables/nft_part.h"

#define EXPRS_MAX 48 /* more than the longest rule has */

/* --- what the parts share --- */

struct nftnl_expr *nft_append(struct nftnl_rule *nft, const char *name)
{
	struct nftnl_expr *expr = nftnl_expr_alloc(name);

	if (expr)
		nftnl_rule_add_expr(nft, expr);
	return expr;
}

bool nft_is(const struct nftnl_expr *expr, const char *name)
{
	return expr && !strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), name);
}

bool nft_has(const struct nftnl_expr *expr, uint16_t attr, uint32_t value)
{
	return nftnl_expr_is_set(expr, attr) && nftnl_expr_get_u32(expr, attr) == value;
}

bool nft_has_or_lacks(const struct nftnl_expr *expr, uint16_t attr, uint32_t value)
{
	return !nftnl_expr_is_set(expr, attr) || nftnl_expr_get_u32(expr, attr) == value;
}

bool nft_has_data(const struct nftnl_expr *expr, uint16_t attr, const void *data, size_t len)
{
	uint32_t found = 0;
	const void *there = nftnl_expr_get(expr, attr, &found);

	return there && found == len && memcmp(there, data, len) == 0;
}

/* --- plan to kernel --- */

static int set_comment(struct nftnl_rule *nft, const char *sentence)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	char comment[NFTNL_UDATA_COMMENT_MAXLEN + 1];
	int rc = -ENOMEM;

	if (!udata)
		return rc;
	snprintf(comment, sizeof(comment), PLAN_COMMENT_PREFIX "%s", sentence);
	if (nftnl_udata_put_strz(udata, NFTNL_UDATA_RULE_COMMENT, comment) &&
	    nftnl_rule_set_data(nft, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(udata),
				nftnl_udata_buf_len(udata)) == 0)
		rc = 0;
	nftnl_udata_buf_free(udata);
	return rc;
}

/* Goes on counting where a rule that is put back left off. */
static int append_counter(struct nftnl_rule *nft, const struct plan_rule *rule)
{
	struct nftnl_expr *expr = nft_append(nft, "counter");

	if (!expr)
		return -ENOMEM;
	if (rule->packets) {
		nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_PACKETS, rule->packets);
		nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_BYTES, rule->bytes);
	}
	return 0;
}

int nft_expr_encode(const struct plan_rule *rule, struct nftnl_rule *nft)
{
	int rc;

	for (const struct plan_match *m = rule->matches; m->kind; m++) {
		if ((rc = nft_match_encode(rule, m, nft)) < 0)
			return rc;
	}
	if ((rc = append_counter(nft, rule)) < 0 ||
	    (rc = nft_action_encode(&rule->action, nft)) < 0)
		return rc;
	return rule->sentence[0] ? set_comment(nft, rule->sentence) : 0;
}

/* --- kernel to plan --- */

/* The rule's expressions and a NULL behind them; false when they are more than ours ever are. */
static bool list_expressions(const struct nftnl_rule *nft,
			     const struct nftnl_expr *exprs[EXPRS_MAX])
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(nft);
	size_t n = 0;

	while (iter && n < EXPRS_MAX && (exprs[n] = nftnl_expr_iter_next(iter)))
		n++;
	if (iter)
		nftnl_expr_iter_destroy(iter);
	return iter && n < EXPRS_MAX;
}

static bool decode_expressions(const struct nftnl_expr *const *exprs, struct plan_rule *rule)
{
	size_t taken;

	for (size_t n = 0; *exprs && !nft_is(*exprs, "counter"); n++) {
		if (n == PLAN_MATCHES_MAX ||
		    !(taken = nft_match_decode(exprs, rule, &rule->matches[n])))
			return false;
		exprs += taken;
	}
	if (!*exprs)
		return false;
	rule->packets = nftnl_expr_get_u64(*exprs, NFTNL_EXPR_CTR_PACKETS);
	rule->bytes = nftnl_expr_get_u64(*exprs, NFTNL_EXPR_CTR_BYTES);
	exprs++;
	taken = nft_action_decode(exprs, &rule->action);
	return taken && !exprs[taken];
}

/* The user data is one attribute, our comment: type and length, a byte each, and the text. */
static bool decode_comment(const struct nftnl_rule *nft, char sentence[PLAN_SENTENCE_MAX])
{
	static const char prefix[] = PLAN_COMMENT_PREFIX;
	uint32_t len = 0;
	const uint8_t *udata = nftnl_rule_get_data(nft, NFTNL_RULE_USERDATA, &len);
	const char *comment;

	if (!udata)
		return true; /* a plan without comments */
	if (len < 2 + sizeof(prefix) || udata[0] != NFTNL_UDATA_RULE_COMMENT ||
	    udata[1] != len - 2 || udata[len - 1])
		return false;
	comment = (const char *)udata + 2;
	if (strncmp(comment, prefix, strlen(prefix)) != 0)
		return false;
	comment += strlen(prefix);
	if (strlen(comment) >= PLAN_SENTENCE_MAX)
		return false;
	snprintf(sentence, PLAN_SENTENCE_MAX, "%s", comment);
	return true;
}

bool nft_expr_decode(const struct nftnl_rule *nft, struct plan_rule *ret_rule)
{
	const struct nftnl_expr *exprs[EXPRS_MAX];

	*ret_rule = (struct plan_rule){0};
	return list_expressions(nft, exprs) && decode_expressions(exprs, ret_rule) &&
	       decode_comment(nft, ret_rule->sentence);
}
