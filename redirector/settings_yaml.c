/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration files.
 *
 * The text is libyaml's events, and each key is looked up in the rows as it comes. No tree is ever
 * built: a key that no row knows ends the reading, so the depth is that of the rows' keys, and
 * there is nothing that an alias could multiply. Aliases, anchors and tags are refused nonetheless:
 * their meaning would be lost without a word. JSON is YAML.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/nearest.h"
#include "redirector/settings_parse.h"

#define TEXT_MAX  65536
#define PATH_SIZE 128
#define DEPTH_MAX 4 /* of the rows' keys */

struct reader {
	const char *name; /* of the file */
	const struct option_row *rows;
	struct settings *settings;
	struct err *err;
	yaml_parser_t parser;
	yaml_event_t event;   /* the one at hand */
	char path[PATH_SIZE]; /* of the key whose value that is; "" is the whole document */
	bool seen[DEPTH_MAX][OPTIONS_MAX]; /* keys of this depth, by find_key() */
};

/* Puts file, line and key in front of the error. */
static int at_event(struct reader *r)
{
	if (*r->path)
		err_wrap(r->err, "%s", r->path);
	return err_wrap(r->err, "%s:%zu", r->name, r->event.start_mark.line + 1);
}

static int refuse(struct reader *r, const char *why)
{
	err_set(r->err, EINVAL, "%s", why);
	return at_event(r);
}

static int refuse_syntax(const struct reader *r)
{
	const yaml_parser_t *parser = &r->parser;

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(r->err, ENOMEM, "cannot read %s: out of memory", r->name);
	if (parser->error == YAML_READER_ERROR)
		return err_set(r->err, EINVAL, "%s: no YAML: %s at byte %zu", r->name,
			       parser->problem, parser->problem_offset);
	return err_set(r->err, EINVAL, "%s:%zu: no YAML: %s%s%s", r->name,
		       parser->problem_mark.line + 1, parser->context ? parser->context : "",
		       parser->context ? ", " : "", parser->problem);
}

static int next(struct reader *r)
{
	const yaml_event_t *event = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return refuse_syntax(r);
	switch (event->type) {
	case YAML_ALIAS_EVENT: return refuse(r, "aliases are not taken; write the value out");
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
			return refuse(r, "there is a NUL in it");
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default: break;
	}
	if (anchor || tag)
		return refuse(r, "anchors and tags are not taken; write the value out");
	return 0;
}

/* --- keys --- */

/* The row of this path, or the first that lies under it; NULL when there is neither. */
static const struct option_row *find_key(const struct option_row *rows, const char *path)
{
	size_t len = strlen(path);

	for (; rows->name; rows++) {
		if (rows->key && !strncmp(rows->key, path, len) &&
		    (!rows->key[len] || rows->key[len] == '.' || !len))
			return rows;
	}
	return NULL;
}

/* Length of the first `depth` + 1 names in a key. */
static size_t cut_key(const char *key, size_t depth)
{
	size_t len = strcspn(key, ".");

	for (; depth && key[len]; depth--)
		len += 1 + strcspn(key + len + 1, ".");
	return len;
}

static int refuse_unknown_key(struct reader *r, const char *path, size_t depth)
{
	size_t best_distance = SIZE_MAX;
	char best[PATH_SIZE] = "", known[PATH_SIZE];

	for (const struct option_row *row = r->rows; row->name; row++) {
		size_t distance;

		if (!row->key || row->kind == OPTION_REMOVED)
			continue;
		snprintf(known, sizeof(known), "%.*s", (int)cut_key(row->key, depth), row->key);
		distance = nearest_distance(path, known);
		if (distance < best_distance) {
			best_distance = distance;
			memcpy(best, known, sizeof(best));
		}
	}
	if (nearest_is_close(path, best_distance))
		err_set(r->err, EINVAL, "unknown key %s; did you mean %s?", path, best);
	else
		err_set(r->err, EINVAL, "unknown key %s; meshdns-redirect(8) lists them all", path);
	return err_wrap(r->err, "%s:%zu", r->name, r->event.start_mark.line + 1);
}

/* Appends the key at hand to the path. */
static int enter_key(struct reader *r, size_t depth)
{
	const char *key = (const char *)r->event.data.scalar.value;
	const struct option_row *row = NULL;
	char path[PATH_SIZE];
	size_t len;

	if (r->event.type != YAML_SCALAR_EVENT)
		return refuse(r, "a key must be a word");
	len = (size_t)snprintf(path, sizeof(path), "%s%s%s", r->path, depth ? "." : "", key);
	if (*key && !strchr(key, '.') && len < sizeof(path))
		row = find_key(r->rows, path);
	if (!row || depth >= DEPTH_MAX)
		return refuse_unknown_key(r, path, depth);
	memcpy(r->path, path, sizeof(path));
	if (r->seen[depth][row - r->rows])
		return refuse(r, "given twice");
	r->seen[depth][row - r->rows] = true;
	return 0;
}

/* --- values --- */

static bool is_plain(const yaml_event_t *event)
{
	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return event->type == YAML_SCALAR_EVENT && is_plain(event) &&
	       (!*text || !strcmp(text, "~") || !strcasecmp(text, "null"));
}

