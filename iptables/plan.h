/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: what must be true in the kernel, in nobody's syntax.
 *
 * Policy (redirector/policy.h) makes plans; backends, printers and the comparer consume them. No
 * consumer knows why a rule exists: the rule's sentence says it to people, in the kernel and in
 * every printed form. A plan never touches the system.
 *
 *	plan   sets of addresses, and chains in order
 *	chain  where in the packet's way it hangs (hook, type, priority), or that it is jumped to;
 *and rules in order rule   matches, all of which must hold; one action; one sentence
 *
 * To give the plan a new word: one value in the enum here, one line where plan.c names and checks
 * it, one row in each backend. A backend that cannot say a word refuses the rule with its sentence.
 *
 * Memory: a plan owns everything in it. All zero is an empty plan; plan_free() releases it. Adding
 * never fails at the place: what does not fit is remembered and plan_validate() reports it.
 * Numbers are in host order, addresses in network order.
 */
#ifndef MESHDNS_IPTABLES_PLAN_H
#define MESHDNS_IPTABLES_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/cgroup.h"
#include "common/err.h"

#define PLAN_NAME_MAX       32  /* bytes of a chain's or a set's name with its NUL */
#define PLAN_SENTENCE_MAX   121 /* with NUL: "meshdns/" and it fill the 128 bytes of a comment */
#define PLAN_MATCHES_MAX    8
#define PLAN_CHAINS_MAX     16
#define PLAN_SETS_MAX       8
#define PLAN_ADDRS_MAX      256 /* in one set */
#define PLAN_VERSION_MAX    64

#define PLAN_COMMENT_PREFIX "meshdns/" /* in front of the sentence, in the kernel */

/* What a rule can ask of a packet, each kind at most once. */
enum plan_match_kind {
	PLAN_MATCH_END,      /* ends the list */
	PLAN_MATCH_FAMILY,   /* value: AF_INET or AF_INET6 */
	PLAN_MATCH_PROTOCOL, /* value: IPPROTO_UDP or IPPROTO_TCP */
	PLAN_MATCH_DPORT,    /* value, last: destination port; a protocol must come before it */
	PLAN_MATCH_DADDR,    /* set: destination address is in it; its family must come before it */
	PLAN_MATCH_SPREFIX,  /* prefix: of the source address; likewise */
	PLAN_MATCH_DPREFIX,  /* prefix, negated: of the destination address; likewise */
	PLAN_MATCH_UID,      /* value, last: owner of the local socket; output only */
	PLAN_MATCH_GID,      /* value, last: its group; output only */
	PLAN_MATCH_CGROUP,   /* cgroup: that the local socket was made in or below; output only */
	PLAN_MATCH_MARK,     /* value, mask: the packet's mark, of which these bits count */
	PLAN_MATCH_IIF,      /* interface, begins: that it came in by; prerouting only */
	PLAN_MATCH_OIF,      /* interface, begins: that it goes out by; output only */
	PLAN_MATCH_INVALID,  /* conntrack finds no sense in it; after conntrack only */
	PLAN_MATCH_KINDS,
};

#define PLAN_CGROUP_GONE '?'

struct plan_match {
	enum plan_match_kind kind;
	bool negated; /* holds where it otherwise would not */
	bool begins;  /* any interface whose name begins so */
	union {
		struct {
			uint32_t value;
			union {
				uint32_t last; /* 0, or the end of a range from `value` */
				uint32_t mask; /* not 0; `value` has no other bits */
			};
		};
		struct prefix prefix;
		char set[PLAN_NAME_MAX];
		char interface[PLAN_NAME_MAX]; /* shorter than IFNAMSIZ */
		/*
		 * A path as cgroup_normalize() makes it. Where a backend keeps something else, and
		 * that leads to no cgroup any more, it reads back PLAN_CGROUP_GONE and whatever it
		 * needs to say it again: no path that anybody plans begins so.
		 */
		char cgroup[CGROUP_PATH_MAX];
	};
};

enum plan_action_kind {
	PLAN_ACTION_RETURN,   /* leave the chain: go on behind the jump, or do nothing more */
	PLAN_ACTION_REDIRECT, /* to this machine, to port `value` */
	/*
	 * Track the packet's connection in zone `value`, the original direction alone: replies
	 * are looked up in the default zone. Leaves the chain: the first zone given stays.
	 */
	PLAN_ACTION_ZONE,
	PLAN_ACTION_JUMP, /* to the chain `name`, which hangs on no hook */
	PLAN_ACTION_DROP,
	PLAN_ACTION_LOG, /* in the kernel's log, `name` in front, syslog level `value`; go on */
	PLAN_ACTION_KINDS,
};

struct plan_action {
	enum plan_action_kind kind;
	uint16_t value;
	char name[PLAN_NAME_MAX];
};

struct plan_rule {
	struct plan_match matches[PLAN_MATCHES_MAX + 1]; /* to the first PLAN_MATCH_END */
	struct plan_action action;
	char sentence[PLAN_SENTENCE_MAX];
	uint64_t packets, bytes; /* what it has met; no part of what the rule is */
};

enum plan_hook {
	PLAN_HOOK_NONE,       /* the chain is jumped to; it has neither type nor priority */
	PLAN_HOOK_OUTPUT,     /* packets that this machine makes */
	PLAN_HOOK_PREROUTING, /* packets that come in, for this machine or another */
	PLAN_HOOKS,
};

enum plan_chain_type {
	PLAN_CHAIN_FILTER, /* sees each packet */
	PLAN_CHAIN_NAT,    /* sees the first packet of a connection, after conntrack */
	PLAN_CHAIN_TYPES,
};

