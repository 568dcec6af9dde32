/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/errors_log.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/corefile/mnemonic.h"
#include "resolver/nametext.h"

/* What was counted of one pattern. */
struct counter {
	const struct corefile_consolidate *pattern;
	uint32_t count;
	int64_t due_ms; /* while count is above 0 */
};

struct errors_log {
	struct regex_scratch scratch;
	size_t n;
	struct counter counters[];
};

struct errors_log *errors_new(const struct corefile_errors *config)
{
	struct errors_log *log;
	size_t n = 0;

	for (const struct corefile_consolidate *c = config->consolidate; c; c = c->next)
		n++;
	if (!(log = calloc(1, sizeof(*log) + n * sizeof(*log->counters))))
		return NULL;
	for (const struct corefile_consolidate *c = config->consolidate; c; c = c->next)
		log->counters[log->n++].pattern = c;
	return log;
}

void errors_free(struct errors_log *log)
{
	if (log)
		regex_scratch_free(&log->scratch);
	free(log);
}

/* Messages can have words of the network in them. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static struct counter *find(struct errors_log *log, const char *message)
{
	for (size_t i = 0; i < log->n; i++) {
		if (regex_match(log->counters[i].pattern->regex, &log->scratch, message,
				strlen(message), NULL))
			return &log->counters[i];
	}
	return NULL;
}

/* True: it is to be told all the same. */
static bool count(struct counter *c, int64_t now_ms)
{
	if (c->count == 0)
		c->due_ms = now_ms + c->pattern->period_ms;
	if (c->count < UINT32_MAX)
		c->count++;
	return c->count == 1 && c->pattern->show_first;
}

bool errors_note(struct errors_log *log, int64_t now_ms, uint16_t rcode, const uint8_t *name,
		 uint16_t type, const char *message, char ret_line[ERRORS_LINE_MAX],
		 enum corefile_level *ret_level)
{
	struct counter *c = find(log, message);
	char text[NAMETEXT_MAX], number[MNEMONIC_TEXT_MAX];

	if (c && !count(c, now_ms))
		return false;
	nametext_write(name, text);
	snprintf(ret_line, ERRORS_LINE_MAX, "%u %s %s: %s", rcode, text,
		 mnemonic_type_text(type, number), message);
	make_printable(ret_line);
	*ret_level = c ? c->pattern->level : COREFILE_ERROR;
	return true;
}

int64_t errors_due_ms(const struct errors_log *log)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < log->n; i++) {
		if (log->counters[i].count && log->counters[i].due_ms < due)
			due = log->counters[i].due_ms;
	}
	return due;
}

/* As Go writes durations: 30s, 1m30s, 1h0m0s, 500ms. */
static void write_period(uint32_t ms, char text[32])
{
	uint32_t hours = ms / 3600000, minutes = ms / 60000 % 60;
	double seconds = ms % 60000 / 1000.0;

	if (ms < 1000)
		snprintf(text, 32, "%ums", ms);
	else if (hours)
		snprintf(text, 32, "%uh%um%gs", hours, minutes, seconds);
	else if (minutes)
		snprintf(text, 32, "%um%gs", minutes, seconds);
	else
		snprintf(text, 32, "%gs", seconds);
}

bool errors_summary(struct errors_log *log, int64_t now_ms, char ret_line[ERRORS_LINE_MAX],
		    enum corefile_level *ret_level)
{
	for (size_t i = 0; i < log->n; i++) {
		struct counter *c = &log->counters[i];
		uint32_t n = c->count;
		char period[32];

		if (n == 0 || c->due_ms > now_ms)
			continue;
		c->count = 0;
		if (n == 1 && c->pattern->show_first)
			continue; /* it has been told */
		write_period(c->pattern->period_ms, period);
		snprintf(ret_line, ERRORS_LINE_MAX, "%u errors like '%s' occurred in last %s", n,
			 c->pattern->pattern, period);
		make_printable(ret_line);
		*ret_level = c->pattern->level;
		return true;
	}
	return false;
}
