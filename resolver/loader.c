/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files there are, what has changed in them, and a snapshot of that. */
#define XXH_INLINE_ALL
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "resolver/load.h"
#include "resolver/names_join.h"

#define WINDOW ((size_t)256 << 10) /* of a file whose pieces are compared; fits the L2 cache */

struct file {
	char *path;
	struct stat st;
	bool is_settled; /* its times were old enough to tell a later change */
	bool is_json;
	uint32_t ttl;
	struct load_piece *pieces; /* in the order of the text */
	size_t n_pieces;
};

struct loader {
	const struct load_settings *settings;
	struct file *files;
	size_t n_files;
	uint32_t n_places; /* above all numbers given out */
	struct log_limit given_limit;
};

/* One load: what will be the loader's when all of it has succeeded. */
struct run {
	struct loader *loader;
	struct file *files;
	size_t n_files, files_size;
	struct load_warnings warnings;
	struct load *loads; /* one for each text that was parsed */
	size_t n_loads, loads_size;
	bool *used; /* places of pieces of before, by number; loader->n_places of them */
	uint32_t next_place;
};

static struct file *find_file(const struct loader *loader, const char *path)
{
	for (size_t i = 0; i < loader->n_files; i++) {
		if (!strcmp(loader->files[i].path, path))
			return &loader->files[i];
	}
	return NULL;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* A file's times tick in milliseconds: two writes within a tick look like one. */
static bool has_settled(const struct stat *st)
{
	struct timespec now;
	int64_t age_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (now.tv_sec - st->st_ctim.tv_sec) * INT64_C(1000) +
		 (now.tv_nsec - st->st_ctim.tv_nsec) / 1000000;
	return age_ms > 100;
}

/* --- what is the same ----------------------------------------------------------------------- */

/* A part of a file in memory; or, without a file, all of a text. */
struct window {
	int fd;
	char *text; /* WINDOW octets of a file */
	off_t start;
	size_t len;
};

/* `len` octets at `at`, or NULL. `back`: what is wanted next lies before. */
static const char *look(struct window *w, off_t at, size_t len, bool back)
{
	if (at < w->start || at + (off_t)len > w->start + (off_t)w->len) {
		off_t start = at;

		if (w->fd < 0 || len > WINDOW)
			return NULL;
		if (back)
			start = at + (off_t)len > (off_t)WINDOW ? at + (off_t)len - (off_t)WINDOW
								: 0;
		ssize_t n = pread(w->fd, w->text, WINDOW, start);

		w->start = start;
		w->len = n > 0 ? (size_t)n : 0;
		if (at + (off_t)len > w->start + (off_t)w->len)
			return NULL;
	}
	return w->text + (at - w->start);
}

static bool is_same(struct window *w, const struct load_piece *piece, off_t at, bool back)
{
	const char *text = look(w, at, piece->text_len, back);

	return text && XXH3_64bits(text, piece->text_len) == piece->text_hash;
}

/* How much of a file is as it was: pieces at its beginning and at its end, and their octets. */
struct same {
	size_t first, last;
	off_t first_len, last_len;
};

static struct same compare(const struct file *file, struct window *w, off_t size)
{
	struct same same = {0};
	const struct load_piece *piece = file->pieces;

	for (; same.first < file->n_pieces; same.first++, piece++) {
		off_t end = same.first_len + piece->text_len;

		if (end > size || (piece->is_open && end != size) ||
		    !is_same(w, piece, same.first_len, false))
			break;
		same.first_len = end;
	}
	for (; same.first + same.last < file->n_pieces; same.last++) {
		piece = &file->pieces[file->n_pieces - same.last - 1];
		if (size - same.last_len - (off_t)piece->text_len < same.first_len ||
		    !is_same(w, piece, size - same.last_len - (off_t)piece->text_len, true))
			break;
		same.last_len += piece->text_len;
	}
	return same;
}

/* --- reading -------------------------------------------------------------------------------- */

static struct load *add_load(struct run *run, const struct file *file, size_t first_line)
{
	struct load *load;

