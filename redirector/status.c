/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `status` command: what is installed, and whether it is what was meant. */
#include <stdio.h>

#include "redirector/apply.h"
#include "redirector/commands.h"
#include "redirector/compare.h"
#include "redirector/firewalld.h"
#include "redirector/rollback.h"

static const struct {
	const char *json, *words;
	enum exit_code code;
} states[] = {
	[COMPARE_NOT_INSTALLED] = {"not installed", "not installed", EXIT_NOT_INSTALLED},
	[COMPARE_INSTALLED] = {"installed", "installed", EXIT_DONE},
	[COMPARE_SAME] = {"as planned", "installed as planned", EXIT_DONE},
	[COMPARE_DIFFERS] = {"differs", "installed, and different from what it should be",
			     EXIT_DIFFERS},
};

static int print_words(const struct compare *compare, const struct plan *wanted, struct err *err)
{
	const struct plan *found = &compare->found;

	printf("%s\n", states[compare->state].words);
	command_print_source(wanted);
	if (compare->state == COMPARE_DIFFERS)
		compare_print_differences(compare, stdout);
	if (compare->state == COMPARE_NOT_INSTALLED)
		return 0;
	printf("backend: %s, %s\nversion: %s\n%s%s\n", compare->backend->name,
	       compare->backend->place, found->version[0] ? found->version : "not known",
	       firewalld_has_rules() ? "stored in firewalld\n" : "",
	       rollback_is_pending() ? "not confirmed: it will be undone unless meshdns-redirect "
				       "confirm is run in time\n"
				     : "");
	return plan_print(found, stdout, err);
}

static int print_json(const struct compare *compare, const struct plan *wanted, struct err *err)
{
	const struct plan *found = &compare->found;
	cleanup_json json_t *json = json_pack(
		"{s:s, s:O, s:s*}", "state", states[compare->state].json, "differences",
		compare->differences, "source", wanted->n_sets ? wanted->sets[0].sentence : NULL);

	if (compare->state != COMPARE_NOT_INSTALLED &&
	    (json_object_set_new(json, "backend", json_string(compare->backend->name)) < 0 ||
	     json_object_set_new(json, "version",
				 found->version[0] ? json_string(found->version) : json_null()) <
		     0 ||
	     json_object_set_new(json, "rollback_pending", json_boolean(rollback_is_pending())) <
		     0 ||
	     json_object_set_new(json, "stored_in_firewalld", json_boolean(firewalld_has_rules())) <
		     0 ||
	     json_object_set_new(json, "plan", plan_json(found)) < 0))
		return plan_json_print(NULL, stdout, err);
	return plan_json_print(json, stdout, err);
}

static enum exit_code run(struct settings *settings, struct err *err)
{
	cleanup_compare struct compare compare = {0};
	cleanup_plan struct plan wanted = {0};
	bool planned = settings_wants_rules(settings);

	settings->dry_run = true; /* nothing is changed here */
	if ((planned && apply_prepare(settings, &wanted, err) < 0) ||
	    compare_rules(settings, planned ? &wanted : NULL, &compare, err) < 0 ||
	    (settings->json ? print_json : print_words)(&compare, &wanted, err) < 0)
		return EXIT_LACKING;
	return states[compare.state].code;
}

const struct command command_status = {
	.name = "status",
	.summary = "print what is installed, with counters; with install's options, whether it is "
		   "that",
	.examples = "  meshdns-redirect status\n"
		    "  meshdns-redirect status --redirect-dns\n"
		    "  meshdns-redirect status --netns blue --json\n",
	.exit_codes =
		"0 installed (as planned), 1 not installed, 2 could not be found out, 3 differs",
	.rows = settings_install_rows,
	.run = run,
};
