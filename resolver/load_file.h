/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file of names: read as a whole at first, and then what has changed of it. What is given by
 * others (struct load_given) counts as one.
 */
#ifndef MESHDNS_RESOLVER_LOAD_FILE_H
#define MESHDNS_RESOLVER_LOAD_FILE_H

#include <sys/stat.h>

#include "resolver/load.h"

struct load_file {
	char *path;
	uint64_t path_hash;
	struct stat st;
	bool is_settled; /* its times were old enough to tell a later change */
	bool is_json;
	uint32_t ttl, head_ttl;    /* as of struct load */
	struct load_piece *pieces; /* in the order of the text */
	size_t n_pieces;
	struct load_file *same_as; /* whose pieces these are; NULL: its own */
};

/* What is read in one load. */
struct load_run {
	const struct load_settings *settings;
	const bool *used; /* places of pieces of before, by number; n_used of them */
	uint32_t n_used;
	uint32_t next_place;
	struct load_warnings warnings;
	struct load *loads; /* one for each text that was parsed */
	size_t n_loads, loads_size;
};

/*
 * Reads `file`, of which the path and what stat(2) said of it are given. `old` is what it was, or
 * NULL. 0, or an error that names the file.
 */
int load_file_read(struct load_run *run, struct load_file *file, struct load_file *old,
		   struct err *err);

/* The same for what is no file: the text, if there is a new one; or else what `old` was. */
int load_file_take(struct load_run *run, struct load_file *file, struct load_file *old,
		   const struct load_given *given, struct err *err);

/* Frees what is the file's own, but not the hashes of its pieces. */
void load_file_free(struct load_file *file);

#endif
