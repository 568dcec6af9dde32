/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which questions and answers may be kept, and for how long (RFC 2308, RFC 2181 section 5.4, RFC
 * 8767 section 4, RFC 9520). Pure, like reply.h.
 */
#ifndef MESHDNS_RESOLVER_KEEP_H
#define MESHDNS_RESOLVER_KEEP_H

#include "resolver/query.h"

#define KEEP_MAX_S 86400 /* for longer nothing is believed */
/*
 * SERVFAIL, an upstream's or because none answered. If it is the same when the time is over, twice
 * as long the next time (RFC 9520 section 3.2: 1 s to 5 min, backing off).
 */
#define KEEP_FAILURE_S     5
#define KEEP_FAILURE_MAX_S 40

enum keep_kind {
	KEEP_NOT,
	KEEP_ANSWER,  /* records of the type asked for */
	KEEP_NODATA,  /* none of this type; the name may have others */
	KEEP_NXNAME,  /* no such name, whatever the type */
	KEEP_FAILURE, /* SERVFAIL */
};

#define KEEP_FOR_EVER UINT32_MAX

/* How long what may be kept is kept, and what becomes of it then. Indices: is it a denial. */
struct keep_bounds {
	bool off[2];
	uint32_t min_s[2], max_s[2];
	uint32_t failure_s; /* 0: failures are not kept */
	bool keep_ttl;      /* TTLs are told as they were, however old the answer is */
	/* An answer is hot, to be asked for anew in the last part of its time, when it was given
	 * so often (0: never) with no more than the gap between two of them. */
	uint32_t hot, hot_gap_ms, hot_percent;
	/* Beyond its time an answer may be given for so long (0: not at all), to a client that has
	 * waited for so long for a better one. */
	uint32_t stale_s, patience_ms;
};

extern const struct keep_bounds keep_usual;

/*
 * Whether this question's answer is one that others may have: a plain one in class IN with RD, for
 * a type that records have, and without options that could change it (ECS, unknown ones). To be
 * called while the packet that `query` was parsed from is there.
 */
bool keep_takes(const struct query *query);

/*
 * What the reply to it is, which must be REPLY_WHOLE; *ret_ttl_s, 1 to KEEP_MAX_S, is the least TTL
 * in it: one message ages as a whole. A negative one's is that and what its SOA says, which both
 * the TTL and MINIMUM do (RFC 2308 section 5); without a SOA it is not kept, nor is one that is
 * truncated, or whose TTL is 0, or whose rcode goes on in the OPT.
 */
enum keep_kind keep_judge(const struct query *query, uint8_t *reply, size_t len,
			  uint32_t *ret_ttl_s);

/* Makes each TTL but the OPT's at least `min_s` and at most `max_s`, and then `age_s` less, or 0.
 */
void keep_age(const struct query *query, uint8_t *reply, size_t len, uint32_t age_s, uint32_t min_s,
	      uint32_t max_s);

#endif
