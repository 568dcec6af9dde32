/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/nft_expr.h"

#include <ctype.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "tests/unit/iptables/plans.h"

static struct nftnl_rule *encode(const struct plan_rule *rule)
{
	struct nftnl_rule *nft = nftnl_rule_alloc();

	cr_assert(nft);
	cr_assert_eq(nft_expr_encode(rule, nft), 0);
	return nft;
}

/* As the kernel would give it back: through a message and a second object. */
static struct nftnl_rule *through_netlink(struct nftnl_rule *nft)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_NEWRULE, NFPROTO_INET, 0, 1);
	struct nftnl_rule *back = nftnl_rule_alloc();

	nftnl_rule_nlmsg_build_payload(nlh, nft);
	cr_assert_eq(nftnl_rule_nlmsg_parse(nlh, back), 0);
	nftnl_rule_free(nft);
	return back;
}

static void round_trip(const struct plan_rule *rule)
{
	struct nftnl_rule *nft = through_netlink(encode(rule));
	struct plan_rule back;

	cr_assert(nft_expr_decode(nft, &back), "%s", rule->sentence);
	cr_expect(plan_rule_equal(&back, rule), "%s", rule->sentence);
	cr_expect_eq(back.packets, rule->packets);
	cr_expect_eq(back.bytes, rule->bytes);
	nftnl_rule_free(nft);
}

Test(nft_expr, every_word_comes_back)
{
	struct plan_rule four = plans_redirect;

	round_trip(&plans_zone);
	round_trip(&plans_return);
	round_trip(&plans_redirect);
	four.matches[2].value = AF_INET;
	round_trip(&four);
	round_trip(&plans_log);
	round_trip(&plans_jump);
	round_trip(&plans_drop);
	round_trip(&plans_ranges);
	four = plans_owners;
	strcpy(four.matches[1].cgroup, "?18446744073709551615/255");
	round_trip(&four);
	four.matches[0] = (struct plan_match){PLAN_MATCH_MARK, .value = 7, .mask = UINT32_MAX};
	four.matches[1].kind = PLAN_MATCH_END;
	round_trip(&four);
}

Test(nft_expr, a_cgroup_that_is_not_there_cannot_be_said)
{
	struct nftnl_rule *nft = nftnl_rule_alloc();

	cr_expect_eq(nft_expr_encode(&plans_owners, nft), -ENOENT);
	nftnl_rule_free(nft);
}

Test(nft_expr, every_prefix_comes_back)
{
	struct plan_rule rule = {.matches[0] = {PLAN_MATCH_FAMILY, .value = AF_INET},
				 .action = {.kind = PLAN_ACTION_RETURN},
				 .sentence = "a prefix"};
	struct plan_match *m = &rule.matches[1];

	for (int negated = 0; negated < 2; negated++) {
		for (uint8_t len = 0; len <= 128; len++) {
			*m = (struct plan_match){PLAN_MATCH_DPREFIX, .negated = negated};
			m->prefix.len = len;
			m->prefix.addr.family = AF_INET6;
			for (int i = 0; i < len; i++)
				m->prefix.addr.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
			rule.matches[0].value = AF_INET6;
			round_trip(&rule);
			if (len > 32)
				continue;
			m->prefix.addr.family = rule.matches[0].value = AF_INET;
			round_trip(&rule);
			m->kind = PLAN_MATCH_SPREFIX;
			round_trip(&rule);
		}
	}
}

Test(nft_expr, every_length_of_an_interface_name_comes_back)
{
	struct plan_rule rule = {.matches[0] = {.kind = PLAN_MATCH_IIF},
				 .action = {.kind = PLAN_ACTION_RETURN},
				 .sentence = "an interface"};

	for (int len = 1; len < 16; len++) {
		rule.matches[0].interface[len - 1] = 'x';
		rule.matches[0].begins = false;
		round_trip(&rule);
		rule.matches[0].begins = true;
		round_trip(&rule);
	}
}

Test(nft_expr, counters_come_back)
{
	struct plan_rule rule = plans_redirect;

	rule.packets = 7;
	rule.bytes = UINT64_MAX;
	round_trip(&rule);
}

Test(nft_expr, the_longest_sentence_comes_back)
{
	struct plan_rule rule = plans_return;

	memset(rule.sentence, 'x', PLAN_SENTENCE_MAX - 1);
	round_trip(&rule);
}

/* Every run of blanks becomes one space. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (!isspace((unsigned char)*p))
			*to++ = *p;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

/* What the kernel will do: the same rule in nft(8)'s netlink words. */
static void means(const struct plan_rule *rule, const char *expected)
{
	struct nftnl_rule *nft = encode(rule);
	char text[1024];

	nftnl_rule_snprintf(text, sizeof(text), nft, NFTNL_OUTPUT_DEFAULT, 0);
	squeeze(text);
	cr_expect(strstr(text, expected), "expected %s\nin %s", expected, text);
	nftnl_rule_free(nft);
}