	if (!join_reserve(&run->loads, &run->loads_size, run->n_loads, 1, sizeof(*run->loads)))
		return NULL;
	load = &run->loads[run->n_loads++];
	*load = (struct load){
		.settings = run->loader->settings,
		.source = file->path,
		.ttl = file->ttl,
		.first_line = first_line,
		.next_place = run->next_place,
		.used = run->used,
		.n_used = run->loader->n_places,
		.warnings = &run->warnings,
	};
	return load;
}

/* The file's pieces: the first and last ones of before, and between them those of the load. */
static int join_pieces(struct file *file, const struct file *old, const struct same *same,
		       const struct load *load)
{
	size_t n = load ? load->n_pieces : 0;

	file->n_pieces = same->first + n + same->last;
	if (!(file->pieces = reallocarray(NULL, file->n_pieces + 1, sizeof(*file->pieces))))
		return -ENOMEM;
	if (same->first)
		memcpy(file->pieces, old->pieces, same->first * sizeof(*file->pieces));
	if (n)
		memcpy(file->pieces + same->first, load->pieces, n * sizeof(*file->pieces));
	if (same->last)
		memcpy(file->pieces + same->first + n, old->pieces + old->n_pieces - same->last,
		       same->last * sizeof(*file->pieces));
	return 0;
}

static int parse(struct run *run, struct file *file, const char *text, size_t len,
		 size_t first_line, enum load_part_of which, struct err *err)
{
	struct load *load = add_load(run, file, first_line);
	int rc;

	if (!load)
		return err_set(err, ENOMEM, "out of memory");
	rc = load_text(load, text, len, file->is_json, which, err);
	run->next_place = load->next_place;
	file->ttl = load->ttl;
	return rc;
}

static int parse_whole(struct run *run, struct file *file, const char *text, size_t len,
		       bool is_json, struct err *err)
{
	int rc;

	file->ttl = run->loader->settings->ttl;
	file->is_json = is_json;
	if ((rc = parse(run, file, text, len, 1, LOAD_WHOLE, err)) < 0)
		return rc;
	rc = join_pieces(file, NULL, &(struct same){0}, &run->loads[run->n_loads - 1]);
	return rc < 0 ? err_set(err, rc, "out of memory") : 0;
}

static int read_whole(struct run *run, struct file *file, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(file->path, LOAD_FILE_MAX, &text, &len, err);

	return rc < 0 ? rc : parse_whole(run, file, text, len, load_is_json(text), err);
}

static void drop_last_load(struct run *run)
{
	struct load *load = &run->loads[--run->n_loads];

	load_free(load);
}

static bool copy_out(const struct window *w, char *text, size_t len, off_t at)
{
	if (w->fd >= 0)
		return pread(w->fd, text, len, at) == (ssize_t)len;
	memcpy(text, w->text + at, len);
	return true;
}

/* Parses what lies between the pieces that are the same. False: that can't be done. */
static bool read_between(struct run *run, struct file *file, const struct file *old,
			 const struct window *w, const struct same *same, off_t size)
{
	size_t len = (size_t)(size - same->first_len - same->last_len), line = 1;
	size_t skipped = run->warnings.skipped;
	cleanup_free char *text = malloc(len + 1);
	enum load_part_of which = same->last ? 0 : LOAD_TAIL;
	uint32_t next_place = run->next_place;
	struct err err;

	if (!text || !copy_out(w, text, len, same->first_len))
		return false;
	text[len] = '\0';
	if (same->last && len && !file->is_json && text[len - 1] != '\n')
		return false; /* NOLINT(clang-analyzer-unix.Malloc): a line goes on */
	for (size_t i = 0; i < same->first; i++)
		line += old->pieces[i].lines;
	if (parse(run, file, text, len, line, which, &err) == 0 && file->ttl == old->ttl &&
	    join_pieces(file, old, same, &run->loads[run->n_loads - 1]) == 0)
		return true;
	drop_last_load(run);
	run->warnings.skipped = skipped;
	run->next_place = next_place;
	return false;
}

/* Takes in what has changed since `old`. False: all of it has to be read. */
static bool take_changed(struct run *run, struct file *file, const struct file *old,
			 struct window *w, off_t size)
{
	struct same same = compare(old, w, size);

