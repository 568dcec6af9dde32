/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A match is a load and a question: one expression loads something of the packet into the register,
 * the others compare it with a value or look it up in a set. The table says what is loaded and in
 * which form its value is; both directions read the same table.
 *
 *	one value	load  cmp ==			range	load  [byteorder]  cmp >=  cmp <=
 *	prefix		load  [bitwise &]  cmp ==	state	load  bitwise &    cmp != 0
 *	set		load  lookup				mark	load  [bitwise &]  cmp ==
 *
 * The comparisons are those of bytes, so a range of what is in host order is turned first.
 */
#include "iptables/nft_part.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>
#include <string.h>

#include "common/cleanup.h"

enum form {
	FORM_U8,
	FORM_BE16,
	FORM_HOST32,
	FORM_MASKED32,
	FORM_SET,
	FORM_PREFIX,
	FORM_INTERFACE,
	FORM_STATE,
	FORM_CGROUP
};

static const struct load {
	enum plan_match_kind kind;
	sa_family_t family; /* of addresses, else 0 */
	const char *expr;   /* "meta", "payload", "ct" or "socket" */
	uint32_t key;       /* payload: base; else the key */
	uint32_t offset, len;
	enum form form;
} loads[] = {
	{PLAN_MATCH_FAMILY, 0, "meta", NFT_META_NFPROTO, 0, 1, FORM_U8},
	{PLAN_MATCH_PROTOCOL, 0, "meta", NFT_META_L4PROTO, 0, 1, FORM_U8},
	{PLAN_MATCH_UID, 0, "meta", NFT_META_SKUID, 0, 4, FORM_HOST32},
	{PLAN_MATCH_GID, 0, "meta", NFT_META_SKGID, 0, 4, FORM_HOST32},
	{PLAN_MATCH_CGROUP, 0, "socket", NFT_SOCKET_CGROUPV2, 0, 8, FORM_CGROUP},
	{PLAN_MATCH_MARK, 0, "meta", NFT_META_MARK, 0, 4, FORM_MASKED32},
	{PLAN_MATCH_IIF, 0, "meta", NFT_META_IIFNAME, 0, IFNAMSIZ, FORM_INTERFACE},
	{PLAN_MATCH_OIF, 0, "meta", NFT_META_OIFNAME, 0, IFNAMSIZ, FORM_INTERFACE},
	{PLAN_MATCH_INVALID, 0, "ct", NFT_CT_STATE, 0, 4, FORM_STATE},
	{PLAN_MATCH_DPORT, 0, "payload", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, FORM_BE16},
	{PLAN_MATCH_DADDR, AF_INET, "payload", NFT_PAYLOAD_NETWORK_HEADER, 16, 4, FORM_SET},
	{PLAN_MATCH_DADDR, AF_INET6, "payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 16, FORM_SET},
	{PLAN_MATCH_SPREFIX, AF_INET, "payload", NFT_PAYLOAD_NETWORK_HEADER, 12, 4, FORM_PREFIX},
	{PLAN_MATCH_SPREFIX, AF_INET6, "payload", NFT_PAYLOAD_NETWORK_HEADER, 8, 16, FORM_PREFIX},
	{PLAN_MATCH_DPREFIX, AF_INET, "payload", NFT_PAYLOAD_NETWORK_HEADER, 16, 4, FORM_PREFIX},
	{PLAN_MATCH_DPREFIX, AF_INET6, "payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 16, FORM_PREFIX},
};

_Static_assert(NFPROTO_IPV4 == AF_INET && NFPROTO_IPV6 == AF_INET6, "a family is its NFPROTO");

static const uint32_t state_invalid = NF_CT_STATE_INVALID_BIT;
static const uint8_t zeros[16];

_Static_assert(PLAN_CGROUP_GONE == '?', "is what these begin with");
#define CGROUP_GONE "?%" PRIu64 "/%" PRIu32 /* id, level */

/* The addresses of a rule are of its family, whatever loads them. */
static bool load_fits(const struct load *load, const struct plan_rule *rule)
{
	const struct plan_match *family = plan_rule_match(rule, PLAN_MATCH_FAMILY);

	return !load->family || (family && family->value == load->family);
}

/* The bytes to compare with; those of a range are in network order, whatever the form is. */
static void value_bytes(const struct load *load, uint32_t value, bool range, uint8_t bytes[4])
{
	uint16_t be16 = htons((uint16_t)value);
	uint32_t be32 = htonl(value);

	if (load->form == FORM_U8)
		bytes[0] = (uint8_t)value;
	else if (load->form == FORM_BE16)
		memcpy(bytes, &be16, sizeof(be16));
	else
		memcpy(bytes, range ? &be32 : &value, sizeof(value));
}

static uint32_t bytes_value(const struct load *load, bool range, const void *bytes)
{
	uint16_t be16;
	uint32_t u32;

	if (load->form == FORM_U8)
		return *(const uint8_t *)bytes;
	if (load->form == FORM_BE16) {
		memcpy(&be16, bytes, sizeof(be16));
		return ntohs(be16);
	}
	memcpy(&u32, bytes, sizeof(u32));
	return range ? ntohl(u32) : u32;
}

/* --- plan to kernel --- */

/* `level` is that of a cgroup. */
static int append_load(struct nftnl_rule *nft, const struct load *load, uint32_t level)
{
	struct nftnl_expr *expr = nft_append(nft, load->expr);

	if (!expr)
		return -ENOMEM;
	if (!strcmp(load->expr, "meta")) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REGISTER);
	} else if (!strcmp(load->expr, "ct")) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REGISTER);
	} else if (!strcmp(load->expr, "socket")) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_SOCKET_KEY, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_SOCKET_DREG, NFT_REGISTER);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_SOCKET_LEVEL, level);
	} else {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, load->key);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, load->offset);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, load->len);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, NFT_REGISTER);
	}
	return 0;
}

