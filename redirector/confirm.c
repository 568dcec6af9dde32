/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The `confirm` command: what was installed with --rollback-after stays. */
#include <errno.h>
#include <stdio.h>

#include "redirector/commands.h"
#include "redirector/rollback.h"

static enum exit_code run(struct settings *settings, struct err *err)
{
	static const char *const words[] = {
		[ROLLBACK_NONE] = "nothing is pending",
		[ROLLBACK_CANCELLED] = "confirmed: the rules stay",
		[ROLLBACK_LOST] = "nothing is pending: what would have rolled back was killed",
		[ROLLBACK_DONE] = "too late: what was there before has been put back",
	};
	enum exit_code code;
	enum rollback_end end;

	if ((code = command_enter_netns(settings, err)) != EXIT_DONE)
		return code;
	if (rollback_cancel(&end, err) < 0)
		return EXIT_LACKING;
	puts(words[end]);
	return end == ROLLBACK_CANCELLED ? EXIT_DONE : EXIT_NOTHING_PENDING;
}

const struct command command_confirm = {
	.name = "confirm",
	.summary = "keep what install --rollback-after has installed",
	.examples = "  meshdns-redirect install --redirect-dns --rollback-after 60s\n"
		    "  meshdns-redirect confirm\n",
	.exit_codes = "0 confirmed, 1 nothing is pending or it was too late, 2 could not be done",
	.rows = settings_confirm_rows,
	.run = run,
};
