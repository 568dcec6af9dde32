/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.h for the CNI plugin, in place of user.c: containers have users and groups of their own, of
 * which this machine knows no names; and a static program cannot look up this machine's.
 */
#include <errno.h>
#include <string.h>

#include "common/user.h"

int user_resolve(const char *text, struct user *ret_user, struct err *err)
{
	*ret_user = (struct user){.uid = USER_DEFAULT_UID, .gid = USER_DEFAULT_UID};
	if (!text || !*text)
		return 0;
	if (user_parse_uid(text, &ret_user->uid)) {
		ret_user->gid = ret_user->uid;
		return 0;
	}
	return err_set(err, EINVAL,
		       "\"%s\" is no uid; give a number, for the users of containers have no names "
		       "here",
		       text);
}

int user_resolve_group(const char *name, gid_t *ret_gid, struct err *err)
{
	*ret_gid = 0;
	return err_set(
		err, EINVAL,
		"\"%s\" is no gid; give a number, for the groups of containers have no names "
		"here",
		name);
}
