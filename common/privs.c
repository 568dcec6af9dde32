/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

static int become(const struct user *user, struct err *err)
{
	/* CAPNG_DROP_SUPP_GRP: the user's further groups are of no use to a resolver. */
	int rc = capng_change_id((int)user->uid, (int)user->gid,
				 CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);

	if (rc)
		return err_set(err, EPERM,
			       "cannot become uid %u, gid %u: this root lacks CAP_SETUID, "
			       "CAP_SETGID or CAP_SETPCAP (libcap-ng says %d); start as that user "
			       "instead",
			       user->uid, user->gid, rc);
	if (user->uid != 0 && setuid(0) == 0)
		return err_set(err, EPERM, "became uid %u but could become root again", user->uid);
	return 0;
}

int privs_drop(const struct user *user, struct err *err)
{
	int rc;

	capng_clear(CAPNG_SELECT_BOTH);
	if (geteuid() == 0) {
		if ((rc = become(user, err)) < 0)
			return rc;
	} else if (capng_apply(CAPNG_SELECT_CAPS)) {
		return err_set(err, EPERM, "cannot drop the capabilities");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "cannot set no_new_privs: %s", err_text(errno));
	return 0;
}
