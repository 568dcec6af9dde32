/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cgroup.h"
#include "common/user.h"

static void add(struct owners *owners, struct plan_match match)
{
	owners->list[owners->n++] = match;
}

/* "5678" or "5678-5700"; false when it begins with no digit, and is a name then. */
static bool parse_ids(const char *text, struct plan_match *m)
{
	const char *dash = strchr(text, '-');
	char first[16];
	uid_t value, last;

	if (!dash) {
		bool ok = user_parse_uid(text, &value);

		m->value = value;
		return ok;
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	if (!user_parse_uid(first, &value) || !user_parse_uid(dash + 1, &last) || last < value)
		return false;
	m->value = value;
	m->last = last > value ? last : 0;
	return true;
}

static bool begins_with_digit(const char *text)
{
	return *text >= '0' && *text <= '9';
}

static int add_user(struct owners *owners, const char *text, struct err *err)
{
	struct plan_match match = {.kind = PLAN_MATCH_UID};
	struct user user;
	int rc;

	if (text && begins_with_digit(text)) {
		if (!parse_ids(text, &match))
			return err_set(err, EINVAL,
				       "--proxy-user: \"%s\" is neither a user name nor a uid nor "
				       "a range of them (5678-5700)",
				       text);
	} else {
		if ((rc = user_resolve(text, &user, err)) < 0) {
			err_wrap(err, "--proxy-user");
			return rc;
		}
		match.value = user.uid;
	}
	add(owners, match);
	return 0;
}

static int add_group(struct owners *owners, const char *text, struct err *err)
{
	struct plan_match match = {.kind = PLAN_MATCH_GID};
	gid_t gid;
	int rc;

	if (begins_with_digit(text)) {
		if (!parse_ids(text, &match))
			return err_set(err, EINVAL,
				       "--proxy-group: \"%s\" is neither a group name nor a gid "
				       "nor a range of them",
				       text);
	} else {
		if ((rc = user_resolve_group(text, &gid, err)) < 0) {
			err_wrap(err, "--proxy-group");
			return rc;
		}
		match.value = gid;
	}
	add(owners, match);
	return 0;
}

/* A rule is for the cgroup that is there now. */
static int add_cgroup(struct owners *owners, const char *text, struct err *err)
{
	struct plan_match match = {.kind = PLAN_MATCH_CGROUP};
	struct cgroup cgroup;
	int rc;

	if (!cgroup_normalize(text, match.cgroup))
		return err_set(err, EINVAL,
			       "--proxy-cgroup: \"%s\" is no path of a cgroup below the root "
			       "(system.slice/envoy.service)",
			       text);
	if ((rc = cgroup_resolve(match.cgroup, &cgroup, err)) < 0) {
		err_wrap(err, "--proxy-cgroup");
		return rc;
	}
	add(owners, match);
	return 0;
}

/* Decimal, octal or hexadecimal, as iptables and nft take it. */
static bool parse_u32(const char *text, char end, uint32_t *ret_value, const char **ret_rest)
{
	char *rest;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &rest, 0);
	*ret_value = (uint32_t)value;
	*ret_rest = rest;
	return begins_with_digit(text) && (!*rest || *rest == end) && !errno && value <= UINT32_MAX;
}

static int add_mark(struct owners *owners, const char *text, struct err *err)
{
	struct plan_match match = {.kind = PLAN_MATCH_MARK, .mask = UINT32_MAX};
	const char *rest;

	if (!parse_u32(text, '/', &match.value, &rest) ||
	    (*rest && !parse_u32(rest + 1, '\0', &match.mask, &rest)) || !match.mask ||
	    (match.value & ~match.mask))
		return err_set(err, EINVAL,
			       "--proxy-mark: \"%s\" is no mark (0x10, 0x10/0xf0) within its mask",
			       text);
	add(owners, match);
	return 0;
}

static bool is_given(const char *text)
{
	return text && *text;
}

int owners_find(const struct settings *settings, struct owners *ret_owners, struct err *err)
{
	bool others = is_given(settings->proxy_group) || is_given(settings->proxy_cgroup) ||
		      is_given(settings->proxy_mark);
	int rc = 0;

	*ret_owners = (struct owners){0};
	if (is_given(settings->proxy_user) || !others)
		rc = add_user(ret_owners, settings->proxy_user, err);
	if (rc == 0 && is_given(settings->proxy_group))
		rc = add_group(ret_owners, settings->proxy_group, err);
	if (rc == 0 && is_given(settings->proxy_cgroup))
		rc = add_cgroup(ret_owners, settings->proxy_cgroup, err);
	if (rc == 0 && is_given(settings->proxy_mark))
		rc = add_mark(ret_owners, settings->proxy_mark, err);
	return rc;
}

bool owners_have(const struct owners *owners, enum plan_match_kind kind, uint32_t id)
{
	for (size_t i = 0; i < owners->n; i++) {
		const struct plan_match *m = &owners->list[i];

		if (m->kind == kind && m->value <= id && id <= (m->last ? m->last : m->value))
			return true;
	}
	return false;
}
