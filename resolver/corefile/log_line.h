/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of `log`, as CoreDNS' plugin of that name writes them: a format with placeholders,
 * taken apart once. Pure.
 *
 *   {type} {class} {name} {proto} {remote} {port} {local} {size}   of the question
 *   {>id} {>opcode} {>do} {>bufsize}
 *   {rcode} {>rflags} {rsize} {duration}                           of the answer
 *
 * {/NAME} is CoreDNS' metadata, of which there is none: "-". What else is in braces stands as it
 * is. Nothing from the network gets into a line but in its escaped form.
 */
#ifndef MESHDNS_COREFILE_LOG_LINE_H
#define MESHDNS_COREFILE_LOG_LINE_H

#include "resolver/corefile/corefile.h"

#define LOG_LINE_MAX 4096 /* with its NUL; what is longer is cut */

#define LOG_FORMAT_COMMON                                                                    \
	"{remote}:{port} - {>id} \"{type} {class} {name} {proto} {size} {>do} {>bufsize}\" " \
	"{rcode} {>rflags} {rsize} {duration}"
#define LOG_FORMAT_COMBINED LOG_FORMAT_COMMON " \"{>opcode}\""

/* NULL when out of memory. `format` is borrowed. */
struct log_format *log_line_compile(struct arena *arena, const char *format);

/* What is not in the answer itself. */
struct log_line_facts {
	struct endpoint remote;
	struct addr local; /* family 0: not known, "-" */
	bool is_tcp, dnssec_ok;
	uint16_t edns_size; /* the client's; 0: it has no EDNS */
	uint32_t query_size, answer_size;
	int64_t duration_us;
	const uint8_t *answer; /* at least its header and question, `kept` octets */
	size_t kept;
};

/* Writes the line, without a newline; its length. */
size_t log_line_write(const struct log_format *format, const struct log_line_facts *facts,
		      char ret_line[LOG_LINE_MAX]);

/* The first of the directives that is about the name decides; NULL: none is. */
const struct corefile_log *log_line_find(const struct corefile_log *logs, const uint8_t *name,
					 size_t len);

/*
 * LOG_SUCCESS, LOG_DENIAL (no such name, or no such data, with the SOA that says so) or LOG_ERROR:
 * which of the classes the whole answer is of.
 */
unsigned int log_line_class(const uint8_t *answer, size_t len);

#endif
