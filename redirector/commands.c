/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "redirector/commands.h"

#include <errno.h>
#include <stdio.h>

#include "common/netns.h"

enum exit_code command_enter_netns(const struct settings *settings, struct err *err)
{
	int rc = settings->netns ? netns_enter(settings->netns, err) : 0;

	if (rc < 0)
		return rc == -EPERM ? EXIT_LACKING : EXIT_CONFIGURATION;
	return EXIT_DONE;
}

void command_print_source(const struct plan *wanted)
{
	if (wanted->n_sets)
		printf("# %s\n", wanted->sets[0].sentence);
}

enum exit_code command_exit_code(int rc)
{
	if (rc == 0)
		return EXIT_DONE;
	return rc == -EPERM || rc == -EOPNOTSUPP ? EXIT_LACKING : EXIT_REFUSED;
}
