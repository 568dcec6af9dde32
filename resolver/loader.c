/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files there are, what has changed in them, and a snapshot of that. */
#define XXH_INLINE_ALL
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/log.h"
#include "resolver/answer.h"
#include "resolver/load.h"
#include "resolver/load_file.h"
#include "resolver/names_join.h"
#include "resolver/nametext.h"

#define TRIM_OVER ((size_t)256 << 10) /* octets that were read */

/* Files in the order of their reading, and found by their paths: there may be many in a folder. */
struct files {
	struct load_file *list;
	size_t n, size;
	uint32_t *slots; /* numbers of files, counted from 1; 0: empty */
	size_t n_slots;  /* a power of two, at least twice `size` */
};

/* One load: what will be the loader's when all of it has succeeded. */
struct run {
	struct load_run load;
	struct files files;
	bool *used;    /* by place: it is some piece's of before; loader->n_places of them */
	bool *is_gone; /* likewise: and no piece's now */
	bool is_partial;
};

struct loader {
	const struct load_settings *settings;
	struct files files;
	uint32_t n_places; /* above all numbers given out */
	struct run *done;  /* the last load, until loader_settle() */
	struct log_limit given_limit;
};

/* --- files ---------------------------------------------------------------------------------- */

static uint64_t hash_path(const char *path)
{
	return XXH3_64bits(path, strlen(path));
}

/* The slot of the path: that of its file, or an empty one. */
static uint32_t *find_slot(const struct files *files, const char *path, uint64_t hash)
{
	size_t i = hash & (files->n_slots - 1);

	while (files->slots[i]) {
		const struct load_file *file = &files->list[files->slots[i] - 1];

		if (file->path_hash == hash && !strcmp(file->path, path))
			break;
		i = (i + 1) & (files->n_slots - 1);
	}
	return &files->slots[i];
}

static struct load_file *find_file(const struct files *files, const char *path)
{
	uint32_t *slot = files->n_slots ? find_slot(files, path, hash_path(path)) : NULL;

	return slot && *slot ? &files->list[*slot - 1] : NULL;
}

/* Makes room for one more, and slots for all there is room for. */
static bool grow(struct files *files)
{
	size_t had = files->size;

	if (!join_reserve(&files->list, &files->size, files->n, 1, sizeof(*files->list)))
		return false;
	if (files->size == had)
		return true;
	free(files->slots);
	files->n_slots = 2 * files->size;
	if (!(files->slots = calloc(files->n_slots, sizeof(*files->slots)))) {
		files->n_slots = 0;
		return false;
	}
	for (size_t i = 0; i < files->n; i++)
		*find_slot(files, files->list[i].path, files->list[i].path_hash) = (uint32_t)i + 1;
	return true;
}

/* One more file, that was not there; NULL: out of memory. */
static struct load_file *begin_file(struct files *files, const char *path)
{
	uint64_t hash = hash_path(path);
	struct load_file *file;

	if (!grow(files))
		return NULL;
	file = &files->list[files->n];
	*file = (struct load_file){.path = strdup(path), .path_hash = hash};
	if (!file->path)
		return NULL;
	*find_slot(files, path, hash) = (uint32_t)++files->n;
	return file;
}

static int add_file(struct run *run, const struct files *before, const char *path,
		    const struct stat *st, struct err *err)
{
	struct load_file *file;

	if (find_file(&run->files, path))
		return 0; /* named twice */
	if (!(file = begin_file(&run->files, path)))
		return err_set(err, ENOMEM, "out of memory");
	file->st = *st;
	return load_file_read(&run->load, file, find_file(before, path), err);
}

static int add_given(struct run *run, const struct files *before, const struct load_given *given,
		     struct err *err)
{
	struct load_file *old = find_file(before, given->source), *file;

	run->is_partial = !given->text && !old;
	if (run->is_partial)
		return given->is_needed ? err_set(err, EAGAIN, "%s: nothing came from there yet",
						  given->source)
					: 0;
	if (!(file = begin_file(&run->files, given->source)))
		return err_set(err, ENOMEM, "out of memory");
	return load_file_take(&run->load, file, old, given, err);
}

static void free_files(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		load_file_free(&files->list[i]);
	free(files->list);
	free(files->slots);
	*files = (struct files){0};
}

/* --- sources -------------------------------------------------------------------------------- */

int load_is_names_file(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && ending &&
	       (!strcmp(ending, ".hosts") || !strcmp(ending, ".json"));
}

static int add_path(struct run *run, const struct files *before, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, "cannot read the names in %s: %s", path,
			       err_text(errno));
	return add_file(run, before, path, &st, err);
}

static int add_folder(struct run *run, const struct files *before, const char *path,
		      struct err *err)
{
	struct dirent **entries;
	int n = scandir(path, &entries, load_is_names_file, alphasort), rc = 0;