	if (same.first == 0)
		return false; /* the head may tell another format */
	file->is_json = old->is_json;
	file->ttl = old->ttl;
	if (same.first_len + same.last_len == size && same.first + same.last == old->n_pieces)
		return join_pieces(file, old, &same, NULL) == 0;
	return read_between(run, file, old, w, &same, size);
}

static bool read_changed(struct run *run, struct file *file, const struct file *old)
{
	cleanup_fd int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	cleanup_free char *text = malloc(WINDOW);
	struct window w = {.fd = fd, .text = text};

	if (!text || fd < 0 || fstat(fd, &file->st) < 0 || !S_ISREG(file->st.st_mode) ||
	    file->st.st_size <= 0 || file->st.st_size > (off_t)LOAD_FILE_MAX)
		return false;
	return take_changed(run, file, old, &w, file->st.st_size);
}

/* One more file of the run; NULL: out of memory. */
static struct file *begin_file(struct run *run, const char *path)
{
	struct file *file;

	if (!join_reserve(&run->files, &run->files_size, run->n_files, 1, sizeof(*run->files)))
		return NULL;
	file = &run->files[run->n_files];
	*file = (struct file){.path = strdup(path)};
	if (!file->path)
		return NULL;
	run->n_files++;
	return file;
}

/* Nothing has changed. */
static int keep_file(struct file *file, const struct file *old, struct err *err)
{
	struct same all = {.first = old->n_pieces};

	file->is_json = old->is_json;
	file->ttl = old->ttl;
	return join_pieces(file, old, &all, NULL) < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

static int add_file(struct run *run, const char *path, const struct stat *st, struct err *err)
{
	const struct file *old = find_file(run->loader, path);
	struct file *file;

	for (size_t i = 0; i < run->n_files; i++) {
		if (!strcmp(run->files[i].path, path))
			return 0; /* named twice */
	}
	if (!(file = begin_file(run, path)))
		return err_set(err, ENOMEM, "out of memory");
	file->st = *st;
	file->is_settled = has_settled(st);
	if (old && old->is_settled && is_same_file(&old->st, st))
		return keep_file(file, old, err);
	if (old && old->n_pieces && read_changed(run, file, old))
		return 0;
	return read_whole(run, file, err);
}

static int add_given(struct run *run, const struct load_given *given, struct err *err)
{
	const struct file *old = find_file(run->loader, given->source);
	struct window w = {.fd = -1, .text = (char *)given->text, .len = given->len};
	struct file *file;

	if (!given->text && !old)
		return given->is_needed ? err_set(err, EAGAIN, "%s: nothing came from there yet",
						  given->source)
					: 0;
	if (!(file = begin_file(run, given->source)))
		return err_set(err, ENOMEM, "out of memory");
	if (!given->text)
		return keep_file(file, old, err);
	if (old && old->n_pieces && take_changed(run, file, old, &w, (off_t)given->len))
		return 0;
	return parse_whole(run, file, given->text, given->len, true, err);
}

/* --- sources -------------------------------------------------------------------------------- */

int load_is_names_file(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && ending &&
	       (!strcmp(ending, ".hosts") || !strcmp(ending, ".json"));
}

static int add_path(struct run *run, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, "cannot read the names in %s: %s", path,
			       err_text(errno));
	return add_file(run, path, &st, err);
}

static int add_folder(struct run *run, const char *path, struct err *err)
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
			rc = add_path(run, file, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int add_source(struct run *run, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(run, path, err);
	return add_path(run, path, err);
}

/* --- the change ----------------------------------------------------------------------------- */

static int collect_added(struct run *run, struct names_change *change)
{
	struct names_added *added;
	size_t n = 0;

	for (size_t i = 0; i < run->n_loads; i++)
		n += run->loads[i].n_parts;
	if (!(added = reallocarray(NULL, n + 1, sizeof(*added))))
		return -ENOMEM;
	change->added = added;
	for (size_t i = 0; i < run->n_loads; i++) {
		load_added(&run->loads[i], added);
		added += run->loads[i].n_parts;
	}
	change->n_added = n;
	return 0;
}

/* Whatever piece of before is no longer among the files. `is_gone` has loader->n_places. */
static int collect_gone(struct run *run, bool *is_gone, uint32_t **ret_hashes, size_t *ret_n)
{
	const struct loader *loader = run->loader;
	size_t n = 0;

	for (size_t i = 0; i < loader->n_places; i++)
		is_gone[i] = run->used[i];
	for (size_t i = 0; i < run->n_files; i++) {
		for (size_t k = 0; k < run->files[i].n_pieces; k++) {
			if (run->files[i].pieces[k].place < loader->n_places)
				is_gone[run->files[i].pieces[k].place] = false;
		}
	}
	for (size_t i = 0; i < loader->n_files; i++) {
		const struct file *file = &loader->files[i];

		for (size_t k = 0; k < file->n_pieces; k++) {
			const struct load_piece *piece = &file->pieces[k];

			if (!is_gone[piece->place])
				continue;
			uint32_t *grown =
				reallocarray(*ret_hashes, n + piece->n_hashes + 1, sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			*ret_hashes = grown;
			if (piece->n_hashes)
				memcpy(grown + n, piece->hashes, piece->n_hashes * sizeof(*grown));
			n += piece->n_hashes;
		}
	}
	*ret_n = n;
	return 0;
}

static int make_snapshot(struct run *run, const struct names_snapshot *current, bool *is_gone,
			 struct names_snapshot **ret_names, struct err *err)
{
	struct names_change change = {.is_gone = is_gone,
				      .n_places = run->loader->n_places,
				      .negative_ttl = run->loader->settings->ttl};
	uint32_t *hashes = NULL;
	int rc;

	for (size_t i = 0; i < run->n_files; i++) {
		if (run->files[i].ttl < change.negative_ttl)
			change.negative_ttl = run->files[i].ttl;
	}
	if ((rc = collect_added(run, &change)) < 0 ||
	    (rc = collect_gone(run, is_gone, &hashes, &change.n_gone_hashes)) < 0) {
		err_set(err, rc, "out of memory");
	} else {
		change.gone_hashes = hashes;
		rc = names_update(current, &change, ret_names, err);
	}
	free(hashes);
	free((void *)change.added);
	return rc;
}

/* --- a load --------------------------------------------------------------------------------- */

static void free_files(struct file *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(files[i].path);
		free(files[i].pieces);
	}
	free(files);
}

/* The files of the run are the loader's now, and the hashes of pieces that are gone are freed. */
static void commit(struct run *run, const bool *is_gone)
{
	struct loader *loader = run->loader;

	for (size_t i = 0; i < loader->n_files; i++) {
		for (size_t k = 0; k < loader->files[i].n_pieces; k++) {
			if (is_gone[loader->files[i].pieces[k].place])
				free(loader->files[i].pieces[k].hashes);
		}
	}
	free_files(loader->files, loader->n_files);
	loader->files = run->files;
	loader->n_files = run->n_files;
	if (run->next_place > loader->n_places)
		loader->n_places = run->next_place;
	run->files = NULL;
	run->n_files = 0;
	for (size_t i = 0; i < run->n_loads; i++)
		run->loads[i].n_pieces = 0; /* their hashes are the files' */
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
	struct run run = {.loader = loader, .used = calloc(loader->n_places + 1, 1)};
	bool *is_gone = calloc(loader->n_places + 1, 1);
	size_t read = 0;
	int rc = 0;

	for (size_t i = 0; run.used && i < loader->n_files; i++) {
		for (size_t k = 0; k < loader->files[i].n_pieces; k++)
			run.used[loader->files[i].pieces[k].place] = true;
	}
	if (!is_gone || !run.used) {
		err_set(err, ENOMEM, "out of memory");
		rc = -ENOMEM;
	}
	if (rc == 0 && given)
		rc = add_given(&run, given, err);
	for (size_t i = 0; i < loader->settings->n_sources && rc == 0; i++)
		rc = add_source(&run, loader->settings->sources[i], err);
	if (rc == 0)
		rc = make_snapshot(&run, current, is_gone, ret_names, err);
	if (rc == 0) {
		commit(&run, is_gone);
		log_skipped(&run.warnings, given && given->text ? &loader->given_limit : NULL);
	}
	free_files(run.files, run.n_files);
	for (size_t i = 0; i < run.n_loads; i++) {
		read += run.loads[i].block_len;
		load_free(&run.loads[i]);
	}
	free(run.loads);
	free(run.used);
	free(is_gone);
	if (read > WINDOW)
		malloc_trim(
			0); /* reading takes several times the snapshot's memory, for a moment */
	return rc;
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
	for (size_t i = 0; i < loader->n_files; i++) {
		for (size_t k = 0; k < loader->files[i].n_pieces; k++)
			free(loader->files[i].pieces[k].hashes);
	}
	free_files(loader->files, loader->n_files);
	free(loader);
}

bool loader_locate(const struct loader *loader, const struct names_record *record,
		   const char **ret_path, size_t *ret_line)
{
	for (size_t i = 0; i < loader->n_files; i++) {
		const struct file *file = &loader->files[i];
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
