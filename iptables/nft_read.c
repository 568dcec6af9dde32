/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table `inet meshdns` as a plan.
 *
 * It takes several questions, and somebody may change the rules between them. Each answer carries
 * the generation of the rule set that it was taken from: if they are not all the same, everything
 * is asked again. What is not ours is passed over and the first of it remembered: the rest tells
 * what else has been changed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "iptables/nft.h"
#include "iptables/nft_expr.h"
#include "iptables/nft_object.h"
#include "iptables/nl.h"

#define ATTEMPTS 20

struct reading {
	struct nl nl;
	struct plan *plan;
	struct plan_set *set; /* whose elements are being read */
	int generation;       /* of the first answer, -1 before it */
	bool foreign;         /* something was not ours; `err` says what */
	struct err *err;
};

/* Ends the reading with an errno. */
static int stop(int code)
{
	errno = code;
	return MNL_CB_ERROR;
}

static int foreign(struct reading *reading, const char *what, const char *name)
{
	if (!reading->foreign)
		err_set(reading->err, EBADMSG,
			"the table inet " NFT_TABLE " holds %s that is not ours%s%s", what,
			name ? ": " : "", name ? name : "");
	reading->foreign = true;
	return MNL_CB_OK;
}

static int check_generation(const struct nlmsghdr *nlh, struct reading *reading)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(nlh);
	int generation = ntohs(header->res_id);

	if (reading->generation < 0)
		reading->generation = generation;
	return generation == reading->generation ? MNL_CB_OK : stop(EINTR);
}

static bool in_our_table(const char *table)
{
	return table && !strcmp(table, NFT_TABLE);
}

/* A callback for one kind of object: parse the message, free the object, one outcome. */
static int on_table(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct nftnl_table *table = nftnl_table_alloc();
	int rc = check_generation(nlh, reading);

	if (!table)
		return stop(ENOMEM);
	if (rc == MNL_CB_OK &&
	    (nftnl_table_nlmsg_parse(nlh, table) < 0 || !nft_table_decode(table, reading->plan)))
		rc = foreign(reading, "a flag", NULL);
	nftnl_table_free(table);
	return rc;
}

static int on_set(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct nftnl_set *set = nftnl_set_alloc();
	int rc = check_generation(nlh, reading);

	if (!set)
		return stop(ENOMEM);
	if (rc == MNL_CB_OK &&
	    (nftnl_set_nlmsg_parse(nlh, set) < 0 || !nft_set_decode(set, reading->plan)))
		rc = foreign(reading, "a set", nftnl_set_get_str(set, NFTNL_SET_NAME));
	nftnl_set_free(set);
	return rc;
}

static int on_elements(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct nftnl_set *set = nftnl_set_alloc();
	int rc = check_generation(nlh, reading);

	if (!set)
		return stop(ENOMEM);
	if (rc == MNL_CB_OK && (nftnl_set_elems_nlmsg_parse(nlh, set) < 0 ||
				!nft_elements_decode(set, reading->plan, reading->set)))
		rc = foreign(reading, "a set element", reading->set->name);
	nftnl_set_free(set);
	return rc;
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	int rc = check_generation(nlh, reading);

	if (!chain)
		return stop(ENOMEM);
	if (rc == MNL_CB_OK && nftnl_chain_nlmsg_parse(nlh, chain) < 0)
		rc = foreign(reading, "a thing", NULL);
	/* Chains are listed for the whole family. */
	if (rc == MNL_CB_OK && in_our_table(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)) &&
	    !nft_chain_decode(chain, reading->plan))
		rc = foreign(reading, "a chain", nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	nftnl_chain_free(chain);
	return rc;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *reading = arg;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	const struct plan_chain *chain;
	struct plan_rule decoded;
	int rc = check_generation(nlh, reading);
	const char *name;

	if (!rule)
		return stop(ENOMEM);
	if (rc == MNL_CB_OK && nftnl_rule_nlmsg_parse(nlh, rule) < 0) {
		rc = foreign(reading, "a thing", NULL);
	} else if (rc == MNL_CB_OK) {
		name = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
		chain = name ? plan_find_chain(reading->plan, name) : NULL;
		if (chain && nft_expr_decode(rule, &decoded))
			plan_add_rule(reading->plan,
				      &reading->plan->chains[chain - reading->plan->chains],
				      &decoded);
		else
			rc = foreign(reading, "a rule", name);
	}
	nftnl_rule_free(rule);
	return rc;
}