static int append_cmp(struct nftnl_rule *nft, uint32_t op, const void *data, size_t len)
{
	struct nftnl_expr *expr = nft_append(nft, "cmp");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	return nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, (uint32_t)len) < 0 ? -ENOMEM : 0;
}

static int append_mask(struct nftnl_rule *nft, const void *mask, uint32_t len)
{
	struct nftnl_expr *expr = nft_append(nft, "bitwise");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	if (nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, len) < 0 ||
	    nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, zeros, len) < 0)
		return -ENOMEM;
	return 0;
}

static int append_byteorder(struct nftnl_rule *nft, uint32_t len)
{
	struct nftnl_expr *expr = nft_append(nft, "byteorder");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SREG, NFT_REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_DREG, NFT_REGISTER);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SIZE, len);
	return 0;
}

static int append_number(struct nftnl_rule *nft, const struct load *load,
			 const struct plan_match *m)
{
	uint8_t first[4], last[4];
	int rc;

	value_bytes(load, m->value, m->last, first);
	if (!m->last)
		return append_cmp(nft, NFT_CMP_EQ, first, load->len);
	value_bytes(load, m->last, true, last);
	if (load->form == FORM_HOST32 && (rc = append_byteorder(nft, load->len)) < 0)
		return rc;
	if ((rc = append_cmp(nft, NFT_CMP_GTE, first, load->len)) < 0)
		return rc;
	return append_cmp(nft, NFT_CMP_LTE, last, load->len);
}

static int append_masked(struct nftnl_rule *nft, const struct plan_match *m)
{
	int rc = m->mask == UINT32_MAX ? 0 : append_mask(nft, &m->mask, sizeof(m->mask));

	return rc < 0 ? rc : append_cmp(nft, NFT_CMP_EQ, &m->value, sizeof(m->value));
}

static int append_lookup(struct nftnl_rule *nft, const char *set)
{
	struct nftnl_expr *expr = nft_append(nft, "lookup");

	if (!expr)
		return -ENOMEM;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REGISTER);
	return nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, set) < 0 ? -ENOMEM : 0;
}

static int append_prefix(struct nftnl_rule *nft, const struct load *load,
			 const struct plan_match *m)
{
	uint8_t mask[16];
	int rc;

	prefix_mask(m->prefix.len, mask);
	if (m->prefix.len < 8 * load->len && (rc = append_mask(nft, mask, load->len)) < 0)
		return rc;
	return append_cmp(nft, m->negated ? NFT_CMP_NEQ : NFT_CMP_EQ, m->prefix.addr.bytes,
			  load->len);
}

