/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/privs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static char folder[] = "/tmp/meshdns-privs-XXXXXX", made[64];

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

/* Runs `attempt` confined, in a process of its own: its exit status, or minus the signal. */
static int confined(int (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct privs_path paths[] = {{.path = folder, .writable = true},
					     {.path = "/etc/hosts"},
					     {.path = "/nonexistent/file"}};
		struct err err = {0};

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (freopen("/dev/null", "w", stderr) == NULL ||
		    privs_confine(paths, sizeof(paths) / sizeof(paths[0]), &err) < 0)
			_exit(100);
		_exit(attempt());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int try_open(const char *path, int flags)
{
	return open(path, flags, 0600) < 0 ? errno : 0;
}

static int read_allowed(void)
{
	return try_open("/etc/hosts", O_RDONLY);
}

static int read_outside(void)
{
	return try_open("/usr/bin/env", O_RDONLY);
}

static int write_readable(void)
{
	return try_open("/etc/hosts", O_WRONLY);
}

static int make_file_in_folder(void)
{
	return try_open(made, O_CREAT | O_WRONLY);
}

static int execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 0;
}

static int start_process(void)
{
	return fork() < 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

static int packet_socket(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, ETH_P_ALL) < 0;
}

static int inet_socket(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0) < 0 && errno != EAFNOSUPPORT;
}

static int executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int other_handler(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR;
}

Test(privs, confined_to_what_it_does)
{
#ifdef SANITIZED
	cr_skip_test("the sanitizers' runtime needs more");
#endif
	cr_assert(mkdtemp(folder));
	snprintf(made, sizeof(made), "%s/file", folder);
	cr_expect_eq(confined(read_allowed), 0);
	cr_expect_eq(confined(make_file_in_folder), 0);
	cr_expect_eq(confined(start_thread), 0);
	cr_expect_eq(confined(inet_socket), 0);

	cr_expect_eq(confined(execute), -SIGSYS);
	cr_expect_eq(confined(start_process), -SIGSYS);
	cr_expect_eq(confined(packet_socket), -SIGSYS);
	cr_expect_eq(confined(executable_memory), -SIGSYS);
	cr_expect_eq(confined(other_handler), -SIGSYS);
	if (has_landlock()) {
		cr_expect_eq(confined(read_outside), EACCES);
		cr_expect_eq(confined(write_readable), EACCES);
	}
	unlink(made);
	rmdir(folder);
}
