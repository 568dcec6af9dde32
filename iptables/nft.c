/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan as one nf_tables transaction.
 *
 * The transaction is a list of steps, one message each: the table, its sets with their elements,
 * its chains, its rules. The kernel applies all of it or nothing, in one generation of the rule
 * set. To replace a table it is first added and deleted; added, so that there is one to delete,
 * whatever happened since somebody looked. Where none was seen we do without: what has been
 * deleted, be it empty, must wait for RCU, some 10 ms in which the program cannot end.
 *
 * An acknowledgement names the message it is for, a message is a step, and a step knows the set,
 * chain or rule it makes: so a refusal is reported with the sentence of the rule that was refused.
 * Rejected: asking the kernel beforehand what it can do. There is no such question, a trial
 * transaction loads modules and wakes listeners, and the refusal itself says as much.
 */
#include "iptables/nft.h"

#include <errno.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "iptables/backends.h"
#include "iptables/nft_expr.h"
#include "iptables/nft_object.h"
#include "iptables/nl.h"

enum step_kind {
	STEP_ADD_TABLE, /* if there is none */
	STEP_DELETE_TABLE,
	STEP_CREATE_TABLE,
	STEP_SET,      /* set */
	STEP_ELEMENTS, /* set */
	STEP_CHAIN,    /* chain */
	STEP_RULE,     /* chain, rule */
};

struct step {
	enum step_kind kind;
	const struct plan_set *set;
	const struct plan_chain *chain;
	const struct plan_rule *rule;
};

static size_t count_steps(const struct plan *plan, bool replace)
{
	size_t n = (replace ? 3 : 1) + 2 * plan->n_sets + plan->n_chains;

	for (size_t i = 0; i < plan->n_chains; i++)
		n += plan->chains[i].n_rules;
	return n;
}

/* Fills count_steps() of them. */
static void list_steps(const struct plan *plan, bool replace, struct step *step)
{
	if (replace) {
		*step++ = (struct step){.kind = STEP_ADD_TABLE};
		*step++ = (struct step){.kind = STEP_DELETE_TABLE};
	}
	*step++ = (struct step){.kind = STEP_CREATE_TABLE};
	for (size_t i = 0; i < plan->n_sets; i++) {
		*step++ = (struct step){.kind = STEP_SET, .set = &plan->sets[i]};
		*step++ = (struct step){.kind = STEP_ELEMENTS, .set = &plan->sets[i]};
	}
	for (size_t i = 0; i < plan->n_chains; i++)
		*step++ = (struct step){.kind = STEP_CHAIN, .chain = &plan->chains[i]};
	for (size_t i = 0; i < plan->n_chains; i++) {
		const struct plan_chain *chain = &plan->chains[i];

		for (size_t j = 0; j < chain->n_rules; j++)
			*step++ =
				(struct step){STEP_RULE, .chain = chain, .rule = &chain->rules[j]};
	}
}

/* --- one message a step --- */

static int put_table(struct nl_batch *batch, uint16_t type, uint16_t flags, const struct plan *plan)
{
	struct nftnl_table *table = nft_table_encode(plan);
	struct nlmsghdr *nlh = nl_batch_add(batch, type, flags);
	int rc = -ENOMEM;

	if (table && nlh) {
		nftnl_table_nlmsg_build_payload(nlh, table);
		rc = 0;
	}
	if (table)
		nftnl_table_free(table);
	return rc;
}

static int put_set(struct nl_batch *batch, const struct plan_set *set, uint32_t id, bool elements)
{
	struct nftnl_set *nft = nft_set_encode(set, id);
	struct nlmsghdr *nlh =
		nl_batch_add(batch, elements ? NFT_MSG_NEWSETELEM : NFT_MSG_NEWSET, NLM_F_CREATE);
	int rc = -ENOMEM;

	if (nft && nlh) {
		if (elements)
			nftnl_set_elems_nlmsg_build_payload(nlh, nft);
		else
			nftnl_set_nlmsg_build_payload(nlh, nft);
		rc = 0;
	}
	if (nft)
		nftnl_set_free(nft);
	return rc;
}

