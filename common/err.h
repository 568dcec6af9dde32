/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error a caller can print.
 *
 * A function that can fail returns 0 (or a count) or a negative errno and fills the `struct err`
 * it was given, where the fact is known: the thing, what was tried, why, and what to do about it.
 * main() prints it once. Nothing here allocates, logs or exits; a NULL err is allowed everywhere.
 */
#ifndef MESHDNS_COMMON_ERR_H
#define MESHDNS_COMMON_ERR_H

struct err {
	int code;      /* negative errno, 0 = no error */
	char msg[512]; /* one sentence or two, no newline, no capital, no full stop */
};

/* Sets message and code (`code` may have either sign); returns the negative code. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message; returns the code that is there. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Text of an errno value of either sign. Never allocates and calls nothing that a system-call
 * filter might forbid, unlike strerror().
 */
const char *err_text(int code);

#endif
