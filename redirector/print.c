/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `plan` command: what install would do, without privileges and without doing it. */
#include <string.h>

#include "redirector/apply.h"
#include "redirector/commands.h"

/* As the backend says it; people see what its programs are given. */
static int print_expressed(const struct settings *settings, const struct plan *plan,
			   struct err *err)
{
	const struct backend *backend = backend_find(settings->backend.name);
	cleanup_plan struct plan expressed = {0};
	int rc = backend->express(plan, &expressed, err);

	if (rc < 0)
		return rc;
	if (!settings->json)
		command_print_source(plan); /* its programs take a comment, too */
	return settings->json ? plan_print_json(&expressed, stdout, err)
			      : backend->print(&expressed, stdout, err);
}

static enum exit_code run(struct settings *settings, struct err *err)
{
	cleanup_plan struct plan plan = {0};
	int rc;

	settings->dry_run = true;
	if (apply_prepare(settings, &plan, err) < 0)
		return EXIT_CONFIGURATION;
	if (settings->backend.name && strcmp(settings->backend.name, "nftables") != 0)
		return print_expressed(settings, &plan, err) < 0 ? EXIT_LACKING : EXIT_DONE;
	rc = settings->json ? plan_print_json(&plan, stdout, err) : plan_print(&plan, stdout, err);
	return rc < 0 ? EXIT_LACKING : EXIT_DONE;
}

const struct command command_plan = {
	.name = "plan",
	.summary = "print what install would do with the same options; needs no root",
	.examples = "  meshdns-redirect plan --redirect-dns\n"
		    "  meshdns-redirect plan --redirect-all-dns-traffic --json\n"
		    "  meshdns-redirect plan --redirect-dns --backend iptables-nft\n",
	.rows = settings_install_rows,
	.run = run,
};