/* A name fills the register with NULs behind it; compared without them it is a beginning. */
static int append_interface(struct nftnl_rule *nft, const struct plan_match *m)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, m->interface, strnlen(m->interface, sizeof(name) - 1));
	return append_cmp(nft, NFT_CMP_EQ, name, m->begins ? strlen(name) : sizeof(name));
}

static int append_state(struct nftnl_rule *nft)
{
	int rc = append_mask(nft, &state_invalid, sizeof(state_invalid));

	return rc < 0 ? rc : append_cmp(nft, NFT_CMP_NEQ, zeros, sizeof(state_invalid));
}

/* What the kernel keeps of a path; of one that led nowhere when it was read, what it kept. */
static int find_cgroup(const char *path, struct cgroup *ret_cgroup)
{
	struct err unused;
	char *end;

	if (*path == PLAN_CGROUP_GONE) {
		ret_cgroup->id = strtoull(path + 1, &end, 10);
		ret_cgroup->level = *end == '/' ? (uint32_t)strtoul(end + 1, NULL, 10) : 0;
		return 0;
	}
	return cgroup_resolve(path, ret_cgroup, &unused);
}

int nft_match_encode(const struct plan_rule *rule, const struct plan_match *m,
		     struct nftnl_rule *nft)
{
	const struct load *load = NULL;
	struct cgroup cgroup = {0};
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(loads) && !load; i++) {
		if (loads[i].kind == m->kind && load_fits(&loads[i], rule))
			load = &loads[i];
	}
	if (!load)
		return -EINVAL;
	if ((m->kind == PLAN_MATCH_CGROUP && (rc = find_cgroup(m->cgroup, &cgroup)) < 0) ||
	    (rc = append_load(nft, load, cgroup.level)) < 0)
		return rc;
	switch (load->form) {
	case FORM_U8:
	case FORM_BE16:
	case FORM_HOST32: return append_number(nft, load, m);
	case FORM_SET: return append_lookup(nft, m->set);
	case FORM_PREFIX: return append_prefix(nft, load, m);
	case FORM_INTERFACE: return append_interface(nft, m);
	case FORM_STATE: return append_state(nft);
	case FORM_MASKED32: return append_masked(nft, m);
	case FORM_CGROUP: return append_cmp(nft, NFT_CMP_EQ, &cgroup.id, load->len);
	}
	return -EINVAL;
}

/* --- kernel to plan --- */

static bool is_load(const struct nftnl_expr *expr, const struct load *load)
{
	if (!nft_is(expr, load->expr))
		return false;
	if (!strcmp(load->expr, "meta"))
		return nft_has(expr, NFTNL_EXPR_META_KEY, load->key) &&
		       nft_has(expr, NFTNL_EXPR_META_DREG, NFT_REGISTER);
	if (!strcmp(load->expr, "ct"))
		return nft_has(expr, NFTNL_EXPR_CT_KEY, load->key) &&
		       nft_has(expr, NFTNL_EXPR_CT_DREG, NFT_REGISTER) &&
		       !nftnl_expr_is_set(expr, NFTNL_EXPR_CT_DIR);
	if (!strcmp(load->expr, "socket"))
		return nft_has(expr, NFTNL_EXPR_SOCKET_KEY, load->key) &&
		       nft_has(expr, NFTNL_EXPR_SOCKET_DREG, NFT_REGISTER);
	return nft_has(expr, NFTNL_EXPR_PAYLOAD_BASE, load->key) &&
	       nft_has(expr, NFTNL_EXPR_PAYLOAD_OFFSET, load->offset) &&
	       nft_has(expr, NFTNL_EXPR_PAYLOAD_LEN, load->len) &&
	       nft_has(expr, NFTNL_EXPR_PAYLOAD_DREG, NFT_REGISTER);
}

