/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * launch PROGRAM: runs it on this standard input and environment, and prints the nanoseconds from
 * before it is started until it has ended, and its peak memory in KiB. Small and static, for a
 * child counts as its own what its parent had when it was started. The exit status is the
 * program's.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage = {0};
	long long started;
	int status = 0;
	pid_t pid;

	if (argc != 2)
		return 125;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	started = now_ns();
	if (posix_spawn(&pid, argv[1], &actions, NULL, argv + 1, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) < 0)
		return 125;
	printf("%lld %ld\n", now_ns() - started, usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
