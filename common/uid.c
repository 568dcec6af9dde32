/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/user.h"

bool user_parse_uid(const char *text, uid_t *ret_uid)
{
	unsigned long long uid;
	char *end;

	errno = 0;
	uid = strtoull(text, &end, 10);
	*ret_uid = (uid_t)uid;
	/* The last value, (uid_t)-1, means "no uid" to the kernel. */
	return *text >= '0' && *text <= '9' && !*end && !errno && uid < UINT32_MAX;
}
