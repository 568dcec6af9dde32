/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `plan` command: what install would do, without privileges and without doing it. */
#include "redirector/apply.h"
#include "redirector/commands.h"

static enum exit_code run(struct settings *settings, struct err *err)
{
	cleanup_plan struct plan plan = {0};
	int rc;

	settings->dry_run = true;
	if (apply_prepare(settings, &plan, err) < 0)
		return EXIT_CONFIGURATION;
	rc = settings->json ? plan_print_json(&plan, stdout, err) : plan_print(&plan, stdout, err);
	return rc < 0 ? EXIT_LACKING : EXIT_DONE;
}

const struct command command_plan = {
	.name = "plan",
	.summary = "print what install would do with the same options; needs no root",
	.examples = "  meshdns-redirect plan --redirect-dns\n"
		    "  meshdns-redirect plan --redirect-all-dns-traffic --json\n",
	.rows = settings_install_rows,
	.run = run,
};