/* Netfilter's numbers: where conntrack and the customary tables stand on a hook. */
#define PLAN_PRIORITY_RAW       (-300)
#define PLAN_PRIORITY_CONNTRACK (-200)
#define PLAN_PRIORITY_MANGLE    (-150)
#define PLAN_PRIORITY_DNAT      (-100)

/*
 * In front of other tools' NAT rules, and behind them. The first rule that translates a connection
 * decides. A backend without priorities puts its rules first or last among those that are there.
 */
#define PLAN_PRIORITY_BEFORE_DNAT (PLAN_PRIORITY_DNAT - 10)
#define PLAN_PRIORITY_AFTER_DNAT  (PLAN_PRIORITY_DNAT + 10)

/* Of a chain that was read back by a backend that cannot tell. It equals any. */
#define PLAN_PRIORITY_UNKNOWN INT32_MIN

struct plan_chain {
	char name[PLAN_NAME_MAX];
	enum plan_hook hook;
	enum plan_chain_type type;
	int32_t priority;
	size_t n_rules;
	struct plan_rule *rules;
};

struct plan_set {
	char name[PLAN_NAME_MAX];
	sa_family_t family;
	char sentence[PLAN_SENTENCE_MAX]; /* where they come from, "" where that is not known */
	size_t n_addrs;
	struct addr *addrs; /* ascending, each once, without scope */
};

struct plan {
	size_t n_sets, n_chains;
	struct plan_set sets[PLAN_SETS_MAX];
	struct plan_chain chains[PLAN_CHAINS_MAX];
	int error;        /* the first thing that did not fit: -ENOMEM or -E2BIG */
	bool no_comments; /* the sentences are not for the kernel */
	/* Of a plan that was read back: its rules' counters count, and who installed it. */
	bool installed;
	char version[PLAN_VERSION_MAX]; /* "" where that is not known */
};

void plan_free(struct plan *plan);

#define cleanup_plan __attribute__((cleanup(plan_free)))

/*
 * Each returns the new member, which stays where it is as long as the plan lives; NULL when it did
 * not fit, and NULL may be handed on to plan_add_addr() and plan_add_rule().
 */
struct plan_set *plan_add_set(struct plan *plan, const char *name, sa_family_t family);
struct plan_chain *plan_add_chain(struct plan *plan, const char *name, enum plan_hook hook,
				  enum plan_chain_type type, int32_t priority);
struct plan_chain *plan_add_subchain(struct plan *plan, const char *name); /* PLAN_HOOK_NONE */

/* Adds the address without its scope, in its place; an address that is there already is no error.
 */
void plan_add_addr(struct plan *plan, struct plan_set *set, const struct addr *addr);

/* Appends the match; one too many makes the rule invalid. */
void plan_add_match(struct plan_rule *rule, struct plan_match match);

/* Fills an empty plan with a copy of another. */
void plan_copy(const struct plan *plan, struct plan *ret_copy);

/* Appends a copy of `rule`. */
void plan_add_rule(struct plan *plan, struct plan_chain *chain, const struct plan_rule *rule);

const struct plan_set *plan_find_set(const struct plan *plan, const char *name);
const struct plan_chain *plan_find_chain(const struct plan *plan, const char *name);
struct plan_chain *plan_get_chain(struct plan *plan, const char *name); /* to change it */

/* The rule's match of that kind, or NULL. */
const struct plan_match *plan_rule_match(const struct plan_rule *rule, enum plan_match_kind kind);

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b);

/*
 * Refuses what no backend could mean: a rule without match or sentence, a port without protocol, a
 * set that is not there or of another family, a redirection outside a NAT chain, a zone after
 * conntrack, a jump to nowhere or in a circle, a chain that nothing leads to, ... -EINVAL, or
 * -ENOMEM or -E2BIG when something did not fit.
 */
int plan_validate(const struct plan *plan, struct err *err);

/* Words for people and JSON; NULL for a value that is none. */
const char *plan_hook_name(enum plan_hook hook);
const char *plan_chain_type_name(enum plan_chain_type type);

/* "of uid 5678": one of the words of plan_rule_format(). */
#define PLAN_MATCH_TEXT_MAX (CGROUP_PATH_MAX + 16)
const char *plan_match_format(const struct plan_match *m, char buf[PLAN_MATCH_TEXT_MAX]);

/* One line, no newline: "udp to port 53 of uid 5678 -> return". */
#define PLAN_RULE_TEXT_MAX (PLAN_MATCHES_MAX * PLAN_MATCH_TEXT_MAX + 128)
const char *plan_rule_format(const struct plan_rule *rule, char buf[PLAN_RULE_TEXT_MAX]);

/* One line, no newline: "chain NAME (output hook, type nat, priority -100)". */
#define PLAN_CHAIN_TEXT_MAX 128
const char *plan_chain_format(const struct plan_chain *chain, char buf[PLAN_CHAIN_TEXT_MAX]);

/* The whole plan as text, with counters where they count. Negative errno when `out` cannot be
 * written. */
int plan_print(const struct plan *plan, FILE *out, struct err *err);

/* The whole plan as one JSON object; its form is in meshdns-redirect(8). */
int plan_print_json(const struct plan *plan, FILE *out, struct err *err);

/*
 * Calls `report` (unless it is NULL) for each difference: with '-' for what was found and is not
 * wanted, '+' for what is wanted and was not found, and a line of text that lives until it returns.
 * The order of rules counts; that of sets and chains does not, for their names and priorities say
 * what they are. Returns the number of differences, 0 = the same.
 */
typedef void plan_diff_fn(char sign, const char *text, void *arg);
size_t plan_diff(const struct plan *found, const struct plan *wanted, plan_diff_fn *report,
		 void *arg);

#endif