static bool is_bool(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return is_plain(event) && (!strcasecmp(text, "true") || !strcasecmp(text, "false"));
}

const char *settings_keep_text(struct settings *settings, const char *text)
{
	size_t size = strlen(text) + 1;
	struct settings_text *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	memcpy(kept->text, text, size);
	kept->next = settings->texts;
	settings->texts = kept;
	return kept->text;
}

static int set_scalar(struct reader *r, const struct option_row *row)
{
	const char *text = (const char *)r->event.data.scalar.value;

	if (r->event.type != YAML_SCALAR_EVENT)
		return refuse(r, "an item must be text or a number");
	if (row->kind == OPTION_BOOL && !is_bool(&r->event))
		return refuse(r, "must be true or false, without quotes");
	if (row->kind == OPTION_PORT && !is_plain(&r->event))
		return refuse(r, "must be a number, without quotes");
	if (row->kind == OPTION_STRING && is_bool(&r->event))
		return refuse(r, "must be text; put it in quotes if that is meant");
	if (row->kind == OPTION_STRING && !(text = settings_keep_text(r->settings, text)))
		return err_set(r->err, ENOMEM, "cannot read %s: out of memory", r->name);
	return options_set(row, r->settings, text, r->err) < 0 ? at_event(r) : 0;
}

static int read_list(struct reader *r, const struct option_row *row)
{
	int rc;

	if (row->kind != OPTION_LIST && row->kind != OPTION_UNUSED)
		return refuse(r, "must be one value, not a list");
	options_clear(row, r->settings);
	while ((rc = next(r)) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
		if (is_null(&r->event))
			return refuse(r, "an item is missing");
		if ((rc = set_scalar(r, row)) < 0)
			return rc;
	}
	return rc;
}

static int read_mapping(struct reader *r, size_t depth);

/* The value of r->path, which the event at hand begins. A null says nothing. */
static int read_value(struct reader *r, size_t depth)
{
	const struct option_row *row = find_key(r->rows, r->path);
	bool is_option = !strcmp(row->key, r->path);

	if (is_option && row->kind == OPTION_REMOVED)
		return options_set(row, r->settings, "", r->err) < 0 ? at_event(r) : 0;
	if (is_null(&r->event))
		return 0;
	if (r->event.type == YAML_MAPPING_START_EVENT)
		return is_option ? refuse(r, "must be a value; there are no keys under it")
				 : read_mapping(r, depth);
	if (!is_option)
		return refuse(r, "must have keys under it");
	if (r->event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(r, row);
	options_clear(row, r->settings);
	return set_scalar(r, row);
}

static int read_mapping(struct reader *r, size_t depth)
{
	size_t len = strlen(r->path);
	int rc;

	while ((rc = next(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
		if ((rc = enter_key(r, depth)) < 0 || (rc = next(r)) < 0 ||
		    (rc = read_value(r, depth + 1)) < 0)
			return rc;
		r->path[len] = '\0';
	}
	return rc;
}

/* --- files --- */

static int skip(struct reader *r, int events)
{
	int rc = 0;

	while (rc == 0 && events--)
		rc = next(r);
	return rc;
}

static int read_stream(struct reader *r)
{
	int rc;

	/* The stream's start and that of its document, if it has one, and that one's value. */
	if ((rc = skip(r, 2)) < 0 || r->event.type == YAML_STREAM_END_EVENT)
		return rc;
	if ((rc = next(r)) < 0 || (rc = read_value(r, 0)) < 0)
		return rc;
	/* The document's end and that of the stream. */
	if ((rc = skip(r, 2)) < 0 || r->event.type == YAML_STREAM_END_EVENT)
		return rc;
	return refuse(r, "a second document; give it as a file of its own");
}

int settings_parse_text(const struct option_row *rows, struct settings *settings, const char *name,
			const char *text, size_t len, struct err *err)
{
	struct err unseen;
	struct reader r = {
		.name = name,
		.rows = rows,
		.settings = settings,
		.err = err ? err : &unseen,
	};
	int rc;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ENOMEM, "cannot read %s: out of memory", name);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	rc = read_stream(&r);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return rc;
}

static int read_stdin(char **ret_text, size_t *ret_len, struct err *err)
{
	cleanup_free char *text = malloc(TEXT_MAX + 1);

	if (!text)
		return err_set(err, ENOMEM, "cannot read standard input: out of memory");
	*ret_len = fread(text, 1, TEXT_MAX + 1, stdin);
	if (ferror(stdin))
		return err_set(err, errno, "cannot read standard input: %s", err_text(errno));
	if (*ret_len > TEXT_MAX)
		return err_set(err, EFBIG, "standard input is larger than %d bytes, the limit",
			       TEXT_MAX);
	*ret_text = take_ptr(&text);
	return 0;
}

int settings_parse_file(const struct option_row *rows, struct settings *settings, const char *path,
			struct err *err)
{
	bool is_stdin = !strcmp(path, "-");
	cleanup_free char *text = NULL;
	size_t len = 0;
	int rc;

	rc = is_stdin ? read_stdin(&text, &len, err) : file_read(path, TEXT_MAX, &text, &len, err);
	if (rc < 0)
		return rc;
	return settings_parse_text(rows, settings, is_stdin ? "standard input" : path, text, len,
				   err);
}
