/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A match is two expressions: one loads something of the packet into register 1, one compares the
 * register with a value or looks it up in a set. The table says what is loaded and in which form
 * its value is; both directions read the same table.
 *
 *	match...  counter  action
 */
#include "iptables/nft_expr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "common/cleanup.h"

#define REGISTER NFT_REG_1

enum form { FORM_U8, FORM_BE16, FORM_HOST32, FORM_ADDR };

static const struct load {
	enum plan_match_kind kind;
	sa_family_t family; /* of addresses, else 0 */
	const char *expr;   /* "meta" or "payload" */
	uint32_t key;       /* meta: key; payload: base */
	uint32_t offset, len;
	enum form form;
} loads[] = {
	{PLAN_MATCH_FAMILY, 0, "meta", NFT_META_NFPROTO, 0, 1, FORM_U8},
	{PLAN_MATCH_PROTOCOL, 0, "meta", NFT_META_L4PROTO, 0, 1, FORM_U8},
	{PLAN_MATCH_UID, 0, "meta", NFT_META_SKUID, 0, 4, FORM_HOST32},
	{PLAN_MATCH_DPORT, 0, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, FORM_BE16},
	{PLAN_MATCH_DADDR, AF_INET, "payload", NFT_PAYLOAD_NETWORK_HEADER, 16, 4, FORM_ADDR},
	{PLAN_MATCH_DADDR, AF_INET6, "payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 16, FORM_ADDR},
};

_Static_assert(NFPROTO_IPV4 == AF_INET && NFPROTO_IPV6 == AF_INET6, "a family is its NFPROTO");

/* --- plan to kernel --- */

static struct nftnl_expr *append(struct nftnl_rule *nft, const char *name)
{
	struct nftnl_expr *expr = nftnl_expr_alloc(name);

	if (expr)
		nftnl_rule_add_expr(nft, expr);
	return expr;
}

static const struct load *load_of_match(const struct plan_rule *rule, const struct plan_match *m)
{
	const struct plan_match *family = plan_rule_match(rule, PLAN_MATCH_FAMILY);

	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (loads[i].kind == m->kind &&
		    (!loads[i].family || (family && family->value == loads[i].family)))
			return &loads[i];
	}
	return NULL;
}

static int append_load(struct nftnl_rule *nft, const struct load *load)
{
	struct nftnl_expr *expr = append(nft, load->expr);

	if (!expr)
		return -ENOMEM;
	if (!strcmp(load->expr, "meta")) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, REGISTER);
	} else {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, load->offset);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, load->len);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, REGISTER);
	}
	return 0;
}

static int append_lookup(struct nftnl_rule *nft, const char *set)
{
	struct nftnl_expr *expr = append(nft, "lookup");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, REGISTER);
	return nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, set) < 0 ? -ENOMEM : 0;
}

static int append_cmp(struct nftnl_rule *nft, const struct load *load, uint32_t value)
{
	struct nftnl_expr *expr = append(nft, "cmp");
	uint8_t u8 = (uint8_t)value;
	uint16_t be16 = htons((uint16_t)value);
	const void *data = load->form == FORM_U8     ? (const void *)&u8
			   : load->form == FORM_BE16 ? (const void *)&be16
						     : (const void *)&value;

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	return nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, load->len) < 0 ? -ENOMEM : 0;
}

static int append_match(struct nftnl_rule *nft, const struct plan_rule *rule,
			const struct plan_match *m)
{
	const struct load *load = load_of_match(rule, m);
	int rc;

	if (!load)
		return -EINVAL;
	if ((rc = append_load(nft, load)) < 0)
		return rc;
	if (load->form == FORM_ADDR)
		return append_lookup(nft, m->set);
	return append_cmp(nft, load, m->value);
}

static int append_immediate(struct nftnl_rule *nft, uint16_t data)
{
	struct nftnl_expr *expr = append(nft, "immediate");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, REGISTER);
	return nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, &data, sizeof(data)) < 0 ? -ENOMEM : 0;
}

static int append_return(struct nftnl_rule *nft)
{
	struct nftnl_expr *expr = append(nft, "immediate");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_RETURN);
	return 0;
}

