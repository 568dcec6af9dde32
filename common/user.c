/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

static void user_from_passwd(const struct passwd *pw, struct user *ret_user)
{
	ret_user->uid = pw->pw_uid;
	ret_user->gid = pw->pw_gid;
	snprintf(ret_user->name, sizeof(ret_user->name), "%s", pw->pw_name);
}

static bool lookup_uid(uid_t uid, struct user *ret_user)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		user_from_passwd(pw, ret_user);
	return pw;
}

static bool lookup_name(const char *name, struct user *ret_user)
{
	const struct passwd *pw = getpwnam(name);

	if (pw)
		user_from_passwd(pw, ret_user);
	return pw;
}

static int user_default(struct user *ret_user, struct err *err)
{
	static const char *const names[] = {"meshdns", "kuma-dp"};

	if (lookup_uid(USER_DEFAULT_UID, ret_user))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (lookup_name(names[i], ret_user))
			return 0;
	}
	return err_set(
		err, ENOENT,
		"no proxy user: neither uid %d nor a user \"meshdns\" or \"kuma-dp\" exists; "
		"create one (useradd --system --uid %d --shell /usr/sbin/nologin meshdns) "
		"or name another",
		USER_DEFAULT_UID, USER_DEFAULT_UID);
}

int user_resolve(const char *text, struct user *ret_user, struct err *err)
{
	uid_t uid;

	memset(ret_user, 0, sizeof(*ret_user));
	if (!text || !*text)
		return user_default(ret_user, err);
	if (*text < '0' || *text > '9') {
		if (lookup_name(text, ret_user))
			return 0;
		return err_set(err, ENOENT, "no user \"%s\" on this machine; give its uid instead",
			       text);
	}
	if (!user_parse_uid(text, &uid))
		return err_set(err, EINVAL, "\"%s\" is neither a user name nor a uid (0 to %u)",
			       text, UINT32_MAX - 1);
	if (!lookup_uid(uid, ret_user)) {
		ret_user->uid = uid;
		ret_user->gid = uid;
	}
	return 0;
}

int user_resolve_group(const char *name, gid_t *ret_gid, struct err *err)
{
	const struct group *group = getgrnam(name);

	if (!group)
		return err_set(err, ENOENT, "no group \"%s\" on this machine; give its gid instead",
			       name);
	*ret_gid = group->gr_gid;
	return 0;
}
