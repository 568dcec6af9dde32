/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving privileges up, and then what an ordinary process could still do and this one never does.
 */
#ifndef MESHDNS_COMMON_PRIVS_H
#define MESHDNS_COMMON_PRIVS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/user.h"

/*
 * To be called once everything that needs privilege is open and before anything from outside is
 * read. As root: becomes `user`, without supplementary groups and with an empty bounding
 * set. As root or not: empties every other capability set, and sets no_new_privs.
 * A failure is fatal to the caller: a half-dropped process must not go on.
 *
 * Only the calling thread is changed: call it before the first other thread exists.
 */
int privs_drop(const struct user *user, struct err *err);

/*
 * Stays who it is, and keeps of its capabilities those of `keep` (<linux/capability.h>) that it
 * has, and so do the programs that it starts; sets no_new_privs. For a thread that is alone, as
 * above.
 */
int privs_keep(const int *keep, size_t n, struct err *err);

/* A path that is still needed. One that does not exist is left out. */
struct privs_path {
	const char *path;
	/*
	 * False: to be read. A file is read again when it is replaced, so it is its folder that is
	 * opened; so are the folders that symbolic links on the way lead to, as they are now.
	 * True: a folder in which files and sockets are made, written, renamed and removed.
	 */
	bool writable;
};

/*
 * After privs_drop(), under the same rules: the rest of the process's life is confined to what it
 * does. No core dump and no tracer sees its memory; Landlock, where the kernel has it, leaves of
 * the file system only `paths`; a seccomp filter leaves only the system calls of the list in
 * confine.c.
 *
 * A call that is not on the list ends the process by SIGSYS, after a line in the log that names it.
 * To add one: take its name from that line, or from `strace -f meshdns-resolver --no-sandbox`, find
 * out which feature makes it, and add it to the list beside its like, with a condition on its
 * arguments if most of what it can do is not needed. Both libcs count: musl falls back to accept(),
 * glibc tries clone3() before clone(). Code that runs after this must not start programs or load
 * libraries (getaddrinfo(), iconv(), dlopen()), and new families of sockets and new paths are to be
 * declared here first.
 *
 * Does nothing in builds with sanitizers, whose runtime needs much more.
 */
int privs_confine(const struct privs_path *paths, size_t n_paths, struct err *err);

#endif
