/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/landlock.h"
#include "common/log.h"
#include "common/privs.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* clang-format off */
/* What is allowed whatever the arguments. Calls that an architecture lacks are passed over. */
#define C(name) SCMP_SYS(name)
static const int calls[] = {
	/* descriptors */
	C(read), C(readv), C(pread64), C(write), C(writev), C(pwrite64), C(close), C(lseek),
	C(_llseek), C(fcntl), C(fcntl64), C(dup), C(dup3), C(pipe2),
	/* the loops and what they wait for */
	C(epoll_create1), C(epoll_ctl), C(epoll_wait), C(epoll_pwait), C(epoll_pwait2), C(poll),
	C(ppoll), C(ppoll_time64), C(select), C(_newselect), C(pselect6), C(eventfd2),
	C(signalfd4), C(timerfd_create), C(timerfd_settime), C(inotify_init1),
	C(inotify_add_watch), C(inotify_rm_watch),
	/* sockets, but for making them */
	C(bind), C(connect), C(listen), C(accept), C(accept4), C(getsockname), C(getpeername),
	C(setsockopt), C(getsockopt), C(send), C(sendto), C(sendmsg), C(sendmmsg), C(recv),
	C(recvfrom), C(recvmsg), C(recvmmsg), C(recvmmsg_time64), C(shutdown),
	/* files: the user's permissions and Landlock say which */
	C(open), C(openat), C(stat), C(stat64), C(fstat), C(fstat64), C(lstat), C(lstat64),
	C(newfstatat), C(fstatat64), C(statx), C(access), C(faccessat), C(faccessat2), C(readlink),
	C(readlinkat), C(getdents64), C(getcwd), C(unlink), C(unlinkat), C(rename), C(renameat),
	C(renameat2), C(fsync), C(fdatasync), C(ftruncate), C(chmod), C(fchmod), C(fchmodat),
	C(umask), C(flock), C(fadvise64),
	/* memory, but for making it executable */
	C(brk), C(munmap), C(mremap), C(madvise),
	/* threads, but for starting them */
	C(futex), C(futex_time64), C(set_robust_list), C(rseq), C(sched_yield),
	C(sched_getaffinity), C(getpriority), C(membarrier), C(getcpu), C(exit), C(exit_group),
	C(restart_syscall),
	/* signals */
	C(rt_sigprocmask), C(rt_sigreturn), C(sigreturn), C(sigaltstack), C(tgkill), C(kill),
	/* clocks and identities */
	C(clock_gettime), C(clock_gettime64), C(clock_getres), C(gettimeofday), C(time),
	C(nanosleep), C(clock_nanosleep), C(clock_nanosleep_time64), C(getpid), C(gettid),
	C(getppid), C(getuid), C(getuid32), C(geteuid), C(geteuid32), C(getgid), C(getgid32),
	C(getegid), C(getegid32), C(getrandom), C(uname), C(sysinfo), C(getrusage), C(getrlimit),
	C(ugetrlimit),
};

/* What is allowed if an argument, by its number, compares so. */
static const struct {
	int call;
	struct scmp_arg_cmp arg;
} conditional_calls[] = {
	{C(socket), {0, SCMP_CMP_EQ, AF_INET, 0}},
	{C(socket), {0, SCMP_CMP_EQ, AF_INET6, 0}},
	{C(socket), {0, SCMP_CMP_EQ, AF_UNIX, 0}},
	{C(socketpair), {0, SCMP_CMP_EQ, AF_UNIX, 0}},
	{C(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	{C(mmap2), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	{C(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	{C(clone), {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}},
	{C(prctl), {0, SCMP_CMP_EQ, PR_SET_NAME, 0}},
	/* Our handler of it stays. glibc sets others when the first thread starts. */
	{C(rt_sigaction), {0, SCMP_CMP_NE, SIGSYS, 0}},
	{C(prlimit64), {2, SCMP_CMP_EQ, 0, 0}}, /* only to be told */
	{C(setpriority), {1, SCMP_CMP_EQ, 0, 0}}, /* its own */
	{C(sched_getattr), {0, SCMP_CMP_EQ, 0, 0}}, /* likewise */
	{C(sched_setattr), {0, SCMP_CMP_EQ, 0, 0}}, /* likewise */
	{C(ioctl), {1, SCMP_CMP_EQ, TCGETS, 0}}, /* glibc's stdio asks for a terminal */
	{C(ioctl), {1, SCMP_CMP_EQ, TIOCGWINSZ, 0}}, /* musl's so */
	{C(ioctl), {1, SCMP_CMP_EQ, FIONREAD, 0}},
	{C(ioctl), {1, SCMP_CMP_EQ, FIONBIO, 0}},
	/* The scope of a link-local address, to be read and to be told. */
	{C(ioctl), {1, SCMP_CMP_EQ, SIOCGIFINDEX, 0}},
	{C(ioctl), {1, SCMP_CMP_EQ, SIOCGIFNAME, 0}},
};
#undef C
/* clang-format on */

/* Which call a SIGSYS was for, as seccomp numbers them. Async-signal-safe; then the process ends.
 */
static void say_and_die(int signal_number, siginfo_t *info, void *context)
{
	static const char text[] = "error: system call outside the sandbox, ending call=";
	char number[16], *end = number + sizeof(number), *at = end;
	unsigned int call = (unsigned int)info->si_syscall;

	(void)context;
	*--at = '\n';
	do {
		*--at = (char)('0' + call % 10);
	} while ((call /= 10) > 0);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, at, (size_t)(end - at)) < 0)
		raise(signal_number); /* nowhere to complain */
	raise(signal_number);         /* SA_RESETHAND: this time it is the default that answers */
}

static int install_filter(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int rc = filter ? 0 : -ENOMEM;

	/* glibc takes that for an old kernel and calls clone(), whose flags can be looked at. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(calls); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; !rc && i < ARRAY_SIZE(conditional_calls); i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional_calls[i].call, 1,
					    &conditional_calls[i].arg);
	/* On older kernels a filter would also slow the processor down, for all that we do. */
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	malloc_trim(0); /* it took a quarter of a MiB */
	return rc ? err_set(err, rc,
			    "cannot install the system call filter: %s; --no-sandbox "
			    "does without",
			    err_text(rc))
		  : 0;
}

int privs_confine(const struct privs_path *paths, size_t n_paths, struct err *err)
{
	struct sigaction action = {.sa_sigaction = say_and_die,
				   .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESETHAND};
	struct rlimit none = {0};
	int rc;

	if (SANITIZED)
		return 0;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    sigaction(SIGSYS, &action, NULL) < 0)
		return err_set(err, errno, "cannot confine this process: %s", err_text(errno));
	if ((rc = landlock_apply(paths, n_paths, err)) < 0)
		return rc;
	return install_filter(err);
}
