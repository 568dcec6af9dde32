/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options as rows: one row an option gives its parser and its line in --help.
 *
 * Accepted forms are those of the tools that meshdns stands in for: `--name value`,
 * `--name=value`; a boolean is `--name`, `--name=true` or `--name=false`. `--` ends the options.
 * Values are borrowed from argv.
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
	OPTION_CALL,   /* `parse` is called with the value: repeatable and odd ones */
};

struct option_row {
	const char *name; /* without the dashes; NULL ends the table */
	enum option_kind kind;
	size_t offset;    /* of the member in the settings struct */
	const char *arg;  /* what the value is called in --help; NULL for a boolean */
	const char *help; /* NULL hides the row (an alias that is explained elsewhere) */
	/* Returns 0 or a negative errno with `err` filled; the row's name is put in front of it. */
	int (*parse)(void *settings, const char *value, struct err *err);
};

/*
 * Parses argv[0..argc-1] into `settings`. Words that are no options are moved to the front of argv
 * in their order and counted in *ret_words. An unknown option is an error that names the nearest
 * known one.
 */
int options_parse(const struct option_row *rows, void *settings, int argc, char **argv,
		  int *ret_words, struct err *err);

/* The rows as the option part of --help. */
void options_print_help(const struct option_row *rows, FILE *out);

/* Decimal number from min to max; false for anything else. */
bool options_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

#endif
