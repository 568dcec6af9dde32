/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over every file of the folders it is given, in place of libFuzzer, so that
 * `make check` replays the corpus with any compiler. Each input ends at a page that may not be
 * touched: a read past its end faults even without a sanitizer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/fuzz/fuzz.h"

static void run_guarded(const char *data, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	uint8_t *map = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (map == MAP_FAILED || mprotect(map + whole, page, PROT_NONE) < 0)
		abort();
	memcpy(map + whole - size, data, size);
	LLVMFuzzerTestOneInput(map + whole - size, size);
	munmap(map, whole + page);
}

static size_t run_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);
	size_t files = 0;

	for (int i = 0; i < n; i++) {
		char path[4096], *data = NULL;
		size_t size;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' &&
		    file_read(path, 1 << 20, &data, &size, NULL) == 0) {
			run_guarded(data, size);
			files++;
		}
		free(data);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return files;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t files = run_folder(argv[i]);

		printf("%s: %zu inputs\n", argv[i], files);
		if (files == 0) {
			fprintf(stderr, "%s: no corpus there\n", argv[i]);
			return 1;
		}
	}
	return argc > 1 ? 0 : 1;
}
