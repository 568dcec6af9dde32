/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/xt_probe.h"

#include <netinet/in.h> /* before the kernel's headers, which give way to it */

#include <errno.h>
#include <fcntl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "iptables/nl.h"

#define LEGACY_NAMES  "/proc/thread-self/net/ip_tables_names"
#define LEGACY_NAMES6 "/proc/thread-self/net/ip6_tables_names"

/* --- legacy ---
 *
 * A table is one blob. Chains of users begin with a rule whose target holds their name, in
 * characters; that is all we look for. IPv6's structures differ in the rules alone.
 */

#define ATTEMPTS  5 /* the table may grow between two questions */
#define TABLE_MAX (256u << 20)

/* Rules of a table that nobody has touched: one a hook, and the end. */
static unsigned int untouched(const struct ipt_getinfo *info)
{
	return (unsigned int)__builtin_popcount(info->valid_hooks) + 1;
}

/* True when that worked, or cannot. */
static bool look_into_table(int fd, int level, const char name[XT_TABLE_MAXNAMELEN],
			    const char *chain_prefix, struct xt_use *use)
{
	struct ipt_getinfo info = {0};
	cleanup_free struct ipt_get_entries *entries = NULL;
	socklen_t len = sizeof(info);

	memcpy(info.name, name, sizeof(info.name));
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) < 0 || info.size > TABLE_MAX)
		return true;
	if (info.num_entries <= untouched(&info))
		return true;
	use->rules = true;
	len = (socklen_t)(sizeof(*entries) + info.size);
	if (!(entries = calloc(1, len)))
		return true;
	memcpy(entries->name, name, sizeof(entries->name));
	entries->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, entries, &len) < 0)
		return errno != EAGAIN;
	if (memmem(entries->entrytable, info.size, chain_prefix, strlen(chain_prefix)))
		use->chain = true;
	return true;
}

static void look_into_family(sa_family_t family, int level, const char *names,
			     const char *chain_prefix, struct xt_use *use)
{
	cleanup_file FILE *file = fopen(names, "re");
	cleanup_fd int fd = -1;
	char name[XT_TABLE_MAXNAMELEN] = {0}; /* the kernel's names are shorter, with the newline */

	while (file && fgets(name, sizeof(name), file)) {
		bool done = false;

		name[strcspn(name, "\n")] = '\0';
		if (fd < 0 && (fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
			return;
		for (int i = 0; i < ATTEMPTS && !done; i++)
			done = look_into_table(fd, level, name, chain_prefix, use);
	}
}

struct xt_use xt_probe_legacy(const char *chain_prefix)
{
	struct xt_use use = {0};

	look_into_family(AF_INET, SOL_IP, LEGACY_NAMES, chain_prefix, &use);
	look_into_family(AF_INET6, SOL_IPV6, LEGACY_NAMES6, chain_prefix, &use);
	return use;
}

/* --- nft ---
 *
 * Its tables are called as iptables' are. All chains of all families come in one answer.
 */

struct search {
	struct xt_use use;
	const char *prefix;
};

static bool is_iptables_table(const char *name)
{
	static const char *const tables[] = {"filter", "nat", "mangle", "raw", "security"};

	for (size_t i = 0; name && i < ARRAY_SIZE(tables); i++) {
		if (!strcmp(tables[i], name))
			return true;
	}
	return false;
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct search *search = arg;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *name;
	uint32_t family;

	if (!chain || nftnl_chain_nlmsg_parse(nlh, chain) < 0)
		goto out;
	family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	if ((family != NFPROTO_IPV4 && family != NFPROTO_IPV6) || !name ||
	    !is_iptables_table(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)))
		goto out;
	search->use.rules = true;
	if (!strncmp(name, search->prefix, strlen(search->prefix)))
		search->use.chain = true;
out:
	if (chain)
		nftnl_chain_free(chain);
	return MNL_CB_OK;
}

static int ask_chains(mnl_cb_t answer, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[NL_REQUEST_BYTES];
	cleanup_nl struct nl nl = {0};
	struct nlmsghdr *request;
	int rc;

	if ((rc = nl_open(&nl, NULL)) < 0)
		return rc;
	request = nl_request(&nl, buf, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	((struct nfgenmsg *)mnl_nlmsg_get_payload(request))->nfgen_family = NFPROTO_UNSPEC;
	return nl_ask(&nl, request, answer, arg);
}

struct xt_use xt_probe_nft(const char *chain_prefix)
{
	struct search search = {.prefix = chain_prefix};

	ask_chains(on_chain, &search);
	return search.use;
}

/* --- either --- */

static int on_any_chain(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	*(bool *)arg = true;
	return MNL_CB_STOP;
}

/* The kernel may have no such feature. */
static bool is_empty(const char *names)
{
	cleanup_fd int fd = open(names, O_RDONLY | O_CLOEXEC);
	char byte;

	return fd < 0 ? errno == ENOENT : read(fd, &byte, 1) == 0;
}

bool xt_probe_untouched(void)
{
	bool chains = false;

	return ask_chains(on_any_chain, &chains) == 0 && !chains && is_empty(LEGACY_NAMES) &&
	       is_empty(LEGACY_NAMES6);
}