	if (n < 0)
		return err_set(err, errno, "cannot read the folder %s: %s", path, err_text(errno));
	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];

		if (rc == 0 && snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) >=
				       (int)sizeof(file))
			rc = err_set(err, ENAMETOOLONG, "path too long in %s", path);
		if (rc == 0)
			rc = add_path(run, before, file, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int add_source(struct run *run, const struct files *before, const char *path,
		      struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(run, before, path, err);
	return add_path(run, before, path, err);
}

/* --- the change ----------------------------------------------------------------------------- */

static int collect_added(const struct run *run, struct names_change *change)
{
	struct names_added *added;
	size_t n = 0;

	for (size_t i = 0; i < run->load.n_loads; i++)
		n += run->load.loads[i].n_parts;
	if (!(added = reallocarray(NULL, n + 1, sizeof(*added))))
		return -ENOMEM;
	change->added = added;
	for (size_t i = 0; i < run->load.n_loads; i++) {
		load_added(&run->load.loads[i], added);
		added += run->load.loads[i].n_parts;
	}
	change->n_added = n;
	return 0;
}

/* Whatever piece of before is no longer among the files: marks it, and collects the hashes. */
static int collect_gone(const struct loader *loader, struct run *run, uint32_t **ret_hashes,
			size_t *ret_n)
{
	size_t n = 0, size = 0;

	memcpy(run->is_gone, run->used, loader->n_places);
	for (size_t i = 0; i < run->files.n; i++) {
		const struct load_file *file = &run->files.list[i];

		for (size_t k = 0; k < file->n_pieces; k++) {
			if (file->pieces[k].place < loader->n_places)
				run->is_gone[file->pieces[k].place] = false;
		}
	}
	for (size_t i = 0; i < loader->files.n; i++) {
		const struct load_file *file = &loader->files.list[i];

		for (size_t k = 0; k < file->n_pieces; k++) {
			const struct load_piece *piece = &file->pieces[k];

			if (!run->is_gone[piece->place] || piece->n_hashes == 0)
				continue;
			if (!join_reserve(ret_hashes, &size, n, piece->n_hashes,
					  sizeof(**ret_hashes)))
				return -ENOMEM;
			memcpy(*ret_hashes + n, piece->hashes,
			       piece->n_hashes * sizeof(**ret_hashes));
			n += piece->n_hashes;
		}
	}
	*ret_n = n;
	return 0;
}

/*
 * Says which of the aliases that are new lead in a circle or through too many others: such a one is
 * answered, but by no address. One whose target is not in the table may be what was meant.
 */
static void check_aliases(const struct names_change *change, const struct names_snapshot *names)
{
	size_t n = 0;

	for (size_t i = 0; i < change->n_added; i++) {
		const struct names_record *part = change->added[i].part, *record;
		char name[NAMETEXT_MAX];

		if (!part->alias_len)
			continue;
		record = names_find(names, part->data, part->name_len);
		for (int k = 0; record && record->alias_len && k < ANSWER_CHAIN_MAX; k++)
			record = names_match(names, names_record_alias(record), record->alias_len);
		if (!record || !record->alias_len || n++ >= LOAD_WARNINGS_MAX)
			continue;
		nametext_write(part->data, name);
		log_warning("an alias that leads to no address: a circle, or too many of them",
			    "name=%s max=%d", name, ANSWER_CHAIN_MAX);
	}
	if (n > LOAD_WARNINGS_MAX)
		log_warning("further aliases that lead to no address", "count=%zu",
			    n - LOAD_WARNINGS_MAX);
}

static int make_snapshot(const struct loader *loader, struct run *run,
			 const struct names_snapshot *current, struct names_snapshot **ret_names,
			 struct err *err)
{
	struct names_change change = {.is_gone = run->is_gone,
				      .n_places = loader->n_places,
				      .negative_ttl = loader->settings->ttl,
				      .is_partial = run->is_partial};
	uint32_t *hashes = NULL;
	int rc;

	for (size_t i = 0; i < run->files.n; i++) {
		if (run->files.list[i].ttl < change.negative_ttl)
			change.negative_ttl = run->files.list[i].ttl;
	}
	if ((rc = collect_added(run, &change)) < 0 ||
	    (rc = collect_gone(loader, run, &hashes, &change.n_gone_hashes)) < 0) {
		err_set(err, rc, "out of memory");
	} else {
		change.gone_hashes = hashes;
		rc = names_update(current, &change, ret_names, err);
		if (rc == 0)
			check_aliases(&change, *ret_names);
	}
	free(hashes);
	free((void *)change.added);
	return rc;
}

/* --- a load --------------------------------------------------------------------------------- */

static void free_run(struct run *run)
{
	size_t read = 0;

	free_files(&run->files);
	for (size_t i = 0; i < run->load.n_loads; i++) {
		read += run->load.loads[i].block_len;
		load_free(&run->load.loads[i]);
	}
	free(run->load.loads);
	free(run->used);
	free(run->is_gone);
	free(run);
	/* Reading takes several times the snapshot's memory, for a moment. */
	if (read > TRIM_OVER)
		malloc_trim(0);
}

static struct run *new_run(const struct loader *loader)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->used = calloc(loader->n_places + 1, 1);
	run->is_gone = calloc(loader->n_places + 1, 1);
	run->load.settings = loader->settings;
	run->load.used = run->used;
	run->load.n_used = loader->n_places;
	if (!run->used || !run->is_gone) {
		free_run(run);
		return NULL;
	}
	for (size_t i = 0; i < loader->files.n; i++) {
		const struct load_file *file = &loader->files.list[i];

		for (size_t k = 0; k < file->n_pieces; k++)
			run->used[file->pieces[k].place] = true;
	}
	return run;
}

