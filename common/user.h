/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proxy user: whose DNS is not redirected, and as whom the resolver runs. */
#ifndef MESHDNS_COMMON_USER_H
#define MESHDNS_COMMON_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

#define USER_DEFAULT_UID 5678

struct user {
	uid_t uid;
	gid_t gid;
	char name[64]; /* "" when the uid has no name here */
};

/*
 * `text` is a user name or a 32-bit uid; a uid need not have a passwd entry (its gid is then the
 * same number). NULL or "" means the default: uid 5678 if it has a passwd entry, else the user
 * "meshdns", else "kuma-dp". -ENOENT when there is no such user.
 */
int user_resolve(const char *text, struct user *ret_user, struct err *err);

/* A group's name to its gid. -ENOENT when there is no such group. */
int user_resolve_group(const char *name, gid_t *ret_gid, struct err *err);

/* A 32-bit uid, and nothing else; nobody is asked who that is. */
bool user_parse_uid(const char *text, uid_t *ret_uid);

#endif
