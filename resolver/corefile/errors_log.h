/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `errors` tells of errors, and how often, as CoreDNS' plugin of that name does: one that
 * matches a `consolidate` pattern is counted, and the count is told when the pattern's period is
 * over, which begins with the first error. With show_first that one is told at once, and the count
 * only if others followed. The first pattern that matches takes the error.
 *
 * One thread's; no clock but what it is told.
 */
#ifndef MESHDNS_COREFILE_ERRORS_LOG_H
#define MESHDNS_COREFILE_ERRORS_LOG_H

#include "resolver/corefile/corefile.h"

#define ERRORS_LINE_MAX 2048 /* with its NUL; what is longer is cut */

struct errors_log;

/* NULL when out of memory. `config` is borrowed. */
struct errors_log *errors_new(const struct corefile_errors *config);
void errors_free(struct errors_log *log);

/*
 * An error with that rcode, of the question's name and type, at a monotonic time. True: the line is
 * to be told now, at *ret_level. False: it was counted. What is not printable in it is "?".
 */
bool errors_note(struct errors_log *log, int64_t now_ms, uint16_t rcode, const uint8_t *name,
		 uint16_t type, const char *message, char ret_line[ERRORS_LINE_MAX],
		 enum corefile_level *ret_level);

/* When the next summary is due; INT64_MAX: none is. */
int64_t errors_due_ms(const struct errors_log *log);

/*
 * One summary that is due, until there is none: call it again while it is true. INT64_MAX as time
 * gives what there is, for the end.
 */
bool errors_summary(struct errors_log *log, int64_t now_ms, char ret_line[ERRORS_LINE_MAX],
		    enum corefile_level *ret_level);

#endif