Test(nft_expr, a_rule_means_to_the_kernel_what_it_says)
{
	struct plan_rule owners = plans_owners;

	strcpy(owners.matches[1].cgroup, "?7/3");
	means(&plans_zone,
	      "[ meta load l4proto => reg 1 ] [ cmp eq reg 1 0x00000011 ] "
	      "[ payload load 2b @ transport header + 2 => reg 1 ] "
	      "[ cmp eq reg 1 0x00003500 ] "
	      "[ meta load skuid => reg 1 ] [ cmp eq reg 1 0xee6b2800 ] "
	      "[ counter pkts 0 bytes 0 ] "
	      "[ immediate reg 1 0x00000001 ] [ ct set zone with reg 1 , dir original ] "
	      "[ immediate reg 0 return ]");
	means(&plans_redirect, "[ meta load nfproto => reg 1 ] [ cmp eq reg 1 0x0000000a ] "
			       "[ payload load 16b @ network header + 24 => reg 1 ] "
			       "[ lookup reg 1 set six ] "
			       "[ counter pkts 0 bytes 0 ] "
			       "[ immediate reg 1 0x0000cd3a ] [ redir proto_min reg 1 ]");
	means(&plans_ranges, "[ payload load 2b @ transport header + 2 => reg 1 ] "
			     "[ cmp gte reg 1 0x0000e803 ] [ cmp lte reg 1 0x0000d007 ] "
			     "[ meta load nfproto => reg 1 ] [ cmp eq reg 1 0x00000002 ] "
			     "[ payload load 4b @ network header + 12 => reg 1 ] "
			     "[ cmp eq reg 1 0x0600007f ] "
			     "[ payload load 4b @ network header + 16 => reg 1 ] "
			     "[ bitwise reg 1 = ( reg 1 & 0x000080ff ) ^ 0x00000000 ] "
			     "[ cmp neq reg 1 0x0000000a ] "
			     "[ meta load skuid => reg 1 ] [ byteorder reg 1 = hton(reg 1, 4, 4) ] "
			     "[ cmp gte reg 1 0x00000000 ] [ cmp lte reg 1 0x00286bee ] "
			     "[ meta load oifname => reg 1 ] "
			     "[ cmp eq reg 1 0x00006f6c 0x00000000 0x00000000 0x00000000 ]");
	means(&plans_drop, "[ meta load iifname => reg 1 ] [ cmp eq reg 1 0x6b636f64 0x00007265 ] "
			   "[ ct load state => reg 1 ] "
			   "[ bitwise reg 1 = ( reg 1 & 0x00000001 ) ^ 0x00000000 ] "
			   "[ cmp neq reg 1 0x00000000 ] "
			   "[ counter pkts 0 bytes 0 ] [ immediate reg 0 drop ]");
	means(&owners, "[ meta load skgid => reg 1 ] [ byteorder reg 1 = hton(reg 1, 4, 4) ] "
		       "[ cmp gte reg 1 0x2e160000 ] [ cmp lte reg 1 0x44160000 ] "
		       "[ socket load cgroupv2 => reg 1 ");
	means(&owners, "[ cmp eq reg 1 0x00000007 0x00000000 ] "
		       "[ meta load mark => reg 1 ] "
		       "[ bitwise reg 1 = ( reg 1 & 0x000000f0 ) ^ 0x00000000 ] "
		       "[ cmp eq reg 1 0x00000010 ] [ counter pkts 0 bytes 0 ] "
		       "[ immediate reg 0 return ]");
	means(&plans_jump, "[ immediate reg 0 jump -> sub ]");
	means(&plans_log, "[ log prefix OUT: level 7 ]");
}

static struct nftnl_rule *changed;
static struct nftnl_expr *nth_expr(struct nftnl_rule *nft, int n)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(nft);
	struct nftnl_expr *expr = NULL;

	for (int i = 0; i <= n; i++)
		expr = nftnl_expr_iter_next(iter);
	nftnl_expr_iter_destroy(iter);
	cr_assert(expr);
	return expr;
}

static struct nftnl_expr *change(const struct plan_rule *rule, int n)
{
	changed = encode(rule);
	return nth_expr(changed, n);
}

static void remove_expr(struct nftnl_expr *expr)
{
	nftnl_rule_del_expr(expr);
	nftnl_expr_free(expr);
}

static void is_foreign(const char *why)
{
	struct plan_rule back;

	changed = through_netlink(changed);
	cr_expect_not(nft_expr_decode(changed, &back), "taken for ours: %s", why);
	nftnl_rule_free(changed);
}

