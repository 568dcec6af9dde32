/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The query log: a line an answer, in the format of CoreDNS' log plugin (its "common" one),
 *
 *   [INFO] 127.0.0.1:50759 - 29008 "A IN redis.mesh. udp 28 false 512" NOERROR qr,aa,rd 44
 * 0.000042s
 *
 * to standard error. Off unless asked for, then sampled and limited to so many lines a second; what
 * was kept back is counted.
 */
#ifndef MESHDNS_RESOLVER_QUERYLOG_H
#define MESHDNS_RESOLVER_QUERYLOG_H

#include <stdio.h>

#include "common/err.h"
#include "resolver/nametext.h"
#include "resolver/tap.h"

#define QUERYLOG_RATE      100 /* lines a second, unless said otherwise */
#define QUERYLOG_NAME_TEXT NAMETEXT_MAX

/* So many a second. Starts zeroed. */
struct querylog_rate {
	int64_t second;
	uint32_t in_second;
};

/* Whether one more may be written now. */
bool querylog_rate_pass(struct querylog_rate *rate, uint32_t max, int64_t now_ms);

struct querylog {
	bool on;
	uint32_t sample, rate;
	int64_t until_ms;                /* INT64_MAX: until it is switched off */
	char suffix[QUERYLOG_NAME_TEXT]; /* ".mesh." or "": all names */
	struct querylog_rate lines;
	uint64_t written, kept_back; /* since the start */
};

/* Switches it on as these words say: sample=N rate=N name=SUFFIX for=SECONDS, each optional. */
int querylog_start(struct querylog *log, char *const *words, size_t n, int64_t now_ms,
		   struct err *err);

/* Writes an event's line, if it is to be written. */
void querylog_event(struct querylog *log, const struct tap_event *event, int64_t now_ms, FILE *out);

/* Name, type and class of the question in `message`, as text; "." "TYPE0" "CLASS0" without one. */
struct querylog_question {
	char name[QUERYLOG_NAME_TEXT], type[16], class[16];
};
void querylog_question(const uint8_t *message, size_t len, struct querylog_question *ret);

#endif
