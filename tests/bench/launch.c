/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * launch PROGRAM: runs it on this standard input and environment, and prints the nanoseconds from
 * before it is started until it has ended, and its peak memory in KiB. Small and static, for a
 * child counts as its own what its parent had when it was started. The exit status is the
 * program's.
 */
#include <fcntl.h>
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
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status = 0;
	struct rusage usage = {0};
	long long started;
	pid_t pid;

	if (argc != 2 || null < 0)
		return 125;
	started = now_ns();
	if ((pid = vfork()) == 0) {
		dup2(null, STDOUT_FILENO);
		execve(argv[1], argv + 1, environ);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 125;
	printf("%lld %ld\n", now_ns() - started, usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
