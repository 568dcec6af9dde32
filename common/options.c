/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
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

static bool word_is(const char *word, const char *name, size_t len)
{
	return word && len > 0 && strlen(word) == len && !memcmp(word, name, len);
}

static bool is_refused(const struct option_row *row)
{
	return row->kind == OPTION_REMOVED || row->kind == OPTION_ELSEWHERE;
}

void options_rows_for(const struct option_row *rows, const char *command,
		      struct option_row ret_rows[OPTIONS_MAX + 1])
{
	size_t i = 0;

	for (; rows[i].name && i < OPTIONS_MAX; i++) {
		ret_rows[i] = rows[i];
		if (rows[i].only && strcmp(rows[i].only, command) != 0)
			ret_rows[i].kind = OPTION_ELSEWHERE;
	}
	ret_rows[i] = (struct option_row){0};
}

/* The nearest to `word` among the flags, or the variables; NULL when none is near enough. */
static const char *nearest_row(const struct option_row *rows, const char *word, bool env)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	for (; rows->name; rows++) {
		const char *known = env ? rows->env : rows->name;
		size_t distance;

		if (is_refused(rows) || !known || !*known)
			continue;
		distance = nearest_distance(word, known);
		if (distance < best_distance) {
			best_distance = distance;
			best = known;
		}
	}
	return best && nearest_is_close(word, best_distance) ? best : NULL;
}

static int unknown_option(const struct option_row *rows, const char *name, int len, struct err *err)
{
	const char *best;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", len, name);
	if ((best = nearest_row(rows, word, false)))
		return err_set(err, EINVAL, "unknown option --%s; did you mean --%s?", word, best);
	return err_set(err, EINVAL, "unknown option --%s; --help lists them all", word);
}

static int parse_bool(const char *value, bool *ret, struct err *err)
{
	if (!value || !strcasecmp(value, "true") || !strcmp(value, "1"))
		*ret = true;
	else if (!strcasecmp(value, "false") || !strcmp(value, "0"))
		*ret = false;
	else
		return err_set(err, EINVAL, "\"%s\" is neither true nor false", value);
	return 0;
}

int options_set(const struct option_row *row, void *settings, const char *value, struct err *err)
{
	void *member = (char *)settings + row->offset;
	uint64_t number;

	switch (row->kind) {
	case OPTION_BOOL: return parse_bool(value, member, err);
	case OPTION_STRING: *(const char **)member = value; return 0;
	case OPTION_PORT:
		if (!options_parse_number(value, 1, UINT16_MAX, &number))
			return err_set(err, EINVAL, "\"%s\" is not a port (1 to 65535)", value);
		*(uint16_t *)member = (uint16_t)number;
		return 0;
	case OPTION_NUMBER:
		if (!options_parse_number(value, row->min, row->max, &number))
			return err_set(err, EINVAL, "\"%s\" is not a number from %u to %u", value,
				       row->min, row->max);
		*(uint32_t *)member = (uint32_t)number;
		return 0;
	case OPTION_CALL:
	case OPTION_LIST: return row->parse(settings, value, err);
	case OPTION_UNUSED: return row->parse ? row->parse(settings, value, err) : 0;
	case OPTION_REMOVED: return err_set(err, EINVAL, "this was removed: %s", row->help);
	case OPTION_ELSEWHERE: return err_set(err, EINVAL, "this is for %s alone", row->only);
	case OPTION_TITLE: break;
	}
	return err_set(err, EINVAL, "no such kind of option");
}

void options_clear(const struct option_row *row, void *settings)
{
	if (row->kind == OPTION_LIST)
		*(size_t *)((char *)settings + row->offset) = 0;
}

const struct option_row *options_find(const struct option_row *rows, const char *name)
{
	while (rows->name && (!*name || strcmp(rows->name, name) != 0))
		rows++;
	return rows->name ? rows : NULL;
}

