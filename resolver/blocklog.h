/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the blocks of a Corefile want told: `log` a line an answer, `errors` what went wrong, both
 * in the form of CoreDNS' lines. Written by the control thread, to standard error, out of what the
 * workers leave in their rings (tap.h); so many lines a second at most, what is kept back is
 * counted.
 */
#ifndef MESHDNS_RESOLVER_BLOCKLOG_H
#define MESHDNS_RESOLVER_BLOCKLOG_H

#include <stdio.h>

#include "resolver/publish.h"
#include "resolver/querylog.h"

#define BLOCKLOG_ERRORS_MS 1000 /* between looks for errors, while nothing else is looked for */

struct block_errors;
struct listener;

struct blocklog {
	const struct publish *services;   /* of struct service */
	const struct listener *listeners; /* a worker's */
	struct block_errors *errors;      /* one for each block that had some */
	struct querylog_rate log_rate, errors_rate;
};

/* Whether a block has `log`, or `errors`. */
bool blocklog_has_log(const struct blocklog *log);
bool blocklog_has_errors(const struct blocklog *log);

/* Writes what is to be written of an event. */
void blocklog_event(struct blocklog *log, const struct tap_event *event, int64_t now_ms, FILE *out);

/* Tells the summaries that are due; returns when the next one is. */
int64_t blocklog_run(struct blocklog *log, int64_t now_ms, FILE *out);

/* The blocks are others from here on: tells what there is to be summed up, and forgets it. */
void blocklog_reset(struct blocklog *log, int64_t now_ms, FILE *out);

#endif
