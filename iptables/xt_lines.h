/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of iptables' tables is ours, in one family, as lines: what iptables-save prints of it, or
 * what an expressed plan wants; and the document for iptables-restore that leads from one to the
 * other.
 *
 * Ours are the chains whose names begin with MESHDNS_, all that is in them, and in the built-in
 * chains the rules that jump to them, the hooks. Nothing else is ever written: the document says
 * --noflush, and names no other chain and no other rule.
 */
#ifndef MESHDNS_IPTABLES_XT_LINES_H
#define MESHDNS_IPTABLES_XT_LINES_H

#include <stdio.h>

#include "common/err.h"
#include "iptables/plan.h"
#include "iptables/xt_rule.h"

#define XT_SAVE_MAX ((size_t)64 << 20) /* bytes of iptables-save's output */

enum xt_line_kind {
	XT_LINE_CHAIN, /* text: its name */
	XT_LINE_RULE,  /* text: "CHAIN" and the rest of the rule */
	XT_LINE_HOOK,  /* likewise, the chain being a built-in one */
};

struct xt_line {
	enum xt_table table;
	enum xt_line_kind kind;
	size_t position;         /* of a hook, from 1; 0: the last */
	size_t others_behind;    /* of a hook that was read: rules of others behind it */
	size_t others_before;    /* likewise, before it */
	uint64_t packets, bytes; /* of a rule or a hook */
	char *text;
};

/* In a hook's comment, behind the version: where among the rules of others it was put. */
#define XT_BEFORE_OTHERS "before other rules"
#define XT_BEHIND_OTHERS "behind other rules"

/* The built-in chain of a hook. */
const char *xt_hook_chain(enum plan_hook hook);

/* All zero is an empty one; it owns its texts. */
struct xt_lines {
	size_t n, size;
	struct xt_line *list;
};

void xt_lines_free(struct xt_lines *lines);

#define cleanup_xt_lines __attribute__((cleanup(xt_lines_free)))

/* Takes the text, also when it fails: -ENOMEM. */
int xt_lines_add(struct xt_lines *lines, struct xt_line line);

/* From an expressed plan, what concerns one family. -ENOMEM. */
int xt_lines_of_plan(const struct plan *plan, sa_family_t family, struct xt_lines *ret_lines,
		     struct err *err);

/* From the output of `iptables-save -c`, which is overwritten. -ENOMEM, or -EBADMSG. */
int xt_lines_of_save(char *text, struct xt_lines *ret_lines, struct err *err);

/*
 * Adds to a plan what lines that were read say. -EBADMSG: somebody has put into our chains what no
 * plan says; `err` tells what, and the plan has the rest.
 */
int xt_lines_to_plan(const struct xt_lines *lines, sa_family_t family, struct plan *plan,
		     struct err *err);

/* With the plan of both families: -EBADMSG when a chain hangs in one of them only. */
int xt_lines_check_hooks(const struct xt_lines *lines, sa_family_t family, const struct plan *plan,
			 struct err *err);

/*
 * Writes the document that makes of `there` what is `wanted`: in one step a table, what captures
 * being last to come and first to go.
 */
void xt_lines_print(const struct xt_lines *there, const struct xt_lines *wanted, FILE *out);

#endif