/* `attr` is the attribute that names the table in a question of that type. */
static int ask(struct reading *reading, uint16_t type, uint16_t flags, uint16_t attr,
	       mnl_cb_t answer)
{
	_Alignas(struct nlmsghdr) char buf[NL_REQUEST_BYTES];
	struct nlmsghdr *request = nl_request(&reading->nl, buf, type, flags);

	mnl_attr_put_strz(request, attr, NFT_TABLE);
	if (type == NFT_MSG_GETSETELEM)
		mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, reading->set->name);
	return nl_ask(&reading->nl, request, answer, reading);
}

static int read_objects(struct reading *reading)
{
	struct plan *plan = reading->plan;
	int rc;

	if ((rc = ask(reading, NFT_MSG_GETSET, NLM_F_DUMP, NFTA_SET_TABLE, on_set)) < 0)
		return rc;
	for (size_t i = 0; i < plan->n_sets; i++) {
		reading->set = &plan->sets[i];
		if ((rc = ask(reading, NFT_MSG_GETSETELEM, NLM_F_DUMP, NFTA_SET_ELEM_LIST_TABLE,
			      on_elements)) < 0)
			return rc;
	}
	if ((rc = ask(reading, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFTA_CHAIN_TABLE, on_chain)) < 0)
		return rc;
	if ((rc = ask(reading, NFT_MSG_GETRULE, NLM_F_DUMP, NFTA_RULE_TABLE, on_rule)) < 0)
		return rc;
	return reading->foreign ? -EBADMSG : plan->error;
}

/* -EINTR: the rules changed meanwhile. */
static int read_once(struct plan *plan, struct err *err)
{
	struct reading reading = {.plan = plan, .generation = -1, .err = err};
	int rc;

	if ((rc = nl_open(&reading.nl, err)) < 0)
		return rc;
	rc = ask(&reading, NFT_MSG_GETTABLE, NLM_F_ACK, NFTA_TABLE_NAME, on_table);
	if (rc == -EINVAL) {
		/* How nfnetlink says that it knows no subsystem of that number. */
		rc = err_set(err, EOPNOTSUPP, "this kernel has no nf_tables (CONFIG_NF_TABLES)");
	} else if (rc == 0) {
		rc = read_objects(&reading);
		if (rc == -ENOENT)
			rc = -EINTR; /* it was there a moment ago */
	}
	nl_close(&reading.nl);
	return rc;
}

int nft_read(struct plan *ret_found, struct err *err)
{
	int rc = -EINTR;

	for (int i = 0; i < ATTEMPTS && rc == -EINTR; i++) {
		plan_free(ret_found);
		rc = read_once(ret_found, err);
	}
	if (rc < 0 && rc != -EBADMSG)
		plan_free(ret_found);
	switch (rc) {
	case 0:
	case -EBADMSG:
	case -EOPNOTSUPP: return rc;
	case -ENOENT: return err_set(err, ENOENT, "there is no table inet " NFT_TABLE);
	case -EPERM:
		return err_set(err, EPERM, "reading the kernel's rules needs root (CAP_NET_ADMIN)");
	case -EINTR: return err_set(err, EBUSY, "the kernel's rules change too fast to be read");
	default: return err_set(err, rc, "cannot read the kernel's rules: %s", err_text(rc));
	}
}
