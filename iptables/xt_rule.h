/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan in the words of iptables, and one rule of it as the line that iptables-save prints.
 *
 * iptables knows one family a program, addresses but no sets, and prints the matches of a rule in
 * an order of its own. So a plan is first expressed: each rule once a family and once an address,
 * its matches in that order. What is expressed is a plan as good as any; what is read back from the
 * kernel is in the same form, and so the two can be compared.
 */
#ifndef MESHDNS_IPTABLES_XT_RULE_H
#define MESHDNS_IPTABLES_XT_RULE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"
#include "iptables/plan.h"

#define XT_CHAIN_PREFIX "MESHDNS_" /* of each chain that is ours */
#define XT_CHAIN_MAX    29         /* bytes of a chain's name with its NUL, iptables' limit */

/* In the order in which they are installed: what captures comes last. */
enum xt_table { XT_RAW, XT_MANGLE, XT_NAT, XT_TABLES };

const char *xt_table_name(enum xt_table table);

/* Where iptables puts a chain of that type and priority; XT_TABLES: nowhere. */
enum xt_table xt_table_of(const struct plan_chain *chain);

/*
 * Expresses a valid plan for the families that are wanted. Rules come out IPv4 first, each with its
 * family in front. -EOPNOTSUPP for what iptables has no word for; `err` names the rule.
 */
int xt_express(const struct plan *plan, bool ipv6, struct plan *ret_expressed, struct err *err);

/* Puts the matches into the order of iptables-save; and whether there is a word for a kind of
 * match. */
void xt_rule_sort(struct plan_rule *rule);
bool xt_rule_has_word(enum plan_match_kind kind);

/* "output-nat" is MESHDNS_OUTPUT_NAT there; xt_chain_parse() is false for a chain of others. */
const char *xt_chain_name(const char *name, char buf[XT_CHAIN_MAX]);
bool xt_chain_parse(const char *text, char ret_name[PLAN_NAME_MAX]);

/* Writes what stands behind "-A CHAIN" for an expressed rule, with a blank in front. */
void xt_rule_print(const struct plan_rule *rule, FILE *out);

/*
 * The reverse, of the words behind "-A CHAIN": false when they are not in every detail what
 * xt_rule_print() writes for some rule, for then somebody else made it.
 */
bool xt_rule_parse(size_t n_words, char *const *words, sa_family_t family,
		   struct plan_rule *ret_rule);

/* A word as iptables-restore reads it: quoted where it must be. */
void xt_word_print(const char *word, FILE *out);

/*
 * Cuts a line into at most `max` words, in place, as iptables-restore does. Returns how many, or
 * `max` + 1 when there are more or a quote does not end.
 */
size_t xt_words(char *line, size_t max, char **ret_words);

#endif
