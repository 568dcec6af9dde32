/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/load_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct load_settings settings = {.ttl = 60};

/* Reads the file of which stat(2) said `st`. */
static struct load_file read_file(struct load_run *run, const char *path, const struct stat *st,
				  struct load_file *old)
{
	struct load_file file = {.path = strdup(path), .st = *st};
	struct err err;

	run->settings = &settings;
	cr_assert_eq(load_file_read(run, &file, old, &err), 0);
	return file;
}

static void free_run(struct load_run *run, struct load_file *file)
{
	for (size_t i = 0; i < run->n_loads; i++)
		load_free(&run->loads[i]);
	free(run->loads);
	load_file_free(file);
}

/* Or else a further change within the same tick of the file's times would never be seen. */
Test(load_file, what_changed_after_it_was_looked_at_has_not_settled)
{
	char path[] = "/tmp/meshdns-load-XXXXXX";
	struct load_run runs[2] = {0};
	struct load_file file, again;
	struct stat before, st;
	struct timespec now;
	int64_t age_ms;
	FILE *out = fdopen(mkstemp(path), "w");

	for (int i = 0; i < 1000; i++)
		fprintf(out, "240.0.0.1 name%d.mesh\n", i);
	cr_assert_eq(fclose(out), 0);
	cr_assert_eq(stat(path, &st), 0);
	before = st;
	before.st_ctim.tv_sec -= 10;
	file = read_file(&runs[0], path, &before, NULL);
	again = read_file(&runs[1], path, &before,
			  &(struct load_file){
				  .path = file.path,
				  .pieces = file.pieces,
				  .n_pieces = file.n_pieces,
			  });
	cr_expect_eq(again.st.st_ctim.tv_sec, st.st_ctim.tv_sec, "looked at once more");
	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (now.tv_sec - st.st_ctim.tv_sec) * INT64_C(1000) +
		 (now.tv_nsec - st.st_ctim.tv_nsec) / 1000000;
	cr_expect(!again.is_settled || age_ms > 100, "unless all this took so long");
	free_run(&runs[1], &again);
	free_run(&runs[0], &file);
	unlink(path);
}
