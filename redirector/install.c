/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/apply.h"
#include "redirector/commands.h"

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
	return command_exit_code(apply_plan(&plan, err));
}

const struct command command_install = {
	.name = "install",
	.summary = "capture DNS: make the kernel hand queries to the local resolver",
	.examples = "  meshdns-redirect install --redirect-dns\n"
		    "  meshdns-redirect install --redirect-all-dns-traffic --proxy-user 5678\n"
		    "  meshdns-redirect install --redirect-dns --netns blue --verbose\n"
		    "  meshdns-redirect install --redirect-dns --dry-run\n"
		    "  meshdns-redirect install transparent-proxy --config kuma.yaml\n",
	.rows = settings_install_rows,
	.run = run,
};
