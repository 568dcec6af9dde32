/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests as a runtime would make them. */
#ifndef MESHDNS_TESTS_UNIT_CNI_REQUESTS_H
#define MESHDNS_TESTS_UNIT_CNI_REQUESTS_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cni/request.h"

/* What every request has, with more behind it: REQUEST(", \"inject\": \"always\""). */
#define REQUEST_OF(version, more) \
	"{\"cniVersion\": \"" version "\", \"name\": \"net\", \"type\": \"meshdns-cni\"" more "}"
#define REQUEST(more) REQUEST_OF("1.0.0", more)

static inline struct request request_of(const char *text)
{
	return (struct request){
		.container = "c1",
		.netns = "/run/netns/none",
		.ifname = "eth0",
		.args = "",
		.text = strdup(text),
		.text_len = strlen(text),
		.version = "",
		.network = "",
	};
}

/* One that is parsed already. */
static inline struct request request_parsed(const char *text)
{
	struct request request = request_of(text);
	struct failure failure = {0};

	cr_assert_eq(request_parse(&request, &failure), 0, "%s", failure.err.msg);
	return request;
}

#endif
