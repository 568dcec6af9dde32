/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

bool options_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end || errno || value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

static const struct option_row *find_row(const struct option_row *rows, const char *name,
					 size_t len)
{
	for (; rows->name; rows++) {
		if (strlen(rows->name) == len && !memcmp(rows->name, name, len))
			return rows;
	}
	return NULL;
}

static int unknown_option(const struct option_row *rows, const char *name, int len, struct err *err)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", len, name);
	for (; rows->name; rows++) {
		size_t distance = nearest_distance(word, rows->name);

		if (distance < best_distance) {
			best_distance = distance;
			best = rows->name;
		}
	}
	if (best && nearest_is_close(word, best_distance))
		return err_set(err, EINVAL, "unknown option --%s; did you mean --%s?", word, best);
	return err_set(err, EINVAL, "unknown option --%s; --help lists them all", word);
}

static int parse_bool(const char *name, const char *value, bool *ret, struct err *err)
{
	if (!value || !strcmp(value, "true") || !strcmp(value, "1"))
		*ret = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*ret = false;
	else
		return err_set(err, EINVAL, "--%s: \"%s\" is neither true nor false", name, value);
	return 0;
}

static int apply_row(const struct option_row *row, void *settings, const char *value,
		     struct err *err)
{
	void *member = (char *)settings + row->offset;
	uint64_t number;
	int rc;

	switch (row->kind) {
	case OPTION_BOOL: return parse_bool(row->name, value, member, err);
	case OPTION_STRING: *(const char **)member = value; return 0;
	case OPTION_PORT:
		if (!options_parse_number(value, 1, UINT16_MAX, &number))
			return err_set(err, EINVAL, "--%s: \"%s\" is not a port (1 to 65535)",
				       row->name, value);
		*(uint16_t *)member = (uint16_t)number;
		return 0;
	case OPTION_CALL:
		if ((rc = row->parse(settings, value, err)) < 0)
			err_wrap(err, "--%s", row->name);
		return rc;
	}
	return err_set(err, EINVAL, "--%s: no such kind of option", row->name);
}

int options_parse(const struct option_row *rows, void *settings, int argc, char **argv,
		  int *ret_words, struct err *err)
{
	bool options_ended = false;
	int words = 0;

	for (int i = 0; i < argc; i++) {
		const struct option_row *row;
		const char *name, *value;
		size_t len;
		int rc;

		if (options_ended || argv[i][0] != '-' || !argv[i][1]) {
			argv[words++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			options_ended = true;
			continue;
		}
		if (argv[i][1] != '-')
			return err_set(err, EINVAL,
				       "unknown option %s; options are long: --help "
				       "lists them",
				       argv[i]);
		name = argv[i] + 2;
		len = strcspn(name, "=");
		value = name[len] ? name + len + 1 : NULL;
		if (!(row = find_row(rows, name, len)))
			return unknown_option(rows, name, (int)len, err);
		if (!value && row->kind != OPTION_BOOL) {
			if (i + 1 == argc)
				return err_set(err, EINVAL, "--%s wants a value: --%s %s",
					       row->name, row->name, row->arg);
			value = argv[++i];
		}
		if ((rc = apply_row(row, settings, value, err)) < 0)
			return rc;
	}
	*ret_words = words;
	return 0;
}

#define HELP_COLUMN 34
#define HELP_WIDTH  66

/* Prints `text` word by word, wrapped behind HELP_COLUMN; the cursor is at that column already. */
static void print_wrapped(const char *text, FILE *out)
{
	size_t used = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (used && used + 1 + word > HELP_WIDTH) {
			fprintf(out, "\n%*s", HELP_COLUMN, "");
			used = 0;
		}
		fprintf(out, "%s%.*s", used ? " " : "", (int)word, text);
		used += word + (used ? 1 : 0);
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_print_help(const struct option_row *rows, FILE *out)
{
	for (; rows->name; rows++) {
		int used;

		if (!rows->help)
			continue;
		used = fprintf(out, "  --%s%s%s", rows->name, rows->arg ? " " : "",
			       rows->arg ? rows->arg : "");
		if (used >= HELP_COLUMN) {
			fputc('\n', out);
			used = 0;
		}
		fprintf(out, "%*s", HELP_COLUMN - used, "");
		print_wrapped(rows->help, out);
	}
}
