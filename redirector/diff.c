/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `diff` command: what install would change, against the rules that there are. */
#include "redirector/apply.h"
#include "redirector/commands.h"
#include "redirector/compare.h"

static enum exit_code run(struct settings *settings, struct err *err)
{
	cleanup_compare struct compare compare = {0};
	cleanup_plan struct plan wanted = {0};

	settings->dry_run = true;
	if (apply_prepare(settings, &wanted, err) < 0 ||
	    compare_rules(settings, &wanted, &compare, err) < 0)
		return EXIT_LACKING;
	if (!settings->json && compare.state != COMPARE_SAME)
		command_print_source(&wanted);
	if (!settings->json)
		compare_print_differences(&compare, stdout);
	else if (plan_json_print(compare.differences, stdout, err) < 0)
		return EXIT_LACKING;
	if (compare.state == COMPARE_SAME)
		return EXIT_DONE;
	return compare.state == COMPARE_NOT_INSTALLED ? EXIT_NOT_INSTALLED : EXIT_DIFFERS;
}

const struct command command_diff = {
	.name = "diff",
	.summary = "print what install would change: '-' is there, '+' is wanted",
	.examples = "  meshdns-redirect diff --redirect-dns\n"
		    "  meshdns-redirect diff --redirect-all-dns-traffic --json\n",
	.exit_codes =
		"0 no difference, 1 not installed at all, 2 could not be found out, 3 differs",
	.rows = settings_install_rows,
	.run = run,
};
