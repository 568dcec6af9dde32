/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a verb failed, as the CNI specification has it told: a code for the runtime, words for
 * people. Runtimes show the words and never the code, so what to do about it is in the words.
 */
#ifndef MESHDNS_CNI_FAILURE_H
#define MESHDNS_CNI_FAILURE_H

#include "common/err.h"

/* Those below 100 are the specification's, but for the two that its reference library added. */
enum failure_code {
	FAILURE_VERSION = 1,       /* of the protocol, that we do not speak */
	FAILURE_FIELD = 2,         /* one that is not supported */
	FAILURE_ENVIRONMENT = 4,   /* a variable is missing or wrong */
	FAILURE_IO = 5,            /* nothing could be read or written */
	FAILURE_DECODE = 6,        /* what was read is not what it should be */
	FAILURE_CONFIGURATION = 7, /* it makes no sense */
	FAILURE_NAMESPACE = 8,     /* the network namespace is none, or ours (reference library) */
	FAILURE_AGAIN = 11,        /* worth another try */
	FAILURE_UNAVAILABLE = 50,  /* STATUS: no ADD would succeed */
	FAILURE_INTERNAL = 999,    /* (reference library) */
	FAILURE_RULES = 100,       /* the kernel's rules cannot be read or changed */
	FAILURE_CHECK = 101,       /* they are not what they should be */
};

struct failure {
	enum failure_code code;
	struct err err;    /* its message; its code is no matter */
	char details[256]; /* more of it, or "" */
};

/* Both return -1. */
int failure_set(struct failure *failure, enum failure_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* For what a function of other folders has told by failure->err. */
int failure_is(struct failure *failure, enum failure_code code);

#endif