static int append_redirect(struct nftnl_rule *nft, uint16_t port)
{
	struct nftnl_expr *expr;
	int rc;

	if ((rc = append_immediate(nft, htons(port))) < 0)
		return rc;
	if (!(expr = append(nft, "redir")))
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REDIR_REG_PROTO_MIN, REGISTER);
	return 0;
}

static int append_zone(struct nftnl_rule *nft, uint16_t zone)
{
	struct nftnl_expr *expr;
	int rc;

	if ((rc = append_immediate(nft, zone)) < 0)
		return rc;
	if (!(expr = append(nft, "ct")))
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_ZONE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_SREG, REGISTER);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	return append_return(nft);
}

static int append_action(struct nftnl_rule *nft, const struct plan_action *action)
{
	switch (action->kind) {
	case PLAN_ACTION_RETURN: return append_return(nft);
	case PLAN_ACTION_REDIRECT: return append_redirect(nft, action->value);
	case PLAN_ACTION_ZONE: return append_zone(nft, action->value);
	case PLAN_ACTION_KINDS: break;
	}
	return -EINVAL;
}

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
	struct nftnl_expr *expr = append(nft, "counter");

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
		if ((rc = append_match(nft, rule, m)) < 0)
			return rc;
	}
	if ((rc = append_counter(nft, rule)) < 0 || (rc = append_action(nft, &rule->action)) < 0)
		return rc;
	return set_comment(nft, rule->sentence);
}

/* --- kernel to plan --- */

static bool is(const struct nftnl_expr *expr, const char *name)
{
	return expr && !strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), name);
}

/* The attribute is there and has this value. */
static bool has(const struct nftnl_expr *expr, uint16_t attr, uint32_t value)
{
	return nftnl_expr_is_set(expr, attr) && nftnl_expr_get_u32(expr, attr) == value;
}

/* The attribute has this value, or is not there, which means the same. */
static bool has_or_lacks(const struct nftnl_expr *expr, uint16_t attr, uint32_t value)
{
	return !nftnl_expr_is_set(expr, attr) || nftnl_expr_get_u32(expr, attr) == value;
}

static bool is_load(const struct nftnl_expr *expr, const struct load *load)
{
	if (!is(expr, load->expr))
		return false;
	if (!strcmp(load->expr, "meta"))
		return has(expr, NFTNL_EXPR_META_KEY, load->key) &&
		       has(expr, NFTNL_EXPR_META_DREG, REGISTER);
	return has(expr, NFTNL_EXPR_PAYLOAD_BASE, load->key) &&
	       has(expr, NFTNL_EXPR_PAYLOAD_OFFSET, load->offset) &&
	       has(expr, NFTNL_EXPR_PAYLOAD_LEN, load->len) &&
	       has(expr, NFTNL_EXPR_PAYLOAD_DREG, REGISTER);
}

static const struct load *load_of_expr(const struct nftnl_expr *expr)
{
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (is_load(expr, &loads[i]))
			return &loads[i];
	}
	return NULL;
}

static bool decode_lookup(const struct nftnl_expr *expr, struct plan_match *m)
{
	const char *set =
		is(expr, "lookup") ? nftnl_expr_get_str(expr, NFTNL_EXPR_LOOKUP_SET) : NULL;

	if (!set || strlen(set) >= sizeof(m->set) || !has(expr, NFTNL_EXPR_LOOKUP_SREG, REGISTER) ||
	    !has_or_lacks(expr, NFTNL_EXPR_LOOKUP_FLAGS, 0))
		return false;
	snprintf(m->set, sizeof(m->set), "%s", set);
	return true;
}

static bool decode_cmp(const struct nftnl_expr *expr, const struct load *load, uint32_t *ret_value)
{
	const void *data;
	uint32_t len;
	uint16_t be16;

	if (!is(expr, "cmp") || !has(expr, NFTNL_EXPR_CMP_SREG, REGISTER) ||
	    !has(expr, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ) ||
	    !(data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &len)) || len != load->len)
		return false;
	if (load->form == FORM_U8) {
		*ret_value = *(const uint8_t *)data;
	} else if (load->form == FORM_BE16) {
		memcpy(&be16, data, sizeof(be16));
		*ret_value = ntohs(be16);
	} else {
		memcpy(ret_value, data, sizeof(*ret_value));
	}
	return true;
}