static int put_chain(struct nl_batch *batch, const struct plan_chain *chain)
{
	struct nftnl_chain *nft = nft_chain_encode(chain);
	struct nlmsghdr *nlh = nl_batch_add(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	int rc = -ENOMEM;

	if (nft && nlh) {
		nftnl_chain_nlmsg_build_payload(nlh, nft);
		rc = 0;
	}
	if (nft)
		nftnl_chain_free(nft);
	return rc;
}

static int put_rule(struct nl_batch *batch, const struct plan_chain *chain,
		    const struct plan_rule *rule)
{
	struct nftnl_rule *nft = nftnl_rule_alloc();
	struct nlmsghdr *nlh = nl_batch_add(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	int rc = -ENOMEM;

	if (nft && nlh && nftnl_rule_set_str(nft, NFTNL_RULE_TABLE, NFT_TABLE) == 0 &&
	    nftnl_rule_set_str(nft, NFTNL_RULE_CHAIN, chain->name) == 0 &&
	    (rc = nft_expr_encode(rule, nft)) == 0)
		nftnl_rule_nlmsg_build_payload(nlh, nft);
	if (nft)
		nftnl_rule_free(nft);
	return rc;
}

static int put_step(struct nl_batch *batch, const struct plan *plan, const struct step *step)
{
	switch (step->kind) {
	case STEP_ADD_TABLE: return put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, plan);
	case STEP_DELETE_TABLE: return put_table(batch, NFT_MSG_DELTABLE, 0, plan);
	case STEP_CREATE_TABLE:
		return put_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, plan);
	case STEP_SET:
	case STEP_ELEMENTS:
		return put_set(batch, step->set, (uint32_t)(step->set - plan->sets) + 1,
			       step->kind == STEP_ELEMENTS);
	case STEP_CHAIN: return put_chain(batch, step->chain);
	case STEP_RULE: return put_rule(batch, step->chain, step->rule);
	}
	return -EINVAL;
}

/* --- why not --- */

static const char *feature_of_rule(const struct plan_rule *rule)
{
	if (plan_rule_match(rule, PLAN_MATCH_CGROUP))
		return "matching by cgroup (CONFIG_NFT_SOCKET, CONFIG_SOCK_CGROUP_DATA, Linux "
		       "5.13 or later)";
	switch (rule->action.kind) {
	case PLAN_ACTION_REDIRECT: return "redirection (CONFIG_NFT_REDIR)";
	case PLAN_ACTION_ZONE:
		return "conntrack zones (CONFIG_NFT_CT, CONFIG_NF_CONNTRACK_ZONES); "
		       "--skip-dns-conntrack-zone-split does without";
	case PLAN_ACTION_LOG: return "logging of packets (CONFIG_NFT_LOG)";
	default: break;
	}
	if (plan_rule_match(rule, PLAN_MATCH_INVALID))
		return "matching by conntrack (CONFIG_NFT_CT)";
	return NULL;
}

/* What the kernel must have for a step, beyond nf_tables itself. */
static const char *feature_of_step(const struct step *step)
{
	if (step->kind == STEP_ADD_TABLE || step->kind == STEP_CREATE_TABLE)
		return "tables for IPv4 and IPv6 together (CONFIG_NF_TABLES_INET)";
	if (step->kind == STEP_CHAIN && step->chain->type == PLAN_CHAIN_NAT)
		return "NAT in inet tables (CONFIG_NFT_NAT, Linux 5.2 or later)";
	return step->kind == STEP_RULE ? feature_of_rule(step->rule) : NULL;
}

static void name_step(const struct step *step, char *buf, size_t size)
{
	switch (step->kind) {
	case STEP_ADD_TABLE:
	case STEP_CREATE_TABLE:
	case STEP_DELETE_TABLE: snprintf(buf, size, "the table inet " NFT_TABLE); break;
	case STEP_SET:
	case STEP_ELEMENTS: snprintf(buf, size, "the set %s", step->set->name); break;
	case STEP_CHAIN: snprintf(buf, size, "the chain %s", step->chain->name); break;
	case STEP_RULE: snprintf(buf, size, "the rule \"%s\"", step->rule->sentence); break;
	}
}

/* How nf_tables says that it has never heard of a thing: differs by thing and by kernel. */
static bool means_unknown(int rc)
{
	return rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EAFNOSUPPORT || rc == -EPROTONOSUPPORT;
}

/* `step` is the one that was refused, NULL when it was the transaction as a whole. */
static int explain(const struct step *step, int rc, struct err *err)
{
	const char *feature = step ? feature_of_step(step) : NULL;
	char name[PLAN_SENTENCE_MAX + 16];

	if (rc == -EPERM)
		return err_set(err, EPERM,
			       "changing the kernel's rules needs root (CAP_NET_ADMIN)");
	if (!step && means_unknown(rc))
		return err_set(err, EOPNOTSUPP, "this kernel has no nf_tables (CONFIG_NF_TABLES)");
	if (!step)
		return err_set(err, rc, "cannot change the kernel's rules: %s", err_text(rc));
	name_step(step, name, sizeof(name));
	if (feature && means_unknown(rc))
		return err_set(err, EOPNOTSUPP, "this kernel has no %s, which %s needs", feature,
			       name);
	return err_set(err, rc, "the kernel refused %s: %s", name, err_text(rc));
}

