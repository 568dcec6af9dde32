/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running iptables' programs: found in the directories of the system, not by PATH; started without
 * a shell, with an environment of their own and nothing of ours but three descriptors.
 */
#ifndef MESHDNS_IPTABLES_XT_EXEC_H
#define MESHDNS_IPTABLES_XT_EXEC_H

#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "common/err.h"
#include "iptables/backend.h"

enum xt_flavour { XT_NFT, XT_LEGACY };

const char *xt_flavour_name(enum xt_flavour flavour); /* "nft", "legacy" */

/*
 * The program of that flavour and family: the one of the options, if it is of the flavour; else
 * ip[6]tables-FLAVOUR-PROGRAM, else ip[6]tables-PROGRAM where that is of the flavour. -EOPNOTSUPP:
 * there is none.
 */
int xt_find_program(const struct backend_options *options, enum xt_flavour flavour,
		    enum backend_program program, sa_family_t family, char ret_path[PATH_MAX],
		    struct err *err);

/* Whether what is called just iptables is of that flavour. */
bool xt_is_default(enum xt_flavour flavour);

struct xt_result {
	int status;   /* exit status, or 128 + the signal that ended it */
	char *output; /* malloc'ed, ends in a NUL */
	size_t output_len;
	char complaint[256]; /* what it printed on stderr: the last line */
};

/*
 * Runs argv[0] with `input` as its standard input, NULL for none. 0 when it ran, whatever its
 * status; the caller frees `output`. -EFBIG: it printed more than `output_max`.
 */
int xt_run(const char *const argv[], const char *input, size_t output_max,
	   struct xt_result *ret_result, struct err *err);

#endif
