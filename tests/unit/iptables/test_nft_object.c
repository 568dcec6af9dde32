/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/nft_object.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "tests/unit/iptables/plans.h"
#include "version.h"

static struct nlmsghdr *message(void *buf, uint16_t type)
{
	return nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, 0, 1);
}

/* What a plan with this version is read back as. */
static void table_comes_back(const char *version, const char *expected)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	struct nftnl_table *back = nftnl_table_alloc(), *nft;
	struct nlmsghdr *nlh = message(buf, NFT_MSG_NEWTABLE);
	struct plan plan = {0}, read = {0};

	snprintf(plan.version, sizeof(plan.version), "%s", version);
	nft = nft_table_encode(&plan);
	nftnl_table_set_u32(nft, NFTNL_TABLE_FLAGS, 0); /* the kernel always tells them */
	nftnl_table_nlmsg_build_payload(nlh, nft);
	cr_assert_eq(nftnl_table_nlmsg_parse(nlh, back), 0);
	cr_expect(nft_table_decode(back, &read));
	cr_expect(read.installed);
	cr_expect_str_eq(read.version, expected);
	nftnl_table_free(nft);
	nftnl_table_free(back);
}

Test(nft_object, the_table_says_which_version_made_it)
{
	char longest[PLAN_VERSION_MAX];

	table_comes_back("", MESHDNS_VERSION);
	table_comes_back("0.9", "0.9");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	table_comes_back(longest, longest);
}

Test(nft_object, a_table_without_our_comment_is_of_no_known_version)
{
	static const uint8_t odd[][6] = {{0, 4, 'o', 'u', 'r', 0}, {0, 200, 'm', 0, 0, 0}, {1, 0}};
	struct nftnl_table *nft = nftnl_table_alloc();
	struct plan read = {0};

	cr_expect(nft_table_decode(nft, &read));
	for (size_t i = 0; i < 3; i++) {
		nftnl_table_set_data(nft, NFTNL_TABLE_USERDATA, odd[i], sizeof(odd[i]));
		cr_expect(nft_table_decode(nft, &read));
		cr_expect_str_eq(read.version, "");
	}
	nftnl_table_set_u32(nft, NFTNL_TABLE_FLAGS, NFT_TABLE_F_DORMANT);
	cr_expect_not(nft_table_decode(nft, &read));
	nftnl_table_free(nft);
}

Test(nft_object, sets_and_elements_come_back)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	cleanup_plan struct plan plan = {0}, back = {0};
	struct nftnl_set *set = nftnl_set_alloc(), *nft;
	struct nlmsghdr *nlh = message(buf, NFT_MSG_NEWSET);
	size_t n_chains;

	plans_fill(&plan);
	n_chains = plan.n_chains;
	nft = nft_set_encode(&plan.sets[0], 1);
	nftnl_set_nlmsg_build_payload(nlh, nft);
	cr_assert_eq(nftnl_set_nlmsg_parse(nlh, set), 0);
	cr_assert(nft_set_decode(set, &back));

	/* libnftnl numbers elements in a way of which it cannot read its own messages. */
	cr_assert(nft_elements_decode(nft, &back, &back.sets[0]));

	plan.n_chains = 0;
	cr_expect_eq(plan_diff(&plan, &back, NULL, NULL), 0);
	plan.n_chains = n_chains;
	nftnl_set_free(nft);
	nftnl_set_free(set);
}

Test(nft_object, other_peoples_sets_are_not_ours)
{
	cleanup_plan struct plan plan = {0}, back = {0};
	struct nftnl_set *nft;

	plans_fill(&plan);
	nft = nft_set_encode(&plan.sets[0], 1);
	nftnl_set_set_u32(nft, NFTNL_SET_FLAGS, NFT_SET_INTERVAL);
	cr_expect_not(nft_set_decode(nft, &back), "an interval set");
	nftnl_set_set_u32(nft, NFTNL_SET_FLAGS, 0);
	nftnl_set_set_u32(nft, NFTNL_SET_KEY_LEN, 4);
	cr_expect_not(nft_set_decode(nft, &back), "type and length disagree");
	nftnl_set_set_u32(nft, NFTNL_SET_KEY_LEN, 2);
	cr_expect_not(nft_set_decode(nft, &back), "a set of ports");
	nftnl_set_free(nft);
}

Test(nft_object, chains_come_back)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	cleanup_plan struct plan plan = {0}, back = {0};

	plan_add_chain(&plan, "raw", PLAN_HOOK_OUTPUT, PLAN_CHAIN_FILTER, PLAN_PRIORITY_RAW);
	plan_add_chain(&plan, "nat", PLAN_HOOK_OUTPUT, PLAN_CHAIN_NAT, PLAN_PRIORITY_DNAT);
	plan_add_chain(&plan, "pre", PLAN_HOOK_PREROUTING, PLAN_CHAIN_FILTER, 0);
	plan_add_subchain(&plan, "sub");
	for (size_t i = 0; i < plan.n_chains; i++) {
		struct nftnl_chain *nft = nft_chain_encode(&plan.chains[i]);
		struct nftnl_chain *chain = nftnl_chain_alloc();
		struct nlmsghdr *nlh = message(buf, NFT_MSG_NEWCHAIN);

		nftnl_chain_nlmsg_build_payload(nlh, nft);
		cr_assert_eq(nftnl_chain_nlmsg_parse(nlh, chain), 0);
		cr_expect(nft_chain_decode(chain, &back));
		nftnl_chain_free(nft);
		nftnl_chain_free(chain);
	}
	cr_expect_eq(plan_diff(&plan, &back, NULL, NULL), 0);
}

Test(nft_object, other_peoples_chains_are_not_ours)
{
	cleanup_plan struct plan plan = {0}, back = {0};
	struct nftnl_chain *nft;

	plans_fill(&plan);
	nft = nft_chain_encode(&plan.chains[1]);
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_POLICY, NF_DROP);
	cr_expect_not(nft_chain_decode(nft, &back), "a policy that drops");
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
	cr_expect_not(nft_chain_decode(nft, &back), "another hook");
	nftnl_chain_set_u32(nft, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
	nftnl_chain_set_str(nft, NFTNL_CHAIN_TYPE, "route");
	cr_expect_not(nft_chain_decode(nft, &back), "another type");
	nftnl_chain_free(nft);
}
