/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an HTTP response: however they are cut, the same comes of them; and what does is
 * within its limits. The first byte says how; the content's labels are read too.
 */
#include <stdlib.h>
#include <string.h>

#include "resolver/http_response.h"
#include "resolver/kuma.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX 2048

static enum http_progress take(struct http_response *r, const uint8_t *data, size_t size,
			       size_t step)
{
	enum http_progress progress = HTTP_MORE;

	http_response_init(r, BODY_MAX);
	for (size_t at = 0; at < size && progress == HTTP_MORE; at += step) {
		size_t n = size - at < step ? size - at : step;
		char *own = malloc(n); /* so that a read behind it is seen */

		if (!own)
			abort();
		memcpy(own, data + at, n);
		progress = http_response_take(r, own, n);
		free(own);
	}
	return progress == HTTP_MORE ? http_response_end(r) : progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_response whole, cut;
	char labels[KUMA_LABELS_MAX];
	size_t skipped;

	if (size < 2)
		return 0;
	if (take(&whole, data + 1, size - 1, size) != take(&cut, data + 1, size - 1, 1 + *data))
		abort();
	if (whole.body_len > BODY_MAX || strlen(whole.etag) >= HTTP_ETAG_MAX)
		abort();
	if (whole.state == HTTP_AT_END &&
	    (whole.status != cut.status || strcmp(whole.etag, cut.etag) != 0 ||
	     whole.body_len != cut.body_len ||
	     (whole.body && memcmp(whole.body, cut.body, whole.body_len + 1) != 0)))
		abort();
	if (whole.body) {
		kuma_labels(whole.body, whole.body_len, labels, &skipped);
		if (strlen(labels) >= sizeof(labels))
			abort();
	}
	http_response_free(&whole);
	http_response_free(&cut);
	return 0;
}
