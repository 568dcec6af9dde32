/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/apply.h"

#include <errno.h>

#include "common/log.h"
#include "iptables/nft.h"
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

static void log_difference(char sign, const char *text, void *arg)
{
	(void)arg;
	log_info(sign == '+' ? "adding" : "removing", "%s", text);
}

static void keep_first(char sign, const char *text, void *arg)
{
	struct err *err = arg;

	if (!err->code)
		err_set(err, EIO, "the kernel does not hold the rules that it accepted: %s %s",
			sign == '+' ? "it lacks" : "it has", text);
}

static int verify(const struct plan *plan, struct err *err)
{
	cleanup_plan struct plan found = {0};
	struct err first = {0};
	int rc;

	if ((rc = nft_read(&found, err)) < 0) {
		err_wrap(err, "the kernel did not take the rules");
		return rc;
	}
	if (!plan_diff(&found, plan, keep_first, &first))
		return 0;
	return err_set(err, first.code, "%s", first.msg);
}

int apply_restore(const struct plan *before, struct err *err)
{
	bool was_there;

	return before ? nft_replace(before, err) : nft_remove(&was_there, err);
}

int apply_plan(const struct plan *plan, struct err *err)
{
	cleanup_plan struct plan before = {0};
	struct err reason;
	int state = nft_read(&before, err), rc;

	if (state < 0 && state != -ENOENT && state != -EBADMSG)
		return state;
	if (state == -EBADMSG)
		log_warning("replacing what somebody has changed", "found=\"%s\"", err->msg);
	if (!plan_diff(&before, plan, log_difference, NULL) && state != -EBADMSG) {
		log_info("nothing to do: the rules are installed already", NULL);
		return 0;
	}
	rc = state == -ENOENT ? nft_create(plan, err) : -EEXIST;
	if (rc == -EEXIST) /* or somebody was faster */
		rc = nft_replace(plan, err);
	if (rc < 0 && rc != -ENOBUFS) /* then the answer was lost, and only a look tells */
		return rc;
	if ((rc = verify(plan, err)) == 0)
		log_info("the rules are installed", NULL);
	else if (apply_restore(state == 0 ? &before : NULL, &reason) < 0)
		log_error("cannot put back what was there before", "reason=\"%s\"", reason.msg);
	return rc;
}
