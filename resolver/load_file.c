/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/load_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "resolver/load_map.h"
#include "resolver/load_same.h"
#include "resolver/names_join.h"

static bool is_same_stat(const struct stat *a, const struct stat *b)
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

static struct load *add_load(struct load_run *run, const struct load_file *file, size_t first_line)
{
	struct load *load;

	if (!join_reserve(&run->loads, &run->loads_size, run->n_loads, 1, sizeof(*run->loads)))
		return NULL;
	load = &run->loads[run->n_loads++];
	*load = (struct load){
		.settings = run->settings,
		.source = file->path,
		.ttl = file->ttl,
		.head_ttl = file->head_ttl,
		.first_line = first_line,
		.next_place = run->next_place,
		.used = run->used,
		.n_used = run->n_used,
		.warnings = &run->warnings,
	};
	return load;
}

static int parse(struct load_run *run, struct load_file *file, const char *text, size_t len,
		 size_t first_line, enum load_part_of which, struct err *err)
{
	struct load *load = add_load(run, file, first_line);
	int rc;

	if (!load)
		return err_set(err, ENOMEM, "out of memory");
	rc = load_text(load, text, len, file->is_json, which, err);
	run->next_place = load->next_place;
	file->ttl = load->ttl;
	file->head_ttl = load->head_ttl;
	return rc;
}

/* The file's pieces: the first and last ones of before, and between them those of the last load. */
static int join_pieces(struct load_file *file, const struct load_file *old,
		       const struct load_same *same, const struct load_run *run)
{
	const struct load *load = &run->loads[run->n_loads - 1];
	size_t n = load->n_pieces;
	struct load_piece *pieces;

	file->n_pieces = same->first + n + same->last;
	if (!(pieces = file->pieces = reallocarray(NULL, file->n_pieces + 1, sizeof(*pieces))))
		return -ENOMEM;
	if (same->first)
		memcpy(pieces, old->pieces, same->first * sizeof(*pieces));
	if (n)
		memcpy(pieces + same->first, load->pieces, n * sizeof(*pieces));
	if (same->last)
		memcpy(pieces + same->first + n, old->pieces + old->n_pieces - same->last,
		       same->last * sizeof(*pieces));
	return 0;
}

static int parse_whole(struct load_run *run, struct load_file *file, const char *text, size_t len,
		       bool is_json, struct err *err)
{
	int rc;

	file->ttl = file->head_ttl = run->settings->ttl;
	file->is_json = is_json;
	if ((rc = parse(run, file, text, len, 1, LOAD_WHOLE, err)) < 0)
		return rc;
	rc = join_pieces(file, NULL, &(struct load_same){0}, run);
	return rc < 0 ? err_set(err, rc, "out of memory") : 0;
}

static int read_whole(struct load_run *run, struct load_file *file, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(file->path, LOAD_FILE_MAX, &text, &len, err);

	return rc < 0 ? rc : parse_whole(run, file, text, len, load_is_json(text), err);
}

/* --- again ---------------------------------------------------------------------------------- */

static void keep_as_it_was(struct load_file *file, struct load_file *old)
{
	file->is_json = old->is_json;
	file->ttl = old->ttl;
	file->head_ttl = old->head_ttl;
	file->pieces = old->pieces;
	file->n_pieces = old->n_pieces;
	file->same_as = old;
}

/* A text as it is now: in memory, or mapped of a file. */
struct now {
	int fd; /* -1: in memory */
	const char *text;
	size_t size;
};

static bool copy_out(const struct now *now, char *text, size_t len, size_t at)
{
	if (now->fd >= 0)
		return pread(now->fd, text, len, (off_t)at) == (ssize_t)len;
	memcpy(text, now->text + at, len);
	return true;
}

/* Parses what lies between the pieces that are the same. False: that can't be done. */
static bool read_between(struct load_run *run, struct load_file *file, const struct load_file *old,
			 const struct now *now, const struct load_same *same)
{
	size_t len = now->size - same->first_len - same->last_len, line = 1;
	size_t skipped = run->warnings.skipped, n_loads = run->n_loads;
	cleanup_free char *text = malloc(len + 1);
	enum load_part_of which = same->last ? 0 : LOAD_TAIL;
	uint32_t next_place = run->next_place;
	struct err err;

	if (!text || !copy_out(now, text, len, same->first_len))
		return false;
	text[len] = '\0';
	if (same->last && len && !file->is_json && text[len - 1] != '\n')
		return false; /* NOLINT(clang-analyzer-unix.Malloc): a line goes on */
	for (size_t i = 0; i < same->first; i++)
		line += old->pieces[i].lines;
	if (which == LOAD_TAIL)
		file->ttl = file->head_ttl; /* what the old tail said is not the new one's */
	if (parse(run, file, text, len, line, which, &err) == 0 && file->ttl == old->ttl &&
	    join_pieces(file, old, same, run) == 0)
		return true;
	while (run->n_loads > n_loads)
		load_free(&run->loads[--run->n_loads]);
	run->warnings.skipped = skipped;
	run->next_place = next_place;
	return false;
}

/* Takes in what has changed since `old`. False: all of it has to be read. */
static bool take_changed(struct load_run *run, struct load_file *file, struct load_file *old,
			 const struct now *now)
{
	struct load_same same;

	if (!old || !old->n_pieces)
		return false;
	same = load_same_find(old->pieces, old->n_pieces, now->text, now->size);
	if (same.first == 0)
		return false; /* the head may tell another format */
	file->is_json = old->is_json;
	file->ttl = old->ttl;
	file->head_ttl = old->head_ttl;
	if (same.first_len + same.last_len < now->size || same.first + same.last < old->n_pieces)
		return read_between(run, file, old, now, &same);
	keep_as_it_was(file, old);
	return true;
}

static bool read_changed(struct load_run *run, struct load_file *file, struct load_file *old)
{
	cleanup_fd int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct now now = {.fd = fd};
	bool taken;

	if (fd < 0 || fstat(fd, &file->st) < 0 || !S_ISREG(file->st.st_mode) ||
	    file->st.st_size <= 0 || file->st.st_size > (off_t)LOAD_FILE_MAX)
		return false;
	file->is_settled = has_settled(&file->st);
	now.size = (size_t)file->st.st_size;
	if (!(now.text = load_map(fd, now.size)))
		return false;
	taken = take_changed(run, file, old, &now);
	load_unmap(now.text, now.size);
	return taken;
}

int load_file_read(struct load_run *run, struct load_file *file, struct load_file *old,
		   struct err *err)
{
	file->is_settled = has_settled(&file->st);
	if (old && old->is_settled && is_same_stat(&old->st, &file->st)) {
		keep_as_it_was(file, old);
		return 0;
	}
	if (old && read_changed(run, file, old))
		return 0;
	return read_whole(run, file, err);
}

int load_file_take(struct load_run *run, struct load_file *file, struct load_file *old,
		   const struct load_given *given, struct err *err)
{
	struct now now = {.fd = -1, .text = given->text, .size = given->len};

	if (!given->text) {
		keep_as_it_was(file, old);
		return 0;
	}
	if (take_changed(run, file, old, &now))
		return 0;
	return parse_whole(run, file, given->text, given->len, true, err);
}

void load_file_free(struct load_file *file)
{
	free(file->path);
	if (!file->same_as)
		free(file->pieces);
}