/* What the register is compared with, or NULL. */
static const void *cmp_data(const struct nftnl_expr *expr, uint32_t op, uint32_t *ret_len)
{
	if (!nft_is(expr, "cmp") || !nft_has(expr, NFTNL_EXPR_CMP_SREG, NFT_REGISTER) ||
	    !nft_has(expr, NFTNL_EXPR_CMP_OP, op))
		return NULL;
	return nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, ret_len);
}

static const void *cmp_data_of(const struct nftnl_expr *expr, uint32_t op, uint32_t len)
{
	uint32_t found = 0;
	const void *data = cmp_data(expr, op, &found);

	return found == len ? data : NULL;
}

static bool is_mask(const struct nftnl_expr *expr, const void *mask, uint32_t len)
{
	return nft_is(expr, "bitwise") && nft_has(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REGISTER) &&
	       nft_has(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REGISTER) &&
	       nft_has_or_lacks(expr, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL) &&
	       nft_has_data(expr, NFTNL_EXPR_BITWISE_MASK, mask, len) &&
	       nft_has_data(expr, NFTNL_EXPR_BITWISE_XOR, zeros, len);
}

static bool is_byteorder(const struct nftnl_expr *expr, uint32_t len)
{
	return nft_is(expr, "byteorder") &&
	       nft_has(expr, NFTNL_EXPR_BYTEORDER_SREG, NFT_REGISTER) &&
	       nft_has(expr, NFTNL_EXPR_BYTEORDER_DREG, NFT_REGISTER) &&
	       nft_has(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON) &&
	       nft_has(expr, NFTNL_EXPR_BYTEORDER_LEN, len) &&
	       nft_has(expr, NFTNL_EXPR_BYTEORDER_SIZE, len);
}

static size_t decode_number(const struct nftnl_expr *const *exprs, const struct load *load,
			    struct plan_match *m)
{
	const void *first = cmp_data_of(exprs[0], NFT_CMP_EQ, load->len), *last;
	size_t turned = load->form == FORM_HOST32;

	if (first) {
		m->value = bytes_value(load, false, first);
		return 1;
	}
	if (turned && !is_byteorder(*exprs++, load->len))
		return 0;
	if (!(first = cmp_data_of(exprs[0], NFT_CMP_GTE, load->len)) ||
	    !(last = cmp_data_of(exprs[1], NFT_CMP_LTE, load->len)))
		return 0;
	m->value = bytes_value(load, true, first);
	m->last = bytes_value(load, true, last);
	return m->last > m->value ? turned + 2 : 0;
}

static size_t decode_lookup(const struct nftnl_expr *expr, struct plan_match *m)
{
	const char *set =
		nft_is(expr, "lookup") ? nftnl_expr_get_str(expr, NFTNL_EXPR_LOOKUP_SET) : NULL;

	if (!set || strlen(set) >= sizeof(m->set) ||
	    !nft_has(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REGISTER) ||
	    !nft_has_or_lacks(expr, NFTNL_EXPR_LOOKUP_FLAGS, 0))
		return 0;
	snprintf(m->set, sizeof(m->set), "%s", set);
	return 1;
}

/* That the expression's mask begins with. */
static uint8_t count_ones(const struct nftnl_expr *bitwise, uint32_t size)
{
	uint32_t have = 0;
	const uint8_t *mask = nftnl_expr_get(bitwise, NFTNL_EXPR_BITWISE_MASK, &have);
	uint8_t n = 0;

	while (mask && have >= size && n < 8 * size && mask[n / 8] & (0x80 >> n % 8))
		n++;
	return n;
}

static size_t decode_prefix(const struct nftnl_expr *const *exprs, const struct load *load,
			    struct plan_match *m)
{
	uint8_t len = (uint8_t)(8 * load->len), mask[16];
	size_t masked = nft_is(exprs[0], "bitwise");
	const void *addr;

	if (masked) {
		len = count_ones(exprs[0], load->len);
		prefix_mask(len, mask);
		if (len == 8 * load->len || !is_mask(exprs[0], mask, load->len))
			return 0;
	}
	if (!(addr = cmp_data_of(exprs[masked], NFT_CMP_EQ, load->len))) {
		addr = cmp_data_of(exprs[masked], NFT_CMP_NEQ, load->len);
		m->negated = true;
	}
	if (!addr)
		return 0;
	m->prefix = (struct prefix){.addr.family = load->family, .len = len};
	memcpy(m->prefix.addr.bytes, addr, load->len);
	return masked + 1;
}

