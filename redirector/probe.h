/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real questions, each asked by a process of its own as a user of its own, to see who answers. */
#ifndef MESHDNS_REDIRECTOR_PROBE_H
#define MESHDNS_REDIRECTOR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/err.h"
#include "iptables/plan.h"

enum probe_result {
	PROBE_RESOLVER,    /* meshdns-resolver answered */
	PROBE_ANSWER,      /* somebody answered */
	PROBE_SERVFAIL,    /* somebody answered that he could not find out */
	PROBE_SILENCE,     /* nobody did */
	PROBE_REFUSED,     /* nobody listens there */
	PROBE_UNREACHABLE, /* there is no way to the server */
	PROBE_FAILED,      /* we could not ask */
};

struct probe {
	struct addr server;
	int protocol; /* IPPROTO_UDP or IPPROTO_TCP */
	uid_t uid;    /* as whom, where `owner` does not say otherwise */
	gid_t gid;
	/* NULL, or what the question must match to be left alone; borrowed. */
	const struct plan_match *owner;
	/*
	 * False: which resolver are you (version.bind), which ours answers by itself. True: for a
	 * name that nobody can have seen before and that only the outside can know about.
	 */
	bool outside;
	pid_t pid; /* used by probe_ask() */
	enum probe_result result;
};

/* Asks all at once, for some seconds at most, and fills in the results. -EPERM: cannot become them.
 */
int probe_ask(struct probe *probes, size_t n, struct err *err);

const char *probe_result_name(enum probe_result result);

#endif
