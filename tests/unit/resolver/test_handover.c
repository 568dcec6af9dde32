/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolver/handover.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* It was told to end while its successor was on the way, and ends when that is there. */
Test(handover, what_is_the_successors_is_left_to_it)
{
	char dir[] = "/tmp/meshdns-handover-XXXXXX", path[64];
	struct handover old = {.path = path, .old_fd = -1, .listen_fd = -1, .new_fd = -1};
	struct handover new = old;
	struct err err;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/takeover", dir);
	cr_assert_eq(handover_begin(&old, NULL, 0, &err), 0);
	cr_assert_eq(handover_begin(&new, NULL, 0, &err), 0);
	handover_close(&old);
	cr_expect_eq(access(path, F_OK), 0);
	handover_close(&new);
	cr_expect_neq(access(path, F_OK), 0);
	rmdir(dir);
}