/* What comes again and again with each change of a text is told now and then. */
static void log_skipped(const struct load_warnings *warnings, struct log_limit *limit)
{
	struct timespec now;
	uint32_t suppressed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!warnings->skipped ||
	    (limit && !log_limit_pass(limit, now.tv_sec * INT64_C(1000), &suppressed)))
		return;
	for (size_t i = 0; i < warnings->skipped && i < LOAD_WARNINGS_MAX; i++)
		log_warning("record skipped", "%s", warnings->text[i]);
	if (warnings->skipped > LOAD_WARNINGS_MAX)
		log_warning("further records skipped", "count=%zu",
			    warnings->skipped - LOAD_WARNINGS_MAX);
}

int loader_load(struct loader *loader, const struct names_snapshot *current,
		const struct load_given *given, struct names_snapshot **ret_names, struct err *err)
{
	struct run *run;
	int rc = 0;

	loader_settle(loader);
	if (!(run = new_run(loader)))
		return err_set(err, ENOMEM, "out of memory");
	if (given)
		rc = add_given(run, &loader->files, given, err);
	for (size_t i = 0; i < loader->settings->n_sources && rc == 0; i++)
		rc = add_source(run, &loader->files, loader->settings->sources[i], err);
	if (rc == 0)
		rc = make_snapshot(loader, run, current, ret_names, err);
	if (rc == 0) {
		log_skipped(&run->load.warnings,
			    given && given->text ? &loader->given_limit : NULL);
		loader->done = run;
	} else {
		free_run(run);
	}
	return rc;
}

/* Pieces that stay are the new files' now. The hashes of those that are gone are freed. */
static void free_old_files(struct loader *loader, const struct run *run)
{
	for (size_t i = 0; i < run->files.n; i++) {
		struct load_file *file = &run->files.list[i];

		if (file->same_as) {
			file->same_as->pieces = NULL;
			file->same_as->n_pieces = 0;
			file->same_as = NULL;
		}
	}
	for (size_t i = 0; i < loader->files.n; i++) {
		const struct load_file *file = &loader->files.list[i];

		for (size_t k = 0; k < file->n_pieces; k++) {
			if (run->is_gone[file->pieces[k].place])
				free(file->pieces[k].hashes);
		}
	}
	free_files(&loader->files);
}

void loader_settle(struct loader *loader)
{
	struct run *run = loader->done;

	if (!run)
		return;
	free_old_files(loader, run);
	loader->files = run->files;
	run->files = (struct files){0};
	if (run->load.next_place > loader->n_places)
		loader->n_places = run->load.next_place;
	for (size_t i = 0; i < run->load.n_loads; i++)
		run->load.loads[i].n_pieces = 0; /* their hashes are the files' */
	loader->done = NULL;
	free_run(run);
}

struct loader *loader_new(const struct load_settings *settings)
{
	struct loader *loader = calloc(1, sizeof(*loader));

	if (loader)
		loader->settings = settings;
	return loader;
}

void loader_free(struct loader *loader)
{
	if (!loader)
		return;
	loader_settle(loader);
	for (size_t i = 0; i < loader->files.n; i++) {
		const struct load_file *file = &loader->files.list[i];

		for (size_t k = 0; k < file->n_pieces; k++)
			free(file->pieces[k].hashes);
	}
	free_files(&loader->files);
	free(loader);
}

bool loader_locate(const struct loader *loader, const struct names_record *record,
		   const char **ret_path, size_t *ret_line)
{
	for (size_t i = 0; i < loader->files.n; i++) {
		const struct load_file *file = &loader->files.list[i];
		size_t line = 1;

		for (size_t k = 0; k < file->n_pieces; k++) {
			if (file->pieces[k].place == record->place) {
				*ret_path = file->path;
				*ret_line = line + record->line;
				return true;
			}
			line += file->pieces[k].lines;
		}
	}
	return false;
}