Test(nft_expr, a_rule_that_somebody_changed_is_not_ours)
{
	struct plan_rule owners = plans_owners;

	/* zone: 0 meta 1 cmp 2 payload 3 cmp 4 meta 5 cmp 6 counter 7 immediate 8 ct 9 immediate */
	nftnl_expr_set_u32(change(&plans_zone, 1), NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ);
	is_foreign("a negated match");
	nftnl_expr_set_u32(change(&plans_zone, 0), NFTNL_EXPR_META_KEY, NFT_META_PRIORITY);
	is_foreign("an unknown meta key");
	nftnl_expr_set_u32(change(&plans_zone, 2), NFTNL_EXPR_PAYLOAD_OFFSET, 0);
	is_foreign("the source port");
	nftnl_expr_set_u32(change(&plans_zone, 3), NFTNL_EXPR_CMP_SREG, NFT_REG_2);
	is_foreign("another register");
	nftnl_expr_set_u8(change(&plans_zone, 8), NFTNL_EXPR_CT_DIR, 1);
	is_foreign("a zone for replies");
	nftnl_expr_set_u32(change(&plans_zone, 8), NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	is_foreign("a conntrack mark");
	nftnl_expr_set_u32(change(&plans_zone, 9), NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
	is_foreign("an accept");
	remove_expr(change(&plans_zone, 9));
	is_foreign("no return after the zone");
	remove_expr(change(&plans_zone, 6));
	is_foreign("no counter");
	nftnl_rule_add_expr((change(&plans_zone, 0), changed), nftnl_expr_alloc("counter"));
	is_foreign("an expression too many");
	/* redirect: 4 meta nfproto 5 cmp 6 payload 7 lookup */
	nftnl_expr_set_u32(change(&plans_redirect, 7), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	is_foreign("not in the set");
	nftnl_expr_set_u32(change(&plans_redirect, 6), NFTNL_EXPR_PAYLOAD_OFFSET, 8);
	is_foreign("the source address in a set");
	/* ranges: 2 payload 3 cmp 4 cmp 10 bitwise 13 byteorder 17 cmp */
	nftnl_expr_set_u32(change(&plans_ranges, 3), NFTNL_EXPR_CMP_OP, NFT_CMP_GT);
	is_foreign("a range without its first");
	nftnl_expr_set_u16(change(&plans_ranges, 4), NFTNL_EXPR_CMP_DATA, htons(1000));
	is_foreign("a range of one");
	nftnl_expr_set(change(&plans_ranges, 10), NFTNL_EXPR_BITWISE_MASK, "\xff\0\xff", 4);
	is_foreign("a mask with a hole");
	nftnl_expr_set_u32(change(&plans_ranges, 10), NFTNL_EXPR_BITWISE_XOR, 1);
	is_foreign("a mask that turns bits");
	remove_expr(change(&plans_ranges, 13));
	is_foreign("a range in the wrong order of bytes");
	nftnl_expr_set(change(&plans_ranges, 17), NFTNL_EXPR_CMP_DATA, "lo\0x", 5);
	is_foreign("an interface with something behind it");
	/* owners: 4 socket 5 cmp 6 meta 7 bitwise 8 cmp */
	strcpy(owners.matches[1].cgroup, "?7/3");
	nftnl_expr_set_u32(change(&owners, 4), NFTNL_EXPR_SOCKET_KEY, NFT_SOCKET_MARK);
	is_foreign("the mark of a socket");
	nftnl_expr_set_u32(change(&owners, 4), NFTNL_EXPR_SOCKET_LEVEL, 0);
	is_foreign("everybody's cgroup");
	nftnl_expr_set_u32(change(&owners, 5), NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ);
	is_foreign("every other cgroup");
	nftnl_expr_set_u32(change(&owners, 7), NFTNL_EXPR_BITWISE_XOR, 1);
	is_foreign("a mark that turns bits");
	nftnl_expr_set_u32(change(&owners, 7), NFTNL_EXPR_BITWISE_MASK, 0);
	is_foreign("no bit of a mark");
	nftnl_expr_set_u32(change(&owners, 8), NFTNL_EXPR_CMP_DATA, 1);
	is_foreign("a mark that no packet has");
	/* drop: 0 meta 1 cmp 2 ct 3 bitwise 4 cmp */
	nftnl_expr_set_u32(change(&plans_drop, 3), NFTNL_EXPR_BITWISE_MASK, 2);
	is_foreign("another state");
	nftnl_expr_set_u32(change(&plans_drop, 4), NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	is_foreign("every state but this");
	nftnl_expr_set_u16(change(&plans_log, 1), NFTNL_EXPR_LOG_GROUP, 1);
	is_foreign("a log that goes to a program");
}

static void comment_is_foreign(const void *udata, uint32_t len, const char *why)
{
	change(&plans_return, 0);
	nftnl_rule_set_data(changed, NFTNL_RULE_USERDATA, udata, len);
	is_foreign(why);
}

Test(nft_expr, comments_are_read_with_care)
{
	comment_is_foreign("\0\6hello", 8, "somebody else's comment");
	comment_is_foreign("\0\11meshdns/x", 11, "without its end");
	comment_is_foreign("\0\377meshdns/x", 12, "longer than it is");
	comment_is_foreign("\1\12meshdns/x", 12, "of another type");
	comment_is_foreign("\0", 1, "half an attribute");
	comment_is_foreign("\0\12meshdns/x\0\1\1", 15, "another attribute behind it");
}
