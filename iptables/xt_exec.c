/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iptables/xt_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define VERSION_MAX 4096
#define CHUNK       65536

static const char *const directories[] = {"/usr/sbin", "/sbin", "/usr/local/sbin",
					  "/usr/bin",  "/bin",  "/usr/local/bin"};

const char *xt_flavour_name(enum xt_flavour flavour)
{
	return flavour == XT_NFT ? "nft" : "legacy";
}

/* --- running --- */

/* A file in memory that holds `text`, to be read from its start. */
static int memory_file(const char *text)
{
	int fd = memfd_create("iptables", MFD_CLOEXEC);
	size_t len = text ? strlen(text) : 0;

	while (fd >= 0 && len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* All that comes, up to `max` bytes; 0 or -errno. */
static int read_all(int fd, size_t max, char **ret_text, size_t *ret_len)
{
	cleanup_free char *text = NULL;
	size_t size = 0, len = 0;
	ssize_t n = 1;

	while (n != 0) {
		if (size - len < 2) {
			char *grown = realloc(text, size += CHUNK + size / 2);

			if (!grown)
				return -ENOMEM;
			text = grown;
		}
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno != EINTR)
			return -EIO;
		len += n > 0 ? (size_t)n : 0;
		if (len > max)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret_text = take_ptr(&text);
	*ret_len = len;
	return 0;
}

/* The last line that is one. */
static void read_complaint(int fd, char complaint[256])
{
	char text[4096], *line;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	n = n > 0 ? n : 0;
	while (n > 0 && strchr("\n ", text[n - 1]))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	snprintf(complaint, 256, "%.255s", line ? line + 1 : text);
}

/* posix_spawn() with these three descriptors; the child has default signals. */
static int spawn(const char *const argv[], int in, int out, int errors, pid_t *ret_pid)
{
	char path[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	rc = posix_spawn(ret_pid, argv[0], &actions, &attr, (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -rc;
}

int xt_run(const char *const argv[], const char *input, size_t output_max,
	   struct xt_result *ret_result, struct err *err)
{
	cleanup_fd int in = memory_file(input), errors = memory_file(NULL), out = -1;
	int pipe_fds[2] = {-1, -1}, rc, status = 0;
	pid_t pid;

	*ret_result = (struct xt_result){0};
	if (in < 0 || errors < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot run %s: %s", argv[0], err_text(errno));
	out = pipe_fds[0];
	rc = spawn(argv, in, pipe_fds[1], errors, &pid);
	close(pipe_fds[1]);
	if (rc < 0)
		return err_set(err, rc, "cannot run %s: %s", argv[0], err_text(rc));
	rc = read_all(out, output_max, &ret_result->output, &ret_result->output_len);
	close(take_fd(&out)); /* one that prints on and on ends */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc < 0)
		return err_set(err, rc, "cannot read what %s prints: %s", argv[0], err_text(rc));
	ret_result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	read_complaint(errors, ret_result->complaint);
	return 0;
}

/* --- finding --- */

/* "iptables v1.8.9 (nf_tables)"; before there were two it said nothing, and was what is legacy now.
 */
static bool is_of_flavour(const char *path, enum xt_flavour flavour)
{
	const char *const argv[] = {path, "--version", NULL};
	struct xt_result result;
	bool is_nft;

	if (xt_run(argv, NULL, VERSION_MAX, &result, NULL) < 0)
		return false;
	is_nft = result.output && strstr(result.output, "(nf_tables)");
	free(result.output);
	return result.status == 0 && is_nft == (flavour == XT_NFT);
}

static bool find_in_directories(const char *name, char path[PATH_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, PATH_MAX, "%s/%s", directories[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool xt_is_default(enum xt_flavour flavour)
{
	char path[PATH_MAX];

	return find_in_directories("iptables-restore", path) && is_of_flavour(path, flavour);
}

int xt_find_program(const struct backend_options *options, enum xt_flavour flavour,
		    enum backend_program program, sa_family_t family, char ret_path[PATH_MAX],
		    struct err *err)
{
	static const char *const names[] = {[BACKEND_SAVE] = "save", [BACKEND_RESTORE] = "restore"};
	const char *ip = family == AF_INET ? "ip" : "ip6";
	const char *given = options->programs[program][family == AF_INET6];
	char name[64];

	if (given) {
		snprintf(ret_path, PATH_MAX, "%s", given);
		if (is_of_flavour(given, flavour))
			return 0;
		return err_set(err, EOPNOTSUPP,
			       "%s, given with --iptables-executables, does not run or is not of "
			       "the flavour %s",
			       given, xt_flavour_name(flavour));
	}
	snprintf(name, sizeof(name), "%stables-%s-%s", ip, xt_flavour_name(flavour),
		 names[program]);
	if (find_in_directories(name, ret_path))
		return 0;
	snprintf(name, sizeof(name), "%stables-%s", ip, names[program]);
	if (find_in_directories(name, ret_path) && is_of_flavour(ret_path, flavour))
		return 0;
	return err_set(err, EOPNOTSUPP,
		       "there is no %stables-%s of the flavour %s here (package iptables); use "
		       "--backend nftables, or name it with --iptables-executables",
		       ip, names[program], xt_flavour_name(flavour));
}
