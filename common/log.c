/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static enum log_level threshold = LOG_LEVEL_INFO;
static const char *program_name;

static const struct {
	const char *name;
	int syslog; /* syslog(3) priority, as sd-daemon(3) wants it */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARNING] = {"warning", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_program(const char *program)
{
	program_name = program;
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (!strcmp(text, levels[i].name)) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(line, size, "<%d>", levels[level].syslog);
	if (program_name)
		return (size_t)snprintf(line, size, "%s: ", program_name);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, size - n, ".%03ldZ ", now.tv_nsec / 1000000);
	return n;
}

void log_write(enum log_level level, const char *event, const char *fields, ...)
{
	char line[LINE_MAX_BYTES];
	size_t n;

	if (level > threshold)
		return;
	n = put_prefix(line, sizeof(line), level);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: %s", levels[level].name, event);
	if (fields && n < sizeof(line) - 1) {
		va_list ap;

		line[n++] = ' ';
		va_start(ap, fields);
		n += (size_t)vsnprintf(line + n, sizeof(line) - n, fields, ap);
		va_end(ap);
	}
	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1; /* cut, and the newline still fits */
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to complain */
}

bool log_limit_pass(struct log_limit *limit, int64_t now_ms, uint32_t *ret_suppressed)
{
	int64_t next = atomic_load_explicit(&limit->next_ms, memory_order_relaxed);

	if (now_ms < next ||
	    !atomic_compare_exchange_strong(&limit->next_ms, &next, now_ms + LOG_LIMIT_MS)) {
		atomic_fetch_add_explicit(&limit->suppressed, 1, memory_order_relaxed);
		return false;
	}
	*ret_suppressed = atomic_exchange(&limit->suppressed, 0);
	return true;
}
