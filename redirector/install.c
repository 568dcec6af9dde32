/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"
#include "redirector/apply.h"
#include "redirector/commands.h"
#include "redirector/firewalld.h"
#include "redirector/rollback.h"

/* An earlier install's guard is sent away, and may just have undone ours when it goes. */
static int install(const struct settings *settings, const struct plan *plan, struct err *err)
{
	enum rollback_end end;
	int rc;

	if ((rc = apply_plan(&settings->backend, plan, err)) < 0)
		return rc;
	if ((rc = rollback_cancel(&end, err)) < 0) {
		err_wrap(err, "an earlier install's rollback is still pending and will undo this");
		return rc;
	}
	if (end == ROLLBACK_CANCELLED)
		log_info("the rollback that was pending is cancelled", NULL);
	return end == ROLLBACK_DONE ? apply_plan(&settings->backend, plan, err) : 0;
}

/* The guard stands before the first rule does, so that there is no moment without it. */
static int install_guarded(const struct settings *settings, const struct plan *plan,
			   struct err *err)
{
	struct rollback rollback;
	int rc;

	if ((rc = rollback_start(&settings->backend, settings->rollback_after, &rollback, err)) < 0)
		return rc;
	if ((rc = install(settings, plan, err)) < 0)
		rollback_drop(&rollback);
	else if ((rc = rollback_post(&rollback, err)) == 0)
		log_info("undone unless confirmed in time", "seconds=%u", settings->rollback_after);
	return rc;
}

/*
 * Stored before it is installed, and taken back when that fails: it takes effect at firewalld's
 * next reload only. What an earlier install stored goes, unless this one is to be stored.
 */
static int install_stored(const struct settings *settings, const struct plan *plan, struct err *err)
{
	cleanup_firewalld struct firewalld firewalld = {0};
	cleanup_plan struct plan expressed = {0};
	const char *why;
	const struct backend *backend = backend_candidate(&settings->backend, 0, &why);
	struct err reason;
	int rc;

	if ((rc = firewalld_open(&firewalld, err)) < 0 ||
	    (rc = backend->express(plan, &expressed, err)) < 0 ||
	    (rc = firewalld_store(&firewalld, settings->store_firewalld ? &expressed : NULL, err)) <
		    0)
		return rc;
	if ((rc = install(settings, plan, err)) < 0) {
		if (firewalld_restore(&firewalld, &reason) < 0)
			log_error("cannot put back what firewalld had stored", "reason=\"%s\"",
				  reason.msg);
		return rc;
	}
	log_info(settings->store_firewalld ? "the rules are stored in firewalld"
					   : "the rules are no longer stored in firewalld",
		 NULL);
	return 0;
}

static enum exit_code run(struct settings *settings, struct err *err)
{
	cleanup_plan struct plan plan = {0};
	enum exit_code code;

	if (settings->dry_run)
		return command_plan.run(settings, err);
	if (apply_prepare(settings, &plan, err) < 0)
		return EXIT_CONFIGURATION;
	if ((code = command_enter_netns(settings, err)) != EXIT_DONE)
		return code;
	if (settings->rollback_after)
		return command_exit_code(install_guarded(settings, &plan, err));
	if (settings->store_firewalld || (!settings->netns && firewalld_has_rules()))
		return command_exit_code(install_stored(settings, &plan, err));
	return command_exit_code(install(settings, &plan, err));
}

const struct command command_install = {
	.name = "install",
	.summary = "capture DNS: make the kernel hand queries to the local resolver",
	.examples = "  meshdns-redirect install --redirect-dns\n"
		    "  meshdns-redirect install --redirect-all-dns-traffic --proxy-user 5678\n"
		    "  meshdns-redirect install --redirect-dns --netns blue --verbose\n"
		    "  meshdns-redirect install --redirect-dns --rollback-after 60s\n"
		    "  meshdns-redirect install --redirect-dns --dry-run\n"
		    "  meshdns-redirect install --redirect-dns --backend iptables-legacy\n"
		    "  meshdns-redirect install transparent-proxy --config kuma.yaml\n",
	.rows = settings_install_rows,
	.run = run,
};
