/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The versions of the CNI protocol, and results in the form of one as those of another. */
#ifndef MESHDNS_CNI_PROTOCOL_H
#define MESHDNS_CNI_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>

#include "cni/failure.h"

#define PROTOCOL_NEWEST "1.1.0"

/* In ascending order; NULL ends it. Chains of plugins began with 0.3.0. */
extern const char *const protocol_supported[];

/* The version is one of them, and not older than `since`, which is one. */
bool protocol_is_supported(const char *version);
bool protocol_is_since(const char *version, const char *since);

/* Fails, naming those that are supported, when it is none of them. */
int protocol_check(const char *version, struct failure *failure);

/*
 * Makes a result in the form of version `from` one in that of `to`, both supported, in place. What
 * neither form knows stays.
 */
int protocol_convert(json_t *result, const char *from, const char *to, struct failure *failure);

#endif
