/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging to stderr: one line an event, `level: message key=value key="a value"`.
 *
 * On a terminal or in a file a UTC time stamp leads the line; under the journal (JOURNAL_STREAM)
 * the level travels as `<N>` instead, see sd-daemon(3). Safe to call from any thread: each line is
 * one write(2). Nothing on the way of a query logs by default; what a peer can provoke asks
 * log_limit_pass() first, and says how many lines were kept back.
 */
#ifndef MESHDNS_COMMON_LOG_H
#define MESHDNS_COMMON_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above `level` are dropped. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/*
 * For a tool that a person runs and watches: `program: ` leads the line in place of the time stamp.
 * The string is kept, not copied.
 */
void log_set_program(const char *program);

/* Has each line up to `level` written to `fd` too, in the form of a file. It stays open. */
void log_set_copy(int fd, enum log_level level);

/* Parses "error", "warning", "info" or "debug"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *ret_level);

/*
 * `event` is a fixed sentence; `fields` a printf format for the key=value part, or NULL.
 * Control characters in the expanded line are replaced by '?'.
 */
void log_write(enum log_level level, const char *event, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* State of one rate-limited message: at most one line in LOG_LIMIT_MS. Zero-initialised. */
struct log_limit {
	_Atomic int64_t next_ms;
	_Atomic uint32_t suppressed;
};
#define LOG_LIMIT_MS 10000

/* True when the message may be written now; *ret_suppressed is how many were kept back before. */
bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint32_t *ret_suppressed);

#endif
