/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static enum log_level threshold = LOG_LEVEL_INFO, copy_threshold;
static const char *program_name;
static int copy_fd = -1;

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

void log_set_copy(int fd, enum log_level level)
{
	copy_fd = fd;
	copy_threshold = level;
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

static size_t put_time(char *line, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(line + n, size - n, ".%03ldZ ", now.tv_nsec / 1000000);
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	if (getenv("JOURNAL_STREAM"))
		return (size_t)snprintf(line, size, "<%d>", levels[level].syslog);
	if (program_name)
		return (size_t)snprintf(line, size, "%s: ", program_name);
	return put_time(line, size);
}

/* `line` has LINE_MAX_BYTES, of which `n` are the prefix. */
__attribute__((format(printf, 6, 0))) static void write_line(int fd, char *line, size_t n,
							     enum log_level level,
							     const char *event, const char *fields,
							     va_list ap)
{
	const size_t size = LINE_MAX_BYTES;

	n += (size_t)snprintf(line + n, size - n, "%s: %s", levels[level].name, event);
	if (fields && n < size - 1) {
		line[n++] = ' ';
		n += (size_t)vsnprintf(line + n, size - n, fields, ap);
	}
	if (n > size - 1)
		n = size - 1; /* cut, and the newline still fits */
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[n++] = '\n';
	if (write(fd, line, n) < 0)
		return; /* nowhere left to complain */
}

void log_write(enum log_level level, const char *event, const char *fields, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	if (level <= threshold) {
		va_start(ap, fields);
		write_line(STDERR_FILENO, line, put_prefix(line, sizeof(line), level), level, event,
			   fields, ap);
		va_end(ap);
	}
	if (copy_fd >= 0 && level <= copy_threshold) {
		va_start(ap, fields);
		write_line(copy_fd, line, put_time(line, sizeof(line)), level, event, fields, ap);
		va_end(ap);
	}
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
