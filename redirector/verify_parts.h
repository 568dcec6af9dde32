/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify.c, which asks and judges, and verify_explain.c, which explains, tell each other. */
#ifndef MESHDNS_REDIRECTOR_VERIFY_PARTS_H
#define MESHDNS_REDIRECTOR_VERIFY_PARTS_H

#include <jansson.h>

#include "common/user.h"
#include "redirector/compare.h"
#include "redirector/host.h"
#include "redirector/probe.h"

/* Redirected connections while we ask: no host has so many, a loop has. */
#define VERIFY_LOOP_PACKETS 1000

#define VERIFY_PROBES_MAX   (HOST_NAMESERVERS_MAX * (2 * (1 + OWNERS_MAX) + 1) + 3)

/* The first probes: for a name outside, of whom. */
enum {
	OUTSIDE_OF_USER,     /* an ordinary user, of a nameserver of resolv.conf */
	OUTSIDE_OF_PROXY,    /* the proxy user, of a server that is no stub, if there is one */
	OUTSIDE_BEHIND_STUB, /* the proxy user, of systemd-resolved's stub, if it has servers */
};

struct verify {
	const struct settings *settings;
	struct host host;
	struct user user, resolved; /* who asks, and as whom systemd-resolved does */
	bool has_resolved;          /* somebody is that user */
	bool asks_stub;             /* OUTSIDE_BEHIND_STUB is among the probes */
	struct compare compare;
	/* Of the nameservers that the settings capture. */
	size_t n_servers, n_beyond_reach;
	struct addr servers[HOST_NAMESERVERS_MAX], beyond_reach[HOST_NAMESERVERS_MAX];
	size_t n_probes;
	struct probe probes[VERIFY_PROBES_MAX];
	uint64_t redirected; /* connections, while we asked */
	bool comes_back;     /* what the resolver asks the stub */
	bool failed;
	json_t *checks, *causes;
};

/* Whether a probe that was asked has the result that it should have. */
bool verify_passes(const struct verify *v, const struct probe *probe);

/* Adds likely causes of what failed, and what our questions do not meet but programs do. */
void verify_explain(struct verify *v);

#endif
