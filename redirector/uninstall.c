/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/log.h"
#include "iptables/backend.h"
#include "redirector/commands.h"
#include "redirector/firewalld.h"
#include "redirector/rollback.h"

static int forget_stored(const struct settings *settings, struct err *err)
{
	cleanup_firewalld struct firewalld firewalld = {0};
	int rc;

	if (settings->netns || !firewalld_has_rules())
		return 0;
	if ((rc = firewalld_open(&firewalld, err)) < 0 ||
	    (rc = firewalld_store(&firewalld, NULL, err)) < 0)
		err_wrap(err, "the rules are removed, but are still stored in firewalld");
	else
		log_info("the rules are no longer stored in firewalld", NULL);
	return rc;
}

static enum exit_code run(struct settings *settings, struct err *err)
{
	enum exit_code code;
	enum rollback_end end;
	bool was_there, again;
	int rc;

	if (settings->dry_run) {
		for (size_t i = 0; i < BACKENDS; i++)
			printf("would remove what there is of %s: %s\n", backends[i]->name,
			       backends[i]->place);
		return EXIT_DONE;
	}
	if ((code = command_enter_netns(settings, err)) != EXIT_DONE)
		return code;
	if ((rc = backend_remove(&settings->backend, NULL, &was_there, err)) == 0 &&
	    (rc = rollback_cancel(&end, err)) == 0 &&
	    end == ROLLBACK_DONE) /* it may have put something back */
		rc = backend_remove(&settings->backend, NULL, &again, err);
	if (rc == 0)
		rc = forget_stored(settings, err);
	if (rc == 0)
		log_info(was_there ? "the rules are removed"
				   : "nothing to do: no rules are installed",
			 NULL);
	return command_exit_code(rc);
}

const struct command command_uninstall = {
	.name = "uninstall",
	.summary = "remove what install made, and nothing else",
	.examples = "  meshdns-redirect uninstall\n"
		    "  meshdns-redirect uninstall --netns blue --verbose\n",
	.rows = settings_uninstall_rows,
	.run = run,
};
