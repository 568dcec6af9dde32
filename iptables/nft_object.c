/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/nft_object.h"

#include <errno.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "version.h"

/* What nft(8) calls ipv4_addr and ipv6_addr; the kernel only keeps the number. */
#define KEY_IPV4 7
#define KEY_IPV6 8

static const uint32_t hook_numbers[PLAN_HOOKS] = {
	[PLAN_HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
	[PLAN_HOOK_PREROUTING] = NF_INET_PRE_ROUTING,
};

static uint32_t key_type(sa_family_t family)
{
	return family == AF_INET ? KEY_IPV4 : KEY_IPV6;
}

struct nftnl_table *nft_table_encode(const struct plan *plan)
{
	struct nftnl_udata_buf *udata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	struct nftnl_table *nft = nftnl_table_alloc();
	char comment[sizeof(PLAN_COMMENT_PREFIX) + PLAN_VERSION_MAX];

	snprintf(comment, sizeof(comment), PLAN_COMMENT_PREFIX "%.*s", PLAN_VERSION_MAX - 1,
		 plan->version[0] ? plan->version : MESHDNS_VERSION);
	if (!nft || !udata || nftnl_table_set_str(nft, NFTNL_TABLE_NAME, NFT_TABLE) < 0 ||
	    !nftnl_udata_put_strz(udata, NFTNL_UDATA_TABLE_COMMENT, comment) ||
	    nftnl_table_set_data(nft, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(udata),
				 nftnl_udata_buf_len(udata)) < 0) {
		if (nft)
			nftnl_table_free(nft);
		nft = NULL;
	}
	if (udata)
		nftnl_udata_buf_free(udata);
	return nft;
}

/* Kernels before 5.10 keep no comment: then nobody knows the version. */
bool nft_table_decode(const struct nftnl_table *nft, struct plan *plan)
{
	static const char prefix[] = PLAN_COMMENT_PREFIX;
	uint32_t len = 0;
	const uint8_t *udata = nftnl_table_get_data(nft, NFTNL_TABLE_USERDATA, &len);
	const char *comment = (const char *)udata + 2; /* after type and length, a byte each */

	plan->installed = true;
	if (udata && len > 2 && udata[0] == NFTNL_UDATA_TABLE_COMMENT && udata[1] == len - 2 &&
	    !udata[len - 1] && !strncmp(comment, prefix, strlen(prefix)))
		snprintf(plan->version, sizeof(plan->version), "%s", comment + strlen(prefix));
	return !nftnl_table_get_u32(nft, NFTNL_TABLE_FLAGS);
}

static bool set_elements(struct nftnl_set *nft, const struct plan_set *set)
{
	for (size_t i = 0; i < set->n_addrs; i++) {
		struct nftnl_set_elem *elem = nftnl_set_elem_alloc();

		if (!elem)
			return false;
		nftnl_set_elem_add(nft, elem);
		if (nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, set->addrs[i].bytes,
				       (uint32_t)addr_len(&set->addrs[i])) < 0)
			return false;
	}
	return true;
}

struct nftnl_set *nft_set_encode(const struct plan_set *set, uint32_t id)
{
	struct nftnl_set *nft = nftnl_set_alloc();

