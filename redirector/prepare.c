/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/apply.h"
#include "redirector/host.h"
#include "redirector/policy.h"

int apply_prepare(const struct settings *settings, struct plan *ret_plan, struct err *err)
{
	struct host host;
	int rc;

	if ((rc = settings_check_install(settings, err)) < 0 ||
	    (rc = host_read(settings, &host, err)) < 0)
		return rc;
	return policy_plan(settings, &host, ret_plan, err);
}