/* `expr` is the first of the match; takes the second from the iterator. */
static bool decode_match(const struct nftnl_expr *expr, struct nftnl_expr_iter *rest,
			 struct plan_rule *rule, struct plan_match *m)
{
	const struct load *load = load_of_expr(expr);

	if (!load)
		return false;
	m->kind = load->kind;
	if (load != load_of_match(rule, m))
		return false; /* an address of another family than the rule's */
	expr = nftnl_expr_iter_next(rest);
	return load->form == FORM_ADDR ? decode_lookup(expr, m) : decode_cmp(expr, load, &m->value);
}

static bool is_return(const struct nftnl_expr *expr)
{
	return is(expr, "immediate") && has(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT) &&
	       has(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_RETURN);
}

static bool decode_immediate(const struct nftnl_expr *expr, uint16_t *ret_data)
{
	const void *data;
	uint32_t len;

	if (!is(expr, "immediate") || !has(expr, NFTNL_EXPR_IMM_DREG, REGISTER) ||
	    !(data = nftnl_expr_get(expr, NFTNL_EXPR_IMM_DATA, &len)) || len != sizeof(*ret_data))
		return false;
	memcpy(ret_data, data, sizeof(*ret_data));
	return true;
}

static bool is_redirect(const struct nftnl_expr *expr)
{
	return is(expr, "redir") && has(expr, NFTNL_EXPR_REDIR_REG_PROTO_MIN, REGISTER) &&
	       has_or_lacks(expr, NFTNL_EXPR_REDIR_REG_PROTO_MAX, REGISTER) &&
	       has_or_lacks(expr, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

static bool is_zone(const struct nftnl_expr *expr)
{
	return is(expr, "ct") && has(expr, NFTNL_EXPR_CT_KEY, NFT_CT_ZONE) &&
	       has(expr, NFTNL_EXPR_CT_SREG, REGISTER) &&
	       nftnl_expr_is_set(expr, NFTNL_EXPR_CT_DIR) &&
	       nftnl_expr_get_u8(expr, NFTNL_EXPR_CT_DIR) == IP_CT_DIR_ORIGINAL;
}

static bool decode_action(struct nftnl_expr_iter *rest, struct plan_action *action)
{
	const struct nftnl_expr *expr = nftnl_expr_iter_next(rest);
	uint16_t data;

	if (is_return(expr)) {
		*action = (struct plan_action){PLAN_ACTION_RETURN, 0};
		return true;
	}
	if (!decode_immediate(expr, &data))
		return false;
	expr = nftnl_expr_iter_next(rest);
	if (is_redirect(expr)) {
		*action = (struct plan_action){PLAN_ACTION_REDIRECT, ntohs(data)};
		return true;
	}
	*action = (struct plan_action){PLAN_ACTION_ZONE, data};
	return is_zone(expr) && is_return(nftnl_expr_iter_next(rest));
}

static bool decode_expressions(struct nftnl_expr_iter *rest, struct plan_rule *rule)
{
	const struct nftnl_expr *expr;
	size_t n = 0;

	while ((expr = nftnl_expr_iter_next(rest)) && !is(expr, "counter")) {
		if (n == PLAN_MATCHES_MAX || !decode_match(expr, rest, rule, &rule->matches[n++]))
			return false;
	}
	if (!expr)
		return false;
	rule->packets = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
	rule->bytes = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_BYTES);
	return decode_action(rest, &rule->action) && !nftnl_expr_iter_next(rest);
}

/* The user data is one attribute, our comment: type and length, a byte each, and the text. */
static bool decode_comment(const struct nftnl_rule *nft, char sentence[PLAN_SENTENCE_MAX])
{
	static const char prefix[] = PLAN_COMMENT_PREFIX;
	uint32_t len = 0;
	const uint8_t *udata = nftnl_rule_get_data(nft, NFTNL_RULE_USERDATA, &len);
	const char *comment;

	if (!udata || len < 2 + sizeof(prefix) || udata[0] != NFTNL_UDATA_RULE_COMMENT ||
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
	struct nftnl_expr_iter *expressions = nftnl_expr_iter_create(nft);
	bool ours;

	*ret_rule = (struct plan_rule){0};
	if (!expressions)
		return false;
	ours = decode_expressions(expressions, ret_rule) && decode_comment(nft, ret_rule->sentence);
	nftnl_expr_iter_destroy(expressions);
	return ours;
}
