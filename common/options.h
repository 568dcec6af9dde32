/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options as rows: one row an option gives its flag, its environment variable, its key in
 * configuration files and its line in --help.
 *
 * Accepted forms of a flag are those of the tools that meshdns stands in for: `--name value`,
 * `--name=value`; a boolean is `--name`, `--name=true` or `--name=false`; one dash does as well, as
 * for CoreDNS. `--` ends the options.
 * Values are borrowed from argv and the environment.
 */
#ifndef MESHDNS_COMMON_OPTIONS_H
#define MESHDNS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum option_kind {
	OPTION_BOOL,   /* bool at `offset` */
	OPTION_STRING, /* const char * at `offset` */
	OPTION_PORT,   /* uint16_t at `offset`, 1 to 65535 */
	OPTION_NUMBER, /* uint32_t at `offset`, `min` to `max` */
	OPTION_CALL,   /* `parse` is called with the value: odd ones */
	/*
	 * `parse` appends what is in the value, which may be nothing; the number of items is the
	 * size_t at `offset`. Flags add up; another place's list takes the place of what was there.
	 */
	OPTION_LIST,
	OPTION_UNUSED,    /* taken and ignored, unless `parse` is there and objects */
	OPTION_REMOVED,   /* refused: `help` says what to do instead */
	OPTION_ELSEWHERE, /* refused: it is for the command `only` alone */
	OPTION_TITLE,     /* no option: `help` is the title of those that follow */
};

/* Rows in a table at most. */
#define OPTIONS_MAX 128

struct option_row {
	const char *name; /* of the flag, without the dashes; "": no flag; NULL ends the table */
	enum option_kind kind;
	size_t offset;    /* of the member in the settings struct */
	const char *arg;  /* what the value is called in --help; NULL: may be left out (boolean) */
	const char *help; /* NULL hides the row (an alias that is explained elsewhere) */
	/* Returns 0 or a negative errno with `err` filled; the caller says which option it was. */
	int (*parse)(void *settings, const char *value, struct err *err);
	const char *env;   /* the variable's name behind the prefix, or NULL */
	const char *only;  /* the one command of those that share the table; NULL: all of them */
	const char *key;   /* the path in a configuration file, "redirect.dns.port", or NULL */
	uint32_t min, max; /* of an OPTION_NUMBER */
};

/*
 * Copies the table for one of the commands that share it: what is for another becomes
 * OPTION_ELSEWHERE. `ret_rows` has room for OPTIONS_MAX rows and the end.
 */
void options_rows_for(const struct option_row *rows, const char *command,
		      struct option_row ret_rows[OPTIONS_MAX + 1]);

/*
 * Parses argv[0..argc-1] into `settings`. Words that are no options are moved to the front of argv
 * in their order and counted in *ret_words. An unknown option is an error that names the nearest
 * known one.
 */
int options_parse(const struct option_row *rows, void *settings, int argc, char **argv,
		  int *ret_words, struct err *err);

/*
 * Parses those of `variables`, which is as environ(7), that begin with `prefix`. One that no row
 * knows is somebody else's, perhaps: it gets a warning that names the nearest known one.
 */
int options_parse_env(const struct option_row *rows, void *settings, const char *prefix,
		      char **variables, struct err *err);

/* The row of a flag, without its dashes; NULL: there is none. */
const struct option_row *options_find(const struct option_row *rows, const char *name);

/* One value for one option; `err` does not say of which. A NULL value means true. */
int options_set(const struct option_row *row, void *settings, const char *value, struct err *err);

/* Empties an OPTION_LIST; nothing for others. */
void options_clear(const struct option_row *row, void *settings);

/* The rows as the option part of --help. */
void options_print_help(const struct option_row *rows, FILE *out);

/* Decimal number from min to max; false for anything else. */
bool options_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

#endif
