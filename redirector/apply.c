/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/apply.h"

#include <errno.h>

#include "common/log.h"

static void log_difference(char sign, const char *text, void *arg)
{
	(void)arg;
	log_debug(sign == '+' ? "adding" : "removing", "%s", text);
}

static void keep_first(char sign, const char *text, void *arg)
{
	struct err *err = arg;

	if (!err->code)
		err_set(err, EIO, "the kernel does not hold the rules that it accepted: %s %s",
			sign == '+' ? "it lacks" : "it has", text);
}

/* What there is, and by which backend. */
struct before {
	int state; /* of backend_read() */
	const struct backend *backend;
	struct plan plan;
};

static int verify(const struct backend_options *options, const struct backend *backend,
		  const struct plan *expressed, struct err *err)
{
	cleanup_plan struct plan found = {0};
	struct err first = {0};
	int rc;

	if ((rc = backend->read(options, &found, err)) < 0) {
		err_wrap(err, "the kernel did not take the rules");
		return rc;
	}
	if (!plan_diff(&found, expressed, keep_first, &first))
		return 0;
	return err_set(err, first.code, "%s", first.msg);
}

int apply_restore(const struct backend_options *options, const struct backend *backend,
		  const struct plan *before, struct err *err)
{
	bool was_there;
	int rc = before ? backend->apply(options, before, true, err) : 0;

	return rc < 0 ? rc : backend_remove(options, before ? backend : NULL, &was_there, err);
}

/* Installs what is not there already, or puts back what was. */
static int install(const struct backend_options *options, const struct backend *backend,
		   const struct plan *expressed, const struct before *before, struct err *err)
{
	static const struct plan none;
	bool same = before->backend == backend;
	struct err reason;
	int rc;

	if (!plan_diff(same ? &before->plan : &none, expressed, log_difference, NULL) && same &&
	    before->state == 0) {
		log_info("nothing to do: the rules are installed already", NULL);
		return 0;
	}
	rc = backend->apply(options, expressed, same, err);
	if (rc < 0 && rc != -ENOBUFS) /* then the answer was lost, and only a look tells */
		return rc;
	if ((rc = verify(options, backend, expressed, err)) == 0)
		log_info("the rules are installed", NULL);
	else if (apply_restore(options, before->backend,
			       before->backend && before->state == 0 ? &before->plan : NULL,
			       &reason) < 0)
		log_error("cannot put back what was there before", "reason=\"%s\"", reason.msg);
	return rc;
}

static int apply_with(const struct backend_options *options, const struct backend *backend,
		      const struct plan *plan, const struct before *before, struct err *err)
{
	cleanup_plan struct plan expressed = {0};
	bool was_there;
	int rc;

	if ((rc = backend->express(plan, &expressed, err)) < 0 ||
	    (rc = install(options, backend, &expressed, before, err)) < 0)
		return rc;
	if (before->state == 0 && (!before->backend || before->backend == backend))
		return 0; /* we would have seen another one's */
	if ((rc = backend_remove(options, backend, &was_there, err)) < 0)
		err_wrap(err, "the rules are installed by %s, but others could not be removed",
			 backend->name);
	else if (was_there)
		log_info("the rules of another backend are removed", NULL);
	return rc;
}

/* The first backend that can. */
static int apply_by_turns(const struct backend_options *options, const struct plan *plan,
			  const struct before *before, struct err *err)
{
	const struct backend *backend;
	const char *why;
	int rc = -EOPNOTSUPP;

	for (size_t turn = 0; (backend = backend_candidate(options, turn, &why)); turn++) {
		if (turn)
			log_info("another backend is tried", "reason=\"%s\"", err->msg);
		log_info("backend", "name=%s reason=\"%s\"", backend->name, why);
		if ((rc = apply_with(options, backend, plan, before, err)) != -EOPNOTSUPP)
			break;
	}
	return rc;
}

int apply_first_plan(const struct backend_options *options, const struct plan *plan,
		     struct err *err)
{
	static const struct before nothing;

	return apply_by_turns(options, plan, &nothing, err);
}

int apply_plan(const struct backend_options *options, const struct plan *plan, struct err *err)
{
	struct before before = {0};
	int rc;

	rc = before.state = backend_read(options, &before.plan, &before.backend, err);
	if (before.state == -EBADMSG)
		log_warning("replacing what somebody has changed", "found=\"%s\"", err->msg);
	if (before.state == 0 || before.state == -EBADMSG)
		rc = apply_by_turns(options, plan, &before, err);
	plan_free(&before.plan);
	return rc;
}
