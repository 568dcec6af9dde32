/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running container runtimes can do. None says so when it is asked; but Go's programs
 * carry a list of the modules that they were built of, one line each: "dep", path and version.
 * Those of distributions that build without modules have none, and then nothing is known.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/install.h"
#include "common/cleanup.h"

#define LIBCNI        "dep\tgithub.com/containernetworking/cni\tv"
#define SINCE_MAJOR   1 /* of libcni, that takes drop-ins */
#define SINCE_MINOR   3
#define VERSION_BYTES 32

static bool version_is_new_enough(const char *text)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10);
	unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > SINCE_MAJOR || (major == SINCE_MAJOR && minor >= SINCE_MINOR);
}

/* 1, 0, or -1 when the program does not say. */
static int program_takes_drop_ins(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char version[VERSION_BYTES] = "";
	const char *found;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return -1;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	found = memmem(map, (size_t)st.st_size, LIBCNI, strlen(LIBCNI));
	if (found) {
		size_t left = (size_t)st.st_size - (size_t)(found - (char *)map) - strlen(LIBCNI);

		snprintf(version, sizeof(version), "%.*s",
			 (int)(left < sizeof(version) - 1 ? left : sizeof(version) - 1),
			 found + strlen(LIBCNI));
	}
	munmap(map, (size_t)st.st_size);
	return found ? version_is_new_enough(version) : -1;
}

static bool is_runtime(const char *pid)
{
	cleanup_file FILE *file = NULL;
	char path[64], name[32] = "";

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (!(file = fopen(path, "re")) || !fgets(name, sizeof(name), file))
		return false;
	name[strcspn(name, "\n")] = '\0';
	return !strcmp(name, "containerd") || !strcmp(name, "crio");
}

bool install_runtimes_take_drop_ins(const char **ret_why)
{
	cleanup_dir DIR *processes = opendir("/proc");
	struct dirent *process;
	bool all = true, any = false;

	while (processes && (process = readdir(processes))) {
		char path[64];

		if (!isdigit((unsigned char)process->d_name[0]) || !is_runtime(process->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/exe", process->d_name);
		any = true;
		all = all && program_takes_drop_ins(path) == 1;
	}
	*ret_why = !any  ? "no container runtime is seen to run here"
		   : all ? "the container runtime has libcni 1.3 or later"
			 : "the container runtime has no libcni 1.3, or does not say";
	return any && all;
}
