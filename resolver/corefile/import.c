/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/corefile/import.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

static int lex_file(struct arena *arena, struct corefile_place place, const char *path,
		    struct corefile_tokens *ret, struct err *err)
{
	cleanup_free char *text = NULL;
	const char *name = arena_copy(arena, path, strlen(path));
	struct err why = {0};
	size_t len;
	int rc;

	if (!name)
		return err_set(err, ENOMEM, "%s: no memory left for it", path);
	if ((rc = file_read(path, COREFILE_SIZE_MAX, &text, &len, &why)) < 0) {
		corefile_fail(err, place, "import: %s", why.msg);
		return rc;
	}
	return corefile_lex(arena, name, text, len, ret, err);
}

/* `more` behind `tokens`. */
static int append(struct arena *arena, struct corefile_tokens *tokens,
		  const struct corefile_tokens *more, struct err *err)
{
	size_t n = tokens->n + more->n;
	struct corefile_token *list;

	if (more->n == 0)
		return 0;
	if (n > COREFILE_TOKENS_MAX || !(list = ARENA_ARRAY(arena, struct corefile_token, n)))
		return err_set(err, ENOMEM, "import: too much");
	if (tokens->n)
		memcpy(list, tokens->list, tokens->n * sizeof(*list));
	memcpy(list + tokens->n, more->list, more->n * sizeof(*list));
	*tokens = (struct corefile_tokens){list, n};
	return 0;
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static int import_glob(struct arena *arena, struct corefile_place place, const char *path,
		       struct corefile_tokens *ret, struct err *err)
{
	glob_t found;
	int rc = glob(path, 0, NULL, &found);

	if (rc == GLOB_NOMATCH) {
		log_warning("nothing to import", "pattern=%s place=%s:%u", path, place.file,
			    place.line);
		return 0;
	}
	if (rc != 0)
		return corefile_fail(err, place, "import: cannot look for %s", path);
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++) {
		struct corefile_tokens tokens = {0};

		rc = lex_file(arena, place, found.gl_pathv[i], &tokens, err);
		if (rc == 0)
			rc = append(arena, ret, &tokens, err);
	}
	globfree(&found);
	return rc;
}

int import_files(struct arena *arena, struct corefile_place place, const char *pattern,
		 struct corefile_tokens *ret, struct err *err)
{
	const char *slash = strrchr(place.file, '/');
	size_t folder = slash && *pattern != '/' ? (size_t)(slash - place.file) + 1 : 0;
	char path[PATH_MAX];

	*ret = (struct corefile_tokens){0};
	if (snprintf(path, sizeof(path), "%.*s%s", (int)folder, place.file, pattern) >=
	    (int)sizeof(path))
		return corefile_fail(err, place, "import: the path is too long");
	if (count(pattern, '*') > 1 || count(pattern, '?') > 1 || strchr(pattern, '['))
		return corefile_fail(err, place,
				     "import: expected at most one * and one ? in \"%s\", and no [",
				     pattern);
	if (strpbrk(pattern, "*?"))
		return import_glob(arena, place, path, ret, err);
	return lex_file(arena, place, path, ret, err);
}