/* The row of what is behind the dashes of a flag, which may have a value; NULL: there is none. */
static const struct option_row *find_flag(const struct option_row *rows, const char *flag)
{
	while (rows->name && !word_is(rows->name, flag, strcspn(flag, "=")))
		rows++;
	return rows->name ? rows : NULL;
}

/* One flag at argv[0], its value perhaps at argv[1]; returns how many of them it was. */
static int parse_flag(const struct option_row *rows, void *settings, int argc, char **argv,
		      bool given[OPTIONS_MAX], struct err *err)
{
	const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1), *value;
	const struct option_row *row = find_flag(rows, name);
	size_t len = strcspn(name, "=");
	int rc, used = 1;

	if (!row)
		return unknown_option(rows, name, (int)len, err);
	value = name[len] ? name + len + 1 : NULL;
	if (!value && row->arg) {
		if (argc < 2)
			return err_set(err, EINVAL, "--%s wants a value: --%s %s", row->name,
				       row->name, row->arg);
		value = argv[1];
		used = 2;
	}
	if (!given[row - rows])
		options_clear(row, settings);
	given[row - rows] = true;
	if ((rc = options_set(row, settings, value, err)) < 0)
		err_wrap(err, "--%s", row->name);
	return rc < 0 ? rc : used;
}

int options_parse(const struct option_row *rows, void *settings, int argc, char **argv,
		  int *ret_words, struct err *err)
{
	bool options_ended = false, given[OPTIONS_MAX] = {0};
	int words = 0, used;

	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (options_ended || argv[i][0] != '-' || !argv[i][1]) {
			argv[words++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			options_ended = true;
			continue;
		}
		if (argv[i][1] != '-' && !find_flag(rows, argv[i] + 1))
			return err_set(err, EINVAL,
				       "unknown option %s; options are long: --help "
				       "lists them",
				       argv[i]);
		if ((used = parse_flag(rows, settings, argc - i, argv + i, given, err)) < 0)
			return used;
	}
	*ret_words = words;
	return 0;
}

static int parse_variable(const struct option_row *rows, void *settings, const char *variable,
			  const char *name, struct err *err)
{
	const struct option_row *row = rows;
	size_t len = strcspn(name, "=");
	int rc, whole = (int)(name + len - variable);
	const char *best;
	char word[64];

	while (row->name && !word_is(row->env, name, len))
		row++;
	if (row->name && row->kind != OPTION_REMOVED) {
		options_clear(row, settings);
		if ((rc = options_set(row, settings, name + len + 1, err)) < 0)
			err_wrap(err, "%.*s", whole, variable);
		return rc;
	}
	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	if (row->name)
		log_warning("this variable was removed and is ignored", "name=%.*s instead=\"%s\"",
			    whole, variable, row->help);
	else if ((best = nearest_row(rows, word, true)))
		log_warning("unknown variable, ignored", "name=%.*s nearest=%.*s%s", whole,
			    variable, (int)(name - variable), variable, best);
	else
		log_warning("unknown variable, ignored", "name=%.*s", whole, variable);
	return 0;
}

int options_parse_env(const struct option_row *rows, void *settings, const char *prefix,
		      char **variables, struct err *err)
{
	size_t len = strlen(prefix);
	int rc;

	for (; *variables; variables++) {
		if (!strncmp(*variables, prefix, len) && strchr(*variables, '=') &&
		    (rc = parse_variable(rows, settings, *variables, *variables + len, err)) < 0)
			return rc;
	}
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

static void print_row(const struct option_row *row, FILE *out)
{
	int used = fprintf(out, "  --%s%s%s", row->name, row->arg ? " " : "",
			   row->arg ? row->arg : "");

	if (used >= HELP_COLUMN) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - used, "");
	print_wrapped(row->help, out);
}

void options_print_help(const struct option_row *rows, FILE *out)
{
	for (; rows->name; rows++) {
		if (rows->kind == OPTION_TITLE)
			fprintf(out, "\n%s:\n", rows->help);
		else if (*rows->name && rows->help && !is_refused(rows))
			print_row(rows, out);
	}
}
