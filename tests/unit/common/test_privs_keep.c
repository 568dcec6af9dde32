/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/privs.h"

/* What /proc/self/status of a program that is started now says. */
static uint64_t status_of_child(const char *key, int base)
{
	FILE *status = popen("cat /proc/self/status", "r");
	char line[256];
	uint64_t value = UINT64_MAX;

	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, key, strlen(key)))
			value = strtoull(line + strlen(key), NULL, base);
	}
	pclose(status);
	return value;
}

/* Criterion runs each test in a process of its own. */
Test(privs_keep, leaves_those_alone_and_programs_no_more)
{
	static const int keep[] = {CAP_NET_ADMIN, CAP_PERFMON /* in the second word */};
	uint64_t had = status_of_child("CapEff:", 16);
	uint64_t expected = had & ((1ULL << CAP_NET_ADMIN) | (1ULL << CAP_PERFMON));
	struct err err = {0};

	cr_assert_neq(had, UINT64_MAX);
	cr_assert_eq(privs_keep(keep, 2, &err), 0, "%s", err.msg);
	cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	cr_expect_eq(status_of_child("CapEff:", 16), expected, "%" PRIx64, expected);
	cr_expect_eq(status_of_child("CapPrm:", 16), expected);
	cr_expect_eq(status_of_child("NoNewPrivs:", 10), 1);
}

Test(privs_keep, of_none_is_none)
{
	struct err err = {0};

	cr_assert_eq(privs_keep(NULL, 0, &err), 0, "%s", err.msg);
	cr_expect_eq(status_of_child("CapPrm:", 16), 0);
}