	if (!nft)
		return NULL;
	nftnl_set_set_u32(nft, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(nft, NFTNL_SET_ID, id);
	nftnl_set_set_u32(nft, NFTNL_SET_FLAGS, 0);
	nftnl_set_set_u32(nft, NFTNL_SET_KEY_TYPE, key_type(set->family));
	nftnl_set_set_u32(nft, NFTNL_SET_KEY_LEN, set->family == AF_INET ? 4 : 16);
	if (nftnl_set_set_str(nft, NFTNL_SET_TABLE, NFT_TABLE) < 0 ||
	    nftnl_set_set_str(nft, NFTNL_SET_NAME, set->name) < 0 || !set_elements(nft, set)) {
		nftnl_set_free(nft);
		return NULL;
	}
	return nft;
}

bool nft_set_decode(const struct nftnl_set *nft, struct plan *plan)
{
	uint32_t len = nftnl_set_get_u32(nft, NFTNL_SET_KEY_LEN);
	sa_family_t family = len == 4 ? AF_INET : AF_INET6;

	return (len == 4 || len == 16) && !nftnl_set_get_u32(nft, NFTNL_SET_FLAGS) &&
	       nftnl_set_get_u32(nft, NFTNL_SET_KEY_TYPE) == key_type(family) &&
	       plan_add_set(plan, nftnl_set_get_str(nft, NFTNL_SET_NAME), family);
}

bool nft_elements_decode(const struct nftnl_set *nft, struct plan *plan, struct plan_set *set)
{
	struct nftnl_set_elems_iter *elements = nftnl_set_elems_iter_create(nft);
	struct nftnl_set_elem *elem;
	bool ours = elements;

	while (ours && (elem = nftnl_set_elems_iter_next(elements))) {
		struct addr addr = {.family = set->family};
		uint32_t len = 0;
		const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);

		ours = key && len == addr_len(&addr);
		if (ours) {
			memcpy(addr.bytes, key, len);
			plan_add_addr(plan, set, &addr);
		}
	}
	if (elements)
		nftnl_set_elems_iter_destroy(elements);
	return ours;
}

/* Where the chain hangs, which one that is jumped to does not. */
static bool set_hook(struct nftnl_chain *nft, const struct plan_chain *chain)
{
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_HOOKNUM, hook_numbers[chain->hook]);
	nftnl_chain_set_s32(nft, NFTNL_CHAIN_PRIO, chain->priority);
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	return nftnl_chain_set_str(nft, NFTNL_CHAIN_TYPE, plan_chain_type_name(chain->type)) == 0;
}

struct nftnl_chain *nft_chain_encode(const struct plan_chain *chain)
{
	struct nftnl_chain *nft = nftnl_chain_alloc();

	if (!nft)
		return NULL;
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	if (nftnl_chain_set_str(nft, NFTNL_CHAIN_TABLE, NFT_TABLE) < 0 ||
	    nftnl_chain_set_str(nft, NFTNL_CHAIN_NAME, chain->name) < 0 ||
	    (chain->hook != PLAN_HOOK_NONE && !set_hook(nft, chain))) {
		nftnl_chain_free(nft);
		return NULL;
	}
	return nft;
}

static bool find_hook(uint32_t number, enum plan_hook *ret_hook)
{
	for (size_t i = PLAN_HOOK_NONE + 1; i < PLAN_HOOKS; i++) {
		if (hook_numbers[i] == number) {
			*ret_hook = (enum plan_hook)i;
			return true;
		}
	}
	return false;
}

static bool find_type(const char *name, enum plan_chain_type *ret_type)
{
	for (size_t i = 0; name && i < PLAN_CHAIN_TYPES; i++) {
		if (!strcmp(plan_chain_type_name((enum plan_chain_type)i), name)) {
			*ret_type = (enum plan_chain_type)i;
			return true;
		}
	}
	return false;
}

bool nft_chain_decode(const struct nftnl_chain *nft, struct plan *plan)
{
	const char *name = nftnl_chain_get_str(nft, NFTNL_CHAIN_NAME);
	enum plan_hook hook;
	enum plan_chain_type type;

	if (!nftnl_chain_is_set(nft, NFTNL_CHAIN_HOOKNUM))
		return plan_add_subchain(plan, name);
	return find_hook(nftnl_chain_get_u32(nft, NFTNL_CHAIN_HOOKNUM), &hook) &&
	       find_type(nftnl_chain_get_str(nft, NFTNL_CHAIN_TYPE), &type) &&
	       nftnl_chain_get_u32(nft, NFTNL_CHAIN_POLICY) == NF_ACCEPT &&
	       plan_add_chain(plan, name, hook, type, nftnl_chain_get_s32(nft, NFTNL_CHAIN_PRIO));
}