/* It could not even be put into words. */
static int explain_unsaid(const struct step *step, int rc, struct err *err)
{
	const struct plan_match *cgroup =
		step->rule ? plan_rule_match(step->rule, PLAN_MATCH_CGROUP) : NULL;

	if (cgroup && rc != -ENOMEM)
		return err_set(err, rc, "the rule \"%s\" needs the cgroup %s: %s",
			       step->rule->sentence, cgroup->cgroup, err_text(rc));
	return explain(step, rc, err);
}

static int apply_steps(const struct plan *plan, const struct step *steps, size_t n, struct err *err)
{
	cleanup_nl_batch struct nl_batch batch = {0};
	cleanup_nl struct nl nl = {0};
	size_t failed;
	int rc;

	for (size_t i = 0; i < n; i++) {
		if ((rc = put_step(&batch, plan, &steps[i])) < 0)
			return explain_unsaid(&steps[i], rc, err);
	}
	if ((rc = nl_open(&nl, err)) < 0)
		return rc;
	if ((rc = nl_batch_send(&nl, &batch, &failed)) < 0)
		return explain(failed == NL_NO_MESSAGE ? NULL : &steps[failed], rc, err);
	return 0;
}

static int apply(const struct plan *plan, bool replace, struct err *err)
{
	size_t n = count_steps(plan, replace);
	struct step *steps = calloc(n, sizeof(*steps));
	int rc;

	if (!steps)
		return err_set(err, ENOMEM, "out of memory for the rules");
	list_steps(plan, replace, steps);
	rc = apply_steps(plan, steps, n, err);
	free(steps);
	return rc;
}

int nft_create(const struct plan *plan, struct err *err)
{
	return apply(plan, false, err);
}

int nft_replace(const struct plan *plan, struct err *err)
{
	return apply(plan, true, err);
}

int nft_remove(bool *ret_was_there, struct err *err)
{
	static const struct step step = {.kind = STEP_DELETE_TABLE};
	static const struct plan none;
	cleanup_nl_batch struct nl_batch batch = {0};
	cleanup_nl struct nl nl = {0};
	size_t failed;
	int rc;

	*ret_was_there = false;
	if ((rc = put_table(&batch, NFT_MSG_DELTABLE, 0, &none)) < 0)
		return explain(&step, rc, err);
	if ((rc = nl_open(&nl, err)) < 0)
		return rc == -EOPNOTSUPP ? 0 : rc;
	if ((rc = nl_batch_send(&nl, &batch, &failed)) < 0)
		return means_unknown(rc) ? 0
					 : explain(failed == NL_NO_MESSAGE ? NULL : &step, rc, err);
	*ret_was_there = true;
	return 0;
}

/* --- the backend --- */

static bool is_present(void)
{
	return true; /* reading is as cheap as asking */
}

static int express(const struct plan *plan, struct plan *ret_expressed, struct err *err)
{
	plan_copy(plan, ret_expressed);
	for (size_t i = 0; i < ret_expressed->n_chains && plan->no_comments; i++) {
		struct plan_chain *chain = &ret_expressed->chains[i];

		for (size_t j = 0; j < chain->n_rules; j++)
			chain->rules[j].sentence[0] = '\0';
	}
	return ret_expressed->error
		       ? err_set(err, ret_expressed->error, "out of memory for the rules")
		       : 0;
}

static int apply_expressed(const struct backend_options *options, const struct plan *expressed,
			   bool replace, struct err *err)
{
	int rc = replace ? -EEXIST : nft_create(expressed, err);

	(void)options;
	return rc == -EEXIST ? nft_replace(expressed, err) : rc; /* somebody was faster */
}

static int remove_all(const struct backend_options *options, bool *ret_was_there, struct err *err)
{
	(void)options;
	return nft_remove(ret_was_there, err);
}

static int read_found(const struct backend_options *options, struct plan *ret_found,
		      struct err *err)
{
	(void)options;
	return nft_read(ret_found, err);
}

const struct backend backend_nftables = {
	.name = "nftables",
	.place = "table inet " NFT_TABLE,
	.is_present = is_present,
	.express = express,
	.apply = apply_expressed,
	.remove = remove_all,
	.read = read_found,
};
