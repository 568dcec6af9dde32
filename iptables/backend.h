/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways to put a plan into the kernel, and which one to take.
 *
 * A backend says a plan in its own words: express() makes of it the plan that read() will return
 * when it is installed. Two plans are compared in that form. All of them work on the calling
 * thread's network namespace, write nothing but what is theirs, and leave things as they were when
 * they fail.
 */
#ifndef MESHDNS_IPTABLES_BACKEND_H
#define MESHDNS_IPTABLES_BACKEND_H

#include <stdbool.h>

#include "common/err.h"
#include "iptables/plan.h"

/* Programs of iptables that are run, and for each family one. */
enum backend_program { BACKEND_SAVE, BACKEND_RESTORE, BACKEND_PROGRAMS };

struct backend_options {
	const char *name; /* of the backend, as --backend takes it; NULL or "auto": to be chosen */
	bool default_iptables; /* then: the flavour that iptables alone is of, for others run that
				*/
	/* iptables alone: */
	unsigned int lock_wait_s, lock_interval_us; /* for the lock of the legacy flavour */
	unsigned int retries, retry_sleep_ms;
	const char *programs[BACKEND_PROGRAMS][2]; /* by family, IPv4 first; NULL: looked for */
};

struct backend {
	const char *name;  /* as --backend takes it */
	const char *place; /* what it writes, for people */

	/* Whether there may be something of ours, found out without running anything. */
	bool (*is_present)(void);

	/* Fills an empty plan. -EOPNOTSUPP: this backend cannot say it. */
	int (*express)(const struct plan *plan, struct plan *ret_expressed, struct err *err);

	/*
	 * Makes the kernel hold an expressed plan. `replace`: rules of ours have been seen there,
	 * which need not be true any more. -EPERM without the privileges; -EOPNOTSUPP when the
	 * machine lacks something, which `err` names; -ENOBUFS: the answer was lost, a look tells.
	 */
	int (*apply)(const struct backend_options *options, const struct plan *expressed,
		     bool replace, struct err *err);
	int (*remove)(const struct backend_options *options, bool *ret_was_there, struct err *err);

	/*
	 * Fills an empty plan with what there is, counters and version included. -ENOENT: nothing.
	 * -EBADMSG: among it is what no plan says; the plan has the rest.
	 */
	int (*read)(const struct backend_options *options, struct plan *ret_found, struct err *err);

	/* Prints what apply() would hand over to others, for a dry run; NULL: to nobody. */
	int (*print)(const struct plan *expressed, FILE *out, struct err *err);
};

#define BACKENDS 3
extern const struct backend *const backends[BACKENDS];

/* By --backend's name; NULL: no such backend. */
const struct backend *backend_find(const char *name);

/*
 * The backend to install with: the one that is asked for; else the `turn`th of those that may do,
 * in the order in which they should be tried, NULL behind the last. *ret_why says why it is this
 * one.
 */
const struct backend *backend_candidate(const struct backend_options *options, size_t turn,
					const char **ret_why);

/*
 * Reads what is installed, by whichever backend; *ret_backend is NULL when nothing is. Returns what
 * its read() does, but 0 for nothing. When more than one has rules it is -EBADMSG.
 */
int backend_read(const struct backend_options *options, struct plan *ret_found,
		 const struct backend **ret_backend, struct err *err);

/* Removes what is there, by every backend but `kept` (NULL: every one). */
int backend_remove(const struct backend_options *options, const struct backend *kept,
		   bool *ret_was_there, struct err *err);

#endif
