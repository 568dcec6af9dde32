/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runtime gets to read: one JSON object on standard output, or nothing. It is composed
 * whole and written at once, for whatever else comes there makes the runtime understand neither
 * results nor errors.
 */
#ifndef MESHDNS_CNI_RESULT_H
#define MESHDNS_CNI_RESULT_H

#include <stdbool.h>

#include "cni/failure.h"
#include "cni/request.h"

/* The result of the plugin before us; NULL: there is none, or it is null. */
json_t *result_previous(const struct request *request);

/* Fails where there is none, or it is no result. */
int result_check_previous(const struct request *request, struct failure *failure);

/*
 * Composes the answer to ADD, which is the result of the plugin before us: its very bytes, or, if
 * it is of another version than what was asked for, the same in the form of that one. The caller
 * frees it.
 */
int result_compose(const struct request *request, char **ret_text, struct failure *failure);

/* Each false when it could not be written, which the exit status must tell. */
bool result_write(int fd, const char *text);
bool result_write_failure(int fd, const char *version, const struct failure *failure);
bool result_write_versions(int fd, const char *asked);

#endif