static size_t decode_interface(const struct nftnl_expr *expr, struct plan_match *m)
{
	uint32_t len = 0;
	const char *name = cmp_data(expr, NFT_CMP_EQ, &len);
	size_t used = name ? strnlen(name, len) : 0;

	if (!used || len > IFNAMSIZ || used == IFNAMSIZ || (used < len && len < IFNAMSIZ))
		return 0;
	if (memcmp(name + used, zeros, len - used) != 0)
		return 0;
	memcpy(m->interface, name, used); /* the rest is 0 already */
	m->begins = len < IFNAMSIZ;
	return 1;
}

static size_t decode_state(const struct nftnl_expr *const *exprs)
{
	uint32_t len = sizeof(state_invalid);
	const void *data;

	if (!is_mask(exprs[0], &state_invalid, len) ||
	    !(data = cmp_data_of(exprs[1], NFT_CMP_NEQ, len)))
		return 0;
	return memcmp(data, zeros, len) == 0 ? 2 : 0;
}

static size_t decode_masked(const struct nftnl_expr *const *exprs, struct plan_match *m)
{
	uint32_t len = 0;
	const void *mask = nft_is(exprs[0], "bitwise")
				   ? nftnl_expr_get(exprs[0], NFTNL_EXPR_BITWISE_MASK, &len)
				   : NULL;
	size_t masked = mask && len == sizeof(m->mask) && is_mask(exprs[0], mask, len);
	const void *value = cmp_data_of(exprs[masked], NFT_CMP_EQ, sizeof(m->value));

	m->mask = UINT32_MAX;
	if (masked)
		memcpy(&m->mask, mask, sizeof(m->mask));
	if (!value || !m->mask || (masked && m->mask == UINT32_MAX))
		return 0;
	memcpy(&m->value, value, sizeof(m->value));
	return m->value & ~m->mask ? 0 : masked + 1;
}

static size_t decode_cgroup(const struct nftnl_expr *const *exprs, struct plan_match *m)
{
	struct cgroup cgroup = {.level = nftnl_expr_get_u32(exprs[0], NFTNL_EXPR_SOCKET_LEVEL)};
	const void *id = cmp_data_of(exprs[1], NFT_CMP_EQ, sizeof(cgroup.id));

	if (!id || !cgroup.level)
		return 0;
	memcpy(&cgroup.id, id, sizeof(cgroup.id));
	if (cgroup_find(&cgroup, m->cgroup) < 0)
		snprintf(m->cgroup, sizeof(m->cgroup), CGROUP_GONE, cgroup.id, cgroup.level);
	return 1;
}

static size_t decode_question(const struct nftnl_expr *const *exprs, const struct load *load,
			      struct plan_match *m)
{
	switch (load->form) {
	case FORM_U8:
	case FORM_BE16:
	case FORM_HOST32: return decode_number(exprs, load, m);
	case FORM_SET: return decode_lookup(exprs[0], m);
	case FORM_PREFIX: return decode_prefix(exprs, load, m);
	case FORM_INTERFACE: return decode_interface(exprs[0], m);
	case FORM_STATE: return decode_state(exprs);
	case FORM_MASKED32: return decode_masked(exprs, m);
	case FORM_CGROUP: return decode_cgroup(exprs - 1, m); /* with the load, for its level */
	}
	return 0;
}

size_t nft_match_decode(const struct nftnl_expr *const *exprs, const struct plan_rule *rule,
			struct plan_match *ret_match)
{
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		const struct load *load = &loads[i];
		size_t taken;

		if (!is_load(exprs[0], load) || !load_fits(load, rule))
			continue;
		memset(ret_match, 0, sizeof(*ret_match));
		if ((taken = decode_question(exprs + 1, load, ret_match))) {
			ret_match->kind = load->kind;
			return taken + 1;
		}
	}
	return 0;
}
