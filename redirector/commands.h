/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One command, one file, one row in main.c. */
#ifndef MESHDNS_REDIRECTOR_COMMANDS_H
#define MESHDNS_REDIRECTOR_COMMANDS_H

#include "common/err.h"
#include "common/options.h"
#include "iptables/plan.h"
#include "redirector/settings.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_CONFIGURATION = 1, /* usage, settings, or what they refer to */
	EXIT_LACKING = 2,       /* the machine or our privileges lack something */
	EXIT_REFUSED = 3,       /* the kernel refused, or does not do what it was told */

	/* What the commands that answer a question say with theirs, besides EXIT_LACKING. */
	EXIT_NOT_INSTALLED = 1,
	EXIT_NOTHING_PENDING = 1,
	EXIT_DIFFERS = 3,
	EXIT_FAILED = 4,
};

struct command {
	const char *name, *summary, *examples;
	const struct option_row *rows;
	/* Of a command that answers with its exit code: what goes wrong is EXIT_LACKING there. */
	const char *exit_codes;
	/* With another code than EXIT_DONE `err` says why, where stdout has not said so. */
	enum exit_code (*run)(struct settings *settings, struct err *err);
};

extern const struct command command_confirm, command_diff, command_install, command_plan,
	command_status, command_uninstall, command_verify;

/* Enters the namespace that --netns names, if it names one. */
enum exit_code command_enter_netns(const struct settings *settings, struct err *err);

/* One line that says whose nameservers a plan captures, if it captures any in particular. */
void command_print_source(const struct plan *wanted);

/* The exit code for what apply_plan() and nft_remove() return. */
enum exit_code command_exit_code(int rc);

#endif
